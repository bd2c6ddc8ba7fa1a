"""Which division a place lies in: asked of the divisions that are open and valid now, finest level first."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import now
from gis.query.statement import Statement
from gis.store.database import Database

_DIVISIONS = "base.divisions"


@dataclass(frozen=True, slots=True)
class Level:
    """The divisions of one level: a spatial index over their shapes, and their codes."""

    tree: shapely.STRtree
    codes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DivisionMap:
    """All divisions with a shape, finest level first."""

    levels: tuple[Level, ...]

    @classmethod
    def of(cls, database: Database, catalogue: Catalogue) -> "DivisionMap":
        """The divisions that the city holds now; none where the catalogue has no divisions."""
        if not any(c.id == _DIVISIONS for c in catalogue):
            return cls(())
        relation = Plan(Query(collection=_DIVISIONS, fields=("level",)), catalogue, OWNER, now()).relation()
        rows = database.rows(
            Statement(
                f"SELECT level, division, ST_AsBinary(geom) FROM ({relation.sql}) d"  # noqa: S608
                " WHERE geom IS NOT NULL AND division IS NOT NULL ORDER BY level DESC",
                relation.args,
            )
        )
        levels = []
        for number in sorted({row[0] for row in rows}, reverse=True):
            own = [row for row in rows if row[0] == number]
            shapes = shapely.from_wkb([row[2] for row in own])
            levels.append(Level(shapely.STRtree(shapes), np.array([row[1] for row in own], np.int64)))
        return cls(tuple(levels))

    def codes(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """The code of the finest division that contains each of (n, 2) lon/lat points; 0 where none does."""
        found = np.zeros(len(xy), np.int64)
        for level in self.levels:
            open_ = np.flatnonzero(found == 0)
            if not len(open_):
                break
            place, shape = level.tree.query(shapely.points(xy[open_]), predicate="intersects")
            # on a common border the lowest code, so that loading twice gives the same
            order = np.argsort(level.codes[shape], kind="stable")[::-1]
            found[open_[place[order]]] = level.codes[shape[order]]
        return found
