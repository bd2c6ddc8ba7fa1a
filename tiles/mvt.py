"""Vector tiles: the plan's protected relation cut to a tile and encoded by PostGIS in one round trip.

A tile holds one layer named as its collection, and for areas with a label a second one, `{collection}:label`, of one
point a feature, so that a name is written once and not in every tile that the area touches. Feature ids are fids.
Encoding: Mapbox Vector Tile 2.1; days and instants are text (ISO 8601, UTC).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gis.catalog import Collection, Field, FieldType, Geometry
from gis.query.plan import Plan
from gis.query.statement import Statement
from tiles.grid import EXTENT, MARGIN, Grid, Tile
from tiles.style import DEEPEST_TILE_ZOOM, label_source_layer

#: What one tile carries at most; beyond it the smallest shapes, or points picked evenly, are left out.
MAX_FEATURES = 50_000
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"

_SQL = """
WITH found AS MATERIALIZED (SELECT * FROM ({relation}) q ORDER BY {importance}, fid, valid_from LIMIT {limit}),
square AS MATERIALIZED (SELECT {square} AS box)
SELECT ({layers}), (SELECT count(*) > {most} FROM found)
"""
_LAYER = """
coalesce((SELECT ST_AsMVT(t, '{name}', {extent}, 'geom', 'fid') FROM (
    SELECT ST_AsMVTGeom({geometry}, (SELECT box FROM square), {extent}, {margin}, true) AS geom, {columns}
    FROM found{around}{where}
) t WHERE geom IS NOT NULL), '')
"""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """SQL whose placeholders are, in this order: the plan's, the boxes', the tile's square, each layer's shifts."""

    sql: str
    args: tuple[Any, ...]
    layers: int
    shifted: bool

    def at(self, tile: Tile) -> Statement:
        boxes = tuple(edge for box in tile.reach for edge in box)
        shifts = (list(tile.shifts),) * self.layers if self.shifted else ()
        return Statement(self.sql, (*self.args, *boxes, *tile.envelope_args, *shifts))


def statement(plan: Plan, tile: Tile) -> Statement | None:
    """The statement whose one row is (tile bytes, whether features were left out); None for a tile declared empty.

    A collection is empty below its `min_zoom`, where raw features would be too many. Raises UnknownName, Forbidden,
    BadQuery as the plan does. The SQL text is the same for all inner tiles of a question, so that it is prepared once.
    """
    if tile.mercator_zoom < plan.collection.min_zoom or not plan.collection.tiled:
        return None
    return _compiled(plan, len(tile.shifts), _labelled(plan, tile.mercator_zoom), tile.grid).at(tile)


@lru_cache(maxsize=1024)
def _compiled(plan: Plan, boxes: int, labelled: bool, grid: Grid) -> _Compiled:
    """Once for a question, a caller and a tick of now: a plan is made of nothing else."""
    envelope = "geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326)"
    inside = Statement(f"({' OR '.join([envelope] * boxes)})", (None,) * 4 * boxes)
    relation = plan.relation(geometry=grid.column, also=inside)
    fields = [plan.collection.by_name[name] for name in plan.fields]
    shifted = boxes > 1
    layers = [_layer(plan.collection.id, _shifted("geom", shifted), MARGIN, fields, shifted)]
    if labelled:
        name, point = label_source_layer(plan.collection), _shifted("ST_PointOnSurface(geom)", shifted)
        shown = [f for f in fields if f.name in _label_fields(plan.collection)]
        layers.append(_layer(name, point, 0, shown, shifted, f"{_label(plan.collection)} IS NOT NULL"))
    sql = _SQL.format(
        relation=relation.sql, importance=_importance(plan.collection), limit=MAX_FEATURES + 1,
        layers=" || ".join(layers), most=MAX_FEATURES, square=grid.envelope_sql,
    )  # fmt: skip
    return _Compiled(sql, relation.args[: -4 * boxes], len(layers), shifted)


def _layer(name: str, geometry: str, margin: int, fields: list[Field], shifted: bool, where: str = "") -> str:
    return _LAYER.format(
        name=name, geometry=geometry, extent=EXTENT, margin=margin,
        columns=", ".join(["fid", *map(_value, fields)]),
        around=", unnest(%s::float8[]) AS around(shift)" if shifted else "",
        where=f" WHERE {where}" if where else "",
    )  # fmt: skip


def _shifted(geometry: str, shifted: bool) -> str:
    return f"ST_Translate({geometry}, shift, 0)" if shifted else geometry


def _value(field: Field) -> str:
    if field.type is FieldType.DATE:
        return f'"{field.name}"::text AS "{field.name}"'
    if field.type is FieldType.INSTANT:
        return f"""to_char("{field.name}" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "{field.name}\""""
    return f'"{field.name}"'


def _importance(collection: Collection) -> str:
    """What is left out last comes first: large shapes; of points, which are alike, an even pick."""
    if collection.geometry is Geometry.POINT:
        return "hashint8(fid)"
    return "greatest(ST_XMax(geom) - ST_XMin(geom), ST_YMax(geom) - ST_YMin(geom)) DESC"


def _labelled(plan: Plan, zoom: int) -> bool:
    """Whether areas get label points here: from the zoom on at which their names are drawn."""
    style = plan.collection.style
    if style is None or style.label not in plan.fields or plan.collection.geometry is not Geometry.POLYGON:
        return False
    # names of divisions come and go by level, each at its own zoom
    return "level" in plan.collection.by_name or zoom >= min(style.label_zoom, DEEPEST_TILE_ZOOM)


def _label(collection: Collection) -> str:
    return f'"{collection.style.label}"' if collection.style else ""


def _label_fields(collection: Collection) -> set[str]:
    style = collection.style
    return {style.label or "", f"{style.label}_en", style.by or "", "level"} if style else set()
