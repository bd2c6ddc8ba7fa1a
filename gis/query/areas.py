"""Areas as conditions: the constant is brought to the column's CRS, never the column to the constant's."""

import math
from typing import Any

import shapely

from gis.catalog import Collection
from gis.codes.division import Division as DivisionCode
from gis.errors import BadQuery
from gis.geo import cells
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape
from gis.geo.cell_windows import BoxDeg
from gis.query.statement import Statement


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
    return _circle(area)


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


def _circle(circle: Circle) -> Statement:
    """By the spheroid on the geography; the box before it, a little too large, lets the planar index work."""
    dlat = circle.radius_m / 110_000.0
    point = "ST_SetSRID(ST_MakePoint(%s, %s), 4326)"
    box = f"ST_Expand({point}, %s / greatest(cos(radians(least(89.9, abs(%s) + %s))), 0.001), %s)"
    return Statement(
        f"(geom && {box} AND ST_DWithin(geom::geography, {point}::geography, %s))",
        (circle.lon, circle.lat, dlat, circle.lat, dlat, dlat, circle.lon, circle.lat, circle.radius_m),
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
