"""Vector tiles: the plan's protected relation cut to a tile and encoded by PostGIS in one round trip.

A tile holds one layer named as its collection, and for areas with a label a second one, `{collection}:label`, of one
point a feature, so that a name is written once and not in every tile that the area touches. Feature ids are fids.
Where something was left out, a layer `onemap` of one point says so: its property `onemap:left_out` is true.
Encoding: Mapbox Vector Tile 2.1; days and instants are text (ISO 8601, UTC).
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from gis.catalog import Collection, Field, FieldType, Geometry
from gis.query.plan import Plan
from gis.query.statement import Statement
from tiles import budget, cells
from tiles.grid import EXTENT, MARGIN, Grid, Tile
from tiles.shapes import AROUND_SQL, UNIT_SQL, place_args, place_sql, source
from tiles.style import DEEPEST_TILE_ZOOM
from tiles.style_layers import label_source_layer

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"

#: The layer `onemap`, encoded (Mapbox Vector Tile 2.1, 4.1): a point in the middle of the tile.
LEFT_OUT_LAYER: Final = bytes.fromhex(
    "1a3178020a066f6e656d6170120d120200001801220509802080201a0f6f6e656d61703a6c6566745f6f757422023801288020"
)

# Everything is encoded first, up to a bound, in one pass over the rows, since nearly every tile fits. Parts of the
# statement that are not needed then are never run. What is needed more than once stands in `found`, which is no table
# but a text, so that each use reads no more than it must.
_SQL = """
WITH RECURSIVE place AS MATERIALIZED (SELECT {place}),
found AS NOT MATERIALIZED ({relation}),
whole AS MATERIALIZED (
    SELECT {encoded} AS tile, count(*) AS n
    FROM (SELECT * FROM (SELECT * FROM found LIMIT {most} + 1) f ORDER BY fid, valid_from) q{parts}
),
grades AS MATERIALIZED (
    SELECT grade, sum(weight) OVER (ORDER BY grade DESC) / sum(weight) OVER () * sum(n) OVER ()
        * (SELECT octet_length(tile)::float8 / nullif(n, 0) * CASE WHEN n > {most} THEN {sample} ELSE 1 END FROM whole)
        AS bytes
    FROM (
        SELECT {grade} AS grade, sum({weight})::float8 AS weight, count(*)::float8 AS n FROM found
        WHERE (SELECT n <= {most} FROM whole) OR {sampled} GROUP BY 1
        UNION ALL SELECT -1, 0, 0
    ) g
),
attempt (aim, least, tile) AS (
    SELECT {bytes}::float8, NULL::int, tile FROM whole
    UNION ALL
    SELECT a.aim * {closer}, g.least, (
        SELECT {encoded} FROM (SELECT * FROM found WHERE {grade} >= g.least ORDER BY fid, valid_from) q{parts}
    )
    FROM attempt a CROSS JOIN LATERAL (
        SELECT coalesce(min(grade), 2147483647) AS least FROM grades WHERE bytes <= a.aim * {closer}
    ) g
    WHERE octet_length(a.tile) > {bytes} OR (a.least IS NULL AND (SELECT n > {most} FROM whole))
)
SELECT CASE WHEN left_out THEN tile || '\\x{flag}'::bytea ELSE tile END, left_out FROM (
    SELECT tile, CASE WHEN least IS NULL THEN false ELSE least > (SELECT min(grade) FROM grades) END OR {missing}
        AS left_out
    FROM (SELECT least, tile FROM attempt ORDER BY aim LIMIT 1) last
) a
"""
# Most tiles fit, and most statements are short ones: what is not there need not be sent, read and planned.
_QUICK_SQL = """
WITH place AS MATERIALIZED (SELECT {place}),
found AS NOT MATERIALIZED ({relation}),
whole AS MATERIALIZED (
    SELECT {encoded} AS tile, count(*) AS n
    FROM (SELECT * FROM (SELECT * FROM found LIMIT {most} + 1) f ORDER BY fid, valid_from) q{parts}
)
SELECT CASE WHEN left_out THEN tile || '\\x{flag}'::bytea ELSE tile END, left_out FROM (
    SELECT tile, {missing} AS left_out FROM whole WHERE n <= {most} AND octet_length(tile) <= {bytes} OFFSET 0
) a
"""
_PART = " CROSS JOIN LATERAL (SELECT {geometry} AS geom, {columns}) {alias}"
_ENCODED = "coalesce(ST_AsMVT({alias}, '{name}', {extent}, 'geom', 'fid'), '')"
_CLIPPED = "ST_AsMVTGeom({shape}, (SELECT box FROM place), {extent}, {margin}, true)"


@dataclass(frozen=True, slots=True)
class _Compiled:
    """SQL whose placeholders are, in this order: the tile's, then the plan's."""

    sql: str
    quick_sql: str
    args: tuple[Any, ...]
    banded: bool

    def at(self, tile: Tile) -> Statement:
        return Statement(self.sql, (*place_args(tile, flat=self.banded), *self.args))

    def quick_at(self, tile: Tile) -> Statement:
        return Statement(self.quick_sql, (*place_args(tile, flat=self.banded), *self.args))


def statement(plan: Plan, tile: Tile) -> Statement | None:
    """The statement whose one row is (tile bytes, whether features were left out); None for a tile declared empty.

    A collection is empty below its `min_zoom`, where raw features would be too many. Raises UnknownName, Forbidden,
    BadQuery as the plan does. The SQL text is the same for all inner tiles of a question and a zoom (of a question, at
    zooms where shapes are exact), so that it is prepared once.
    """
    if _is_empty(plan, tile):
        return None
    features = _at(plan, tile).at(tile)
    return cells.statement(plan, tile, features) or features


def quick(plan: Plan, tile: Tile) -> Statement | None:
    """A shorter statement that brings the same row for most tiles, and none for those that `statement` is needed for.

    That is where features are too many or too large, or where cells are drawn instead. None where cells always are.
    """
    collection, zoom = plan.collection, tile.mercator_zoom
    if _is_empty(plan, tile) or zoom < cells.near_zoom(collection):
        return None
    found, clear = _at(plan, tile).quick_at(tile), cells.clear(collection, zoom)
    if clear is None:
        return found
    return Statement(f"SELECT * FROM ({found.sql}) p WHERE {clear.sql}", found.args + clear.args)


def _is_empty(plan: Plan, tile: Tile) -> bool:
    return tile.mercator_zoom < plan.collection.min_zoom or not plan.collection.tiled


def _at(plan: Plan, tile: Tile) -> _Compiled:
    zoom, bands = tile.mercator_zoom, plan.collection.bands
    # closer than all bands, nothing depends on the zoom any more
    level = min(zoom, bands[-1].last + 1 if bands else 0)
    return _compiled(plan, level, len(tile.shifts), _labelled(plan, zoom), tile.grid)


@lru_cache(maxsize=1024)
def _compiled(plan: Plan, zoom: int, boxes: int, labelled: bool, grid: Grid) -> _Compiled:
    """Once for a question, a caller and a tick of now: a plan is made of nothing else."""
    collection = plan.collection
    drawn = source(plan, zoom, boxes, grid)
    fields = [collection.by_name[name] for name in plan.fields]
    shape = "ST_Translate(q.geom, shift, 0)" if boxes > 1 else "q.geom"
    parts = [_part("t", _seen(collection, shape), fields)]
    names = {"t": collection.id}
    if labelled:
        point = _CLIPPED.format(shape=f"ST_PointOnSurface({shape})", extent=EXTENT, margin=0)
        shown = [f for f in fields if f.name in _label_fields(collection)]
        parts.append(_part("l", f"CASE WHEN {_label(collection)} IS NOT NULL THEN {point} END", shown))
        names["l"] = label_source_layer(collection)
    around = " CROSS JOIN unnest((SELECT shifts FROM place)) AS around(shift)" if boxes > 1 else ""
    put = partial(
        str.format,
        place=place_sql(grid, boxes, flat=drawn.band is not None),
        relation=drawn.relation.sql, missing=drawn.missing.sql,
        encoded=" || ".join(_ENCODED.format(alias=a, name=n, extent=EXTENT) for a, n in names.items()),
        parts=around + "".join(parts), most=budget.most_features(len(fields)),
        grade=budget.grade_sql(collection), weight=budget.weight_sql(collection),
        sampled=budget.SAMPLED_SQL, sample=budget.SAMPLE,
        bytes=budget.BYTES - len(LEFT_OUT_LAYER), closer=budget.AIM, flag=LEFT_OUT_LAYER.hex(),
    )  # fmt: skip
    return _Compiled(put(_SQL), put(_QUICK_SQL), drawn.relation.args + drawn.missing.args, drawn.band is not None)


def _part(alias: str, geometry: str, fields: list[Field]) -> str:
    return _PART.format(alias=alias, geometry=geometry, columns=", ".join(["q.fid", *map(_value, fields)]))


def _seen(collection: Collection, shape: str) -> str:
    """A shape in the tile's units; one that these are too coarse for is drawn as large as one unit."""
    clipped = _CLIPPED.format(shape=shape, extent=EXTENT, margin=MARGIN)
    if collection.geometry is Geometry.POINT:
        return clipped
    if collection.geometry is Geometry.POLYGON:
        grown = f"ST_Buffer({shape}, 0.75 * {UNIT_SQL}, 1)"
    else:
        ends = (f"ST_Translate(ST_Centroid({shape}), {side}0.6 * {UNIT_SQL}, 0)" for side in ("-", ""))
        grown = f"ST_MakeLine({', '.join(ends)})"
    grown = _CLIPPED.format(shape=grown, extent=EXTENT, margin=MARGIN)
    return f"coalesce({clipped}, CASE WHEN ST_Intersects({shape}, {AROUND_SQL}) THEN {grown} END)"


def _value(field: Field) -> str:
    if field.type is FieldType.DATE:
        return f'q."{field.name}"::text AS "{field.name}"'
    if field.type is FieldType.INSTANT:
        return f"""to_char(q."{field.name}" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "{field.name}\""""
    return f'q."{field.name}"'


def _labelled(plan: Plan, zoom: int) -> bool:
    """Whether areas get label points here: from the zoom on at which their names are drawn."""
    style = plan.collection.style
    if style is None or style.label not in plan.fields or plan.collection.geometry is not Geometry.POLYGON:
        return False
    # names of divisions come and go by level, each at its own zoom
    return "level" in plan.collection.by_name or zoom >= min(style.label_zoom, DEEPEST_TILE_ZOOM)


def _label(collection: Collection) -> str:
    return f'q."{collection.style.label}"' if collection.style else ""


def _label_fields(collection: Collection) -> set[str]:
    style = collection.style
    return {style.label or "", f"{style.label}_en", style.by or "", "level"} if style else set()
