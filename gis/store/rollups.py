"""Rollups kept beside registers: filled when they are made, written to as deltas by triggers, folded behind.

A writer adds deltas at the finest resolution only. Folding adds them up to every coarser one, in a transaction of its
own; until then whoever reads adds the deltas that are open. Either way an answer is that of one snapshot.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from gis.catalog import Collection
from gis.geo.cell_boundary_sql import boundary_function_sql
from gis.query.rollup_tables import RollupTables, level
from gis.store import rollup_folding, rollup_sql
from gis.store.cell_boundaries import boundaries_of

_VERSION = "2"
#: What had begun this long ago is rolled up: so that "now" is never before it, on any server's clock. Days are whole.
_BEFORE = timedelta(days=2)
_LOCK = 0x726F6C6C


class Rollups:
    """One of `derived.DERIVED`: collections that declare a rollup have it."""

    kind = "rollups"

    def digest(self, collection: Collection) -> str | None:
        """Of everything that is made: the tables, the triggers, the functions."""
        if collection.rollup is None:
            return None
        tables = RollupTables(collection)
        made = [*rollup_sql.CORE, *rollup_sql.create(tables), *rollup_sql.triggers(tables), tables.finite]
        text = "\n".join((_VERSION, str(collection.rollup.resolutions), *made))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def tables(self, collection: Collection) -> tuple[str, ...]:
        """The tables that a swap replaces."""
        tables = RollupTables(collection)
        return tuple(tables.table(part) for part in ("", "_cell", "_delta"))

    def install(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Make and fill everything from the register as it is."""
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        for statement in (*rollup_sql.CORE, boundary_function_sql()):
            conn.execute(statement)
        tables = RollupTables(collection)
        _build(conn, tables)
        _each(conn, rollup_sql.triggers(tables))
        _note(conn, tables)

    def remove(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str = "") -> None:
        """Take everything away, whatever declaration made it."""
        _each(conn, rollup_sql.drop(RollupTables(collection, suffix)))

    def copy(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Roll up the register's copy."""
        _build(conn, RollupTables(collection, suffix))

    def swap(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Put the copy in place of what stood, and the triggers on the register."""
        final = RollupTables(collection)
        _each(conn, rollup_sql.drop(final))
        _each(conn, rollup_sql.rename(RollupTables(collection, suffix), final))
        _each(conn, rollup_sql.triggers(final))
        _note(conn, final)


def fold(conn: psycopg.Connection[Any], collection: Collection) -> int:
    """Fold the open deltas of a collection's rollup, in a transaction; returns how many there were.

    What came due since is among them. One at a time folds a register: another that is at it makes this return 0 at
    once.
    """
    if collection.rollup is None:
        return 0
    tables = RollupTables(collection)
    rollup_folding.move_on(conn, tables, newest_horizon())
    return rollup_folding.fold(conn, tables)


def waiting(conn: psycopg.Connection[Any], collections: Iterable[Collection]) -> list[Collection]:
    """Those of the collections whose rollup has open deltas, or whose horizon can move on."""
    rolled = [collection for collection in collections if collection.rollup is not None]
    if not rolled:
        return []
    tests = ", ".join(
        f"EXISTS (SELECT FROM {tables.table('_delta')}) OR coalesce({tables.horizon} < %s, false)"
        for tables in map(RollupTables, rolled)
    )
    found = conn.execute(f"SELECT {tests}", [newest_horizon()] * len(rolled)).fetchone()
    assert found is not None
    return [collection for collection, is_waiting in zip(rolled, found, strict=True) if is_waiting]


def newest_horizon() -> datetime:
    """The latest moment that the horizon of a rollup may have now."""
    return (datetime.now(UTC) - _BEFORE).replace(hour=0, minute=0, second=0, microsecond=0)


def _build(conn: psycopg.Connection[Any], tables: RollupTables) -> None:
    """The rollup of a register, made at once, from the finest resolution up."""
    horizon = newest_horizon()
    _each(conn, rollup_sql.row_functions(tables, horizon))
    conn.execute(rollup_sql.horizon_function(tables, horizon))
    conn.execute(rollup_sql.unrolled_index(tables))
    _each(conn, rollup_sql.create(tables))
    conn.execute("SET LOCAL work_mem = '256MB'")
    rows = f"SELECT {tables.row} FROM {tables.register} WHERE {tables.is_rolled}"
    conn.execute(f"INSERT INTO {tables.table()} {rollup_sql.summed_groups(tables, rows)}")
    finer = tables.rollup.finest
    for resolution in reversed(tables.rollup.resolutions[:-1]):
        conn.execute(rollup_sql.cascade(tables, tables.table(), level(finer), resolution))
        finer = resolution
    boundaries_of(conn, f"SELECT DISTINCT cell FROM {tables.table()} WHERE cell <> 0")
    conn.execute(
        f"INSERT INTO {tables.table('_cell')} SELECT g.*, b.shape FROM (SELECT cell, {', '.join(tables.summed())}"
        f" FROM {tables.table()} GROUP BY cell) g LEFT JOIN cell_boundaries b USING (cell) ORDER BY cell"
    )
    _each(conn, rollup_sql.index(tables))
    for part in ("", "_cell"):
        conn.execute(f"ANALYZE {tables.table(part)}")


def _note(conn: psycopg.Connection[Any], tables: RollupTables) -> None:
    """What is kept of a new rollup as a whole."""
    rollup_folding.note_clear_zoom(conn, tables)
    conn.execute(f"UPDATE core.rollup SET horizon = {tables.function('horizon')}() WHERE register = %s",
                 (tables.collection.id,))  # fmt: skip


def _each(conn: psycopg.Connection[Any], statements: list[str]) -> None:
    for statement in statements:
        conn.execute(statement)
