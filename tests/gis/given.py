"""A source made of what a test gives, and how it is placed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from gis.catalog import Geometry
from gis.exchange.place import Placement, place
from gis.exchange.readers import Batch, Decision, Findings

POINT, LINE, POLYGON = Geometry.POINT, Geometry.LINE, Geometry.POLYGON
LUAN = (116.5167665, 31.7357571)
BOW_TIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


class Given:
    """A source made of what a test gives: points, or shapes, in batches of three."""

    path = Path("given.dat")
    total_rows: int | None = None

    def __init__(self, geometry: Any, declared: str | None = None, *, firm: bool = True) -> None:
        self.geometry = geometry
        self.crs = declared
        self.findings = Findings()
        if declared is not None:
            self.findings.decide("crs", declared, "声明", "declared", sure=firm)

    def batches(self) -> Iterator[Batch]:
        self.findings.begin()
        count = len(self.geometry) if self.geometry is not None else 2
        for first in range(0, count, 1000):
            rows = np.arange(first + 1, min(first + 1000, count) + 1)
            table = pa.table({"n": rows})
            if self.geometry is None:
                yield Batch(rows=rows, table=table)
                continue
            part = self.geometry[first : first + 1000]
            if isinstance(part, np.ndarray):
                yield Batch(rows=rows, table=table, points=part.astype(np.float64))
            else:
                yield Batch(rows=rows, table=table, shapes=np.array(part, dtype=object))


def points(*xy: tuple[float, float]) -> np.ndarray[Any, Any]:
    return np.array(xy, dtype=np.float64)


def placed(source: Any, geometry: Geometry, **options: Any) -> tuple[Placement, list[Any], list[tuple[int, str]]]:
    placement = place(source, geometry=geometry, **options)
    found: list[Any] = []
    for batch in placement.batches():
        if batch.points is not None:
            found += batch.points.tolist()
        elif batch.shapes is not None:
            found += list(batch.shapes)
    return placement, found, [(r.row, r.reason) for r in source.findings.rejects]


def datum(source: Any) -> Decision:
    return next(d for d in source.findings.decisions if d.about == "datum")
