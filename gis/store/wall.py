"""The second wall around a register: what the reader's role may read of it at all, whatever a statement says.

Row-level security compares each row's division with those that the signed scope opens (`access.opened`). The plan's own
conditions stay beside it and choose the index, which is why the policy is written so that the planner expects it to
hold for every row: its own guess for a comparison with a value that it cannot see is a two-hundredth of the table.

* The scope is read by sub-selects that need nothing of the row: once for a table and statement.
* `CASE … IS NOT NULL` is no condition that an index could take up, nor one that the planner thinks to be rare.
* Of sensitive registers (of persons, and where fields are masked or hidden for anybody, or places blurred) the role has
  no right to the tables, but to views: `x_exact`, `x_seen` with what is masked, `x_blurred7` with cells of resolution 7
  in the place of places, by which an index finds them, `x_blurred` with divisions alone. A view has a gate: where the
  scope does not open it, nothing is read, so that neither the time nor EXPLAIN ANALYZE tells how many rows were passed
  over. It belongs to a role for which row-level security holds, so that it stays flat, with the indexes of the table.

On a server where box comparison cannot be marked leakproof, row-level security would read whole tables: there the
views carry the condition themselves, for every register, and the reader's role has no right to any table. Those of
sensitive registers of which somebody is told some rows are barriers there: found by division, key and cell, not by
place. Of the others who writes SQL of his own may be told of other rows by errors: `onemap db status` says which wall
stands.

What no wall keeps from whoever signs in as the reader and writes statements of his own, since PostgreSQL has no right
for it: the size of a table as a whole, and in EXPLAIN the planner's estimates, which rest on statistics of all rows.
Estimates are not to be had from within a statement of a plan.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import psycopg

from gis.catalog import Collection
from gis.store.table_lock import PAUSE_S, is_taken_briefly
from gis.store.wall_tables import EXACT, PARTS, VIEWS, Walled, walled

Mode = Literal["rows", "views", "none"]

#: Who reads, as a group of which each database's reader is a member; who owns the views that mask.
READERS, MASKERS = "onemap_readers", "onemap_maskers"

_VERSION = "1"
_POLICY = "wall"


class Wall:
    """One of `derived.DERIVED`, the last: what the others made is walled in too."""

    kind = "wall"

    def digest(self, collection: Collection) -> str | None:
        """Of all the SQL that makes it, whichever wall this server can have."""
        said = [*_by_rows(collection, walled(collection)), *_by_views(collection, walled(collection))]
        return hashlib.sha256("\n".join([_VERSION, *said]).encode()).hexdigest()[:16]

    def tables(self, collection: Collection) -> tuple[str, ...]:
        """None: what is swapped is walled in again."""
        return ()

    def install(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Policies, views and grants, as far as this server can have them."""
        how = mode(conn)
        if how == "none":
            return
        tables = [t for t in walled(collection) if _stands(conn, t.table)]
        _take(conn, [t.table for t in tables])
        for table in tables:
            for name in _indexes(conn, table) - {name for name, _ in table.index_statements()}:
                conn.execute(f'DROP INDEX "{collection.layer}"."{name}"')
        make = _by_rows if how == "rows" else _by_views
        for statement in make(collection, tables):
            conn.execute(statement)

    def remove(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str = "") -> None:
        """Views, policies and rights gone; a copy in the making has none."""
        if suffix:
            return
        self.lift(conn, collection)
        tables = [t.table for t in walled(collection) if _stands(conn, t.table)]
        walls = conn.execute(
            "SELECT polrelid::regclass::text FROM pg_policy WHERE polrelid = ANY(%s::regclass[]) AND polname = %s",
            (tables, _POLICY),
        ).fetchall()
        if walls:
            _take(conn, tables)
        for (table,) in walls:
            conn.execute(f"DROP POLICY {_POLICY} ON {table}")
            conn.execute(f"REVOKE ALL ON {table} FROM {READERS}, {MASKERS}")

    def copy(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Index what is told of places; else nothing: nobody reads the copy."""
        if mode(conn) != "none":
            for _, statement in walled(collection)[0].index_statements(suffix):
                conn.execute(statement)

    def swap(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Wall in what was put in place; the parts that stayed have their policies and indexes."""
        for name in _indexes(conn, walled(collection)[0], suffix):
            conn.execute(f'ALTER INDEX "{collection.layer}"."{name}" RENAME TO "{name.replace(suffix, "", 1)}"')
        self.index(conn, collection)
        self.remove(conn, collection)
        self.install(conn, collection)

    def index(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Index places as they are told, of each table that has no such index yet; only writers wait meanwhile."""
        if mode(conn) == "none":
            return
        for table in walled(collection):
            there = _indexes(conn, table)
            for name, statement in table.index_statements():
                if name not in there:
                    conn.execute(statement)

    def lift(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Take the views away that stand on a register's tables, so that these can be replaced; `install` follows."""
        names = [f"{collection.noun}{part}{view}" for part in ("_all", *PARTS) for view in VIEWS]
        names += [table.name + view for table in walled(collection) for view in VIEWS]
        found = conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'v' AND c.relname = ANY(%s)",
            (collection.layer, names),
        ).fetchall()
        if found:
            views = ", ".join(f'"{collection.layer}"."{name}"' for (name,) in found)
            conn.execute(f"DROP VIEW {views}")


def mode(conn: psycopg.Connection[Any]) -> Mode:
    """Which wall this database was found to have (see `gis.store.wall_roles`)."""
    row = conn.execute("SELECT mode FROM access.wall").fetchone()
    return row[0] if row else "none"


def _by_rows(collection: Collection, tables: Sequence[Walled]) -> Iterator[str]:
    """Row-level security, and the views of those who are told less than everything."""
    yield from (_once(f"SCHEMA {collection.layer}", "USAGE", role) for role in (READERS, MASKERS))
    for table in tables:
        role = MASKERS if table.views else READERS
        yield f"ALTER TABLE {table.table} ENABLE ROW LEVEL SECURITY"
        condition = table.maskers if table.views else table.readers
        yield f"CREATE POLICY {_POLICY} ON {table.table} FOR SELECT TO {role} USING ({condition})"
        yield f"GRANT SELECT ON {table.table} TO {role}"
    made = [view for table in tables for view in table.view_statements(conditioned=False)]
    if made:
        # who gives a view away needs to be of the role, and the role, as which nobody signs in, at home in the schema
        yield _once(f"SCHEMA {collection.layer}", "CREATE", MASKERS)
        for name, statement in made:
            yield statement
            yield f"ALTER VIEW {name} OWNER TO {MASKERS}"
            yield f"GRANT SELECT ON {name} TO {READERS}"
    yield from _both(collection, tables, tables[0].views)


def _by_views(collection: Collection, tables: Sequence[Walled]) -> Iterator[str]:
    """Views that carry the condition, in the place of every table."""
    yield _once(f"SCHEMA {collection.layer}", "USAGE", READERS)
    for table in tables:
        for name, statement in table.view_statements(conditioned=True):
            yield statement
            yield f"GRANT SELECT ON {name} TO {READERS}"
    yield from _both(collection, tables, tables[0].views or (EXACT,))


def _both(collection: Collection, tables: Sequence[Walled], views: Sequence[str]) -> Iterator[str]:
    """Open and past rows together, for each view that there is of both; the view of the tables asks as its reader."""
    every = f'"{collection.layer}"."{collection.noun}_all"'
    yield f"ALTER VIEW {every} SET (security_invoker = true)"
    yield f"GRANT SELECT ON {every} TO {READERS}" if not views else f"REVOKE ALL ON {every} FROM {READERS}"
    if collection.rollup is not None:
        yield _once("TABLE core.rollup", "SELECT", READERS)
    open_rows, past = tables[0], tables[1]
    for view in views:
        name = f'"{collection.layer}"."{collection.noun}_all{view}"'
        yield (
            f"CREATE VIEW {name} WITH (security_invoker = true) AS SELECT {open_rows.listed},"
            f" 9223372036854775807 AS rec_to, 'infinity'::date AS closed_on FROM {open_rows.view(view)}"
            f" UNION ALL SELECT {open_rows.listed}, rec_to, closed_on FROM {past.view(view)}"
        )
        yield f"GRANT SELECT ON {name} TO {READERS}"


def _once(what: str, right: str, role: str) -> str:
    """A right to what registers share, given where it is not held: two that are swapped in at once do not wait."""
    kind, _, name = what.partition(" ")
    return (
        f"DO $$ BEGIN IF NOT has_{kind.lower()}_privilege('{role}', '{name}', '{right}') THEN"
        f" GRANT {right} ON {what} TO {role}; END IF; END $$"
    )


def _indexes(conn: psycopg.Connection[Any], table: Walled, suffix: str = "") -> set[str]:
    """The names of the indexes of a table on places as they are told, which end their table's with a suffix."""
    rows = conn.execute(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = to_regclass(%s) AND c.relname ~ %s",
        (table.table, f"^{table.name}{suffix}_told[0-9]+$"),
    )
    return {name for (name,) in rows}


def _stands(conn: psycopg.Connection[Any], table: str) -> bool:
    return conn.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone() == (True,)


def _take(conn: psycopg.Connection[Any], tables: Sequence[str]) -> None:
    """Have the tables for oneself; nobody waits longer than a moment behind one who waits for a long reader."""
    while not is_taken_briefly(conn, ", ".join(tables)):
        time.sleep(PAUSE_S)
