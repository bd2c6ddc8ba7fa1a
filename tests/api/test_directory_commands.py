"""`onemap directory` and `onemap scorecard`, as a person and as a program run them."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from gis.settings import CHECKOUT
from tests.commands import onemap

SAMPLE = CHECKOUT / "data-samples" / "luan" / "directory.json"


def ask(url: str, *words: str) -> CompletedProcess[str]:
    return onemap(*words, ONEMAP_DATABASE_URL=url, ONEMAP_LANG="zh")


def as_json(url: str, *words: str) -> Any:
    done = ask(url, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_directory_is_applied_and_asked(database_url: str) -> None:
    counts = {"departments": 13, "classes": 127, "items": 1426}
    assert as_json(database_url, "directory", "apply", str(SAMPLE))["counts"] == counts
    shown = as_json(database_url, "directory", "show", "--department", "police")
    assert (shown["counts"], len(shown["departments"]), len(shown["classes"])) == (counts, 1, 10)
    late = as_json(database_url, "directory", "overdue", "--date", "2026-01-01")["overdue"]
    assert (len(late), {one["last"] for one in late}) == (125, {None})
    assert len(as_json(database_url, "directory", "double")["double"]) == 16
    assert {one["why"] for one in as_json(database_url, "directory", "absent")["absent"]} == {"class"}
    card = as_json(database_url, "scorecard", "--date", "2026-01-01", "--publish")
    assert (len(card["departments"]), len(card["classes"]), card["published"]["divisions"]) == (13, 127, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["directory", "show"], "公安局"),
        (["directory", "overdue"], "0 个信息类逾期"),
        (["scorecard"], "不动产登记中心"),
    ],
)
def test_people_read_sentences_and_tables(database_url: str, words: list[str], said: str) -> None:
    done = ask(database_url, *words)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["directory", "apply", "missing.json"], "没有文件"),
        (["directory", "show", "--version", "7"], "没有第 7 版"),
        (["directory", "overdue", "--date", "gestern"], "2026-01-31"),
        (["scorecard", "--department", "moon"], "没有部门"),
    ],
)
def test_an_error_is_one_sentence(database_url: str, words: list[str], said: str) -> None:
    done = ask(database_url, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_in_a_file_is_told_with_its_place(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('{"departments": [{"code": "局", "title_zh": "局"}]}')
    done = ask(database_url, "directory", "apply", str(tmp_path / "d.json"))
    assert "departments 第 1 行「部门编码」" in done.stderr
