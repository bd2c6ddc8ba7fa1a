"""Addresses to places, and what is at a point; every answer says of which state of the registers it speaks."""

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.body import body
from api.geocoding import (
    MAX_ADDRESSES,
    MAX_BODY_BYTES,
    MAX_CHARACTERS,
    Geocoding,
    address_text,
    note_addresses,
    note_places,
)
from api.parameters import degrees
from api.reply import json_reply
from api.served import Ask, City
from gis.errors import BadInput, BadQuery
from gis.exchange.matching import Gazetteer, here_document, match_document
from gis.text import Text

router = APIRouter()

_IN_PARTS = Text("请分批查询", "ask in several parts")


@router.get("/geocode")
async def geocode(city: City, ask: Ask, request: Request) -> Response:
    """The place of `address`, or what is at `lon`, `lat` (WGS 84)."""
    given = {name: value for name, value in ask.only("address", "lon", "lat").items() if name not in ("lang", "f")}
    question: Callable[[Gazetteer], dict[str, Any]]
    if set(given) == {"address"}:
        text = address_text(given["address"], "address")
        note_addresses(city, [text])

        def question(places: Gazetteer) -> dict[str, Any]:
            return _matched(places, [text])[0]

    elif set(given) == {"lon", "lat"}:
        lon, lat = degrees(given["lon"], "lon", 180), degrees(given["lat"], "lat", 90)
        note_places(city, f"geocode?lon={lon}&lat={lat}")

        def question(places: Gazetteer) -> dict[str, Any]:
            return here_document(lon, lat, places.reverse().at(lon, lat))

    else:
        raise BadQuery("give either address, or lon and lat", "请给出 address,或同时给出 lon 与 lat", subject="address")
    found, state = await _geocoding(request).ask(city.identity, question)
    return json_reply(found | {"state": state}, ask.language)


@router.post("/geocode")
async def geocode_all(city: City, ask: Ask, request: Request) -> Response:
    """The places of a list: `{"addresses": ["…", …]}` gives `{"answers": […]}` in the same order."""
    ask.only()
    texts = _addresses(await body(request, MAX_BODY_BYTES, _IN_PARTS))
    note_addresses(city, texts)
    found, state = await _geocoding(request).ask(city.identity, lambda places: _matched(places, texts))
    return json_reply({"answers": found, "state": state}, ask.language)


def _geocoding(request: Request) -> Geocoding:
    found: Geocoding = request.app.state.geocoding
    return found


def _matched(places: Gazetteer, texts: list[str]) -> list[dict[str, Any]]:
    with places.reader() as index:
        return [match_document(chunk[row]) for chunk in index.matches(texts) for row in range(len(chunk))]


def _addresses(content: bytes) -> list[str]:
    """The addresses of a list. Raises BadInput for another form, a long list, and the first address at fault."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is no JSON: {error}", f"请求体不是 JSON:{error}", subject="addresses") from None
    texts = found.get("addresses") if isinstance(found, dict) and set(found) == {"addresses"} else None
    if not isinstance(texts, list):
        raise BadInput(
            'the body is an object with one list: {"addresses": ["…"]}',
            '请求体应为只含一个列表的对象:{"addresses": ["…"]}',
            subject="addresses",
        )
    if len(texts) > MAX_ADDRESSES:
        raise BadInput(
            f"{len(texts):,} addresses; at most {MAX_ADDRESSES:,} are answered at a time",
            f"共 {len(texts):,} 个地址,一次最多 {MAX_ADDRESSES:,} 个",
            subject="addresses",
        )
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadInput(
                f"addresses[{place}] is no text", f"addresses[{place}] 不是文本", subject=f"addresses[{place}]"
            )
        if len(text) > MAX_CHARACTERS:
            address_text(text, f"addresses[{place}]")
    return texts
