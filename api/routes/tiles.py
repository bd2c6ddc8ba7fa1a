"""Vector tiles by a path before the framework, and the documents that describe them."""

import re
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.reply import Body, Conditions, conditional, json_reply
from api.served import Ask, Asked, City, Served
from gis.catalog import Catalogue, Collection, Geometry
from gis.errors import BadQuery, NotFound
from gis.query.query import Query
from gis.query.url import CRS84, ROWS, pairs, parse_parameters
from tiles import mvt
from tiles.grid import MATRIX_SET, MATRIX_SET_URI, Tile
from tiles.tilejson import deepest_zoom, tilejson

router = APIRouter()

_PATH = re.compile(rf"/collections/([^/]+)/tiles/{MATRIX_SET}/(\d{{1,2}})/(\d{{1,8}})/(\d{{1,8}})\Z")
_ALLOWED = ROWS | {"properties"}
_WEB_MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
_DIMENSION = {Geometry.POINT: 0, Geometry.LINE: 1, Geometry.POLYGON: 2}


class TilesFirst:
    """Answers tiles itself and hands everything else on; a warm tile must not pay for a framework."""

    def __init__(self, inner: ASGIApp, state: Any) -> None:
        self.inner, self.state = inner, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = _PATH.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self.inner(scope, receive, send)
            return
        collection, z, y, x = found.groups()
        tile = Tile(int(z), int(x), int(y))
        body = await _tile(
            self.state.served, collection, scope["query_string"].decode("latin-1"), tile, scope["headers"]
        )
        headers = [(name.encode(), value.encode()) for name, value in body.headers.items()]
        if body.status == 200:
            headers.append((b"content-length", str(len(body.content)).encode()))
        await send({"type": "http.response.start", "status": body.status, "headers": headers})
        await send({"type": "http.response.body", "body": body.content})


async def _tile(
    served: Served, collection_id: str, parameters: str, tile: Tile, request_headers: list[tuple[bytes, bytes]]
) -> Body:
    query = _question(served.catalogue, served.collection(collection_id).id, parameters)
    statement = mvt.statement(served.plan(query), tile)
    content, truncated = b"", False
    if statement is not None:
        content, truncated = (await served.database.rows(statement))[0]
    body = await conditional(bytes(content), mvt.MEDIA_TYPE, Conditions.of(request_headers))
    if not truncated:
        return body
    return Body(body.status, body.content, {**body.headers, "OneMap-Truncated": str(mvt.MAX_FEATURES)})


@lru_cache(maxsize=2048)
def _question(catalogue: Catalogue, collection_id: str, parameters: str) -> Query:
    """A map asks the same question of a thousand tiles."""
    given = pairs(parameters)
    for name, value in given:
        if name == "f" and value != "mvt":
            raise BadQuery("f can be mvt", "f 可以是 mvt", subject="f")
    return parse_parameters(catalogue[collection_id], [p for p in given if p[0] not in ("f", "lang")], _ALLOWED)


@router.get("/collections/{collection_id}/tiles")
async def tilesets(collection_id: str, city: City, ask: Ask) -> Response:
    """The tilesets of a collection: there is one."""
    ask.only()
    collection = _tiled(city, collection_id)
    summary = {**_summary(collection, ask), "links": [_tileset_link(collection, ask, "self")]}
    links = [
        ask.link(f"/collections/{collection.id}/tiles", "self", "application/json"),
        ask.link(f"/collections/{collection.id}", "collection", "application/json"),
    ]
    return json_reply({"links": links, "tilesets": [summary]}, ask.language)


@router.get(f"/collections/{{collection_id}}/tiles/{MATRIX_SET}")
async def tileset(collection_id: str, city: City, ask: Ask) -> Response:
    """The tileset, as OGC 17-083r4 has it or as TileJSON."""
    form = ask.only(forms=("json", "tilejson")).get("f", "json")
    collection = _tiled(city, collection_id)
    known = (await city.facts.of([collection]))[collection.id]
    if form == "tilejson":
        url = f"{ask.base}/collections/{collection.id}/tiles/{MATRIX_SET}/{{z}}/{{y}}/{{x}}"
        return json_reply(tilejson(collection, language=ask.language, tiles_url=url, bounds=known.bbox), ask.language)
    document = {
        **_summary(collection, ask),
        "layers": [{"id": collection.id, "title": collection.title.in_(ask.language), "dataType": "vector",
                    "geometryDimension": _DIMENSION[collection.geometry] if collection.geometry else None,
                    "minTileMatrix": str(collection.min_zoom), "maxTileMatrix": str(deepest_zoom(collection))}],
        "links": _tileset_links(collection, ask),
    }  # fmt: skip
    if known.bbox:
        west, south, east, north = known.bbox
        document["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84}
    return json_reply(document, ask.language)


def _tiled(city: Served, collection_id: str) -> Collection:
    collection = city.collection(collection_id)
    if not collection.tiled:
        raise NotFound(f"{collection.id} has no tiles", f"数据集 {collection.id} 没有瓦片", subject=collection.id)
    return collection


def _summary(collection: Collection, ask: Asked) -> dict[str, Any]:
    return {
        "title": collection.title.in_(ask.language),
        "dataType": "vector",
        "crs": _WEB_MERCATOR,
        "tileMatrixSetURI": MATRIX_SET_URI,
    }


def _tileset_link(collection: Collection, ask: Asked, rel: str) -> dict[str, str]:
    return ask.link(f"/collections/{collection.id}/tiles/{MATRIX_SET}", rel, "application/json")


def _tileset_links(collection: Collection, ask: Asked) -> list[dict[str, Any]]:
    place = f"/collections/{collection.id}/tiles/{MATRIX_SET}"
    template = f"{place}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    return [
        _tileset_link(collection, ask, "self"),
        ask.link(f"{place}?f=tilejson", "alternate", "application/json", "TileJSON"),
        {**ask.link(template, "item", mvt.MEDIA_TYPE), "templated": True},
        {"href": MATRIX_SET_URI, "rel": "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme",
         "type": "application/json"},
        ask.link(f"/collections/{collection.id}", "http://www.opengis.net/def/rel/ogc/1.0/geodata", "application/json"),
    ]  # fmt: skip
