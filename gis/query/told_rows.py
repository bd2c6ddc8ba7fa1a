"""A register's rows as somebody may see them: a relation in the place of its table, with nothing else in it.

What is hidden is not among its columns, what is masked is so by SQL, and a blurred place is the middle of its cell, so
that whatever is asked of the relation, by whatever way, is asked of what may be told. Conditions by which an index
finds rows stand inside of it; what narrows an answer stands outside.
"""

import math
from typing import Final

import h3

from gis.access import Rules
from gis.catalog import Collection
from gis.codes.division import SPANS
from gis.geo import cells
from gis.geo.area import Area, Cells, Division
from gis.query.areas import area_condition, bounds_of
from gis.query.statement import Statement

#: Columns that are told as they are; those of record where the source has them.
_PLAIN = ("fid", "scenario", "valid_from", "valid_to", "rec_from", "load", "src_row")
#: Divisions that are about as large as the cells of a resolution: up to it, of that level.
_LEVELS: Final = ((3, 2), (6, 3), (8, 4), (15, 5))
#: How far a cell's corner lies from its middle at most, in mean edges.
_STRETCH = 1.6
_METRES_A_DEGREE = 110_000.0
_TRUE: Final = Statement("true")


def told_rows(
    register: Collection, rules: Rules, source: Statement, record: tuple[str, ...], inside: Statement
) -> Statement:
    """The relation `(SELECT …)` over a source of a register's rows, of those `inside` a condition on recorded columns.

    `record` are the source's columns beside those of every register.
    """
    fields = [_field(name, rules) for name in register.by_name if name in rules.told]
    columns = [*_PLAIN, *record, *_places(register, rules), *fields]
    sql = f"(SELECT {', '.join(columns)} FROM {source.sql} recorded WHERE {inside.sql})"
    return Statement(sql, source.args + inside.args)


def level_told(resolution: int) -> int:
    """The level of the divisions that are told beside cells of a resolution: none much smaller than these."""
    return next(level for finest, level in _LEVELS if resolution <= finest)


def near(area: Area | None, register: Collection, rules: Rules) -> Statement:
    """What is true of all recorded rows that may be told to lie in an area, for indexes to find them by.

    A middle of a cell lies in a box where the recorded shape touches one that is a cell's reach larger; cells and
    divisions hold all that lies below them.
    """
    if not isinstance(rules.precision, int):
        return _TRUE
    if isinstance(area, Division):
        return area_condition(area, register)
    if isinstance(area, Cells):
        # behind the second wall rows have no finer cells than are told
        kept = {register.cell_resolution, _told(register, rules)}
        ends = [cells.child_range(cell, res) for cell in area.ids for res in kept if cell >> 52 & 15 <= res]
        return _either([Statement("cell BETWEEN %s AND %s", pair) for pair in ends]) if ends else Statement("false")
    tests: list[Statement] = []
    for west, south, east, north in bounds_of(area):
        lat, lon = reach_deg(rules.precision, max(abs(south), abs(north)))
        if west - lon <= -180 or east + lon >= 180:
            return _TRUE  # there cells reach around
        box = (west - lon, max(-90.0, south - lat), east + lon, min(90.0, north + lat))
        tests.append(Statement("geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326)", box))
    return _either(tests) if tests else _TRUE


def reach_deg(resolution: int, latitude: float) -> tuple[float, float]:
    """How far a point may lie from the middle of its cell, in degrees of latitude and of longitude."""
    lat = _STRETCH * h3.average_hexagon_edge_length(resolution, "m") / _METRES_A_DEGREE
    return lat, lat / _cosine(min(89.0, latitude + lat))


def _cosine(latitude: float) -> float:
    return max(math.cos(math.radians(latitude)), 0.01)


def _either(tests: list[Statement]) -> Statement:
    return Statement(f"({' OR '.join(t.sql for t in tests)})", tuple(v for t in tests for v in t.args))


def _told(register: Collection, rules: Rules) -> int:
    """The finest resolution of cells that are told."""
    finest = register.cell_resolution
    return min(rules.precision, finest) if isinstance(rules.precision, int) else finest


def _field(name: str, rules: Rules) -> str:
    rule = rules.masked.get(name)
    return f'"{name}"' if rule is None else f'access.mask_{rule}("{name}") AS "{name}"'


def _places(register: Collection, rules: Rules) -> list[str]:
    if rules.precision == "exact":
        return ["cell", "division", "geom", *(["geom_3857"] if register.tiled else [])]
    if rules.precision == "division":
        nowhere = ["NULL::geometry AS geom", *(["NULL::geometry AS geom_3857"] if register.tiled else [])]
        return ["NULL::bigint AS cell", "division", *nowhere]
    resolution = _told(register, rules)
    cell, span = cells.parent_sql("cell", resolution), SPANS[level_told(resolution) - 1]
    point = f"access.cell_point({cell})"
    flat = [f"ST_Transform({point}, 3857) AS geom_3857"] if register.tiled else []
    return [f"{cell} AS cell", f"(division / {span} * {span}) AS division", f"{point} AS geom", *flat]
