"""What a column of WKB holds, gathered batch by batch: the box around it and the types of its geometries."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

#: A point of two coordinates: byte order, type, x, y.
_POINT_BYTES = 21
_TYPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
          "GeometryCollection")  # fmt: skip


@dataclass(slots=True)
class Gathered:
    """Box (west, south, east, north, in the column's CRS; None before any geometry came) and types seen so far."""

    types: set[str] = field(default_factory=set)
    _low: NDArray[np.float64] = field(default_factory=lambda: np.full(2, np.inf))
    _high: NDArray[np.float64] = field(default_factory=lambda: np.full(2, -np.inf))

    @property
    def bbox(self) -> list[float] | None:
        """West, south, east, north."""
        return [*self._low.tolist(), *self._high.tolist()] if np.isfinite(self._low).all() else None

    def add(self, column: pa.Array) -> None:
        """Take note of a batch of little-endian WKB."""
        there = column.drop_null()
        if len(there) == 0:
            return
        if pc.all(pc.equal(pc.binary_length(there), _POINT_BYTES)).as_py():
            xy = _points(there)
            self.types.add("Point")
            low, high = xy.min(axis=0), xy.max(axis=0)
        else:
            shapes = shapely.from_wkb(there.to_numpy(zero_copy_only=False))
            self.types.update(_TYPES[number] for number in np.unique(shapely.get_type_id(shapes)))
            bounds = shapely.total_bounds(shapes)
            low, high = bounds[:2], bounds[2:]
        self._low, self._high = np.fmin(self._low, low), np.fmax(self._high, high)


def _points(column: pa.BinaryArray) -> NDArray[np.float64]:
    """Coordinates (n, 2) of an array of plain points, read where they lie."""
    start = np.frombuffer(column.buffers()[1], np.int32)[column.offset]
    raw = np.frombuffer(column.buffers()[2], np.uint8)[start : start + len(column) * _POINT_BYTES]
    return np.ascontiguousarray(raw.reshape(-1, _POINT_BYTES)[:, 5:]).view("<f8")
