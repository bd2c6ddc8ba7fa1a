"""What the city already knows of itself, to tell in which datum a new file is: its roads, divisions and buildings."""

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.geo.datum import Reference
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import now
from gis.query.statement import Statement
from gis.store.database import Database

_KNOWN = ("base.roads", "base.divisions", "base.buildings")
#: Of each enough to tell 500 m from 0 m, few enough to index in a moment.
_AT_MOST = 20_000


def reference_for(database: Database, catalogue: Catalogue) -> Reference | None:
    """Roads, divisions and buildings that are loaded; None in an empty city."""
    roads, districts, buildings = (_shapes(database, catalogue, name) for name in _KNOWN)
    if not any(len(shapes) for shapes in (roads, districts, buildings)):
        return None
    return Reference(roads=roads, districts=districts, buildings=buildings)


def _shapes(database: Database, catalogue: Catalogue, collection: str) -> NDArray[np.object_]:
    if not any(c.id == collection for c in catalogue):
        return np.empty(0, object)
    relation = Plan(Query(collection=collection, fields=()), catalogue, OWNER, now()).relation()
    sql = f"SELECT ST_AsBinary(geom) FROM ({relation.sql}) q WHERE geom IS NOT NULL ORDER BY fid LIMIT {_AT_MOST}"  # noqa: S608
    found: NDArray[np.object_] = shapely.from_wkb([row[0] for row in database.rows(Statement(sql, relation.args))])
    return np.atleast_1d(found)
