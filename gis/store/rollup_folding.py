"""Folding: open deltas added up, resolution by resolution, to the sums that are kept."""

from datetime import datetime
from typing import Any

import psycopg

from gis.geo import cells
from gis.query.rollup_tables import KEY, ROWS, SHAPE, STALE, RollupTables, level, parent_sql
from gis.store import rollup_sql
from gis.store.cell_boundaries import boundaries_of

#: Points that a cell of about a tile's size may hold and still be drawn as such; the tile may hold twice as many, one
#: in each 9 by 9 pixels. Of more a map shows a blot, and they take longer to draw than the cells they are counted in.
MOST_POINTS = 1_500
#: The zoom at which points are drawn however many they are: no closer tiles are cut.
_DEEPEST_ZOOM = 16
#: Zoom → the resolution whose cells are about as large as its tiles in the latitudes of China.
_TILE_SIZED = {8: 3, 9: 4, 10: 5, 11: 5, 12: 6, 13: 6, 14: 7, 15: 8}
#: By how much the count must differ before the zoom is changed, so that it does not swing to and fro.
_PLAY = 1.25


def move_on(conn: psycopg.Connection[Any], tables: RollupTables, horizon: datetime) -> bool:
    """Write what came due by a moment as deltas, and make that the horizon; whether it was done.

    Not while anybody writes to the register or folds, nor where the horizon is as late: another time, then. No answer
    changes by it: the rows were read one by one until now.
    """
    try:
        with conn.transaction():
            if not _is_alone(conn, tables):
                return False
            found = conn.execute(f"SELECT {tables.horizon}").fetchone()
            if found is None or found[0] is None or found[0] >= horizon:
                return False
            # waits for nobody, since whoever came to write meanwhile would wait behind it
            conn.execute(f"LOCK TABLE {tables.register} IN SHARE MODE NOWAIT")
            conn.execute(*rollup_sql.come_due(tables, found[0], horizon))
            conn.execute(rollup_sql.horizon_function(tables, horizon))
            conn.execute("UPDATE core.rollup SET horizon = %s WHERE register = %s", (horizon, tables.collection.id))
            return True
    except psycopg.errors.LockNotAvailable:
        return False


def fold(conn: psycopg.Connection[Any], tables: RollupTables) -> int:
    """Add up what is open and keep it; returns how many deltas there were, 0 where another is at it."""
    with conn.transaction():
        if not _is_alone(conn, tables):
            return 0
        conn.execute("SET LOCAL statement_timeout = 0")
        taken = _take(conn, tables)
        if taken:
            _spread(conn, tables)
            _add(conn, tables, tables.table(), ("cell", "division", KEY), tables.dimensions)
            _add_cells(conn, tables)
            if tables.extremes:
                _refresh_extremes(conn, tables)
            note_clear_zoom(conn, tables)
        return taken


def _is_alone(conn: psycopg.Connection[Any], tables: RollupTables) -> bool:
    """Whether nobody else works on the rollup, from here to the transaction's end."""
    locked = conn.execute(
        "SELECT pg_try_advisory_xact_lock(core.lock_key('rollup', %s))", (tables.collection.id,)
    ).fetchone()
    return locked == (True,)


def _take(conn: psycopg.Connection[Any], tables: RollupTables) -> int:
    """`taken`: the deltas, out of their table; `step`: what they come to, by group."""
    conn.execute("DROP TABLE IF EXISTS taken, step, stale_cell")
    conn.execute(f"CREATE TEMP TABLE taken (LIKE {tables.table('_delta')}) ON COMMIT DROP")
    found = conn.execute(
        f"WITH gone AS (DELETE FROM {tables.table('_delta')} RETURNING *) INSERT INTO taken SELECT * FROM gone"
    ).rowcount
    if found:
        conn.execute(
            f"CREATE TEMP TABLE step ON COMMIT DROP AS {rollup_sql.summed_groups(tables, 'SELECT * FROM taken')}"
        )
        conn.execute(f"CREATE TEMP TABLE stale_cell ON COMMIT DROP AS SELECT DISTINCT cell FROM taken WHERE {STALE}")
    return found


def _spread(conn: psycopg.Connection[Any], tables: RollupTables) -> None:
    """`step` at every coarser resolution too."""
    finer = tables.rollup.finest
    for resolution in reversed(tables.rollup.resolutions[:-1]):
        conn.execute(rollup_sql.cascade(tables, "step", level(finer), resolution))
        finer = resolution
    conn.execute("ANALYZE step")


def _add(
    conn: psycopg.Connection[Any], tables: RollupTables, table: str, keys: tuple[str, ...], beside: tuple[str, ...],
    step: str = "step",
) -> None:  # fmt: skip
    """What came and went, to the rows that are there; groups without rows left are taken out, new ones put in."""
    same = " AND ".join(f"t.{key} = s.{key}" for key in keys)
    merged = [
        f"{column} = t.{column} + s.{column}" if how == "sum" else
        f"{column} = {'least' if how == 'min' else 'greatest'}(t.{column}, s.{column})"
        for column, _, how, _ in tables.figures
    ]  # fmt: skip
    names = ", ".join([*keys, *beside, *(column for column, *_ in tables.figures)])
    conn.execute(f"UPDATE {table} t SET {', '.join(merged)} FROM {step} s WHERE {same}")
    conn.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {step} s"
        f" WHERE s.{ROWS} <> 0 AND NOT EXISTS (SELECT FROM {table} t WHERE {same})"
    )
    conn.execute(f"DELETE FROM {table} t USING {step} s WHERE {same} AND t.{ROWS} = 0")


def _add_cells(conn: psycopg.Connection[Any], tables: RollupTables) -> None:
    """The same by cell alone; cells that were not there get their boundary."""
    table = tables.table("_cell")
    conn.execute(f"CREATE TEMP TABLE cell_step ON COMMIT DROP AS SELECT cell, {', '.join(tables.summed())} FROM step"
                 " GROUP BY cell")  # fmt: skip
    conn.execute("ANALYZE cell_step")
    _add(conn, tables, table, ("cell",), (), "cell_step")
    boundaries_of(
        conn, f"SELECT cell FROM cell_step s JOIN {table} t USING (cell) WHERE t.{SHAPE} IS NULL AND cell <> 0"
    )
    conn.execute(f"UPDATE {table} t SET {SHAPE} = b.shape FROM cell_boundaries b WHERE b.cell = t.cell")
    conn.execute("DROP TABLE cell_step")


def _refresh_extremes(conn: psycopg.Connection[Any], tables: RollupTables) -> None:
    """The least and the largest of cells from which rows went, from the rows that are there; then their ancestors'."""
    if conn.execute("SELECT EXISTS (SELECT FROM stale_cell)").fetchone() == (False,):
        return
    finest = tables.rollup.finest
    rows = f"SELECT {tables.row} FROM {stale_rows(tables, 'stale_cell')}"
    _refresh(conn, tables, rollup_sql.summed_groups(tables, rows), finest)
    finer = finest
    for resolution in reversed(tables.rollup.resolutions[:-1]):
        wider = f"SELECT DISTINCT {parent_sql('cell', resolution)} AS cell FROM stale_cell WHERE cell <> 0"
        conn.execute(f"CREATE TEMP TABLE wider ON COMMIT DROP AS {wider}")
        conn.execute("DROP TABLE stale_cell")
        conn.execute("ALTER TABLE wider RENAME TO stale_cell")
        low, high = cells.child_range_sql("s.cell", resolution, finer)
        names = ["division", *tables.dimensions, KEY]
        children = (
            f"SELECT s.cell, {', '.join(f't.{n}' for n in names)}, {', '.join(tables.summed('t'))} FROM stale_cell s"
            f" JOIN {tables.table()} t ON t.cell BETWEEN {low} AND {high}"
            f" GROUP BY s.cell, {', '.join(f't.{n}' for n in names)}"
        )
        _refresh(conn, tables, children, resolution)
        finer = resolution


def stale_rows(tables: RollupTables, stale: str) -> str:
    """The rolled-up rows of the register in the cells of a table, as a FROM item and the condition on them."""
    low, high = cells.child_range_sql("s.cell", tables.rollup.finest, tables.collection.cell_resolution)
    return (
        f"(SELECT r.* FROM {stale} s JOIN {tables.register} r ON r.cell BETWEEN {low} AND {high} WHERE s.cell <> 0"
        f" UNION ALL SELECT r.* FROM {tables.register} r WHERE r.cell IS NULL"
        f" AND EXISTS (SELECT FROM {stale} s WHERE s.cell = 0)) rows_there WHERE {tables.is_rolled}"
    )


def _refresh(conn: psycopg.Connection[Any], tables: RollupTables, groups: str, resolution: int) -> None:
    nothing = ", ".join(f"{column} = NULL" for column, _ in tables.extremes)
    anew = ", ".join(f"{column} = s.{column}" for column, _ in tables.extremes)
    for table in (tables.table(), tables.table("_cell")):
        conn.execute(f"UPDATE {table} t SET {nothing} FROM stale_cell s WHERE t.cell = s.cell")
    conn.execute(
        f"UPDATE {tables.table()} t SET {anew} FROM ({groups}) s"
        f" WHERE (t.cell, t.division, t.{KEY}) = (s.cell, s.division, s.{KEY})"
    )
    by_cell = ", ".join(f"{how}(t.{column}) AS {column}" for column, how in tables.extremes)
    conn.execute(
        f"UPDATE {tables.table('_cell')} t SET {anew} FROM (SELECT t.cell, {by_cell} FROM {tables.table()} t"
        " JOIN stale_cell USING (cell) GROUP BY t.cell) s WHERE t.cell = s.cell"
    )


def note_clear_zoom(conn: psycopg.Connection[Any], tables: RollupTables) -> None:
    """Note the zoom from which points are few enough in every tile; where it changes, every tile does.

    It is one for the whole collection, so that no two tiles of a view differ.
    """
    known = conn.execute("SELECT clear_zoom FROM core.rollup WHERE register = %s", (tables.collection.id,)).fetchone()
    most = {zoom: _densest(conn, tables, res) for zoom, res in _TILE_SIZED.items() if res in tables.rollup.resolutions}
    clear = _clear_zoom(most, tables.rollup.near_zoom, MOST_POINTS)
    if known is not None:
        # only where it would be another with some play to either side too
        bounds = [_clear_zoom(most, tables.rollup.near_zoom, MOST_POINTS * play) for play in (_PLAY, 1 / _PLAY)]
        if bounds[0] <= known[0] <= bounds[1]:
            return
    conn.execute(
        "INSERT INTO core.rollup (register, clear_zoom) VALUES (%s, %s)"
        " ON CONFLICT (register) DO UPDATE SET clear_zoom = excluded.clear_zoom",
        (tables.collection.id, clear),
    )
    if known is not None:
        conn.execute("INSERT INTO core.change (register, key) VALUES (%s, 1) ON CONFLICT DO NOTHING",
                     (tables.collection.id,))  # fmt: skip


def _densest(conn: psycopg.Connection[Any], tables: RollupTables, resolution: int) -> int:
    low, high = level(resolution)
    found = conn.execute(
        f"SELECT coalesce(max({ROWS}), 0) FROM {tables.table('_cell')} WHERE cell BETWEEN %s AND %s", (low, high)
    ).fetchone()
    return int(found[0]) if found else 0


def _clear_zoom(most: dict[int, int], near_zoom: int, points: float) -> int:
    """The first zoom at which the densest tile holds at most so many points; a cell stands for a tile of its size."""
    crowded = [zoom for zoom, count in most.items() if count > points]
    return min(max(near_zoom, max(crowded, default=0) + 1), _DEEPEST_ZOOM)
