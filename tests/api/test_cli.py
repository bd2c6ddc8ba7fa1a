"""The command `onemap` as people and programs meet it: quick help, clear errors in both languages, JSON on all."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from tests.commands import onemap

HEAVY = (
    "geopandas",
    "pandas",
    "pyarrow",
    "pyogrio",
    "rasterio",
    "sqlalchemy",
    "psycopg",
    "fastapi",
    "granian",
    "shapely",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("home")
    Cluster.at(folder, durable=False).start()
    yield str(folder)
    Cluster.at(folder).remove()


def test_a_command_starts_from_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "--help"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert "geocode" in done.stdout and done.stderr == ""


def test_help_loads_nothing_heavy() -> None:
    program = "import sys, api.cli; api.cli.build(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


@pytest.mark.parametrize(("language", "word"), [("zh_CN.UTF-8", "启动数据库"), ("en_GB.UTF-8", "Start the database")])
def test_help_speaks_both_languages(language: str, word: str) -> None:
    done = onemap("--help", LANG=language)
    assert done.returncode == 0
    assert word in done.stdout


def test_every_command_answers_in_json() -> None:
    import typer

    from api.cli import build

    without = []
    groups = [("onemap", typer.main.get_command(build()))]
    while groups:
        name, command = groups.pop()
        if inner := getattr(command, "commands", None):
            groups += [(f"{name} {word}", one) for word, one in inner.items()]
        elif not any("--json" in option.opts for option in command.params):
            without.append(name)
    assert not without


def test_the_life_of_a_database(home: str) -> None:
    def ask(*words: str) -> dict[str, object]:
        done = onemap("db", *words, "--json", ONEMAP_HOME=home)
        assert done.returncode == 0, done.stderr
        answered: dict[str, object] = json.loads(done.stdout)
        return answered

    assert ask("status")["running"] is True
    assert ask("migrate")["applied"]
    assert ask("migrate")["applied"] == []
    assert str(ask("url")["url"]).startswith("postgresql://onemap@/onemap?host=")
    assert "@127.0.0.1:" in str(ask("url", "--tcp")["url"])
    copy = Path(home) / "city.dump"
    assert ask("backup", str(copy))["bytes"] == copy.stat().st_size
    assert ask("restore", str(copy), "--replace")["restored"] is True
    assert ask("migrate")["applied"] == []
    assert ask("stop")["stopped"] is True
    assert ask("status")["running"] is False
    assert ask("stop")["stopped"] is False
    assert ask("start")["running"] is True


def test_the_url_stands_alone_on_standard_output(home: str) -> None:
    done = onemap("db", "url", ONEMAP_HOME=home)
    assert done.stdout.strip() == Cluster.at(Path(home)).url()
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["db", "restore", "nowhere.dump", "--replace"], "is not a backup"),
        (["db", "remove"], "add --yes"),
        (["db", "backup", "/nowhere/city.dump"], "is not a folder"),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_1(home: str, words: list[str], said: str) -> None:
    done = onemap(*words, ONEMAP_HOME=home)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_an_error_in_json_carries_both_languages(home: str) -> None:
    done = onemap("db", "remove", "--json", ONEMAP_HOME=home)
    facts = json.loads(done.stderr)
    assert (done.returncode, facts["kind"]) == (1, "Conflict")
    assert set(facts["error"]) == {"zh", "en"}


def test_an_outside_server_is_not_stopped_and_not_reached_in_silence() -> None:
    nowhere = "postgresql://city:secret@127.0.0.1:1/city"
    for words in (["db", "stop"], ["db", "status"], ["up"]):
        done = onemap(*words, ONEMAP_DATABASE_URL=nowhere, LANG="zh_CN.UTF-8")
        assert done.returncode == 1
        assert done.stderr.startswith("错误：")
        assert "secret" not in done.stderr


def test_a_setting_that_is_no_number_is_named() -> None:
    done = onemap("db", "status", ONEMAP_PORT="eight")
    assert done.returncode == 1
    assert "ONEMAP_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_with_its_holder(home: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = onemap("serve", ONEMAP_HOME=home, ONEMAP_PORT=str(port))
    assert done.returncode == 1
    assert f"ONEMAP_PORT={port + 1}" in done.stderr
    assert f"({os.getpid()})" in done.stderr


def test_stop_where_nothing_runs(tmp_path: Path) -> None:
    done = onemap("stop", "--json", ONEMAP_HOME=str(tmp_path / "nothing"))
    assert json.loads(done.stdout) == {"stopped": {"web": False, "database": False}}
    assert not (tmp_path / "nothing").exists()
