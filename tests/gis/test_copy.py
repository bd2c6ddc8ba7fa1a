"""Columns go through PostgreSQL's binary COPY as they are: every kind, every corner of its range, every null."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.store import copy
from gis.store.copy import Column

#: What PostgreSQL can hold: 4713 BC to 5874897 in days, and in microseconds as far as they fit in 64 bits from 1970.
FIRST_DAY, LAST_DAY = -2_440_588, 2_145_042_905
FIRST_US, LAST_US = -210_866_803_200_000_000, 2**63 - 2
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
EDGES = st.sampled_from([0.0, -0.0, 5e-324, -1.7976931348623157e308, math.inf, -math.inf, math.nan])


@dataclass(frozen=True)
class Kind:
    """A type of column: in Arrow, in SQL, its values, and the expression that reads one back as Python holds it."""

    arrow: pa.DataType
    sql: str
    values: st.SearchStrategy[Any]
    back: str = "{}"


DAYS = "{} - date '1970-01-01'"
US = "(extract(epoch FROM {}) * 1000000)::numeric"
INT64 = st.integers(-(2**63), 2**63 - 1)
WHEN = st.one_of(
    st.integers(FIRST_US, LAST_US),
    st.sampled_from([FIRST_US, LAST_US, -1, 0, 946_684_799_999_999, 946_684_800_000_000]),
)
KINDS = {
    "text": Kind(pa.string(), "text", TEXTS),
    "long_text": Kind(pa.large_string(), "text", TEXTS),
    "whole": Kind(pa.int64(), "bigint", INT64 | st.sampled_from([-(2**63), 2**63 - 1, 0, -1])),
    "number": Kind(pa.float64(), "double precision", st.floats() | EDGES),
    "yes": Kind(pa.bool_(), "boolean", st.booleans()),
    "day": Kind(pa.date32(), "date", st.integers(FIRST_DAY, LAST_DAY) | st.sampled_from([-1, 0, 10_956, 10_957]), DAYS),
    "instant": Kind(pa.timestamp("us", "UTC"), "timestamptz", WHEN, US),
    "bytes": Kind(pa.large_binary(), "bytea", st.binary(max_size=12)),
    "short_bytes": Kind(pa.binary(), "bytea", st.binary(max_size=12)),
}
#: Types whose corners Python's own cannot say are made of the numbers behind them.
STORED = {pa.date32(): pa.int32(), pa.timestamp("us", "UTC"): pa.int64()}


@pytest.fixture
def table(module_url: str) -> Iterator[psycopg.Connection]:
    """A connection with the table `kinds`, one column a kind and a number that keeps the order."""
    with psycopg.connect(module_url) as conn:
        conn.execute("CREATE TEMP TABLE kinds (at bigint, " + ", ".join(f"{n} {k.sql}" for n, k in KINDS.items()) + ")")
        conn.commit()
        yield conn
        conn.rollback()


def array(kind: Kind, values: list[Any], before: int, cut: int | None) -> pa.Array | pa.ChunkedArray:
    """The values as an Arrow array that begins `before` places into its buffers, in two chunks where `cut` says so."""
    padding = [None, *values[:1]] * before
    made = pa.array(padding + values, STORED.get(kind.arrow, kind.arrow)).cast(kind.arrow)
    whole = made[len(padding) :]
    return whole if cut is None else pa.chunked_array([whole.slice(0, cut), whole.slice(cut)])


def send(conn: psycopg.Connection, names: list[str], batches: Iterator[pa.LargeBinaryArray]) -> None:
    with conn.cursor() as cursor:
        copy.stream(cursor, f"COPY kinds (at, {', '.join(names)}) FROM STDIN (FORMAT binary)", batches)


def same(one: Any, other: Any) -> bool:
    """Equal, and for floats alike to the sign of zero; no number is no number."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return bool(one == other)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[list[Any]]], int, int | None]:
    """Columns in any order, batches of rows (some of them empty), and how the arrays lie in their buffers."""
    names = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=len(KINDS), unique=True))
    row = st.tuples(*(st.none() | KINDS[name].values for name in names)).map(list)
    sure = st.tuples(*(KINDS[name].values for name in names)).map(list)
    batches = draw(st.lists(st.lists(row, max_size=6) | st.lists(sure, max_size=6), max_size=4))
    return names, batches, draw(st.integers(0, 9)), draw(st.none() | st.integers(0, 6))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_every_kind_comes_back(table: psycopg.Connection, made: tuple[Any, ...]) -> None:
    names, batches, before, cut = made

    def encoded() -> Iterator[pa.LargeBinaryArray]:
        done = 0
        for rows in batches:
            columns: list[Column] = [copy.integers(np.arange(done, done + len(rows)))]
            columns += [copy.arrow(array(KINDS[n], [r[i] for r in rows], before, cut)) for i, n in enumerate(names)]
            done += len(rows)
            yield copy.encode(columns, len(rows), counted=len(columns))

    table.rollback()
    send(table, names, encoded())
    asked = ", ".join(KINDS[name].back.format(name) for name in names)
    found = table.execute(f"SELECT {asked} FROM kinds ORDER BY at", binary=True).fetchall()
    expected = [row for rows in batches for row in rows]
    assert len(found) == len(expected)
    for ours, theirs in zip(expected, found, strict=True):
        assert all(map(same, ours, theirs)), (names, ours, theirs)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**15), 2**15 - 1),
            st.none() | st.integers(-(2**31), 2**31 - 1),
            st.none() | WHEN | st.sampled_from([copy.ALWAYS, copy.FOREVER]),
            st.floats(-180, 180),
            st.floats(-90, 90),
        ),
        max_size=8,
    )
)
def test_arrays_of_numpy_come_back(table: psycopg.Connection, rows: list[tuple[Any, ...]]) -> None:
    table.rollback()
    table.execute(
        "CREATE TEMP TABLE places (at int, small smallint, middle int, t timestamptz, p geometry(Point,4326))"
    )

    def column(at: int, kind: type) -> tuple[Any, Any]:
        valid = np.array([row[at] is not None for row in rows], bool)
        return np.array([row[at] or 0 for row in rows], kind), None if valid.all() else valid

    middle, t = column(1, np.int64), column(2, np.int64)
    columns: list[Column] = [
        copy.integers(np.arange(len(rows)), width=4),
        copy.integers(column(0, np.int64)[0], width=2),
        copy.integers(*middle, width=4),
        copy.instants(*t),
        copy.points(np.array([row[3:] for row in rows], np.float64).reshape(-1, 2), 4326),
    ]
    left, right = copy.encode(columns[:3], len(rows), counted=5), copy.encode(columns[3:], len(rows))
    with table.cursor() as cursor:
        copy.stream(cursor, "COPY places FROM STDIN (FORMAT binary)", iter([copy.joined(left, right)]))
    found = table.execute(
        "SELECT small, middle, CASE t WHEN '-infinity' THEN -9223372036854775808 WHEN 'infinity' THEN"
        f" 9223372036854775807 ELSE {US.format('t')} END, ST_AsBinary(p) FROM places ORDER BY at"
    ).fetchall()
    assert [row[:3] for row in found] == [row[:3] for row in rows]
    assert [shapely.from_wkb(row[3]).coords[0] for row in found] == [row[3:] for row in rows]


def test_days_and_instants_read_as_such(table: psycopg.Connection) -> None:
    """Against PostgreSQL's own reading, around the two epochs that differ."""
    days = [
        date(1, 1, 1),
        date(1969, 12, 31),
        date(1970, 1, 1),
        date(1999, 12, 31),
        date(2000, 1, 1),
        date(9999, 12, 31),
    ]
    instants = [datetime(d.year, d.month, d.day, 23, 59, 59, 999_999, UTC) for d in days]
    columns = [
        copy.integers(np.arange(6)),
        copy.arrow(pa.array(days)),
        copy.arrow(pa.array(instants, pa.timestamp("us", "UTC"))),
    ]
    send(table, ["day", "instant"], iter([copy.encode(columns, 6, counted=3)]))
    table.execute("SET timezone = 'UTC'")
    found = table.execute("SELECT day::text, instant::text FROM kinds ORDER BY at").fetchall()
    assert found == [(f"{d:%Y-%m-%d}".zfill(10), f"{d:%Y-%m-%d}".zfill(10) + " 23:59:59.999999+00") for d in days]


def test_a_value_of_megabytes(table: psycopg.Connection) -> None:
    long = "六" * 4_000_000
    send(
        table, ["text"], iter([copy.encode([copy.integers(np.arange(1)), copy.arrow(pa.array([long]))], 1, counted=2)])
    )
    assert table.execute("SELECT text FROM kinds").fetchall() == [(long,)]


def test_nothing_at_all(table: psycopg.Connection) -> None:
    send(table, ["text"], iter(()))
    assert table.execute("SELECT count(*) FROM kinds").fetchone() == (0,)


class Stop(Exception):
    pass


def some_rows(count: int) -> pa.LargeBinaryArray:
    return copy.encode([copy.integers(np.arange(count)), copy.arrow(pa.array(["x"] * count))], count, counted=2)


@pytest.mark.parametrize("after", [0, 1, 5])
@pytest.mark.parametrize("kind", [Stop, KeyboardInterrupt, MemoryError])
def test_an_error_of_the_producer_ends_the_copy(table: psycopg.Connection, after: int, kind: type) -> None:
    def batches() -> Iterator[pa.LargeBinaryArray]:
        for _ in range(after):
            yield some_rows(20_000)
        raise kind("no more")

    with pytest.raises(kind, match="no more"), table.transaction():
        send(table, ["text"], batches())
    assert table.execute("SELECT count(*) FROM kinds").fetchone() == (0,)
    assert not copying()


def test_an_error_of_the_server_is_raised(table: psycopg.Connection) -> None:
    table.execute("ALTER TABLE kinds ADD CHECK (at < 5)")
    table.commit()
    with pytest.raises(psycopg.errors.CheckViolation), table.transaction():
        send(table, ["text"], (some_rows(20_000) for _ in range(9)))
    assert table.execute("SELECT count(*) FROM kinds").fetchone() == (0,)
    assert not copying()


def test_a_server_that_goes_away_ends_the_producer(module_url: str) -> None:
    made: list[int] = []
    lost = psycopg.connect(module_url)
    lost.execute("CREATE TEMP TABLE kinds (at bigint, text text)")

    def batches() -> Iterator[pa.LargeBinaryArray]:
        for turn in range(1_000):
            made.append(turn)
            if turn == 2:
                with psycopg.connect(module_url) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", [lost.info.backend_pid])
            yield some_rows(20_000)

    with pytest.raises(psycopg.OperationalError):
        send(lost, ["text"], batches())
    lost.close()
    assert len(made) < 1_000
    assert not copying()


@pytest.mark.parametrize("content", [b"", b"\0", b"\0\x02\0\0\0\x08", b"\0\x01\0\0\0\x08" + bytes(8), b"\xff\xff\0"])
def test_rows_that_are_no_rows_are_refused_whole(table: psycopg.Connection, content: bytes) -> None:
    rows = pa.array([content], pa.large_binary())
    if not content:
        send(table, ["text"], iter([rows]))
    else:
        with pytest.raises(psycopg.DataError), table.transaction():
            send(table, ["text"], iter([some_rows(3), rows]))
    assert table.execute("SELECT count(*) FROM kinds").fetchone() == (0,)


def copying() -> bool:
    return any(thread.name.startswith("onemap-ahead") for thread in threading.enumerate())
