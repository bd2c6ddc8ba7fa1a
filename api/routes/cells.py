"""A collection counted by H3 cell: hexagons with figures, as GeoJSON."""

from typing import Any

import h3
import orjson
from fastapi import APIRouter, Response

from api.reply import GEOJSON, bytes_reply
from api.served import Ask, City
from gis.catalog import Collection
from gis.errors import BadQuery
from gis.query import answers
from gis.query.query import ByCell, Page
from gis.query.span import instant_text
from gis.query.url import ROWS, parse_parameters

router = APIRouter()

#: An answer with more cells than this is asked for at a coarser resolution.
MAX_CELLS = 20_000
_DEFAULT_RESOLUTION = 7


@router.get("/collections/{collection_id}/cells")
async def cells(collection_id: str, city: City, ask: Ask) -> Response:
    """One hexagon a cell with its count or measures; rows without a place are one feature without a shape."""
    collection = city.collection(collection_id)
    resolution = _resolution(ask.parameters, collection)
    query = parse_parameters(collection, ask.question("res"), ROWS | {"measure"})
    plan = city.plan(query.but(by=(ByCell(resolution),), page=Page(MAX_CELLS + 1)))
    rows = await city.database.rows(answers.groups(plan))
    if len(rows) > MAX_CELLS:
        raise BadQuery(
            f"more than {MAX_CELLS} cells; ask a smaller area or a res below {resolution}",
            f"网格超过 {MAX_CELLS} 个,请缩小范围或使用小于 {resolution} 的 res",
            subject="res",
        )
    names = [measure.name for measure in answers.measures(plan)]
    body = {
        "type": "FeatureCollection",
        "timeStamp": instant_text(plan.now),
        "resolution": resolution,
        "numberReturned": len(rows),
        "links": [
            ask.link(f"/collections/{collection.id}/cells?res={resolution}", "self", GEOJSON),
            ask.link(f"/collections/{collection.id}", "collection", "application/json"),
        ],
        "features": [_hexagon(row[0], dict(zip(names, row[1:], strict=True))) for row in rows],
    }
    return bytes_reply(orjson.dumps(body, default=float), ask.language, GEOJSON)


def _resolution(parameters: list[tuple[str, str]], collection: Collection) -> int:
    given = [value for name, value in parameters if name == "res"]
    if not given:
        return min(_DEFAULT_RESOLUTION, collection.cell_resolution)
    if len(given) > 1 or given[0] not in {str(r) for r in range(collection.cell_resolution + 1)}:
        raise BadQuery(
            f"res is one whole number from 0 to {collection.cell_resolution}",
            f"res 应为 0 至 {collection.cell_resolution} 的整数",
            subject="res",
        )
    return int(given[0])


def _hexagon(cell: str | None, figures: dict[str, Any]) -> dict[str, Any]:
    if cell is None:
        return {"type": "Feature", "geometry": None, "properties": {"cell": None, "area_km2": None, **figures}}
    ring = [(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]
    if max(lon for lon, _ in ring) - min(lon for lon, _ in ring) > 180:
        # a cell on the antimeridian is drawn in one piece, beyond 180 degrees
        ring = [(lon + 360 if lon < 0 else lon, lat) for lon, lat in ring]
    return {
        "type": "Feature",
        "id": cell,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": {"cell": cell, "area_km2": round(h3.cell_area(cell, "km^2"), 9), **figures},
    }
