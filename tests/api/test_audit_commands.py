"""`onemap audit`: what it prints, and how it ends."""

import json
import subprocess
from functools import partial
from pathlib import Path

import openpyxl
import psycopg
import pytest

from tests import commands
from tests.gis.test_trace_verify import tamper
from tests.gis.walled_city import walled

Result = subprocess.CompletedProcess[str]


class Machine:
    """A machine with a city of its own, and commands on it; `folder` is for files."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self._run = partial(commands.onemap, ONEMAP_HOME=str(folder / "home"), ONEMAP_DATABASE_URL=url)

    def __call__(self, *words: str | Path) -> Result:
        return self._run(*map(str, words))


@pytest.fixture
def onemap(database_url: str, tmp_path: Path) -> Machine:
    walled(database_url)
    return Machine(database_url, tmp_path)


def lines(result: Result) -> list[dict[str, object]]:
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_commands_do_is_found_again(onemap: Machine, conn: psycopg.Connection) -> None:
    persons = onemap.folder / "persons.csv"
    assert onemap("ask", "base.persons?sex=f", "-o", persons).returncode == 0
    added = lines(onemap("users", "add", "zhao", "--person", "赵 0017", "--json"))
    changed = lines(onemap("audit", "search", "--event", "users_changed", "--json"))
    assert [json.loads(str(entry["detail"])) for entry in changed] == [
        {"account": "zhao", "act": "add", "role": "public"}
    ]
    assert str(added[0]["one_time_password"]) not in json.dumps(changed)
    (entry,) = lines(onemap("audit", "watermark", persons, "--json"))[1:]
    assert (entry["event"], entry["collection"]) == ("exported", "base.persons")
    assert lines(onemap("audit", "search", "--collection", "base.persons", "--to", "2020-01-01", "--json")) == []
    table = onemap.folder / "found.xlsx"
    assert onemap("audit", "search", "--collection", "base.persons", "-o", table).returncode == 0
    assert [row[2] for row in openpyxl.load_workbook(table).active.iter_rows(values_only=True)] == [
        "event", "export_ended", "exported",
    ]  # fmt: skip
    assert lines(onemap("audit", "verify", "--json"))[0]["whole"]
    (searches,) = conn.execute("SELECT count(*) FROM access.trace WHERE event = 'audit_searched'").fetchone() or (0,)
    assert searches == 4


def test_verify_names_the_first_entry_and_ends_with_1(onemap: Machine, conn: psycopg.Connection) -> None:
    for _ in range(3):
        onemap("ask", "base.persons?limit=1")
    tamper(conn, "UPDATE access.trace SET who = 'nobody' WHERE number = 2")
    result = onemap("audit", "verify", "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["entry"] == 2 and not json.loads(result.stdout)["whole"]
    assert "entry 2" in onemap("audit", "verify").stdout


def test_a_file_without_a_mark_and_a_mark_that_is_not_ours(onemap: Machine) -> None:
    plain, forged = onemap.folder / "plain.csv", onemap.folder / "forged.csv"
    plain.write_text("a,b\n")
    forged.write_text("omx-0123456789abcdef-01234567\n")
    assert onemap("audit", "watermark", plain).returncode != 0
    assert lines(onemap("audit", "watermark", forged, "--json")) == [
        {"mark": "omx-0123456789abcdef-01234567", "ours": False}
    ]


def test_the_last_months_are_not_dropped(onemap: Machine) -> None:
    assert onemap("audit", "drop-before", "2999-01").returncode != 0
    assert onemap("audit", "drop-before", "soon").returncode != 0
    assert lines(onemap("audit", "drop-before", "2020-01", "--json")) == [{"dropped": []}]


def test_a_restored_trace_is_whole_and_says_so(onemap: Machine) -> None:
    backup = onemap.folder / "city.dump"
    onemap("ask", "base.persons?limit=1")
    assert onemap("db", "backup", backup).returncode == 0
    for _ in range(3):
        onemap("ask", "base.persons?limit=2")
    result = onemap("db", "restore", backup, "--replace")
    assert result.returncode == 0, result.stderr
    (verdict,) = lines(onemap("audit", "verify", "--json"))
    assert verdict["whole"] and verdict["entries"] == 3
    onemap("ask", "base.persons?limit=1")
    found = lines(onemap("audit", "search", "--json"))
    assert [entry["event"] for entry in found] == ["audit_searched", "read", "restored", "backed_up", "read"]
    assert lines(onemap("audit", "verify", "--json"))[0]["whole"]


def test_a_trace_that_was_taken_away_whole_is_missed(onemap: Machine, conn: psycopg.Connection) -> None:
    onemap("ask", "base.persons?limit=1")
    tamper(conn, "DELETE FROM access.trace; DELETE FROM access.trace_chain")
    for _ in range(2):
        result = onemap("audit", "verify", "--json")
        assert result.returncode == 1 and "taken away" in json.loads(result.stdout)["fault"]
        # a new one in its place hides nothing
        onemap("ask", "base.persons?limit=1")
    (name,) = {path.stem for path in (onemap.folder / "home" / "trace").glob("*.head")} - {str(_chain(conn))}
    assert onemap("audit", "give-up", name).returncode == 0
    assert lines(onemap("audit", "verify", "--json"))[0]["whole"]
    assert onemap("audit", "give-up", name).returncode != 0


def _chain(conn: psycopg.Connection) -> object:
    return (conn.execute("SELECT id FROM access.trace_chain").fetchone() or (None,))[0]


def test_commands_that_read_what_is_closed_are_traced(onemap: Machine, conn: psycopg.Connection) -> None:
    """Places of dwellings are internal, and so is whom rows are about."""
    table = onemap.folder / "rows.csv"
    table.write_text("name,birth_date\nx,1990-01-01\n")
    onemap("geocode", "六安市金安区")
    onemap("resolve", "base.persons", table)
    onemap("returned")
    found = conn.execute(
        "SELECT collection, detail::jsonb ->> 'command' FROM access.trace WHERE event = 'read' ORDER BY number"
    ).fetchall()
    assert found == [("base.dwellings", "geocode"), ("base.persons", "resolve")]
