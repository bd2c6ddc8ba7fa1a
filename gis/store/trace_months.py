"""How long the trace is kept: whole months are dropped, oldest first, and each leaves a signed record of itself."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from gis.access.trace import Event
from gis.errors import Conflict
from gis.store.database import connect, translated
from gis.store.trace import write_once
from gis.store.trace_chain import beginning
from gis.store.trace_closed import Closed
from gis.store.trace_key import TraceKey, trace_key
from gis.store.trace_verify import verify

#: The law on cyber security, article 21 (3): not less than six months.
LEAST_MONTHS = 6


def drop_before(url: str, home: Path, first_kept: date, who: str) -> list[Closed]:
    """Drop the months before the one of a date, oldest first; returns the records that they leave.

    That it was done is an entry of the trace. Raises Conflict for one of the last six months, and where the trace is
    not whole, since nobody could see that later; Unavailable.
    """
    _check_old_enough(first_kept)
    _check_whole(url, home)
    key = trace_key(home)
    done = []
    with connect(url, options="-c timezone=UTC") as conn, translated():
        for month in _months(conn):
            if month >= first_kept.replace(day=1):
                break
            with conn.transaction():
                done.append(_drop(conn, month, who, key))
    for closed in done:
        detail: dict[str, str | int | bool | None] = {
            "month": f"{closed.month:%Y-%m}", "first": closed.first, "last": closed.last,
        }  # fmt: skip
        write_once(url, home, Event(event="trace_closed", who=who, role="owner", detail=detail))
    return done


def _check_whole(url: str, home: Path) -> None:
    fault = verify(url, home).fault
    if fault is not None:
        raise Conflict(
            f"nothing is dropped of a trace that is not whole: {fault.what.en}",
            f"审计日志不完整,不能归档:{fault.what.zh}",
            subject=str(fault.number),
        )


def _check_old_enough(first_kept: date) -> None:
    today = datetime.now(UTC).date()
    months = (today.year - first_kept.year) * 12 + today.month - first_kept.month
    if months < LEAST_MONTHS:
        raise Conflict(
            f"the trace of the last {LEAST_MONTHS} months is kept by law; {first_kept:%Y-%m} is too late to begin with",
            f"依法须保存最近 {LEAST_MONTHS} 个月的审计日志;请给出早于 {first_kept:%Y-%m} 的月份",
            subject=f"{first_kept:%Y-%m}",
        )


def _months(conn: psycopg.Connection[Any]) -> list[date]:
    """The months that are there, oldest first."""
    rows = conn.execute(
        "SELECT to_date(right(c.relname, 7), 'YYYY_MM') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'access.trace'::regclass ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def _drop(conn: psycopg.Connection[Any], month: date, who: str, key: TraceKey) -> Closed:
    table = f"access.trace_{month:%Y_%m}"
    row = conn.execute(
        f"SELECT min(number), max(number), (SELECT seal FROM {table} ORDER BY number DESC LIMIT 1),"
        f" clock_timestamp() FROM {table}"
    ).fetchone()
    assert row is not None
    first, last, after, now = row
    before = _before(conn, first)
    closed = Closed(month, first, last, before, bytes(after), now, who, key.id)
    conn.execute(
        "SELECT access.trace_close(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (month, first, last, before, closed.after, now, who, key.id, closed.sealed(key)),
    )
    return closed


def _before(conn: psycopg.Connection[Any], first: int) -> bytes:
    """The seal that the first entry of a month stands on."""
    row = conn.execute("SELECT after FROM access.trace_closed WHERE last = %s", (first - 1,)).fetchone()
    if row is not None:
        return bytes(row[0])
    chain = conn.execute("SELECT id FROM access.trace_chain").fetchone()
    assert chain is not None
    return beginning(chain[0])
