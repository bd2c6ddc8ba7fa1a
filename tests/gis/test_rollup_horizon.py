"""The horizon of a rollup moves on beside readers and writers, and no answer changes by it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import h3
import psycopg
import pytest
from psycopg import IsolationLevel

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.query import answers
from gis.query.plan import Plan
from gis.query.query import Measure, Query
from gis.query.rollup_sums import Sums
from gis.query.rollup_tables import RollupTables
from gis.store import rollup_folding, rollups
from layers import LAYERS

CATALOGUE = Catalogue(LAYERS)
BUILDINGS = CATALOGUE["base.buildings"]
TABLES = RollupTables(BUILDINGS)
CELL = int(h3.latlng_to_cell(31.75, 116.5, 11), 16)
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
DAY = timedelta(days=1)
BEFORE, AFTER = NOW - 30 * DAY, NOW - 5 * DAY
FIGURES = (Measure(), Measure("sum", "storeys"), Measure("max", "storeys"))
ROW = (
    f"INSERT INTO {TABLES.register} (fid, valid_from, cell, storeys, rec_from, digest, load)"
    " VALUES (%s, %s, %s, %s, 1, 1, 1)"
)


@pytest.fixture
def city(module_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    """An empty register, whose rollup was made a month ago."""
    with psycopg.connect(module_url, autocommit=True) as conn:
        conn.execute(f"TRUNCATE {TABLES.register}")
        monkeypatch.setattr(rollups, "newest_horizon", lambda: BEFORE)
        kind = rollups.Rollups()
        with conn.transaction():
            kind.remove(conn, BUILDINGS)
            kind.install(conn, BUILDINGS)
        yield conn


@pytest.fixture
def writer(module_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_url, autocommit=True) as conn:
        yield conn


def _insert(conn: psycopg.Connection[Any], fid: int, days: int, storeys: int = 3) -> None:
    conn.execute(ROW, (fid, NOW - days * DAY, CELL, storeys))


def _told(conn: psycopg.Connection[Any]) -> tuple[Any, ...]:
    """Count, sum and largest, as the rollup has them; they must be the rows' own."""
    plan = Plan(Query(collection=BUILDINGS.id, measure=FIGURES), CATALOGUE, OWNER, NOW)
    statement = answers.groups(plan)
    assert "_rollup" in statement.sql
    found = conn.execute(statement.sql, statement.args).fetchone()
    wanted = conn.execute(
        f"SELECT count(*), sum(storeys), max(storeys) FROM {TABLES.register}"
        " WHERE scenario = 0 AND valid_from < %s AND valid_to > %s", (NOW, NOW),
    ).fetchone()  # fmt: skip
    assert found is not None and found == wanted
    return found


def _read_one_by_one(conn: psycopg.Connection[Any]) -> int:
    """How many rows a question still reads beside the sums."""
    plan = Plan(Query(collection=BUILDINGS.id), CATALOGUE, OWNER, NOW)
    parts = Sums(plan, 5)._unrolled()
    return sum(len(conn.execute(part.sql, part.args).fetchall()) for part in parts)


def test_what_began_since_is_rolled_up_once_time_has_passed(city: psycopg.Connection[Any]) -> None:
    for fid in range(20):
        _insert(city, fid, days=fid + 1)
    rollups.fold(city, BUILDINGS)
    assert _told(city)[0] == _read_one_by_one(city) == 20
    assert rollup_folding.move_on(city, TABLES, AFTER)
    assert _told(city)[0] == 20 and _read_one_by_one(city) == 4
    assert rollup_folding.fold(city, TABLES) == 1
    assert _told(city) == (20, 60, 3)
    assert not rollup_folding.move_on(city, TABLES, AFTER) and not rollup_folding.move_on(city, TABLES, BEFORE)


def test_it_is_time_once_a_day_is_over(city: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert rollups.waiting(city, CATALOGUE) == []
    _insert(city, 1, days=10)
    assert rollups.waiting(city, CATALOGUE) == []
    monkeypatch.undo()
    assert rollups.waiting(city, CATALOGUE) == [BUILDINGS]
    assert rollups.fold(city, BUILDINGS) == 1
    assert rollups.waiting(city, CATALOGUE) == [] and _told(city)[0] == 1 and _read_one_by_one(city) == 0


def test_rows_that_are_read_are_a_range_of_their_index(city: psycopg.Connection[Any]) -> None:
    city.execute(
        f"INSERT INTO {TABLES.register} (fid, valid_from, valid_to, rec_from, digest, load) SELECT i, %s,"
        " CASE WHEN i %% 2 = 0 THEN %s ELSE 'infinity' END::timestamptz, 1, 1, 1 FROM generate_series(1, 2000) i",
        (NOW - 10 * DAY, NOW - DAY),
    )
    rollup_folding.move_on(city, TABLES, AFTER)
    city.execute(f"ANALYZE {TABLES.register}")
    plan = Plan(Query(collection=BUILDINGS.id), CATALOGUE, OWNER, NOW)
    for part in Sums(plan, 5)._unrolled():
        explained = city.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {part.sql}", part.args).fetchone()
        assert "buildings_unrolled" in str(explained)
        assert set(re.findall(r"Rows Removed by Filter': (\d+)", str(explained))) <= {"0"}


def test_a_writer_who_wrote_before_writes_rightly_after(
    city: psycopg.Connection[Any], writer: psycopg.Connection[Any]
) -> None:
    """Its plans hold the earlier horizon."""
    for fid in range(12):
        _insert(writer, fid, days=10)
    assert rollup_folding.move_on(city, TABLES, AFTER)
    writer.execute(f"DELETE FROM {TABLES.register} WHERE fid = 1")
    writer.execute(f"UPDATE {TABLES.register} SET storeys = 9 WHERE fid = 2")
    _insert(writer, 50, days=7)
    assert _told(city) == (12, 42, 9)
    rollup_folding.fold(city, TABLES)
    assert _told(city) == (12, 42, 9) and _read_one_by_one(city) == 0


def test_a_writer_whose_snapshot_is_older_writes_rightly(
    city: psycopg.Connection[Any], writer: psycopg.Connection[Any]
) -> None:
    for fid in range(12):
        _insert(writer, fid, days=10)
    writer.isolation_level = IsolationLevel.REPEATABLE_READ
    with writer.transaction():
        writer.execute("SELECT count(*) FROM core.rollup")
        assert rollup_folding.move_on(city, TABLES, AFTER)
        _insert(writer, 20, days=10)
        writer.execute(f"DELETE FROM {TABLES.register} WHERE fid IN (3, 4)")
    assert _told(city)[0] == 11
    rollup_folding.fold(city, TABLES)
    assert _told(city)[0] == 11 and _read_one_by_one(city) == 0


def test_a_reader_sees_one_state_whatever_moves(city: psycopg.Connection[Any], writer: psycopg.Connection[Any]) -> None:
    for fid in range(12):
        _insert(city, fid, days=fid + 1)
    writer.isolation_level = IsolationLevel.REPEATABLE_READ
    with writer.transaction():
        assert _told(writer)[0] == 12
        assert rollup_folding.move_on(city, TABLES, AFTER)
        assert _told(writer)[0] == 12
        rollup_folding.fold(city, TABLES)
        _insert(city, 30, days=9)
        assert _told(writer)[0] == 12
    assert _told(writer)[0] == 13


def test_it_waits_for_no_writer_and_lets_none_wait(
    city: psycopg.Connection[Any], writer: psycopg.Connection[Any]
) -> None:
    with writer.transaction():
        _insert(writer, 1, days=10)
        assert not rollup_folding.move_on(city, TABLES, AFTER)
        _insert(city, 2, days=10)
    assert _told(city)[0] == 2
    assert rollup_folding.move_on(city, TABLES, AFTER)
    rollup_folding.fold(city, TABLES)
    assert _told(city)[0] == 2 and _read_one_by_one(city) == 0
