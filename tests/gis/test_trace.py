"""The trace as it is written: one chain, whoever writes; nothing is answered that is not in it."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from gis.access.trace import Event
from gis.errors import Conflict, Unavailable
from gis.settings import CHECKOUT
from gis.store.trace import LAG_S, Trace, write_once
from gis.store.trace_anchor import Anchors
from gis.store.trace_chain import append
from gis.store.trace_key import trace_key
from gis.store.trace_months import drop_before
from gis.store.trace_verify import Verdict, Verification, verify


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


_WRITER = """
import sys, threading
from pathlib import Path
from gis.access.trace import Event
from gis.store.trace import Trace

trace = Trace.of(sys.argv[1], Path(sys.argv[2]))
lock = threading.Lock()

def write(name):
    for number in range(100_000):
        trace.note(Event(event="read", who="in passing"))
        trace.write(Event(event="read", who=f"{sys.argv[3]}-{name}-{number}"))
        with lock:
            print(f"{sys.argv[3]}-{name}-{number}", flush=True)

for name in range(3):
    threading.Thread(target=write, args=(name,)).start()
"""


def _writer(database_url: str, home: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, database_url, str(home), name]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def test_what_was_answered_outlives_kill_9_of_all_who_wrote_at_once(
    database_url: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    writers = [_writer(database_url, tmp_path, f"writer {n}") for n in range(2)]
    told = []
    for writer in writers:
        assert writer.stdout is not None
        told += [writer.stdout.readline().strip() for _ in range(40)]
    for writer in writers:
        writer.kill()
        assert writer.stdout is not None
        # what was said last and not yet heard
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.stdout.close()
        writer.wait()
    found = {row[0] for row in conn.execute("SELECT who FROM access.trace")}
    assert len(told) >= 80 and set(told) <= found
    verdict = verify(database_url, tmp_path)
    assert verdict.is_whole and verdict.entries >= len(told)


def test_several_writers_make_one_chain(database_url: str, tmp_path: Path) -> None:
    traces = [Trace.of(database_url, tmp_path) for _ in range(4)]

    def write(trace: Trace) -> None:
        for number in range(25):
            trace.note(_event(f"noted {number}"))
            trace.write(_event(f"written {number}"), _event("and another"))

    threads = [threading.Thread(target=write, args=(trace,)) for trace in traces for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for trace in traces:
        trace.close()
    verdict = verify(database_url, tmp_path)
    assert verdict.is_whole and verdict.entries == 4 * 2 * 25 * 3


def test_a_commit_that_was_not_answered_is_not_made_twice(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conn: psycopg.Connection
) -> None:
    """The connection breaks after the commit and before its answer: the batch is there, and is found to be."""
    trace = Trace.of(database_url, tmp_path)
    trace.write(_event("before"))
    whole, broken = trace._append, []

    def breaking() -> None:
        transaction = psycopg.Connection.transaction

        @contextmanager
        def answered_by_nobody(self: psycopg.Connection) -> Iterator[object]:
            with transaction(self) as found:
                yield found
            broken.append(True)
            raise psycopg.OperationalError("the connection is lost")

        with monkeypatch.context() as patch:
            if not broken:
                patch.setattr(psycopg.Connection, "transaction", answered_by_nobody)
            whole()

    monkeypatch.setattr(trace, "_append", breaking)
    trace.note(_event("once"))
    time.sleep(LAG_S + 1.5)
    trace.write(_event("after"))
    trace.close()
    assert broken and [row[0] for row in conn.execute("SELECT who FROM access.trace ORDER BY number")] == [
        "before", "once", "after",
    ]  # fmt: skip
    assert verify(database_url, tmp_path).is_whole


def test_a_trace_that_cannot_be_written_says_so_and_catches_up(
    database_url: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    trace = Trace.of(database_url, tmp_path)
    conn.execute("ALTER FUNCTION access.trace_head RENAME TO trace_head_away")
    conn.commit()
    with pytest.raises(Unavailable, match="trace"):
        trace.write(_event("refused"))
    for act in (lambda: trace.note(_event()), trace.check, lambda: trace.write(_event())):
        with pytest.raises(Unavailable, match="trace"):
            act()
    trace.keep(_event("done"))
    conn.execute("ALTER FUNCTION access.trace_head_away RENAME TO trace_head")
    conn.commit()
    trace.close()
    assert conn.execute("SELECT who, outcome FROM access.trace ORDER BY number").fetchall() == [
        ("refused", "failed"), ("done", "success"),
    ]  # fmt: skip


def test_months_are_dropped_oldest_first_and_verification_goes_on(
    database_url: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    """Of a year of entries, written with a clock that is told the time."""
    years = [datetime(2025, month, 9, tzinfo=UTC) for month in (3, 4, 5, 9)]
    for when in years:
        _written_at(conn, when, [_event(f"{when:%B} {n}") for n in range(3)], tmp_path)
    with pytest.raises(Conflict, match="6 months"):
        drop_before(database_url, tmp_path, datetime.now(UTC).date(), "owner")
    dropped = drop_before(database_url, tmp_path, date(2025, 5, 20), "owner")
    assert [(closed.month.month, closed.first, closed.last) for closed in dropped] == [(3, 1, 3), (4, 4, 6)]
    verdict = verify(database_url, tmp_path)
    # two entries tell of the dropping
    assert verdict.is_whole and (verdict.entries, verdict.closed) == (8, 6)
    assert [row[0] for row in conn.execute("SELECT who FROM access.trace WHERE number < 10 ORDER BY number")] == [
        "May 0", "May 1", "May 2",
    ]  # fmt: skip
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("SELECT access.trace_close(date_trunc('month', now())::date, 1, 2, '', '', now(), '', '', '')")
    conn.rollback()
    for statement in (
        "UPDATE access.trace_closed SET last = last + 1 WHERE first = 4",
        "DELETE FROM access.trace_closed WHERE first = 4",
        "DELETE FROM access.trace_closed WHERE first = 1",
        "UPDATE access.trace_closed SET after = sha256(after) WHERE first = 4",
        "DROP TABLE access.trace_2025_05",
    ):
        conn.execute("SET session_replication_role = replica")
        conn.execute(statement)
        conn.execute("RESET session_replication_role")
        assert not verify_in(conn, tmp_path).is_whole, statement
        conn.rollback()


def test_nothing_is_dropped_of_what_is_not_whole(database_url: str, tmp_path: Path, conn: psycopg.Connection) -> None:
    for month in (3, 4):
        _written_at(conn, datetime(2025, month, 9, tzinfo=UTC), [_event()], tmp_path)
    conn.execute("SET session_replication_role = replica")
    conn.execute("UPDATE access.trace SET who = 'nobody' WHERE number = 1")
    conn.commit()
    with pytest.raises(Conflict, match="not whole"):
        drop_before(database_url, tmp_path, date(2025, 5, 1), "owner")


def _written_at(conn: psycopg.Connection, when: datetime, events: list[Event], home: Path) -> None:
    """Events written at a time long past."""
    name = "(OUT chain uuid, OUT number bigint, OUT seal bytea, OUT recorded_at timestamptz)"
    (body,) = conn.execute("SELECT prosrc FROM pg_proc WHERE proname = 'trace_head'").fetchone() or ("",)
    head = f"CREATE OR REPLACE FUNCTION access.trace_head{name} LANGUAGE plpgsql SECURITY DEFINER AS $b$"
    then = body.replace("clock_timestamp()", f"'{when.isoformat()}'::timestamptz")
    conn.execute(f"{head} {then} $b$")
    key = trace_key(home)
    Anchors(home, key).advance(append(conn, events, key))
    conn.execute(f"{head} {body} $b$")
    conn.commit()


def verify_in(conn: psycopg.Connection, home: Path) -> Verdict:
    """What verification says of a state that is not committed."""
    key = trace_key(home)
    return Verification(conn, key, Anchors(home, key), lambda done, total: None).run()
