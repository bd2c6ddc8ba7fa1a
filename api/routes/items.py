"""One feature of a collection (OGC API Features 1.0, part 1); pages and exports are answered in `api.items_first`."""

import hashlib

import orjson
from fastapi import APIRouter, Request, Response

from api.answer_crs import answer_crs, content_crs
from api.html import item_page
from api.noted import told
from api.reply import GEOJSON, HTML, Conditions, bytes_reply
from api.served import Ask, City
from gis.access.seen import is_whole
from gis.errors import NotFound
from gis.query import geojson
from gis.query.url import parse_parameters

router = APIRouter()

_ITEM = frozenset({"datetime", "as-of", "scenario", "properties"})
_FORMS = ("geojson", "json", "html")
_LARGEST_FID = 2**53 - 1


@router.get("/collections/{collection_id}/items/{fid}")
async def item(collection_id: str, fid: str, city: City, ask: Ask, request: Request) -> Response:
    """One feature; over a span of time its latest version in it.

    Its entity tag begins with the state of all that is recorded of the feature, which a change must name.
    """
    collection = city.collection(collection_id)
    form = ask.only(*_ITEM, "crs", forms=_FORMS).get("f", "html" if ask.wants_html else "geojson")
    crs = await answer_crs(city, ask)
    plan = city.plan(parse_parameters(collection, ask.question("crs", forms=_FORMS), _ITEM))
    number = feature_number(fid)
    versions = await city.database.rows(geojson.feature(plan, number, crs)) if number is not None else []
    if not versions:
        raise no_feature(collection.id, fid)
    told(collection.id, 1, number)
    feature, provenance, version, state = versions[-1]
    place = f"/collections/{collection.id}"
    links = [
        ask.link(f"{place}/items/{number}", "self", GEOJSON),
        ask.link(f"{place}/items/{number}?f=html", "alternate", HTML),
        ask.link(place, "collection", "application/json", collection.title.in_(ask.language)),
    ]
    if not is_whole(plan.register, plan.rules):
        # the state is of all that is recorded, by which what is not told could be guessed; the content tells itself
        state, version = None, f"{version}{bytes(feature)!r}"
    etag = item_tag(state, f"{version}{crs}{form}{ask.parameters}{ask.language}{ask.base}{plan.rules_digest}")
    headers = {"etag": etag, **content_crs(crs)}
    if Conditions.of(request.headers.raw).hold(etag):
        return Response(status_code=304, headers=headers)
    body = (
        bytes(feature)[:-1] + b',"onemap:provenance":' + bytes(provenance) + b',"links":' + orjson.dumps(links) + b"}"
    )
    reply = bytes_reply(body, ask.language, GEOJSON)
    if form == "html":
        reply = item_page(ask, collection, orjson.loads(body))
    reply.headers.update(headers)
    return reply


def item_tag(state: str | None, form: str = "") -> str:
    """The entity tag of a feature: its state, by which changes are guarded, then the form in which it is told."""
    return f'"{_short(state or "")}.{_short(form)}"'


def feature_number(text: str) -> int | None:
    """The number of a feature in an address; None for what cannot be one."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else -1
    return number if 0 <= number <= _LARGEST_FID else None


def no_feature(collection_id: str, fid: str) -> NotFound:
    """The error for a feature that is not there."""
    return NotFound(
        f"{collection_id} has no feature {fid[:40]} at that time",
        f"数据集 {collection_id} 在该时间没有要素 {fid[:40]}",
        subject=fid[:40],
    )


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()
