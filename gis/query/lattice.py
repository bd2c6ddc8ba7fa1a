"""Areas as cells of a lattice: all that reach into them, no finer than a resolution and not too many."""

import math

import h3
import shapely

from gis.geo.area import Box, Cells, Circle, Shape
from gis.geo.cells import parents
from gis.query.areas import bounds_of

#: An area that would take more cells than this is told in coarser ones.
MOST_CELLS = 4_000
#: A point or a line is widened by so much before cells are looked for: a centimetre.
_WIDTH_DEG = 1e-7
_EARTH_KM2_PER_DEG2 = 12_364.0


def covering(area: Box | Shape | Circle | Cells, finest: int) -> Cells:
    """The cells of resolution `finest` or coarser that hold an area."""
    if isinstance(area, Cells):
        return Cells(tuple(sorted({_no_finer(cell, finest) for cell in area.ids})))
    resolution = _resolution(area, finest)
    found: set[int] = set()
    for part in _polygons(area):
        shape = h3.geo_to_h3shape(part)
        found.update(int(cell, 16) for cell in h3.h3shape_to_cells_experimental(shape, resolution, contain="overlap"))
    return Cells(tuple(sorted(found)))


def _no_finer(cell: int, finest: int) -> int:
    return cell if cell >> 52 & 15 <= finest else int(parents([cell], finest)[0])  # type: ignore[arg-type]


def _resolution(area: Box | Shape | Circle, finest: int) -> int:
    """The finest resolution at which the area's box takes no more than `MOST_CELLS`."""
    km2 = 0.0
    for west, south, east, north in bounds_of(area):
        km2 += (east - west) * (north - south) * _EARTH_KM2_PER_DEG2 * math.cos(math.radians((south + north) / 2))
    return next((r for r in range(finest, 0, -1) if km2 / h3.average_hexagon_area(r, "km^2") <= MOST_CELLS), 0)


def _polygons(area: Box | Shape | Circle) -> list[shapely.Polygon]:
    """The area as polygons in degrees, a little too large where it is none."""
    if isinstance(area, Box):
        shapes = [shapely.box(*part.edges).buffer(_WIDTH_DEG, join_style="mitre") for part in area.parts]
    elif isinstance(area, Circle):
        shapes = [shapely.box(*bounds) for bounds in bounds_of(area)]
    else:
        shapes = [shapely.from_wkb(area.wkb).buffer(_WIDTH_DEG)]
    world = shapely.box(-180, -90, 180, 90)
    parts = shapely.get_parts([shapely.intersection(shape, world) for shape in shapes])
    return [part for part in parts if isinstance(part, shapely.Polygon) and not part.is_empty]
