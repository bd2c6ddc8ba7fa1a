"""`onemap erase-person`: the id number is piped in, tried first, done only when it is meant, and traced."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from gis.catalog import Catalogue
from gis.city import City
from gis.settings import CHECKOUT
from gis.store.database import Database
from layers import LAYERS
from tests.gis.deliveries import REGISTER, citizen_id, day, line, write_csv

WORDS = ("--request", "2026-17", "--basis", "PIPL 47", "--by", "records office")


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", *words]
    return subprocess.run(command, cwd=CHECKOUT, input=stdin, capture_output=True, text=True, check=False)


def test_the_person_is_tried_then_erased_and_the_act_traced(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEMAP_DATABASE_URL", database_url)
    city = City(Database(database_url), Catalogue(LAYERS))
    path = tmp_path / "people.csv"
    write_csv(path, [line(1, {"name": "张三"})], full=True)
    city.deliver(REGISTER, path, department="police", mode="full", edition=day(1))
    city.close()

    tried = run("erase-person", *WORDS, "--json", stdin=f"{citizen_id(1)}\n")
    assert tried.returncode == 0, tried.stderr
    assert json.loads(tried.stdout)["dry"] is True
    done = run("erase-person", *WORDS, "--really", "--json", stdin=f"{citizen_id(1)}\n")
    made = json.loads(done.stdout)
    assert (done.returncode, made["dry"], made["identifiers"], made["left"]) == (0, False, 1, {})
    assert citizen_id(1) not in tried.stdout + tried.stderr + done.stdout + done.stderr
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT count(*) FROM base.persons_identifier").fetchone() == (0,)
        kept = conn.execute("SELECT who, collection, detail FROM access.trace WHERE event = 'erased'").fetchall()
    assert [(who, about) for who, about, _ in kept] == [("records office", REGISTER)]
    assert "2026-17" in kept[0][2] and citizen_id(1) not in str(kept)

    nobody = run("erase-person", *WORDS, stdin="12345\n")
    assert nobody.returncode == 1 and "Error" in nobody.stderr + nobody.stdout


def test_no_option_takes_the_id_number() -> None:
    shown = run("erase-person", "--help").stdout
    assert "--request" in shown and "--citizen" not in shown and "ARGS" not in shown
