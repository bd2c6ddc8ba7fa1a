"""Features changed over HTTP (OGC API – Features part 4, 20-002r1): who may, and which state is meant."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.caller import Clerk
from api.errors import TooLarge, Unreadable
from api.routes.items import feature_number, item_tag, no_feature
from api.served import Ask, City, Served
from gis.access import Identity
from gis.errors import BadInput, NotFound, Unguarded, UnknownName
from gis.exchange.editing import Edited, Editor, Guard

router = APIRouter()

MAX_BODY_BYTES = 8_000_000
FEATURE = ("application/geo+json", "application/json")
PATCH = ("application/merge-patch+json", *FEATURE)
_TAG = re.compile(r'(?:W/)?"([0-9a-f]+)\.[^"]*"')


@router.post("/collections/{collection_id}/items", status_code=201)
async def create(collection_id: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """A new feature; its address is told."""
    ask.only()
    editor = _editor(city, collection_id, clerk.identity)
    edited = await _done(city, editor.create, await _body(request, FEATURE))
    location = f"{ask.base}/collections/{editor.collection.id}/items/{edited.fid}"
    return Response(status_code=201, headers={"location": location, "etag": item_tag(edited.state)})


@router.put("/collections/{collection_id}/items/{fid}", status_code=204)
async def replace(collection_id: str, fid: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """A feature replaced by another state of it."""
    ask.only()
    editor = _editor(city, collection_id, clerk.identity)
    number, guard = _number(editor, fid), _guard(request)
    edited = await _done(city, editor.replace, number, await _body(request, FEATURE), guard)
    return Response(status_code=204, headers={"etag": item_tag(edited.state)})


@router.patch("/collections/{collection_id}/items/{fid}", status_code=204)
async def update(collection_id: str, fid: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """Some members of a feature changed, by a JSON merge patch."""
    ask.only()
    editor = _editor(city, collection_id, clerk.identity)
    number, guard = _number(editor, fid), _guard(request)
    edited = await _done(city, editor.patch, number, await _body(request, PATCH), guard)
    return Response(status_code=204, headers={"etag": item_tag(edited.state)})


@router.delete("/collections/{collection_id}/items/{fid}", status_code=204)
async def delete(collection_id: str, fid: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """A feature taken from the register; it stays known as of earlier times."""
    ask.only()
    editor = _editor(city, collection_id, clerk.identity)
    await _done(city, editor.delete, _number(editor, fid), _guard(request))
    return Response(status_code=204)


def _editor(city: Served, collection_id: str, identity: Identity) -> Editor:
    """Raises NotFound for a collection that is not there, Unreadable for one that can only be read."""
    try:
        collection = city.catalogue[collection_id]
    except UnknownName as error:
        raise NotFound(error.text.en, error.text.zh, subject=error.subject) from None
    if not collection.editable:
        raise Unreadable(405)
    return Editor(city.threads, city.catalogue, collection, identity)


async def _done(city: Served, work: Callable[..., Edited], *args: Any) -> Edited:
    """A change, which is made to its end once it has begun, though the caller hangs up."""
    return await asyncio.shield(asyncio.to_thread(work, *args))


def _number(editor: Editor, fid: str) -> int:
    number = feature_number(fid)
    if number is None:
        raise no_feature(editor.collection.id, fid)
    return number


def _guard(request: Request) -> Guard:
    """Which states the caller means, by If-Match (RFC 9110, 13.1.1). Raises Unguarded where it does not say."""
    said = request.headers.get("if-match", "").strip()
    if not said:
        raise Unguarded(
            "say which state is to be changed: send the feature's ETag as If-Match",
            "须说明所修改的版本:请把要素的 ETag 作为 If-Match 发送",
            subject="If-Match",
        )
    states = set(_TAG.findall(said))
    return lambda state: said == "*" or item_tag(state).strip('"').partition(".")[0] in states


async def _body(request: Request, media_types: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object that was sent. Raises Unreadable, TooLarge, BadInput."""
    kind = request.headers.get("content-type", media_types[0]).partition(";")[0].strip().lower()
    if kind not in media_types:
        raise Unreadable(415)
    crs = request.headers.get("content-crs", "").strip("<> ")
    if crs and not crs.endswith("CRS84"):
        raise BadInput("a feature is sent in OGC:CRS84: longitude, latitude", "要素坐标须为 OGC:CRS84(经度,纬度)",
                       subject="Content-Crs")  # fmt: skip
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise TooLarge(f"a feature has at most {MAX_BODY_BYTES} bytes", f"要素不得超过 {MAX_BODY_BYTES} 字节")
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is not JSON: {error}", f"内容不是有效的 JSON:{error}") from None
    if not isinstance(found, dict):
        raise BadInput("the body is not a JSON object", "内容不是 JSON 对象")
    return found
