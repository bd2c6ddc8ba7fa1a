"""Everything that the one map holds at a place: a point with a radius, a cell, a division, an address, a shape."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any

import h3
import orjson
import shapely
from fastapi import APIRouter, Request, Response

from api.anonymous import counts_at
from api.body import body
from api.geocoding import Geocoding, address_text, note_addresses
from api.noted import told
from api.parameters import degrees, whole
from api.reply import GEOJSON, json_reply
from api.served import Ask, Asked, City, Served
from gis.catalog import Collection
from gis.codes.address_levels import AddressLevel
from gis.errors import BadInput, BadQuery, NotFound
from gis.exchange.matching import Gazetteer, Match, match_document
from gis.geo.area import Area, Cells, Circle, Division, Shape, Within
from gis.query import here as question
from gis.query import matching_rows
from gis.query.here import Here
from gis.query.span import Span, moment, now
from gis.query.surroundings import Surroundings
from gis.query.url_areas import read_area
from gis.text import Text

router = APIRouter()

#: How far around a point or an address is looked where nobody says, and how many features are named at most.
DEFAULT_RADIUS_M, MAX_RADIUS_M, DEFAULT_NEAREST, MAX_NEAREST = 200, 100_000, 3, 20
MAX_BODY_BYTES = 2_000_000
_SIMPLER = Text("请简化图形", "simplify the shape")
#: Where one asks, of which one is given; `radius` goes with the first and with an address.
PLACES = ("lon", "cell", "division", "area", "address")
WHEN = ("datetime", "as-of", "limit", "collections")
_FORMS = ("json", "geojson")


@router.get("/here")
async def here(city: City, ask: Ask, request: Request) -> Response:
    """What is at a point, in a cell, a division, a shape or around an address."""
    values = ask.only("lon", "lat", "radius", "cell", "division", "area", "address", *WHEN, forms=_FORMS)
    if "address" in values:
        asked, found = await _around_address(city, values, request)
        return await _reply(city, ask, asked, {"address": found})
    return await _reply(city, ask, _asked(values, _area(values)))


@router.post("/here")
async def here_shape(city: City, ask: Ask, request: Request) -> Response:
    """What is in the posted GeoJSON shape, a Geometry or a Feature."""
    values = ask.only(*WHEN, forms=_FORMS)
    return await _reply(city, ask, _asked(values, _posted(await body(request, MAX_BODY_BYTES, _SIMPLER))))


async def _reply(city: Served, ask: Asked, asked: Here, more: Mapping[str, Any] | None = None) -> Response:
    parameters = dict(ask.parameters)
    form = parameters.get("f", "json")
    found = await surroundings(city, replace(asked, shapes=form == "geojson"), parameters.get("collections"))
    if form == "json":
        only = parameters.get("collections")
        counted = await counts_at(city, asked, _wanted(city, only), ask.language)
        document = {**(more or {}), **found.document(city.catalogue, ask.language, ask.base)}
        return json_reply({**document, **({"anonymous": counted} if counted else {})}, ask.language)
    features = found.features(ask.language, ask.base)
    return json_reply({"type": "FeatureCollection", "numberReturned": len(features), "features": features},
                      ask.language, GEOJSON)  # fmt: skip


async def surroundings(city: Served, asked: Here, only: str | None = None) -> Surroundings:
    """Ask all collections that the caller may see, or those named; one round trip, and a short one for estimates.

    Raises NotFound for another collection, BadQuery, Unavailable.
    """
    if isinstance(asked.area, Within):
        city.collection(asked.area.collection)
    plans = asked.plans(_wanted(city, only), city.plan)
    statement = question.statement(asked, plans)
    # planning it takes as long as answering it, and nearest first is the way for whatever point and radius
    rows = await city.database.rows(statement, planned_once=isinstance(asked.area, Circle))
    found = Surroundings.read(asked, plans, rows)
    for held in found.held:
        told(held.collection.id, held.count)
    estimates = await asyncio.gather(*(city.database.rows(matching_rows.estimate(h.plan)) for h in found.bounds))
    return found.expecting(
        {h.collection.id: matching_rows.expected(e) for h, e in zip(found.bounds, estimates, strict=True)}
    )


def _wanted(city: Served, only: str | None) -> list[Collection]:
    return city.unasked() if only is None else [city.collection(name.strip()) for name in only.split(",")]


def _asked(values: Mapping[str, str], area: Area) -> Here:
    """The question where the place is known."""
    time, as_of = values.get("datetime"), values.get("as-of")
    lon, lat = _spot(area)
    return Here(
        area=area,
        lon=lon,
        lat=lat,
        time=Span.parse(time) if time is not None else None,
        as_of=_past(as_of) if as_of is not None else None,
        nearest=min(whole(values, "limit", 0, DEFAULT_NEAREST), MAX_NEAREST),
    )


def _past(text: str) -> datetime:
    when = moment(text, "as-of")
    if when > now():
        raise BadQuery("as-of lies in the future", "as-of 在未来", subject="as-of")
    return when


def _spot(area: Area) -> tuple[float | None, float | None]:
    """From where distances are measured; a division's and a feature's own middle is for the database to find."""
    if isinstance(area, Circle):
        return area.lon, area.lat
    if isinstance(area, Cells):
        lat, lon = h3.cell_to_latlng(f"{area.ids[0]:x}")
        return lon, lat
    if isinstance(area, Shape):
        middle = shapely.from_wkb(area.wkb).centroid
        return middle.x, middle.y
    return None, None


def _area(values: Mapping[str, str]) -> Area:
    """The place that the parameters name. Raises BadQuery unless there is exactly one."""
    given = [name for name in (*PLACES, "lat") if name in values]
    if set(given) == {"lon", "lat"}:
        return Circle(degrees(values["lon"], "lon", 180), degrees(values["lat"], "lat", 90), _radius(values))
    if len(given) != 1 or given[0] in ("lon", "lat"):
        raise BadQuery(
            "say where, in one way: lon and lat (with radius), cell, division, area or address; or post a shape",
            "请用一种方式说明位置:lon 与 lat(可带 radius)、cell、division、area 或 address,也可提交图形",
            subject=given[1] if len(given) > 1 else "lon",
        )
    if "radius" in values:
        raise BadQuery("radius goes with lon and lat, or with an address", "radius 须与 lon、lat 或 address 同用",
                       subject="radius")  # fmt: skip
    name = {"cell": "cells"}.get(given[0], given[0])
    area = read_area({name: values[given[0]]})
    assert area is not None
    if isinstance(area, Cells) and len(area.ids) != 1:
        raise BadQuery("cell is one H3 cell", "cell 应为一个 H3 网格", subject="cell")
    return area


def _radius(values: Mapping[str, str]) -> float:
    text = values.get("radius", str(DEFAULT_RADIUS_M))
    try:
        radius_m = float(text)
    except ValueError:
        radius_m = -1.0
    if not 0 < radius_m <= MAX_RADIUS_M:
        raise BadQuery(
            f"radius={text[:40]} is not a number of metres up to {MAX_RADIUS_M:,}",
            f"radius={text[:40]} 应为不超过 {MAX_RADIUS_M:,} 的米数",
            subject="radius",
        )
    return radius_m


async def _around_address(city: Served, values: Mapping[str, str], request: Request) -> tuple[Here, dict[str, Any]]:
    """The question around the place that an address means, and what was found for it.

    An address that only names a division is that division. Raises NotFound where no place fits.
    """
    text = values["address"]
    if any(name in values for name in ("lon", "lat", *PLACES[1:-1])):
        raise BadQuery("address is a place of its own; leave the others out", "address 不能与其他位置参数同用",
                       subject="address")  # fmt: skip
    address_text(text, "address")
    note_addresses(city, [text])
    geocoding: Geocoding = request.app.state.geocoding
    (match, document), _ = await geocoding.ask(city.identity, lambda places: _matched(places, text))
    area = _of_match(match, values)
    if area is None:
        raise NotFound(f"no place is known for the address {text[:80]!r}", f"没有找到地址 {text[:80]!r} 对应的地点",
                       subject="address")  # fmt: skip
    return _asked(values, area), document


def _matched(places: Gazetteer, text: str) -> tuple[Match, dict[str, Any]]:
    with places.reader() as index:
        match = index.match(text)
        return match, match_document(match)


def _of_match(match: Match, values: Mapping[str, str]) -> Area | None:
    place = match.place
    if place is not None and place.level <= AddressLevel.VILLAGE and place.division and "radius" not in values:
        return Division(int(place.division))
    if place is None or not isfinite(match.lon):
        return None
    return Circle(match.lon, match.lat, _radius(values))


def _posted(shape: bytes) -> Shape:
    """The area of a GeoJSON Geometry or Feature. Raises BadInput, BadQuery."""
    try:
        content = orjson.loads(shape)
        geometry = content["geometry"] if content.get("type") == "Feature" else content
        return Shape.of(shapely.from_geojson(orjson.dumps(geometry)))
    except (ValueError, AttributeError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
        raise BadInput(f"the body is not a GeoJSON Geometry or Feature: {str(error)[:120]}",
                       f"请求体不是 GeoJSON 图形:{str(error)[:120]}", subject="body") from None  # fmt: skip
