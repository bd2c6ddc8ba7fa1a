"""Features of a collection (OGC API Features 1.0, part 1 and the filter of part 3), a page or one at a time."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Response

from api.reply import GEOJSON, bytes_reply
from api.served import Ask, Asked, City, encoded
from gis.catalog import Collection
from gis.errors import NotFound
from gis.query import geojson
from gis.query.query import Query
from gis.query.span import instant_text
from gis.query.token import after_token
from gis.query.url import PAGES, ROWS, parse_parameters

router = APIRouter()

DEFAULT_LIMIT, MAX_LIMIT = 10, 10_000
#: How far matches are counted; beyond it `numberMatched` is left out, since counting costs more than the page.
COUNTED = 10_000
_ITEMS = ROWS | PAGES | {"properties"}
_ITEM = frozenset({"datetime", "as-of", "scenario", "properties"})
_LARGEST_FID = 2**53 - 1


@router.get("/collections/{collection_id}/items")
async def items(collection_id: str, city: City, ask: Ask) -> Response:
    """A page of features as GeoJSON."""
    collection = city.collection(collection_id)
    query = _limited(parse_parameters(collection, ask.question(), _ITEMS))
    plan = city.plan(query)
    features, found, fid, valid_from, matched = (await city.database.rows(geojson.page(plan, COUNTED + 1)))[0]
    limit = query.page.limit or DEFAULT_LIMIT
    head: dict[str, Any] = {"type": "FeatureCollection", "timeStamp": instant_text(plan.now)}
    if matched <= COUNTED:
        head["numberMatched"] = matched
    head["numberReturned"] = min(found, limit)
    head["links"] = _links(collection, ask)
    if found > limit:
        head["links"].append(_next(collection, ask, query, (fid, valid_from)))
    body = orjson.dumps(head)[:-1] + b',"features":[' + bytes(features or b"") + b"]}"
    return bytes_reply(body, ask.language, GEOJSON)


@router.get("/collections/{collection_id}/items/{fid}")
async def item(collection_id: str, fid: str, city: City, ask: Ask) -> Response:
    """One feature; over a span of time its latest version in it."""
    collection = city.collection(collection_id)
    ask.only(*_ITEM, forms=("geojson", "json"))
    plan = city.plan(parse_parameters(collection, ask.question(), _ITEM))
    number = int(fid) if fid.isascii() and fid.isdigit() and len(fid) < 17 else -1
    versions = await city.database.rows(geojson.feature(plan, number)) if 0 <= number <= _LARGEST_FID else []
    if not versions:
        raise NotFound(
            f"{collection.id} has no feature {fid[:40]} at that time",
            f"数据集 {collection.id} 在该时间没有要素 {fid[:40]}",
            subject=fid[:40],
        )
    feature, provenance = versions[-1]
    place = f"/collections/{collection.id}"
    links = [
        ask.link(f"{place}/items/{number}", "self", GEOJSON),
        ask.link(place, "collection", "application/json", collection.title.in_(ask.language)),
    ]
    body = (
        bytes(feature)[:-1] + b',"onemap:provenance":' + bytes(provenance) + b',"links":' + orjson.dumps(links) + b"}"
    )
    return bytes_reply(body, ask.language, GEOJSON)


def _limited(query: Query) -> Query:
    """With the page that is answered: the standard has a server lower a limit that is too high."""
    page = query.page
    limit = min(page.limit or DEFAULT_LIMIT, MAX_LIMIT)
    return query.but(page=replace(page, limit=limit))


def _links(collection: Collection, ask: Asked) -> list[dict[str, str]]:
    parameters = encoded(ask.parameters)
    place = f"/collections/{collection.id}"
    here = f"{place}/items?{parameters}" if parameters else f"{place}/items"
    return [
        ask.link(here, "self", GEOJSON),
        ask.link(place, "collection", "application/json", collection.title.in_(ask.language)),
    ]


def _next(collection: Collection, ask: Asked, query: Query, last: tuple[int, datetime | None]) -> dict[str, str]:
    """By the key of the last row, which costs the same on every page; a page in another order goes on by number."""
    kept = [(n, v) for n, v in ask.parameters if n not in ("after", "offset")]
    if query.sort:
        kept.append(("offset", str(query.page.offset + (query.page.limit or DEFAULT_LIMIT))))
    else:
        kept.append(("after", after_token(last)))
    return ask.link(f"/collections/{collection.id}/items?{encoded(kept)}", "next", GEOJSON)
