"""Whatever is done to the trace is found, and the first entry that it was done to is named."""

import json
import tracemalloc
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.access.trace import Event
from gis.store.trace import write_once
from gis.store.trace_anchor import Anchors
from gis.store.trace_chain import append
from gis.store.trace_key import trace_key
from gis.store.trace_verify import verify

_TEXT = st.text(max_size=12)
_EVENTS = st.builds(
    Event,
    event=st.sampled_from(["read", "exported", "signed_in", "refused"]),
    who=_TEXT, role=st.sampled_from(["duty", "staff"]), origin=_TEXT, purpose=_TEXT, collection=_TEXT, query=_TEXT,
    rows=st.none() | st.integers(0, 2**50), outcome=st.sampled_from(["success", "refused", "failed"]),
    detail=st.dictionaries(_TEXT, st.none() | st.booleans() | st.integers(-9, 9) | _TEXT, max_size=2),
)  # fmt: skip
_COLUMNS = (
    "number", "recorded_at", "at", "event", "outcome", "who", "role", "origin", "purpose", "collection", "query",
    "rows", "request", "mark", "detail", "key_id", "seal",
)  # fmt: skip
_NUMBER = "number = %(n)s"
#: What an intruder may do to entry n of a trace (m is another one), as the owner of the tables.
_TAMPERING = {
    **{f"edit {name}": f"UPDATE access.trace SET {name} = {name} || 'x' WHERE {_NUMBER}" for name in (
        "event", "who", "role", "origin", "purpose", "collection", "query", "request", "mark", "detail", "key_id")},
    "edit outcome": "UPDATE access.trace SET outcome = CASE outcome WHEN 'failed' THEN 'success' ELSE 'failed' END"
                    f" WHERE {_NUMBER}",
    "edit rows": f"UPDATE access.trace SET rows = coalesce(rows + 1, 0) WHERE {_NUMBER}",
    "edit at": f"UPDATE access.trace SET at = at + interval '1 microsecond' WHERE {_NUMBER}",
    "edit at beyond": f"UPDATE access.trace SET at = 'infinity' WHERE {_NUMBER}",
    "edit recorded_at": f"UPDATE access.trace SET recorded_at = recorded_at - interval '1 microsecond' WHERE {_NUMBER}",
    "edit seal": f"UPDATE access.trace SET seal = sha256(seal) WHERE {_NUMBER}",
    "drop": f"DELETE FROM access.trace WHERE {_NUMBER}",
    "drop and close the gap": f"DELETE FROM access.trace WHERE {_NUMBER};"
                              " UPDATE access.trace SET number = number - 1 WHERE number > %(n)s",
    "swap": "UPDATE access.trace SET number = CASE number WHEN %(n)s THEN -1 ELSE %(n)s END"
            " WHERE number IN (%(n)s, %(m)s); UPDATE access.trace SET number = %(m)s WHERE number = -1",
    "insert": f"INSERT INTO access.trace ({', '.join(_COLUMNS)}) SELECT number, recorded_at + interval '1 microsecond',"
              f" {', '.join(_COLUMNS[2:])} FROM access.trace WHERE {_NUMBER}",
    "insert at the end": f"INSERT INTO access.trace ({', '.join(_COLUMNS)}) SELECT %(last)s + 1,"
                         f" {', '.join(_COLUMNS[1:])} FROM access.trace WHERE {_NUMBER}",
    "insert before all": f"INSERT INTO access.trace ({', '.join(_COLUMNS)}) SELECT 0, {', '.join(_COLUMNS[1:])}"
                         f" FROM access.trace WHERE {_NUMBER}",
    "cut off the end": "DELETE FROM access.trace WHERE number >= %(n)s",
    "cut off the beginning": "DELETE FROM access.trace WHERE number <= %(n)s",
    "another chain": "UPDATE access.trace_chain SET id = gen_random_uuid()",
    "no chain": "DELETE FROM access.trace_chain",
}  # fmt: skip
#: Of some it is plain which entry is named.
_NAMED: dict[str, Callable[[int, int, int], int]] = {
    **dict.fromkeys([name for name in _TAMPERING if name.startswith("edit")], lambda n, m, last: n),
    "drop": lambda n, m, last: n,
    "swap": lambda n, m, last: min(n, m),
    "insert": lambda n, m, last: n,
    "insert at the end": lambda n, m, last: last + 1,
    "insert before all": lambda n, m, last: 0,
    "cut off the end": lambda n, m, last: n,
    "cut off the beginning": lambda n, m, last: 1,
}


def tamper(conn: psycopg.Connection, statements: str, values: dict[str, int] | None = None) -> None:
    """As somebody who has all rights in the database."""
    conn.execute("SET session_replication_role = replica")
    for statement in statements.split(";"):
        conn.execute(statement, values)
    conn.execute("RESET session_replication_role")
    conn.commit()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), events=st.lists(_EVENTS, min_size=2, max_size=9), name=st.sampled_from(sorted(_TAMPERING)))
def test_whatever_is_done_to_it_is_found(
    database_url: str, tmp_path: Path, conn: psycopg.Connection, data: st.DataObject, events: list[Event], name: str
) -> None:
    tamper(conn, "DELETE FROM access.trace; DELETE FROM access.trace_chain")
    last, home = len(events), tmp_path / uuid.uuid4().hex
    write_once(database_url, home, *events[:-1])
    write_once(database_url, home, events[-1])
    found = verify(database_url, home)
    assert found.is_whole and found.entries == last and found.anchors >= 1
    n = data.draw(st.integers(1, last))
    m = data.draw(st.integers(1, last).filter(lambda other: other != n))
    tamper(conn, _TAMPERING[name], {"n": n, "m": m, "last": last})
    fault = verify(database_url, home).fault
    assert fault is not None
    if name in _NAMED:
        assert fault.number == _NAMED[name](n, m, last), fault


def test_a_chain_written_anew_without_the_key_is_found(
    database_url: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    home, intruder = tmp_path / "home", tmp_path / "intruder"
    event = Event(event="read", who="li", role="duty")
    write_once(database_url, home, event, event, event)
    tamper(conn, "DELETE FROM access.trace")
    write_once(database_url, intruder, event, event, event)
    fault = verify(database_url, home).fault
    assert fault is not None and fault.number == 1 and "key" in fault.what.en


@pytest.mark.parametrize("suffix", ["head", "journal"])
@pytest.mark.parametrize("name", ["number", "seal", "at", "restored", "database", "signature"])
def test_a_changed_anchor_is_found(database_url: str, tmp_path: Path, suffix: str, name: str) -> None:
    write_once(database_url, tmp_path, Event(event="read", who="li"), Event(event="read", who="li"))
    (path,) = (tmp_path / "trace").glob(f"*.{suffix}")
    said = json.loads(path.read_text())
    said[name] = {"number": 1, "seal": "00" * 32, "at": "2026-01-01", "restored": True, "database": "x",
                  "signature": "00" * 32}[name]  # fmt: skip
    path.write_text(json.dumps(said) + "\n")
    fault = verify(database_url, tmp_path).fault
    assert fault is not None and fault.number == 0 and "anchor" in fault.what.en


def test_without_anchors_nothing_is_called_whole(database_url: str, tmp_path: Path) -> None:
    write_once(database_url, tmp_path, Event(event="read", who="li"))
    for path in (tmp_path / "trace").glob("*.*"):
        path.unlink()
    assert not verify(database_url, tmp_path).is_whole


def test_an_anchor_of_the_past_knows_a_chain_that_was_cut_and_went_on(
    database_url: str, tmp_path: Path, conn: psycopg.Connection
) -> None:
    """Whoever has the end cut off and the server write on has entries of the same numbers with other seals."""
    events = [Event(event="read", who=f"user {i}") for i in range(5)]
    write_once(database_url, tmp_path, *events)
    tamper(conn, "DELETE FROM access.trace WHERE number > 3")
    write_once(database_url, tmp_path, *[Event(event="read", who="another") for _ in range(4)])
    fault = verify(database_url, tmp_path).fault
    assert fault is not None and fault.number == 5


@pytest.mark.torture
def test_a_million_entries_take_no_more_memory_than_a_few(
    database_url: str, tmp_path: Path, torture_scale: float
) -> None:
    key = trace_key(tmp_path)
    anchors = Anchors(tmp_path, key)
    event = Event(
        event="read", who="li", role="duty", collection="base.persons", query="base.persons?limit=10", rows=10
    )

    def lengthen(batches: int) -> None:
        with psycopg.connect(database_url) as conn:
            for _ in range(batches):
                anchors.advance(append(conn, [event] * 2_000, key))
                conn.commit()

    def peak_bytes() -> int:
        tracemalloc.start()
        found = verify(database_url, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.is_whole
        return peak

    batches = max(10, int(500 * torture_scale))
    lengthen(batches // 5)
    small = peak_bytes()
    lengthen(batches - batches // 5)
    assert peak_bytes() <= 1.1 * small + 1_000_000
    assert verify(database_url, tmp_path).entries == batches * 2_000
