"""What every geometry must hold before it enters a register: its type, its coordinates, and areas that do not cross.

Polygons that are not valid (OGC 06-103r4, clause 6.1.11.1) are repaired where that keeps an area; what cannot be
repaired in reasonable time is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.catalog import Geometry
from gis.exchange.readers.source import Batch, Findings
from gis.text import Text

#: A shape with more vertices than this is no feature of a city.
MOST_VERTICES = 2_000_000
#: A polygon that crosses itself more often is a scribble: what it encloses cannot be told, and repairing it could
#: take minutes and gigabytes (the pieces grow with the square of the crossings).
MOST_CROSSINGS = 20_000
_COUNT_FROM_VERTICES = 200
_SAMPLED_SEGMENTS = 256
_PAIRS_AT_ONCE = 4_000_000
_LISTED = 20

Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

_TYPE_IDS = {Geometry.POINT: (0, 4), Geometry.LINE: (1, 2, 5), Geometry.POLYGON: (3, 6)}
_TYPE_WORDS = {
    Geometry.POINT: Text("点", "points"),
    Geometry.LINE: Text("线", "lines"),
    Geometry.POLYGON: Text("面", "polygons"),
}
NOT_A_NUMBER = Text("坐标为空值(NaN)或无穷大", "a coordinate is NaN or infinite")
OUT_OF_RANGE = Text("坐标超出经纬度范围或坐标系的适用范围", "the coordinates lie off the globe or outside their CRS")
_NO_GEOMETRY = Text("几何为空", "the geometry is empty")
_TOO_LARGE = Text(f"顶点超过 {MOST_VERTICES} 个", f"it has more than {MOST_VERTICES} vertices")
_COLLAPSED = Text("几何退化,没有长度或面积", "the geometry has collapsed: it has no length or area")
_SCRIBBLE = Text(
    f"多边形自相交超过 {MOST_CROSSINGS} 处,无法修复",
    f"the polygon crosses itself more than {MOST_CROSSINGS} times and cannot be repaired",
)


@dataclass(slots=True)
class Repairs:
    """How many polygons were repaired, and the first rows of them with what was wrong."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, findings: Findings) -> None:
        """Say so among the findings, where anything was repaired."""
        if self.count:
            listed = "; ".join(self.first)
            findings.decide("repaired", str(self.count), f"{self.count} 个无效多边形已修复:{listed}",
                            f"{self.count} invalid polygons were repaired: {listed}", sure=False)  # fmt: skip


def of_type(batch: Batch, geometry: Geometry, findings: Findings) -> Batch:
    """The rows whose geometry is there and of the collection's type, single or multiple; the others are refused."""
    wrong = Text(f"该数据集只接收{_TYPE_WORDS[geometry].zh}", f"the collection takes only {_TYPE_WORDS[geometry].en}")
    if batch.points is not None:
        if geometry is Geometry.POINT:
            return batch
        return refuse(batch, np.ones(len(batch), dtype=bool), "wrong-type", wrong, findings, ("Point",))
    assert batch.shapes is not None
    gone: Mask = np.asarray(shapely.is_missing(batch.shapes) | shapely.is_empty(batch.shapes))
    batch = refuse(batch, gone, "no-geometry", _NO_GEOMETRY, findings)
    assert batch.shapes is not None
    off: Mask = np.asarray(~np.isin(shapely.get_type_id(batch.shapes), _TYPE_IDS[geometry]))
    names = [shape.geom_type for shape in batch.shapes[off]]
    return refuse(batch, off, "wrong-type", wrong, findings, names)


def with_numbers(batch: Batch, findings: Findings) -> Batch:
    """The rows all of whose coordinates are finite and that are not too large; the others are refused."""
    if batch.points is not None:
        finite: Mask = np.asarray(np.isfinite(batch.points).all(axis=1))
        return refuse(batch, ~finite, "nan-coordinate", NOT_A_NUMBER, findings, batch.points[~finite])
    assert batch.shapes is not None
    vertices = shapely.get_num_coordinates(batch.shapes)
    large: Mask = np.asarray(vertices > MOST_VERTICES)
    batch = refuse(batch, large, "too-large", _TOO_LARGE, findings, vertices[large])
    assert batch.shapes is not None
    xy, owner = shapely.get_coordinates(batch.shapes, return_index=True)
    bad = np.zeros(len(batch), dtype=bool)
    bad[owner[~np.isfinite(xy).all(axis=1)]] = True
    return refuse(batch, bad, "nan-coordinate", NOT_A_NUMBER, findings)


def on_globe(batch: Batch, original: Batch, findings: Findings) -> Batch:
    """The rows that lie on the globe, in degrees; `original` has the coordinates before conversion, to be listed."""
    if batch.points is not None:
        low = high = batch.points
    else:
        assert batch.shapes is not None
        bounds = shapely.bounds(batch.shapes)
        xy, owner = shapely.get_coordinates(batch.shapes, return_index=True)
        bounds[owner[~np.isfinite(xy).all(axis=1)]] = np.nan
        low, high = bounds[:, :2], bounds[:, 2:]
    inside: Mask = np.asarray((low >= (-180.0, -90.0)).all(axis=1) & (high <= (180.0, 90.0)).all(axis=1))
    said = original.points if original.points is not None else shapely.bounds(original.shapes)
    return refuse(batch, ~inside, "out-of-range", OUT_OF_RANGE, findings, said[~inside])


def sound(batch: Batch, findings: Findings, repairs: Repairs) -> Batch:
    """Lines with a length, and valid polygons, repaired where they were not; the others are refused."""
    shapes = batch.shapes
    if shapes is None or len(shapes) == 0:
        return batch
    dimension = shapely.get_dimensions(shapes)
    lost = (dimension == 1) & (shapely.length(shapes) == 0)
    scribbled = np.zeros(len(shapes), dtype=bool)
    fixed = shapes
    for at in np.flatnonzero((dimension == 2) & ~shapely.is_valid(shapes)):
        if crossings(shapes[at]) > MOST_CROSSINGS:
            scribbled[at] = True
            continue
        repaired = repaired_polygon(shapes[at])
        if repaired is None:
            lost[at] = True
            continue
        fixed = shapes.copy() if fixed is shapes else fixed
        fixed[at] = repaired
        repairs.count += 1
        if len(repairs.first) < _LISTED:
            repairs.first.append(f"{batch.rows[at]}: {shapely.is_valid_reason(shapes[at])}")
    batch = Batch(rows=batch.rows, table=batch.table, shapes=fixed)
    keep = ~lost
    batch = refuse(batch, lost, "bad-geometry", _COLLAPSED, findings)
    return refuse(batch, scribbled[keep], "bad-geometry", _SCRIBBLE, findings)


def repaired_polygon(shape: shapely.Geometry) -> shapely.Geometry | None:
    """A valid polygon or multipolygon that encloses the same; None when nothing of the area is left."""
    try:
        made = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        if made.geom_type == "GeometryCollection" or not made.is_valid:  # parts that share an edge are left so by GEOS
            parts = shapely.get_parts(made)
            made = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    except shapely.errors.GEOSException:
        return None
    return made if shapely.get_dimensions(made) == 2 and made.area > 0 and made.is_valid else None


def crossings(shape: shapely.Geometry) -> float:
    """About how often a polygon's edges cross, from a sample of edges against all others; 0 for small polygons."""
    xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shape)), return_index=True)
    if len(xy) < _COUNT_FROM_VERTICES:
        return 0.0
    same = ring[:-1] == ring[1:]
    start, end = xy[:-1][same], xy[1:][same]
    count = len(start)
    sample = np.linspace(0, count - 1, min(_SAMPLED_SEGMENTS, count)).astype(np.int64)
    met = 0
    for some in np.array_split(sample, max(1, len(sample) * count // _PAIRS_AT_ONCE)):
        a, b = start[some, np.newaxis], end[some, np.newaxis]
        apart = _side(a, b, start) * _side(a, b, end) < 0
        met += int((apart & (_side(start, end, a) * _side(start, end, b) < 0)).sum())
    return met / len(sample) * count / 2


def refuse(
    batch: Batch, bad: Mask, reason: str, text: Text, findings: Findings, values: Iterable[object] = ()
) -> Batch:
    """The batch without the bad rows, each of which is listed with its value where there is one."""
    if not bad.any():
        return batch
    said = list(values)
    for number, row in enumerate(batch.rows[bad]):
        findings.reject(int(row), reason, text, said[min(number, len(said) - 1)] if said else "")
    return batch.take(~bad)


def _side(a: NDArray[np.float64], b: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """On which side of the line a–b the point p lies: the sign of the cross product."""
    side: NDArray[np.float64] = (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        p[..., 0] - a[..., 0]
    )
    return side
