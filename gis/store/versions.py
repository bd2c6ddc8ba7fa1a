"""A later load: staged, compared set-wise with the open rows, and recorded as versions, all in one transaction."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
import pyarrow as pa

from gis.store.copy import stream
from gis.store.tables import Register

STAGE = "stage"


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows on their way into the database, with the names of their columns as COPY wants them."""

    columns: str
    batches: Iterator[pa.LargeBinaryArray]


@dataclass(frozen=True, slots=True)
class Doubles:
    """Rows that were given again, as (row number, row number that was kept)."""

    pairs: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a load did to a register, in rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    closed: int = 0


def stage(conn: psycopg.Connection[Any], register: Register, rows: Rows) -> int:
    """COPY all rows into a temporary table of the same shape; returns how many the server took."""
    with conn.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {STAGE} (LIKE {register.table()}) ON COMMIT DROP")
        copied = stream(cursor, f"COPY {STAGE} ({rows.columns}) FROM STDIN (FORMAT binary)", rows.batches)
        # where the register's statistics are behind, the planner takes its rows for few and looks each up here
        cursor.execute(f"CREATE INDEX ON {STAGE} (fid)")
        cursor.execute(f"ANALYZE {STAGE} (fid, digest)")
    return copied


def drop_doubles(conn: psycopg.Connection[Any], table: str) -> Doubles:
    """Take out rows whose feature and start of validity came before; the first one in the file stays."""
    found = conn.execute(
        f"""
        WITH ranked AS (
            SELECT ctid AS place, src_row,
                   first_value(src_row) OVER w AS kept, row_number() OVER w AS rank
            FROM {table} WINDOW w AS (PARTITION BY fid, scenario, valid_from ORDER BY src_row)
        ), gone AS (
            DELETE FROM {table} t USING ranked r WHERE t.ctid = r.place AND r.rank > 1 RETURNING r.src_row, r.kept
        )
        SELECT src_row, kept FROM gone ORDER BY src_row
        """
    ).fetchall()
    return Doubles([(int(a), int(b)) for a, b in found])


def drop_overlaps(conn: psycopg.Connection[Any], table: str) -> Doubles:
    """Take out rows whose valid time overlaps that of an earlier row of the same feature that stays.

    The database finds the features that have any; which of their rows stay is settled here, in the file's order.
    """
    found = conn.execute(
        f"""
        WITH ordered AS (
            SELECT fid, scenario, valid_from, valid_to, src_row, ctid, max(valid_to) OVER w AS until
            FROM {table} WINDOW w AS (
                PARTITION BY fid, scenario ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT fid, scenario, extract(epoch FROM valid_from), extract(epoch FROM valid_to), src_row, ctid::text
        FROM ordered o WHERE EXISTS (
            SELECT FROM ordered t WHERE t.fid = o.fid AND t.scenario = o.scenario AND t.until > t.valid_from)
        ORDER BY fid, scenario, src_row
        """
    ).fetchall()
    pairs: list[tuple[int, int]] = []
    places: list[str] = []
    for _, rows in groupby(found, key=itemgetter(0, 1)):
        stays: list[tuple[Decimal, Decimal, int]] = []
        for _, _, start, end, row, place in rows:
            at = bisect(stays, (start, end, row))
            rivals = [kept for kept in stays[max(at - 1, 0) : at + 1] if kept[0] < end and start < kept[1]]
            if rivals:
                pairs.append((row, min(rival[2] for rival in rivals)))
                places.append(place)
            else:
                stays.insert(at, (start, end, row))
    conn.execute(f"DELETE FROM {table} WHERE ctid = ANY(%s::tid[])", (places,))
    return Doubles(sorted(pairs))


def drop_standing(conn: psycopg.Connection[Any], register: Register, change: "Change") -> Doubles:
    """Take out rows whose valid time overlaps that of an open row of the same feature that this load leaves open."""
    found = conn.execute(
        f"""
        DELETE FROM {STAGE} s USING {register.table()} o
        WHERE o.fid = s.fid AND o.scenario = s.scenario AND o.valid_from <> s.valid_from
          AND o.valid_from < s.valid_to AND s.valid_from < o.valid_to
          AND NOT (%s AND o.load = ANY(%s))
          AND NOT EXISTS (SELECT FROM {STAGE} t
                          WHERE t.fid = o.fid AND t.scenario = o.scenario AND t.valid_from = o.valid_from)
        RETURNING s.src_row
        """,
        (change.full, change.loads),
    ).fetchall()
    return Doubles(sorted({(int(a), 0) for (a,) in found}))


def drop_collisions(conn: psycopg.Connection[Any], register: Register, key: str) -> Doubles:
    """Take out rows whose number belongs to another feature already (one chance in 10 000 at a million rows)."""
    found = conn.execute(
        f"DELETE FROM {STAGE} USING {register.table('_id')} i WHERE i.fid = {STAGE}.fid AND i.key <> {key}"
        " RETURNING src_row"
    ).fetchall()
    return Doubles([(int(a), 0) for (a,) in found])


def merge(conn: psycopg.Connection[Any], register: Register, key: str, change: "Change") -> Changes:
    """Bring the open rows to the staged state and keep what they were; returns what was done."""
    table, past = register.table(), register.table("_past")
    same = "s.fid = o.fid AND s.scenario = o.scenario AND s.valid_from = o.valid_from"
    unchanged = _count(conn, f"SELECT count(*) FROM {STAGE} s JOIN {table} o ON {same} WHERE s.digest = o.digest")
    ensure_month(conn, register, change.today)
    arguments = {"epoch": change.epoch, "today": change.today, "loads": change.loads, "scenario": change.scenario}

    def close(condition: str) -> int:
        cursor = conn.execute(
            f"WITH closing AS (DELETE FROM {table} o WHERE {condition} RETURNING {_prefixed(register, 'o')})"
            f" INSERT INTO {past} ({register.column_list}, rec_to, closed_on)"
            f" SELECT {register.column_list}, %(epoch)s, %(today)s FROM closing",
            arguments,
        )
        return cursor.rowcount

    changed = close(f"EXISTS (SELECT FROM {STAGE} s WHERE {same} AND s.digest <> o.digest)")
    closed = 0
    if change.full:
        closed = close(
            f"o.scenario = %(scenario)s AND o.load = ANY(%(loads)s) AND NOT EXISTS (SELECT FROM {STAGE} s WHERE {same})"
        )
    conn.execute(
        f"INSERT INTO {register.table('_id')} (fid, key, since) SELECT DISTINCT ON (fid) fid, {key}, %s FROM {STAGE} s"
        f" WHERE NOT EXISTS (SELECT FROM {register.table('_id')} i WHERE i.fid = s.fid)",
        (change.epoch,),
    )
    added = conn.execute(
        f"INSERT INTO {table} ({register.column_list}) SELECT {register.column_list} FROM {STAGE} s"
        f" WHERE NOT EXISTS (SELECT FROM {table} o WHERE {same})"
    ).rowcount
    return Changes(new=added - changed, changed=changed, unchanged=unchanged, closed=closed)


@dataclass(frozen=True, slots=True)
class Change:
    """The frame of one load: its epoch, the earlier loads of the same dataset, and whether missing rows are closed."""

    epoch: int
    loads: list[int]
    scenario: int
    full: bool
    today: date


def _prefixed(register: Register, alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name, _ in register.columns)


def _count(conn: psycopg.Connection[Any], sql: str) -> int:
    found = conn.execute(sql).fetchone()
    return int(found[0]) if found else 0


def ensure_month(conn: psycopg.Connection[Any], register: Register, today: date) -> None:
    """The partition of past rows closed this month."""
    first = today.replace(day=1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    conn.execute(
        f"CREATE TABLE IF NOT EXISTS {register.table(f'_past_{first:%Y%m}')} PARTITION OF {register.table('_past')}"
        f" FOR VALUES FROM ('{first}') TO ('{after}')"
    )
