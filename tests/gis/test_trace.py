"""The trace as it is written: one chain, whoever writes; nothing is answered that is not in it."""

from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from gis.access.trace import Event
from gis.store.trace import Trace, write_once


def _event(who: str = "li", **more: object) -> Event:
    return Event(event="read", who=who, role="duty", collection="base.persons", **more)  # type: ignore[arg-type]


def test_what_is_noted_is_written(database_url: str, tmp_path: Path, conn: psycopg.Connection) -> None:
    trace = Trace.of(database_url, tmp_path)
    trace.note(_event("zhao"), _event("qian"))
    trace.write(_event("sun", rows=7))
    assert conn.execute("SELECT number, who, rows FROM access.trace ORDER BY number").fetchall() == [
        (1, "zhao", None), (2, "qian", None), (3, "sun", 7),
    ]  # fmt: skip
    trace.note(_event("li"))
    trace.close()
    conn.rollback()
    assert conn.execute("SELECT count(*) FROM access.trace").fetchone() == (4,)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE access.trace SET who = 'nobody'", "DELETE FROM access.trace", "TRUNCATE access.trace",
     "DELETE FROM access.trace_chain", "DO $$ BEGIN EXECUTE 'TRUNCATE access.' ||"
     " to_char(now() AT TIME ZONE 'UTC', '\"trace_\"YYYY_MM'); END $$"],
)  # fmt: skip
def test_nothing_is_changed_or_taken_away(
    statement: str, database_url: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    write_once(database_url, tmp_path, _event())
    with pytest.raises(errors.InsufficientPrivilege, match="only added to"):
        conn.execute(statement)
