"""Coordinate reference systems of questions and answers, by reference (OGC API – Features part 2, 18-058r1).

Rows are kept in WGS 84, longitude first. What a question says in another CRS is brought to that before it becomes a
value, and an answer's geometry leaves it in the SELECT list; no column is ever transformed in a WHERE. Axes are in the
order of the standard: CRS84 has longitude first, EPSG:4326 and 4490 latitude, the zones of CGCS2000 northing.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyproj
import shapely

from gis.errors import BadInput, BadQuery
from gis.geo import crs as systems
from gis.geo.area import Box, Shape
from gis.geo.mercator import HALF_WIDTH_M
from gis.geo.zone import Zone

CRS84 = "OGC:CRS84"
CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#: What every collection can be asked and answered in; its city's zones come beside these.
EVERYWHERE = (CRS84, "EPSG:4326", "EPSG:4490", "EPSG:3857")
#: The CRS in which rows are kept.
STORAGE = CRS84

_EPSG_URI = "http://www.opengis.net/def/crs/EPSG/0/{}"
_URI = re.compile(r"https?://www\.opengis\.net/def/crs/(OGC|EPSG)/[\d.]+/(\w+)\Z")
_CURIE = re.compile(r"\[?(OGC|EPSG):(\w+)\]?\Z|urn:ogc:def:crs:(OGC|EPSG):[\d.]*:(\w+)\Z", re.IGNORECASE)
_DEGREES = (CRS84, "EPSG:4326", "EPSG:4490")
_STEPS = 16
_MOST_ZONES = 3


def uri(crs: str) -> str:
    """The URI under which documents and the header Content-Crs name a CRS."""
    return CRS84_URI if crs == CRS84 else _EPSG_URI.format(crs.removeprefix("EPSG:"))


def read(text: str, parameter: str = "crs", allowed: Sequence[str] | None = None) -> str:
    """A CRS by its URI, CURIE or URN, as `OGC:CRS84` or `EPSG:n`.

    Those of `EVERYWHERE` and the 3-degree zones of CGCS2000 can be meant, or those that are `allowed`. Raises BadQuery
    naming the parameter and what there is.
    """
    found = _URI.match(text) or _CURIE.match(text)
    authority, code = [part for part in found.groups() if part] if found else ("", "")
    crs = CRS84 if text == "CRS84" else f"{authority.upper()}:{code}"
    if crs in allowed if allowed is not None else crs in EVERYWHERE or is_zone(crs):
        return crs
    listed = ", ".join(map(uri, allowed if allowed is not None else EVERYWHERE))
    raise BadQuery(f"{parameter}={text[:80]} is not offered; there are {listed}",
                   f"不支持 {parameter}={text[:80]};可用:{listed}", subject=parameter)  # fmt: skip


def is_zone(crs: str) -> bool:
    """Whether it is a 3-degree zone of CGCS2000, with or without the number before the easting."""
    code = crs.removeprefix("EPSG:")
    zone = Zone.of_epsg(int(code)) if code.isdecimal() and len(code) == 4 else None
    return zone is not None and zone.width == 3


def zones(west: float, east: float) -> tuple[str, ...]:
    """The 3-degree zones of CGCS2000 over which data lie, by central meridian; none where they are more than a few."""
    if not -180 <= west <= east <= 180:
        return ()
    try:
        first, last = Zone.at(west).number, Zone.at(east).number
    except BadInput:  # beyond the zones of China
        return ()
    if last - first >= _MOST_ZONES:
        return ()
    return tuple(Zone(3, number, False).crs for number in range(first, last + 1))


def geometry(crs: str, column: str = "geom") -> str:
    """The SQL expression of an answer's geometry in a CRS, axes in its own order; `column` is in EPSG:4326."""
    plain = easting_first(crs, column)
    return f"ST_FlipCoordinates({plain})" if latitude_first(crs) else plain


def easting_first(crs: str, column: str = "geom") -> str:
    """The same with x east and y north whatever the CRS says, as GeoParquet, FlatGeobuf and frames have it."""
    if crs in (CRS84, "EPSG:4326"):
        return column
    if crs == "EPSG:3857":
        return f"ST_Transform({column}, 3857)"
    # CGCS2000 is taken for WGS 84: the transformation is between its own degrees and metres
    chinese = f"ST_SetSRID({column}, 4490)"
    return chinese if crs == "EPSG:4490" else f"ST_Transform({chinese}, {int(crs.removeprefix('EPSG:'))})"


def decimals(crs: str) -> int:
    """Decimals of a coordinate in text: about a centimetre."""
    return 7 if crs in _DEGREES else 3


def latitude_first(crs: str) -> bool:
    """Whether the first axis points north."""
    return crs not in (CRS84, "EPSG:3857")


def to_crs84(shape: shapely.Geometry, crs: str, parameter: str = "filter-crs") -> shapely.Geometry:
    """A shape of a question in longitude and latitude. Raises BadQuery where there is no such place."""
    if crs == CRS84:
        return shape
    return _placed(shapely.transform(shape, lambda pairs: _lonlat(pairs, crs)), crs, parameter)


def box(numbers: Sequence[float], crs: str, parameter: str = "bbox") -> Box | Shape:
    """The area of a bbox of four numbers in a CRS: minima, then maxima, of its first and second axis.

    A box of degrees stays one, and one of Web Mercator as well; one of a zone is the area between its curved edges.
    Raises BadQuery where it is no box.
    """
    first, second, third, fourth = numbers
    if crs == CRS84:
        return Box(first, second, third, fourth)
    if crs in _DEGREES:
        return Box(second, first, fourth, third)
    if not (first <= third and second <= fourth and np.isfinite(numbers).all()):
        raise BadQuery(f"{parameter} is not minima before maxima in {crs}",
                       f"{parameter} 在 {crs} 中应为先最小值后最大值", subject=parameter)  # fmt: skip
    if crs == "EPSG:3857":
        edges = np.clip([[first, second], [third, fourth]], -HALF_WIDTH_M, HALF_WIDTH_M)
        (west, south), (east, north) = _lonlat(edges, crs)
        return Box(float(west), float(south), float(east), float(north))
    shape = shapely.segmentize(shapely.box(first, second, third, fourth), max(third - first, fourth - second) / _STEPS)
    return Shape.of(to_crs84(shape, crs, parameter))


def _lonlat(pairs: np.ndarray, crs: str) -> np.ndarray:
    x, y = (pairs[:, 1], pairs[:, 0]) if latitude_first(crs) else (pairs[:, 0], pairs[:, 1])
    return np.column_stack(systems.to_wgs84(x, y, crs))


def _placed(shape: shapely.Geometry, crs: str, parameter: str) -> shapely.Geometry:
    if (np.abs(shapely.get_coordinates(shape)) <= (180.0, 90.0)).all():  # what is not a number is not below either
        return shape
    raise BadQuery(f"a coordinate is outside {crs}; mind the order of its axes",
                   f"坐标超出 {crs} 的范围,请注意坐标轴次序", subject=parameter)  # fmt: skip


@lru_cache(maxsize=64)
def projjson(crs: str) -> str:
    """The CRS as PROJJSON text, for formats that carry their CRS (GeoParquet, GeoArrow)."""
    return str(pyproj.CRS.from_user_input(crs).to_json())
