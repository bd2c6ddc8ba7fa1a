"""Areas as conditions: the constant is brought to the column's CRS, never the column to the constant's."""

import math
from typing import Any

import shapely

from gis.catalog import Collection, Geometry
from gis.codes.division import Division as DivisionCode
from gis.errors import BadQuery
from gis.geo import cells
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape
from gis.geo.cell_windows import BoxDeg
from gis.query.statement import Statement

#: Where a plane that touches the ellipsoid in a circle's middle tells distances to this share, and better: the length
#: of a degree of longitude changes over the circle by no more than 10 km / 6 357 km * tan(75 degrees) = 0.6 %.
_PLANE_ERROR, _PLANE_RADII_M, _PLANE_LATITUDE = 0.01, (1.0, 10_000.0), 75.0
#: The ellipsoid of WGS 84: half its longer axis, and the square of its eccentricity.
_AXIS_M, _ECCENTRICITY_2 = 6_378_137.0, 0.00669437999014


def area_condition(area: Box | Shape | Circle | Cells | Division, collection: Collection) -> Statement:
    """The rows that lie in an area. The constant is brought to the column's CRS, never the column to the constant's."""
    if isinstance(area, Cells):
        return _cells(area, collection)
    if isinstance(area, Division):
        return Statement("division BETWEEN %s AND %s", DivisionCode.from_int(area.code).range_)
    if isinstance(area, Box):
        return _boxes(area)
    if isinstance(area, Shape):
        return touching(Statement("ST_GeomFromWKB(%s, 4326)", (area.wkb,)))
    return _circle(area, of_points=collection.geometry is Geometry.POINT)


def touching(*shapes: Statement) -> Statement:
    """The rows whose shape touches one of some others, by their boxes first.

    Row-level security lets an index be asked by boxes alone: the function that compares shapes might tell of a row that
    the caller may not see. It stands as a case, since the planner would take two conditions for rarer than one.
    """
    boxes = " OR ".join(f"geom && {shape.sql}" for shape in shapes)
    exactly = " OR ".join(f"ST_Intersects(geom, {shape.sql})" for shape in shapes)
    args = tuple(value for shape in shapes for value in shape.args)
    return Statement(f"(({boxes}) AND CASE WHEN {exactly} THEN 0 END IS NOT NULL)", args + args)


def _boxes(box: Box) -> Statement:
    # the envelope of a diagonal: of a box without width it is a point or a line, which can intersect something, while
    # a polygon without area intersects nothing
    envelope = "ST_Envelope(ST_SetSRID(ST_MakeLine(ST_MakePoint(%s, %s), ST_MakePoint(%s, %s)), 4326))"
    return touching(*(Statement(envelope, (p.west, p.south, p.east, p.north)) for p in box.parts))


def _circle(circle: Circle, *, of_points: bool) -> Statement:
    """By the spheroid on the geography; the box before it, a little too large, lets the planar index work."""
    dlat = circle.radius_m / 110_000.0
    point = "ST_SetSRID(ST_MakePoint(%s, %s), 4326)"
    box = Statement(
        f"geom && ST_Expand({point}, %s / greatest(cos(radians(least(89.9, abs(%s) + %s))), 0.001), %s)",
        (circle.lon, circle.lat, dlat, circle.lat, dlat, dlat),
    )
    exactly = Statement(
        f"ST_DWithin(geom::geography, {point}::geography, %s)", (circle.lon, circle.lat, circle.radius_m)
    )
    if of_points and _is_plane(circle):
        exactly = _near_edge(circle, exactly)
    return Statement(f"({box.sql} AND {exactly.sql})", box.args + exactly.args)


def _is_plane(circle: Circle) -> bool:
    least_m, most_m = _PLANE_RADII_M
    return least_m <= circle.radius_m <= most_m and abs(circle.lat) <= _PLANE_LATITUDE


def _near_edge(circle: Circle, exactly: Statement) -> Statement:
    """Of points only those near the circle's edge are compared exactly, which takes several times as long.

    Lines and areas are not: between two corners the shortest way on the ellipsoid is not that on a map.
    """
    squashed = 1.0 - _ECCENTRICITY_2 * math.sin(math.radians(circle.lat)) ** 2
    east_m = math.radians(_AXIS_M / math.sqrt(squashed) * math.cos(math.radians(circle.lat)))
    north_m = math.radians(_AXIS_M * (1.0 - _ECCENTRICITY_2) / squashed**1.5)
    point = "ST_SetSRID(ST_MakePoint(%s, %s), 4326)"
    distance = f"ST_Distance(ST_Scale(geom, %s::float8, %s::float8), {point})"
    return Statement(
        f"CASE width_bucket({distance}, %s::float8, %s::float8, 1) WHEN 0 THEN true WHEN 1 THEN {exactly.sql}"
        " ELSE false END",
        (
            *(east_m, north_m, circle.lon * east_m, circle.lat * north_m),
            *((1.0 + sign * _PLANE_ERROR) * circle.radius_m for sign in (-1, 1)),
            *exactly.args,
        ),
    )


def _cells(area: Cells, collection: Collection) -> Statement:
    """Descendants of a cell at the kept resolution are one range of ids."""
    tests: list[str] = []
    values: list[Any] = []
    for cell in area.ids:
        resolution = cell >> 52 & 15
        if resolution > collection.cell_resolution:
            raise BadQuery(
                f"cell {cell:x} is finer than resolution {collection.cell_resolution}, the finest of {collection.id}",
                f"网格 {cell:x} 细于 {collection.id} 的最细分辨率 {collection.cell_resolution}",
                subject="cells",
            )
        tests.append("cell BETWEEN %s AND %s")
        values += cells.child_range(cell, collection.cell_resolution)
    return Statement(f"({' OR '.join(tests)})" if tests else "false", tuple(values))


def bounds_of(area: Area | None) -> list[BoxDeg]:
    """West, south, east, north of boxes that hold an area; none where that is not known beforehand."""
    if isinstance(area, Box):
        return [(part.west, part.south, part.east, part.north) for part in area.parts]
    if isinstance(area, Shape):
        west, south, east, north = shapely.from_wkb(area.wkb).bounds
        return [(west, south, east, north)]
    if isinstance(area, Circle):
        dlat = area.radius_m / 110_000.0
        dlon = dlat / max(math.cos(math.radians(min(89.9, abs(area.lat) + dlat))), 0.001)
        return [(area.lon - dlon, area.lat - dlat, area.lon + dlon, area.lat + dlat)]
    return []
