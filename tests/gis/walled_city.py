"""A small city behind the second wall, and connections to it as the reader's role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from gis.access import OWNER, Identity
from gis.catalog import Catalogue
from gis.query.statement import Statement
from gis.store.reading import Reading
from gis.store.wall_roles import Reader, reader
from layers import LAYERS

CATALOGUE = Catalogue(LAYERS)
#: Two divisions, and who has a duty in the first of them.
HERE, THERE = 341502001000, 341503001000
CLERK = Identity("clerk", "duty", ((341502000000, 341502999999),))


@dataclass(frozen=True)
class Walled:
    """A database, its reader, and what is declared of it."""

    url: str
    reader: Reader
    catalogue: Catalogue = CATALOGUE

    def prepared(self, identity: Identity, sql: str, args: tuple[Any, ...] = ()) -> tuple[Statement, str]:
        """A statement and its scope, as they are sent for somebody."""
        return Reading(self.reader, lambda: self.catalogue, lambda: identity).prepared(Statement(sql, args))

    def rows(self, identity: Identity, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """What somebody is told by a statement."""
        statement, scope = self.prepared(identity, sql, args)
        with self.connected(scope) as conn:
            return conn.execute(statement.sql, statement.args).fetchall()

    @contextmanager
    def connected(self, scope: str | None = None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection as the reader's role, which carries a scope or none."""
        with psycopg.connect(self.reader.url, autocommit=True) as conn:
            if scope is not None:
                conn.execute("SELECT set_config('onemap.scope', %s, false)", (scope,))
            yield conn


def walled(url: str) -> Walled:
    """A city with ten places here and five there, one person at each, and one of them nowhere."""
    with psycopg.connect(url, autocommit=True) as conn:
        for table, more, values in (
            ("base.pois", "code, name", "i::text, 'n' || i"),
            ("base.persons", "sex, birth_date", "'f', date '1990-05-06'"),
        ):
            conn.execute(
                f"INSERT INTO {table} (fid, rec_from, digest, load, cell, division, geom, {more})"
                " SELECT i, 1, 0, 0, 626740321835323391, CASE WHEN i <= 10 THEN %s WHEN i <= 15 THEN %s END,"
                f" ST_SetSRID(ST_MakePoint(116.5 + i / 1000.0, 31.7), 4326), {values} FROM generate_series(1, 16) i",
                (HERE, THERE),
            )
            conn.execute(f"ANALYZE {table}")
    return Walled(url, reader(url))


EVERYONE = OWNER
