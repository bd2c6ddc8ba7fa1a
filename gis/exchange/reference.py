"""What the city already knows of itself, to tell in which datum a new file is: its roads, else its districts."""

import numpy as np
import shapely
from numpy.typing import NDArray

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
    roads, districts = (
        _shapes(database, catalogue, name, at_most) if name != collection.id else np.empty(0, object)
        for name, at_most in (("base.roads", _ROADS), ("base.divisions", _DISTRICTS))
    )
    return Reference(roads=roads, districts=districts) if len(roads) or len(districts) else None


def _shapes(database: Database, catalogue: Catalogue, collection: str, at_most: int) -> NDArray[np.object_]:
    if not any(c.id == collection for c in catalogue):
        return np.empty(0, object)
    relation = Plan(Query(collection=collection, fields=()), catalogue, OWNER, now()).relation()
    sql = f"SELECT ST_AsBinary(geom) FROM ({relation.sql}) q WHERE geom IS NOT NULL ORDER BY fid LIMIT {at_most}"  # noqa: S608
    found: NDArray[np.object_] = shapely.from_wkb([row[0] for row in database.rows(Statement(sql, relation.args))])
    return np.atleast_1d(found)
