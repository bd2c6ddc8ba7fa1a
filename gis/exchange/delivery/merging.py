"""The folded state into the register: what differs is closed and opened, and what was is kept.

A few changes are made in place. Where much of the register changes it is written anew beside the readers and put in
its place at the end: rows that died in place would leave holes that every later question reads over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from gis.catalog import Collection
from gis.exchange.registers import Deliverable
from gis.store import derived
from gis.store.bulk import wait_for_readers
from gis.store.tables import Register

#: From this share of the register on it is written anew.
_MUCH = 0.2
_SUFFIX = "__new"
_SAME = "(o.fid, o.scenario, o.valid_from) = (c.fid, c.scenario, c.valid_from)"
#: The share of each page that is filled where a register is written anew: changes to come find room beside what they
#: change.
FILL_PERCENT = 94


@dataclass(frozen=True, slots=True)
class Change:
    """The frame of one change: its epoch and its day."""

    epoch: int
    today: date


@dataclass(frozen=True, slots=True)
class Merged:
    """Whether the register changed, and what is to be done late in the transaction, for readers wait from there on."""

    changed: bool
    finish: Callable[[], None]


def merge(conn: psycopg.Connection[Any], register: Deliverable, change: Change) -> Merged:
    """Bring the register's open rows of what was touched, `held`, to the state in `folded`."""
    tables = Register.of(register.collection)
    closed, opened = _differences(conn, tables)
    conn.execute(
        f"INSERT INTO {tables.table('_past')} ({tables.column_list}, rec_to, closed_on)"
        f" SELECT {_prefixed(tables, 'o')}, %(epoch)s, %(today)s FROM held o JOIN closing c ON {_SAME}",
        {"epoch": change.epoch, "today": change.today},
    )
    if closed > _MUCH * _rows(conn, tables):
        return Merged(True, _anew(conn, register.collection, change))
    _in_place(conn, tables, change, (closed, opened))
    return Merged(closed + opened > 0, lambda: None)


def _in_place(conn: psycopg.Connection[Any], tables: Register, change: Change, counts: tuple[int, int]) -> None:
    """Close and open rows where they are; `counts` are how many.

    A row that stays one, but says something else, is written over: with room on its page, and none of its indexed
    columns changed, that makes no entry in any index, nor leaves one behind.
    """
    table, (closed, opened) = tables.table(), counts
    own = [name for name, _ in tables.columns if name not in ("fid", "scenario", "valid_from")]
    names, values = (", ".join(f'{side}"{name}"' for name in own) for side in ("", "c."))
    amended = conn.execute(
        f"UPDATE {table} o SET ({names}) = ROW({values}) FROM ({_opening(tables, change)}) c WHERE {_SAME}"
    ).rowcount
    if amended < closed:
        conn.execute(
            f"DELETE FROM {table} o USING closing c WHERE {_SAME} AND NOT EXISTS (SELECT FROM opening n"
            " WHERE (n.fid, n.scenario, n.valid_from) = (c.fid, c.scenario, c.valid_from))"
        )
    if amended < opened:
        conn.execute(
            f"INSERT INTO {table} ({tables.column_list}) {_opening(tables, change)} WHERE NOT EXISTS (SELECT FROM"
            " closing o WHERE (o.fid, o.scenario, o.valid_from)"
            " = (opening.fid, opening.scenario, opening.valid_from)) ORDER BY fid"
        )


def _differences(conn: psycopg.Connection[Any], tables: Register) -> tuple[int, int]:
    """`closing`: keys of open rows that do not stand any more; `opening`: folded rows that do not stand yet."""
    own = [n for n, _ in tables.columns if n not in ("fid", "valid_from", "rec_from", "digest", "load", "src_row")]
    same = " AND ".join(f's."{name}" IS NOT DISTINCT FROM o."{name}"' for name in own)
    # what ends where an entity goes on is as it was, unless it goes on too
    conn.execute(
        "CREATE TEMP TABLE standing ON COMMIT DROP AS"
        f" SELECT o.fid, o.scenario, o.valid_from, s.fid IS NOT NULL AND {same} AS stays"
        " FROM held o JOIN touched t USING (fid) LEFT JOIN folded s ON s.fid = o.fid AND s.valid_from = o.valid_from"
        " WHERE o.valid_to > t.since OR s.fid IS NOT NULL"
    )
    conn.execute("ANALYZE standing (fid)")
    closed = conn.execute(
        "CREATE TEMP TABLE closing ON COMMIT DROP AS SELECT fid, scenario, valid_from FROM standing WHERE NOT stays"
    ).rowcount
    conn.execute("ANALYZE closing (fid)")
    opened = conn.execute(
        "CREATE TEMP TABLE opening ON COMMIT DROP AS SELECT s.* FROM folded s WHERE NOT EXISTS ("
        "SELECT FROM standing t WHERE t.stays AND t.fid = s.fid AND t.valid_from = s.valid_from)"
    ).rowcount
    conn.execute("ANALYZE opening (fid)")
    return closed, opened


def _opening(tables: Register, change: Change) -> str:
    """The rows to open, in the order of the register's columns."""
    own = [n for n, _ in tables.columns if n not in ("rec_from", "digest", "load", "src_row")]
    row = ", ".join(f'"{name}"' for name in own)
    added = {
        "rec_from": f"{change.epoch}::bigint",
        "digest": f"hashtextextended(ROW({row})::text, 0)",
        "load": "delivery",
    }
    columns = ", ".join(f'{added[n]} AS "{n}"' if n in added else f'"{n}"' for n, _ in tables.columns)
    return f"SELECT {columns} FROM opening"


def _anew(conn: psycopg.Connection[Any], collection: Collection, change: Change) -> Callable[[], None]:
    """Write the open rows anew, indexed; returns what puts them in the register's place."""
    tables, copy = Register.of(collection), Register.of(collection, _SUFFIX)
    conn.execute(f"DROP TABLE IF EXISTS {copy.table()}")
    conn.execute(copy.create_open()[0])
    conn.execute(leave_room(copy))
    conn.execute(
        f"INSERT INTO {copy.table()} ({tables.column_list})"
        f" SELECT {_prefixed(tables, 'o')} FROM {tables.table()} o WHERE NOT EXISTS (SELECT FROM closing c"
        f" WHERE {_SAME})"
        f" UNION ALL {_opening(tables, change)} ORDER BY fid"
    )
    for statement in (*copy.index_open(), *copy.constrain_open()):
        conn.execute(statement)
    conn.execute(f"ANALYZE {copy.table()}")
    derived.copy(conn, collection, _SUFFIX)

    def finish() -> None:
        wait_for_readers(conn, collection)
        for statement in tables.replace_by(copy, parts=("",)):
            conn.execute(statement)
        derived.swap(conn, collection, _SUFFIX)

    return finish


def leave_room(tables: Register) -> str:
    """The statement that keeps the open table's pages from being filled to the brim; before anything is in it."""
    return f"ALTER TABLE {tables.table()} SET (fillfactor = {FILL_PERCENT})"


def _rows(conn: psycopg.Connection[Any], tables: Register) -> float:
    """About how many open rows there are; a thousand at least, so that small registers are changed in place."""
    found = conn.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", (tables.table(),)).fetchone()
    return max(1_000.0 / _MUCH, float(found[0]) if found else 0.0)


def _prefixed(tables: Register, alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name, _ in tables.columns)
