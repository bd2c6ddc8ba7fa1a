"""The lines of streets and the borders of divisions, read through their plans: what lies about a point."""

from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.access import Identity
from gis.catalog import Catalogue
from gis.exchange.matching.index import AddressIndex
from gis.exchange.matching.reverse import ReverseGeocoder
from gis.exchange.matching.sources import DIVISIONS, visible
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.statement import Statement
from gis.store.database import Database

ROADS = "base.roads"


def reverse_of(
    index: AddressIndex, database: Database, catalogue: Catalogue, identity: Identity, at: datetime
) -> ReverseGeocoder:
    """A reverse geocoder with the streets and borders that `identity` may see, valid at `at`. Raises Unavailable."""

    def shapes(collection: str, name: str) -> tuple[list[str], NDArray[np.object_]] | None:
        if not visible(catalogue, collection, identity):
            return None
        relation = Plan(Query(collection=collection, fields=(name,)), catalogue, identity, at).relation()
        sql = f'SELECT "{name}", ST_AsBinary(geom) FROM ({relation.sql}) q'  # noqa: S608  names are declared
        sql += f' WHERE geom IS NOT NULL AND "{name}" IS NOT NULL'
        rows: list[tuple[Any, ...]] = database.rows(Statement(sql, relation.args))
        return [str(row[0]) for row in rows], np.asarray(shapely.from_wkb([row[1] for row in rows]), dtype=object)

    borders = shapes(DIVISIONS, "code")
    divisions = (np.array([int(c) for c in borders[0]], dtype=np.int64), borders[1]) if borders else None
    return ReverseGeocoder(index, streets=shapes(ROADS, "name"), divisions=divisions)
