"""Where a tile's features come from: the register's exact shapes, or the generalised ones of the zoom's band.

Both are relations with the plan's columns, `geom` in the grid's CRS, and `_rank`. What a tile covers is read from a row
`place`: `square` and `box` (the tile), `reach_0`… in degrees and `flat_0`… in metres of EPSG:3857 (what lies in it or
its margin; a second one at the antimeridian).
"""

import math
from dataclasses import dataclass
from typing import Any

from gis.catalog import Band
from gis.geo.mercator import HALF_WIDTH_M, MAX_LATITUDE, RADIUS_M
from gis.query.plan import Plan
from gis.query.statement import Statement, conjunction
from gis.query.told_rows import reach_deg
from gis.store.generalised import KEY, band_at, band_table, drawn_at, first_zoom_sql
from tiles.budget import rank_column
from tiles.grid import EXTENT, MARGIN, Box, Grid, Tile


@dataclass(frozen=True, slots=True)
class Source:
    """A relation to be drawn; `missing` tells, as a boolean, whether rows that reach the tile are too small for it."""

    relation: Statement
    missing: Statement
    band: Band | None


def source(plan: Plan, zoom: int, boxes: int, grid: Grid) -> Source:
    """What is drawn at a zoom of WebMercatorQuad, in so many boxes. Raises as the plan does."""
    collection = plan.collection
    # what was known earlier is kept in exact shapes alone
    band = band_at(collection, zoom) if plan.query.as_of is None else None
    rank = rank_column(collection)
    if band is None:
        near = _nearly(plan, boxes)
        relation = plan.relation(geometry=f"{rank}, {grid.column}", also=_reaches(plan, boxes), inside=near)
        return Source(relation, Statement("false"), None)
    rows = plan.relation(geometry=f"{rank}, scenario AS _scenario, geom")
    key = " AND ".join(f"b.{ours} = q.{theirs if theirs != 'scenario' else '_scenario'}" for ours, theirs in KEY)
    # the number is the band's, so that what grades leave out need not be looked up in the register
    names = ", ".join(["b._fid AS fid", "q.valid_from", "_rank", *(f'q."{name}"' for name in plan.fields)])
    drawn = (
        f"SELECT {names}, {_shape(grid)} AS geom FROM ({rows.sql}) q JOIN {band_table(collection, band)} b ON {key}"
        f" WHERE b.{drawn_at(zoom)} AND {_touches('b._geom', 'flat', boxes).sql}"
    )
    waiting = Statement(f"{_reaches(plan, boxes).sql} AND {first_zoom_sql(collection)} > {zoom}")
    absent = plan.relation(also=waiting)
    return Source(Statement(drawn, rows.args), Statement(f"EXISTS ({absent.sql})", absent.args), band)


def place_sql(grid: Grid, boxes: int, *, flat: bool) -> str:
    """What `place` selects; its values are those of `place_args`."""
    names = [("reach", 4326), *([("flat", 3857)] if flat else [])]
    columns = [f"ST_MakeEnvelope(%s, %s, %s, %s, {srid}) AS {name}_{i}" for name, srid in names for i in range(boxes)]
    shifts = ["%s::float8[] AS shifts"] if boxes > 1 else []
    # as a box at once, since ST_AsMVTGeom would make one of the square again for every row
    listed = ", ".join(["square", "square::box2d AS box", *columns, *shifts])
    return f"{listed} FROM (SELECT {grid.envelope_sql} AS square) s"


def place_args(tile: Tile, *, flat: bool) -> tuple[Any, ...]:
    """The values that `place_sql` takes."""
    boxes = [*tile.reach, *((_flat(box) for box in tile.reach) if flat else ())]
    shifts = (list(tile.shifts),) if len(tile.shifts) > 1 else ()
    return (*(edge for box in boxes for edge in box), *shifts, *tile.envelope_args)


#: A tile's unit, and the tile with its margin, as SQL in the grid's CRS.
UNIT_SQL = f"(SELECT (ST_XMax(square) - ST_XMin(square)) / {EXTENT} FROM place)"
AROUND_SQL = f"(SELECT ST_Expand(square, (ST_XMax(square) - ST_XMin(square)) * {MARGIN} / {EXTENT}) FROM place)"


def _reaches(plan: Plan, boxes: int) -> Statement:
    """Rows of the register that reach the tile.

    A prepared statement does not know how many rows a caller's divisions hold, takes them for few, and would walk
    through the index of divisions to find a handful of rows. The box said twice seems the narrower one, as it is.
    """
    times = 1 if plan.rules.divisions is None else 2
    return conjunction([_touches("geom", "reach", boxes)] * times)


def _nearly(plan: Plan, boxes: int) -> Statement | None:
    """What is true of all recorded shapes that may be told to reach the tile, where they are told by their cells."""
    if not isinstance(plan.rules.precision, int):
        return None
    lat, _ = reach_deg(plan.rules.precision, 0.0)
    parts = []
    for i in range(boxes):
        box = f"(SELECT reach_{i} FROM place)"
        furthest = f"least(89, {lat!r} + greatest(abs(ST_YMin({box})), abs(ST_YMax({box}))))"
        lon = f"{lat!r} / cos(radians({furthest}))"
        # where cells reach around the globe, nothing is known
        around = f"ST_XMin({box}) - {lon} < -180 OR ST_XMax({box}) + {lon} > 180"
        parts.append(f"geom && ST_Expand({box}, {lon}, {lat!r}) OR {around}")
    return Statement(f"({' OR '.join(parts)})")


def _touches(column: str, name: str, boxes: int) -> Statement:
    parts = [f"{column} && (SELECT {name}_{i} FROM place)" for i in range(boxes)]
    return Statement(f"({' OR '.join(parts)})")


def _shape(grid: Grid) -> str:
    """A band's shape in the grid's CRS; what reaches beyond the square of EPSG:3857 is drawn as it is."""
    if grid.srid == 3857:
        return "b._geom"
    beyond = f"ST_YMax(q.geom) > {MAX_LATITUDE!r} OR ST_YMin(q.geom) < -{MAX_LATITUDE!r}"
    return f"CASE WHEN {beyond} THEN q.geom ELSE ST_Transform(b._geom, 4326) END"


def _flat(box: Box) -> Box:
    """A box in degrees as one in metres of EPSG:3857, within its square."""
    west, south, east, north = box
    return _x(west), _y(south), _x(east), _y(north)


def _x(lon: float) -> float:
    return lon / 180.0 * HALF_WIDTH_M


def _y(lat: float) -> float:
    inside = min(max(lat, -MAX_LATITUDE), MAX_LATITUDE)
    return RADIUS_M * math.atanh(math.sin(math.radians(inside)))
