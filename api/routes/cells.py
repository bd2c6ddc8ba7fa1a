"""A collection counted by H3 cell, division, field or bin of time, or by several of these; hexagons with figures."""

from typing import Any

import h3
import orjson
from fastapi import APIRouter, Request, Response

from api.anonymous import foundation_of, headers
from api.cell_export import CellExport, area_km2
from api.exporting import Streamed
from api.noted import told
from api.reply import GEOJSON, JSON, Conditions, bytes_reply
from api.served import Ask, Asked, City, encoded
from gis.catalog import Collection
from gis.errors import BadQuery
from gis.export import FORMATS
from gis.query import answers, export
from gis.query.plan import Plan
from gis.query.query import ByCell, Page, Query
from gis.query.span import instant_text
from gis.query.url import GROUPS, ROWS, parse_parameters

router = APIRouter()

#: A document with more groups than this is asked for at a coarser resolution; as columns they are streamed.
MAX_CELLS = 20_000
_DEFAULT_RESOLUTION = 7
_FORMS = ("geojson", "json", "arrow", "csv")


@router.get("/collections/{collection_id}/cells")
async def cells(collection_id: str, city: City, ask: Ask, request: Request) -> Response:
    """One row a group with its count or measures: a cell, or what `by` names, or each of these in each cell.

    Cells come with their own area in km², and counts with how many there are to one. Rows without a place are a group
    of their own, without a shape.
    """
    collection = city.collection(collection_id)
    form = dict(ask.parameters).get("f", "geojson")
    query = _query(collection, ask)
    if form in ("arrow", "csv"):
        plan = city.plan(query)
        said = headers(await foundation_of(city, plan))
        columns = CellExport(plan, city.readers, FORMATS[form], mark=city.export_mark())
        return Streamed(request.app.state.exports, columns, ask, Conditions.of(request.headers.raw), said)
    plan = city.plan(query.but(page=Page(MAX_CELLS + 1)))
    foundation = await foundation_of(city, plan)
    rows = await city.database.rows(answers.groups(plan))
    if len(rows) > MAX_CELLS:
        raise BadQuery(
            f"more than {MAX_CELLS} groups; ask a smaller area, a lower res or a coarser by, or f=csv or f=arrow",
            f"分组超过 {MAX_CELLS} 个,请缩小范围、降低 res、使用更粗的 by,或改用 f=csv、f=arrow",
            subject="res",
        )
    told(plan.query.collection, len(rows))
    body, kind = _document(plan, rows, ask)
    reply = bytes_reply(orjson.dumps({**body, **foundation}), ask.language, kind)
    reply.headers.update(headers(foundation))
    return reply


def _query(collection: Collection, ask: Asked) -> Query:
    """The question, grouped by cell where `res` is given, and where nothing else is."""
    query = parse_parameters(collection, ask.question("res", forms=_FORMS), ROWS | GROUPS)
    given = [value for name, value in ask.parameters if name == "res"]
    if any(isinstance(by, ByCell) for by in query.by) and given:
        raise BadQuery("res or by=cell:…, not both", "res 与 by=cell:… 只能给出一个", subject="res")
    if query.by and not given:
        return query
    return query.but(by=(ByCell(_resolution(given, collection)), *query.by))


def _resolution(given: list[str], collection: Collection) -> int:
    if not given:
        return min(_DEFAULT_RESOLUTION, collection.cell_resolution)
    if len(given) > 1 or given[0] not in {str(r) for r in range(collection.cell_resolution + 1)}:
        raise BadQuery(
            f"res is one whole number from 0 to {collection.cell_resolution}",
            f"res 应为 0 至 {collection.cell_resolution} 的整数",
            subject="res",
        )
    return int(given[0])


def _by_cell(plan: Plan) -> int | None:
    """The resolution of the cells in the answer; None where there are none."""
    return next((by.resolution for by in plan.query.by if isinstance(by, ByCell)), None)


def _document(plan: Plan, rows: list[tuple[Any, ...]], ask: Asked) -> tuple[dict[str, Any], str]:
    """Hexagons as GeoJSON; groups without cells as plain JSON."""
    names, resolution = export.schema(plan).names, _by_cell(plan)
    told = [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows]
    place, asked = f"/collections/{plan.collection.id}", encoded(ask.parameters)
    links = [
        ask.link(f"{place}/cells{'?' if asked else ''}{asked}", "self", GEOJSON if resolution is not None else JSON),
        ask.link(place, "collection", JSON),
    ]
    head = {"timeStamp": instant_text(plan.now), "numberReturned": len(told), "links": links}
    if resolution is None:
        return {**head, "groups": told}, JSON
    features = [hexagon(group) for group in told]
    return {"type": "FeatureCollection", **head, "resolution": resolution, "features": features}, GEOJSON


def hexagon(group: dict[str, Any]) -> dict[str, Any]:
    """A group of a cell as a GeoJSON feature; in one piece at the antimeridian, then beyond 180 degrees."""
    cell = group["cell"]
    if cell is None:
        return {"type": "Feature", "geometry": None, "properties": {**group, "area_km2": None}}
    ring = [(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]
    if max(lon for lon, _ in ring) - min(lon for lon, _ in ring) > 180:
        ring = [(lon + 360 if lon < 0 else lon, lat) for lon, lat in ring]
    area = area_km2(cell)
    density = {"per_km2": group["count"] / area} if "count" in group else {}
    return {
        "type": "Feature",
        "id": cell,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": {**group, "area_km2": area, **density},
    }


def _plain(value: Any) -> Any:
    return instant_text(value) if hasattr(value, "tzinfo") else value
