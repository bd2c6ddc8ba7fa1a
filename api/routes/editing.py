"""Features changed over HTTP (OGC API – Features part 4, 20-002r1): who may, and which state is meant."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.body import body
from api.caller import Caller, Clerk
from api.errors import Unreadable
from api.if_match import meant_by
from api.routes.items import feature_number, item_tag, no_feature
from api.served import Ask, Asked, City, Served
from gis.access import Identity
from gis.errors import BadInput, NotFound, UnknownName
from gis.exchange.editing import Edited, Editor, Guard
from gis.text import Text

router = APIRouter()

MAX_BODY_BYTES = 8_000_000
_SIMPLER = Text("请简化要素", "simplify the feature")
FEATURE = ("application/geo+json", "application/json")
PATCH = ("application/merge-patch+json", *FEATURE)


@router.post("/collections/{collection_id}/items", status_code=201)
async def create(collection_id: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """A new feature; its address is told."""
    ask.only()
    editor = _editor(city, collection_id, clerk.identity)
    edited = await _done(editor.create, await _body(request, FEATURE))
    location = f"{ask.base}/collections/{editor.collection.id}/items/{edited.fid}"
    return Response(status_code=201, headers={"location": location, "etag": item_tag(edited.state)})


@router.put("/collections/{collection_id}/items/{fid}", status_code=204)
async def replace(collection_id: str, fid: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """A feature replaced by another state of it."""
    return await _changed(_addressed(city, ask, clerk, collection_id, fid), request, Editor.replace, FEATURE)


@router.patch("/collections/{collection_id}/items/{fid}", status_code=204)
async def update(collection_id: str, fid: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """Some members of a feature changed, by a JSON merge patch."""
    return await _changed(_addressed(city, ask, clerk, collection_id, fid), request, Editor.patch, PATCH)


@router.delete("/collections/{collection_id}/items/{fid}", status_code=204)
async def delete(collection_id: str, fid: str, city: City, ask: Ask, clerk: Clerk, request: Request) -> Response:
    """A feature taken from the register; it stays known as of earlier times."""
    editor, number = _addressed(city, ask, clerk, collection_id, fid)
    await _done(editor.delete, number, _guard(request))
    return Response(status_code=204)


async def _changed(
    feature: tuple[Editor, int], request: Request, change: Callable[..., Edited], media_types: tuple[str, ...]
) -> Response:
    """The answer to a feature's change by what the request brings."""
    (editor, number), guard = feature, _guard(request)
    edited = await _done(change, editor, number, await _body(request, media_types), guard)
    return Response(status_code=204, headers={"etag": item_tag(edited.state)})


def _addressed(city: Served, ask: Asked, clerk: Caller, collection_id: str, fid: str) -> tuple[Editor, int]:
    """The feature of a path, and who changes it. Raises NotFound, Unreadable, BadQuery."""
    ask.only()
    editor = _editor(city, collection_id, clerk.identity)
    number = feature_number(fid)
    if number is None:
        raise no_feature(editor.collection.id, fid)
    return editor, number


def _editor(city: Served, collection_id: str, identity: Identity) -> Editor:
    """Raises NotFound for a collection that is not there, Unreadable for one that can only be read."""
    try:
        collection = city.catalogue[collection_id]
    except UnknownName as error:
        raise NotFound(error.text.en, error.text.zh, subject=error.subject) from None
    if not collection.editable:
        raise Unreadable(405)
    return Editor(city.threads, city.catalogue, collection, identity)


async def _done(work: Callable[..., Edited], *args: Any) -> Edited:
    """A change, which is made to its end once it has begun, though the caller hangs up."""
    return await asyncio.shield(asyncio.to_thread(work, *args))


def _guard(request: Request) -> Guard:
    """Which states the caller means. Raises Unguarded where it does not say."""
    is_meant = meant_by(request)
    return lambda state: is_meant(item_tag(state))


async def _body(request: Request, media_types: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object that was sent. Raises Unreadable, TooLarge, BadInput."""
    kind = request.headers.get("content-type", media_types[0]).partition(";")[0].strip().lower()
    if kind not in media_types:
        raise Unreadable(415)
    crs = request.headers.get("content-crs", "").strip("<> ")
    if crs and not crs.endswith("CRS84"):
        raise BadInput("a feature is sent in OGC:CRS84: longitude, latitude", "要素坐标须为 OGC:CRS84(经度,纬度)",
                       subject="Content-Crs")  # fmt: skip
    try:
        found = orjson.loads(await body(request, MAX_BODY_BYTES, _SIMPLER))
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is not JSON: {error}", f"内容不是有效的 JSON:{error}") from None
    if not isinstance(found, dict):
        raise BadInput("the body is not a JSON object", "内容不是 JSON 对象")
    return found
