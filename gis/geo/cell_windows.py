"""The few coarse cells whose descendants hold everything in a box: how a box is looked for among ids of cells."""

import math
from functools import lru_cache

import h3.api.basic_int as h3
import shapely

_EARTH_KM2 = 510_065_622.0
#: Wider boxes, and those up to a pole, are not covered: polygons of H3 are planar in degrees.
_WIDEST_DEG, _POLAR_DEG = 60.0, 86.0
#: A cell of a resolution may lie outside its ancestor, but never further than this share of the ancestor's edge.
_BEYOND = 0.5

BoxDeg = tuple[float, float, float, float]


@lru_cache(maxsize=4096)
def window(box: BoxDeg, most: int, resolutions: tuple[int, ...]) -> tuple[int, ...] | None:
    """The cells of the finest of some resolutions of which at most about `most` hold all cells that touch a box.

    `box` is west, south, east, north in degrees. None where the box is so large that all cells are to be looked at.
    """
    west, south, east, north = box
    if east - west > _WIDEST_DEG or max(-south, north) > _POLAR_DEG:
        return None
    for resolution in reversed(resolutions):
        beyond_deg = _BEYOND * h3.average_hexagon_edge_length(resolution, "km") / 111.0
        beyond_lon_deg = beyond_deg / max(0.05, math.cos(math.radians(max(abs(south), abs(north)))))
        wide = (
            west - beyond_lon_deg,
            max(south - beyond_deg, -89.0),
            east + beyond_lon_deg,
            min(north + beyond_deg, 89.0),
        )
        if _area_km2(wide) / h3.average_hexagon_area(resolution, "km^2") <= most:
            return _covering(wide, resolution)
    return None


def _covering(box: BoxDeg, resolution: int) -> tuple[int, ...]:
    """The cells that touch a box, which may reach beyond the antimeridian on either side."""
    west, south, east, north = box
    found: set[int] = set()
    for turn in (-360.0, 0.0, 360.0):
        low, high = max(west + turn, -180.0), min(east + turn, 180.0)
        if low < high:
            shape = h3.geo_to_h3shape(shapely.box(low, south, high, north))
            found.update(h3.h3shape_to_cells_experimental(shape, resolution, contain="overlap"))
    return tuple(sorted(found))


def _area_km2(box: BoxDeg) -> float:
    west, south, east, north = box
    sines = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return _EARTH_KM2 * (east - west) / 360.0 * sines / 2.0
