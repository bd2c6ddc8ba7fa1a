"""What an index is made of, read from the city's own registers through their plans: rights and times hold here too."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa

from gis.access import OWNER, Identity
from gis.catalog import Catalogue
from gis.exchange.matching.index import Register
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import now
from gis.query.statement import Statement
from gis.store.database import Database

ADDRESSES, DIVISIONS, LANDMARKS = "base.addresses", "base.divisions", "base.pois"
_BATCH_ROWS = 50_000
_TYPES = {"fid": pa.int64(), "lon": pa.float64(), "lat": pa.float64(), "former": pa.bool_()}


def register_of(
    database: Database, catalogue: Catalogue, identity: Identity = OWNER, *, at: datetime | None = None
) -> Register:
    """Addresses, divisions and landmarks as `identity` may see them, valid at `at` (default: now).

    Landmarks are left out where the catalogue has no points of interest, or none are visible. Dwellings are no
    collection yet: pass them to `Register` where they are known.
    """
    moment = at or now()

    def plan(collection: str, *fields: str) -> Plan:
        return Plan(Query(collection=collection, fields=fields), catalogue, identity, moment)

    addresses = _table(
        database, plan(ADDRESSES, "code", "text", "street", "plate", "compound", "building"),
        ("code", "text", "street", "plate", "compound", "building"),
    )  # fmt: skip
    divisions = _table(database, plan(DIVISIONS, "code", "name"), ("code", "name"))
    landmarks = None
    if any(c.id == LANDMARKS for c in catalogue):
        landmarks = _table(database, plan(LANDMARKS, "code", "name"), ("code", "name"))
    return Register(addresses, divisions, landmarks=landmarks)


def _table(database: Database, plan: Plan, fields: tuple[str, ...]) -> pa.Table:
    """The plan's rows with fid, division, the fields, and a point on each."""
    relation = plan.relation()
    names = ("fid", "division", *fields, "lon", "lat")
    columns = ", ".join(f'"{f}"' for f in fields)
    point = "CASE WHEN GeometryType(q.geom) = 'POINT' THEN q.geom ELSE ST_PointOnSurface(q.geom) END"
    sql = (
        f"SELECT fid, lpad(division::text, 12, '0'), {columns}, ST_X(p), ST_Y(p) "  # noqa: S608  names are declared
        f"FROM (SELECT q.*, {point} AS p FROM ({relation.sql}) q) s"
    )
    schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in names])
    batches = [pa.record_batch(list(map(list, zip(*rows, strict=True))), schema=schema)
               for rows in _batches(database, Statement(sql, relation.args))]  # fmt: skip
    return pa.Table.from_batches(batches, schema=schema)


def _batches(database: Database, statement: Statement) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in batches by a cursor in the server, so that a million of them never stand in memory as Python objects."""
    with database.connection() as conn, conn.transaction(), conn.cursor("addresses", binary=True) as cursor:
        cursor.execute(statement.sql, statement.args)
        while rows := cursor.fetchmany(_BATCH_ROWS):
            yield rows
