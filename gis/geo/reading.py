"""Ways to read two columns of numbers as places: a coordinate system and an order of the axes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gis.geo import crs
from gis.geo.offset import FloatArray, Pair
from gis.geo.zone import FALSE_EASTING_M, Zone, all_zones, prefix_zone
from gis.text import Text

_EASTINGS_M = (100_000.0, 900_000.0)
_NORTHINGS_M = (100_000.0, 6_500_000.0)
_WEB_MERCATOR_M = 20_037_509.0
_METRES_A_DEGREE = 85_000.0
_NEAR_MERIDIAN_DEG = 4.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A coordinate system (as `crs.normalise` writes it) and whether the first column is north (latitude)."""

    crs: str
    swapped: bool = False

    def place(self, x: ArrayLike, y: ArrayLike) -> Pair:
        """The two columns as longitude and latitude (WGS 84, degrees)."""
        return crs.to_wgs84(y, x, self.crs) if self.swapped else crs.to_wgs84(x, y, self.crs)

    @property
    def title(self) -> Text:
        """What a person calls it."""
        name = crs.title(self.crs)
        if not self.swapped:
            return name
        return Text(f"{name.zh},坐标轴对调(北在前)", f"{name.en}, axes swapped (north first)")


def readings(points: FloatArray, west: float, east: float) -> Iterator[Reading]:
    """The readings that the numbers of an (n, 2) array allow, in a place between two longitudes; likelier ones first.

    Zones without prefix are tried when their central meridian lies within 4 degrees of the place.
    """
    if not len(points):
        return
    first, second = (float(middle) for middle in np.median(points, axis=0))
    for swapped, (x, y) in ((False, (first, second)), (True, (second, first))):
        if abs(x) <= 180.0 and abs(y) <= 90.0:
            yield from (Reading(name, swapped) for name in (crs.WGS84, crs.GCJ02, crs.BD09))
        elif _NORTHINGS_M[0] <= y <= _NORTHINGS_M[1]:
            yield from (Reading(zone.crs, swapped) for zone in _zones(x, west, east))
        if max(abs(x), abs(y)) > 180.0 and max(abs(x), abs(y)) <= _WEB_MERCATOR_M:
            yield Reading(crs.WEB_MERCATOR, swapped)


def _zones(easting_m: float, west: float, east: float) -> Iterator[Zone]:
    prefixed = prefix_zone(easting_m)
    if prefixed:
        yield prefixed
    if not _EASTINGS_M[0] <= easting_m <= _EASTINGS_M[1]:
        return
    from_meridian_deg = abs(easting_m - FALSE_EASTING_M) / _METRES_A_DEGREE
    wide = {zone.central_meridian: zone for zone in all_zones() if zone.width == 6 and not zone.prefix}
    for zone in all_zones():
        near = west - _NEAR_MERIDIAN_DEG <= zone.central_meridian <= east + _NEAR_MERIDIAN_DEG
        if zone.width == 3 and not zone.prefix and near:
            outside = from_meridian_deg > 1.6
            yield wide.get(zone.central_meridian, zone) if outside else zone
