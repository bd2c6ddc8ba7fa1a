"""What the city already knows of itself, to tell in which datum a new file is: its roads, else its districts."""

import shapely

from gis.access import OWNER
from gis.catalog import Catalogue, Collection
from gis.geo.datum import Reference
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import now
from gis.query.statement import Statement
from gis.store.database import Database

#: Enough of either to tell 500 m from 0 m, few enough to index in a moment.
_ROADS, _DISTRICTS = 20_000, 2_000


def reference_for(database: Database, catalogue: Catalogue, collection: Collection) -> Reference | None:
    """Roads and divisions that are loaded, except what is being loaded; None in an empty city."""
    roads = _shapes(database, catalogue, "base.roads", _ROADS) if collection.id != "base.roads" else []
    districts = _shapes(database, catalogue, "base.divisions", _DISTRICTS) if collection.id != "base.divisions" else []
    if not roads and not districts:
        return None
    return Reference(roads=roads, districts=districts)


def _shapes(database: Database, catalogue: Catalogue, collection: str, at_most: int) -> list[shapely.Geometry]:
    if not any(c.id == collection for c in catalogue):
        return []
    relation = Plan(Query(collection=collection, fields=()), catalogue, OWNER, now()).relation()
    sql = f"SELECT ST_AsBinary(geom) FROM ({relation.sql}) q WHERE geom IS NOT NULL ORDER BY fid LIMIT {at_most}"  # noqa: S608
    return list(shapely.from_wkb([row[0] for row in database.rows(Statement(sql, relation.args))]))
