"""OGC API – EDR 1.1 on measured collections: position, area, cube, as CoverageJSON, GeoJSON or CSV."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from fastapi import APIRouter, Response

from api import edr_question
from api.edr_question import Asked as Question
from api.noted import told
from api.reply import GEOJSON, bytes_reply, json_reply
from api.routes.rasters import Rasters, raster_position
from api.served import Ask, Asked, City, Served
from gis.catalog import Collection
from gis.errors import BadQuery, NotFound
from gis.geo.area import Circle
from gis.query import coverage
from gis.query.coverage import Measurements
from gis.query.series import Series, nearest, over_time

router = APIRouter()

#: Names of forms, with their media types; the first is what comes where none is asked for.
FORMS = {
    "CoverageJSON": "application/prs.coverage+json",
    "GeoJSON": GEOJSON,
    "CSV": "text/csv",
}
_NAMES = {"covjson": "CoverageJSON", "coveragejson": "CoverageJSON", "json": "CoverageJSON", "geojson": "GeoJSON",
          "csv": "CSV", **{kind: name for name, kind in FORMS.items()}}  # fmt: skip
#: Every query takes these beside its own of where.
COMMON = ("datetime", "as-of", "parameter-name", "z", "crs")
#: What one answer holds at most: features, and times of all of them together.
MOST_FEATURES, MOST_ROWS = 1_000, 50_000


@router.get("/collections/{collection_id}/position")
async def position(collection_id: str, city: City, ask: Ask, rasters: Rasters) -> Response:
    """What was measured at the feature nearest to each point, within the reach that the collection declares.

    Of a raster, what its pixel there holds.
    """
    if collection_id in city.catalogue.rasters:
        return await raster_position(collection_id, rasters, ask)
    collection, values, form = _read(city, ask, collection_id, "coords")
    assert collection.measured is not None
    found: dict[int, Measurements] = {}
    series = None
    for lon, lat in edr_question.points(values):
        area = Circle(lon, lat, collection.measured.reach_m)
        question = edr_question.asked(collection, measured_place(city, collection), values, area)
        series = Series.of(collection, question.query, city.plan, question.names)
        for one in await _measurements(city, series, replace(question, also=nearest(series, lon, lat, question.also))):
            found[one.fid] = one
    assert series is not None
    return _reply(ask, series, list(found.values()), form, alone=True)


@router.get("/collections/{collection_id}/area")
async def area(collection_id: str, city: City, ask: Ask) -> Response:
    """What was measured at the features in a polygon."""
    collection, values, form = _read(city, ask, collection_id, "coords")
    question = edr_question.asked(collection, measured_place(city, collection), values, edr_question.polygon(values))
    return await _answer(city, ask, collection, question, form)


@router.get("/collections/{collection_id}/cube")
async def cube(collection_id: str, city: City, ask: Ask) -> Response:
    """What was measured at the features in a box."""
    collection, values, form = _read(city, ask, collection_id, "bbox")
    question = edr_question.asked(collection, measured_place(city, collection), values, edr_question.cube(values))
    return await _answer(city, ask, collection, question, form)


async def _answer(city: Served, ask: Asked, collection: Collection, question: Question, form: str) -> Response:
    series = Series.of(collection, question.query, city.plan, question.names)
    return _reply(ask, series, await _measurements(city, series, question), form)


def measured_collection(city: Served, collection_id: str) -> Collection:
    """The measured collection of a path. Raises NotFound, Forbidden."""
    collection = city.collection(collection_id)
    if collection.measured is None:
        raise NotFound(
            f"{collection.id} is not measured", f"数据集 {collection.id} 不是观测数据", subject=collection.id
        )
    return collection


def measured_place(city: Served, collection: Collection) -> Collection:
    """The collection whose features are measured, as the caller sees it. Raises Forbidden."""
    assert collection.measured is not None
    return city.collection(collection.measured.of)


def _read(city: Served, ask: Asked, collection_id: str, where: str) -> tuple[Collection, Mapping[str, str], str]:
    """The collection, the parameters without form and language, and the form by its name."""
    collection = measured_collection(city, collection_id)
    given = dict(ask.parameters).get("f")
    form = next(iter(FORMS)) if given is None else _NAMES.get(given.replace(" ", "+").lower())
    if form is None:
        listed = ", ".join(FORMS)
        raise BadQuery(f"f can be {listed}", f"f 可以是 {listed}", subject="f")
    values = ask.only(where, *COMMON, forms=(given,) if given is not None else ("json",))
    return collection, {name: value for name, value in values.items() if name not in ("f", "lang")}, form


async def _measurements(city: Served, series: Series, question: Question) -> list[Measurements]:
    """Raises BadQuery where the answer would be larger than one may be."""
    rows = await city.database.rows(over_time(series, MOST_FEATURES + 1, MOST_ROWS + 1, question.also))
    found = coverage.read(series, rows)
    if len(rows) > MOST_ROWS or len(found) > MOST_FEATURES:
        raise BadQuery(
            f"more than {MOST_FEATURES:,} features or {MOST_ROWS:,} times; ask for a smaller area or a shorter time",
            f"超过 {MOST_FEATURES:,} 个要素或 {MOST_ROWS:,} 个时刻,请缩小范围或缩短时间",
            subject="datetime",
        )
    told(series.values.collection.id, len(rows))
    told(series.features.collection.id, len(found))
    return found


def _reply(ask: Asked, series: Series, found: list[Measurements], form: str, *, alone: bool = False) -> Response:
    if form == "CSV":
        return bytes_reply(coverage.table(series, found).encode(), ask.language, FORMS[form])
    if form == "CoverageJSON":
        body: dict[str, Any] = coverage.coverage_json(series, found, alone=alone)
        return bytes_reply(orjson.dumps(body), ask.language, FORMS[form])
    place = f"/collections/{series.values.collection.id}"
    links = [ask.link(ask.path, "self", GEOJSON), ask.link(place, "collection", "application/json")]
    return json_reply({**coverage.features(series, found, ask.base), "links": links}, ask.language, FORMS[form])
