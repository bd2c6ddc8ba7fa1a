"""What became of a division: split, merged, recoded, put under another superior, renamed.

Links are found from the register itself, by what ended and what began at one moment and how much ground they share;
links that a department stated stand beside them. A code that goes on is linked to itself only by what changed of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg

from gis.codes.division import Division
from gis.errors import BadInput
from gis.query.statement import Statement
from gis.store.database import Database, connect, translated
from gis.text import Text

WHOLE, SLIVER = 0.95, 0.01
"""Above the first share of the ground one is the other; below the second two borders were drawn anew, no more."""


class Kind(StrEnum):
    """How a division relates to its successor."""

    SPLIT = "split"
    MERGE = "merge"
    RECODE = "recode"
    REPARENT = "reparent"
    RENAME = "rename"

    @property
    def label(self) -> Text:
        """Its name."""
        return _LABELS[self]


_LABELS = {
    Kind.SPLIT: Text("分出", "part of it became"),
    Kind.MERGE: Text("并入", "merged into"),
    Kind.RECODE: Text("改代码", "recoded to"),
    Kind.REPARENT: Text("改隶属", "put under another superior"),
    Kind.RENAME: Text("更名", "renamed"),
}


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """From a division to what it became at a moment; codes have 12 digits. `stated`: a department said so."""

    at: datetime
    code: str
    successor: str
    kind: Kind
    stated: bool = False


# One row for each change: what went on under its code and what changed of it, and what of another code began on
# the ground of one that ended. An end may be written as the last day or as the first day after it.
_FOUND = f"""
    WITH version AS MATERIALIZED (
        SELECT fid, code, name, level, parent, valid_from, valid_to, geom FROM base.divisions WHERE scenario = 0
    ), change AS MATERIALIZED (
        SELECT e.fid, b.fid AS successor, b.valid_from AS at, e.code = b.code AS goes_on,
               e.name <> b.name AS renamed, e.parent IS DISTINCT FROM b.parent AS moved, e.geom AS old, b.geom AS new
        FROM version e
        CROSS JOIN LATERAL (VALUES (e.valid_to), (e.valid_to + interval '1 day')) moment (at)
        JOIN version b ON b.valid_from = moment.at AND b.level = e.level
        WHERE e.valid_to < 'infinity' AND (e.code = b.code OR ST_Intersects(e.geom, b.geom))
    ), share AS MATERIALIZED (
        SELECT *, ST_Area(old::geography) AS old_m2, ST_Area(new::geography) AS new_m2,
               CASE WHEN goes_on THEN 0 ELSE ST_Area(ST_Intersection(old, new)::geography) END AS shared_m2
        FROM change
    ), judged AS (
        SELECT *, CASE WHEN shared_m2 >= {WHOLE} * old_m2 AND shared_m2 >= {WHOLE} * new_m2 THEN 'recode'
                       WHEN shared_m2 >= {WHOLE} * old_m2 THEN 'merge'
                       ELSE 'split' END AS kind
        FROM share WHERE NOT goes_on AND shared_m2 >= {SLIVER} * least(old_m2, new_m2)
    )
    SELECT fid, successor, kind, at FROM judged
    UNION SELECT fid, successor, 'reparent', at FROM judged WHERE moved AND kind = 'recode'
    UNION SELECT fid, successor, 'rename', at FROM judged WHERE renamed AND kind = 'recode'
    UNION SELECT fid, successor, 'reparent', at FROM share WHERE goes_on AND moved
    UNION SELECT fid, successor, 'rename', at FROM share WHERE goes_on AND renamed
"""  # noqa: S608  shares are our own


def find_links(conn: psycopg.Connection[Any]) -> int:
    """Find the links of all divisions anew, in the caller's transaction; those that were stated stay. Returns how many.

    At a moment, of one level: where nearly all ground of an ended division is nearly all of one that begins, it was
    recoded (and put under another superior, or renamed, where that differs); where its ground is part of the new one's
    it was merged; else part of it was split off.
    """
    conn.execute("DELETE FROM base.divisions_link WHERE NOT stated")
    found = conn.execute(f"INSERT INTO base.divisions_link (fid, successor, kind, at) {_FOUND} ON CONFLICT DO NOTHING")
    return found.rowcount


def state_links(database: Database, links: Iterable[Link]) -> int:
    """Keep links that a department stated; a link that is there already is kept as stated. Returns how many.

    Raises BadInput for a code that no division ever had, or that is no code.
    """
    stated = [(Division.parse(link.code).code, Division.parse(link.successor).code, link) for link in links]
    with translated(), connect(database.url) as conn:
        rows = conn.execute("SELECT key, fid FROM base.divisions_id").fetchall()
        known = {str(key): int(fid) for key, fid in rows}
        for code in (code for old, new, _ in stated for code in (old, new)):
            if code not in known:
                raise BadInput(f"no division has or had the code {code}", f"没有区划使用过代码 {code}", subject=code)
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO base.divisions_link (fid, successor, kind, at, stated) VALUES (%s, %s, %s, %s, true)"
                " ON CONFLICT (fid, successor, kind, at) DO UPDATE SET stated = true",
                [(known[old], known[new], link.kind.value, link.at) for old, new, link in stated],
            )
    return len(stated)


def successors(database: Database, code: str | int) -> tuple[Link, ...]:
    """What became of a division, and of what it became, in the order of time. Raises BadInput for what is no code."""
    return _followed(database, code, onward=True)


def predecessors(database: Database, code: str | int) -> tuple[Link, ...]:
    """What a division was made of, and what that was made of, the latest first. Raises BadInput."""
    return tuple(reversed(_followed(database, code, onward=False)))


def _followed(database: Database, code: str | int, *, onward: bool) -> tuple[Link, ...]:
    """Links from one to the next, each not before (or not after) the one that led to it."""
    near, far, order = ("fid", "successor", ">=") if onward else ("successor", "fid", "<=")
    sql = f"""
        WITH RECURSIVE link AS (
            SELECT l.* FROM base.divisions_link l JOIN base.divisions_id i ON i.fid = l.{near} WHERE i.key = %s
            UNION
            SELECT l.* FROM link k JOIN base.divisions_link l ON l.{near} = k.{far} AND l.at {order} k.at
        )
        SELECT l.at, a.key, b.key, l.kind, l.stated FROM link l
        JOIN base.divisions_id a ON a.fid = l.fid JOIN base.divisions_id b ON b.fid = l.successor
    """  # noqa: S608  the names are two of a table's
    rows = database.rows(Statement(sql, (Division.parse(code).code,)))
    return tuple(sorted(Link(at, old, new, Kind(kind), stated) for at, old, new, kind, stated in rows))
