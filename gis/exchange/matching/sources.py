"""What an index is made of, read from the city's own registers through their plans: rights and times hold here too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from gis.access import OWNER, Identity, rules_for, seen_in
from gis.catalog import Catalogue
from gis.errors import Forbidden, UnknownName
from gis.exchange.matching.index import Register
from gis.exchange.matching.keys import joined
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import TICK, Span, now
from gis.query.statement import Statement
from gis.store.database import Database

ADDRESSES, DIVISIONS, LANDMARKS = "base.addresses", "base.divisions", "base.pois"
BUILDINGS, DWELLINGS = "base.buildings", "base.dwellings"
SOURCES = (ADDRESSES, DIVISIONS, LANDMARKS, BUILDINGS, DWELLINGS)
"""The collections that an index is made of; the last three where there are any and the caller may see them."""

_BATCH_ROWS = 50_000
_TYPES = {"fid": pa.int64(), "lon": pa.float64(), "lat": pa.float64(), "former": pa.bool_()}
_POINT = "CASE WHEN GeometryType(q.geom) = 'POINT' THEN q.geom ELSE ST_PointOnSurface(q.geom) END"
_PARTS = ("street", "plate", "compound", "building")


def register_of(
    database: Database, catalogue: Catalogue, identity: Identity = OWNER, *, at: datetime | None = None
) -> Register:
    """Addresses, divisions, landmarks and dwellings as `identity` may see them, valid at `at` (default: now).

    A dwelling is in the place that has its building's full address; a building whose address no row of the addresses
    has is a place without a code. What the catalogue has not, or the caller may not see, is left out; former names of
    divisions are kept. Raises Unavailable.
    """
    registers = _Registers(database, catalogue, identity, at or now())
    addresses = registers.places(ADDRESSES, "code", "text", *_PARTS, "main")
    divisions = registers.divisions()
    landmarks = registers.places(LANDMARKS, "code", "name") if registers.has(LANDMARKS) else None
    if not registers.has(BUILDINGS):
        return Register(addresses, divisions, landmarks=landmarks)
    rooms = registers.dwellings()
    both = joined(addresses, registers.places(BUILDINGS, "code", "address"), rooms)
    return Register(both.addresses, divisions, both.dwellings if registers.has(DWELLINGS) else None, landmarks)


def visible(catalogue: Catalogue, collection: str, identity: Identity) -> bool:
    """Whether there is such a collection whose places the caller may see exactly."""
    try:
        rules = rules_for(identity, catalogue[collection])
    except (Forbidden, UnknownName):
        return False
    return rules.precision == "exact" and rules.anonymous is None


@dataclass(frozen=True, slots=True)
class _Registers:
    """The registers as one caller sees them at one moment."""

    database: Database
    catalogue: Catalogue
    identity: Identity
    moment: datetime

    def has(self, collection: str) -> bool:
        """Whether there is such a collection that the caller may see."""
        return visible(self.catalogue, collection, self.identity)

    def places(self, collection: str, *fields: str) -> pa.Table:
        """Rows with fid, division, the fields, and a point on each; a field that the caller is not told is missing."""
        told = seen_in(self.catalogue, self.identity, collection).by_name
        relation = self._plan(collection, tuple(f for f in fields if f in told)).relation()
        columns = ", ".join(f'"{f}"' if f in told else f'NULL::text AS "{f}"' for f in fields)
        sql = (
            f"SELECT fid, lpad(division::text, 12, '0'), {columns}, ST_X(p), ST_Y(p) "  # noqa: S608  names are declared
            f"FROM (SELECT q.*, {_POINT} AS p FROM ({relation.sql}) q) s"
        )
        return self._table(Statement(sql, relation.args), ("fid", "division", *fields, "lon", "lat"))

    def divisions(self) -> pa.Table:
        """The divisions that are valid, and those that were: their names are still written."""
        until = Span(None, self.moment + TICK)
        relation = self._plan(DIVISIONS, ("code", "name"), until).relation()
        placed = f"(SELECT q.*, {_POINT} AS p FROM ({relation.sql}) q) s"  # noqa: S608  names are declared
        sql = f"SELECT fid, code, name, ST_X(p), ST_Y(p), valid_to <= %s FROM {placed}"  # noqa: S608
        names = ("fid", "code", "name", "lon", "lat", "former")
        return self._table(Statement(sql, (self.moment, *relation.args)), names)

    def dwellings(self) -> pa.Table:
        """The dwellings; none where the caller may not see them."""
        names = ("fid", "code", "building", "unit", "room", "address")
        if not self.has(DWELLINGS):
            return pa.table({name: pa.array([], _TYPES.get(name, pa.string())) for name in names})
        relation = self._plan(DWELLINGS, names[1:]).relation()
        columns = ", ".join(f'"{n}"::text' for n in names[1:])
        sql = f"SELECT fid, {columns} FROM ({relation.sql}) q"  # noqa: S608  names are declared
        return self._table(Statement(sql, relation.args), names)

    def _plan(self, collection: str, fields: tuple[str, ...], time: Span | None = None) -> Plan:
        query = Query(collection=collection, fields=fields, time=time)
        return Plan(query, self.catalogue, self.identity, self.moment)

    def _table(self, statement: Statement, names: tuple[str, ...]) -> pa.Table:
        schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in names])
        batches = [pa.record_batch(list(map(list, zip(*rows, strict=True))), schema=schema)
                   for rows in self._batches(statement)]  # fmt: skip
        return pa.Table.from_batches(batches, schema=schema)

    def _batches(self, statement: Statement) -> Iterator[list[tuple[Any, ...]]]:
        """Rows in batches by a cursor in the server: a million of them never stand in memory as Python objects."""
        with (
            self.database.connection() as conn,
            conn.transaction(),
            conn.cursor("addresses", binary=True) as cursor,
        ):
            prepared = self.database.stated(conn, statement)
            cursor.execute(prepared.sql, prepared.args)
            while rows := cursor.fetchmany(_BATCH_ROWS):
                yield rows
