"""Measured collections: the newest value of each feature, and figures by bin of time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from fastapi import APIRouter, Response

from api import edr_question
from api.noted import told
from api.parameters import choice, whole
from api.reply import GEOJSON, bytes_reply, json_reply
from api.routes.edr import measured_collection, measured_place
from api.routes.items import feature_number
from api.served import Ask, City
from gis.catalog import Collection, FieldType
from gis.errors import BadQuery
from gis.query import series as question
from gis.query.coverage import described
from gis.query.series import BINS, FIGURES, Bin, Series
from gis.query.span import Span, instant_text, now
from gis.query.statement import Statement
from gis.query.url_areas import AREA, read_area

router = APIRouter()

MOST_FEATURES = 10_000
_MOST_NAMED = 1_000
#: What one answer of figures holds at most: bins of one feature, bins of all of them.
MOST_BINS, MOST_FIGURES = 2_000, 50_000
_LONG = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=28)}
#: How far back figures reach where no time is asked for.
_BACK: Mapping[Bin, timedelta] = {
    "hour": timedelta(days=2), "day": timedelta(days=30), "week": timedelta(weeks=26), "month": timedelta(days=730),
}  # fmt: skip
_WHERE = (*sorted(AREA), "datetime", "as-of", "parameter-name")


@router.get("/collections/{collection_id}/latest")
async def latest(collection_id: str, city: City, ask: Ask) -> Response:
    """The newest value of each feature, in or before the asked time; features without one say so by nulls."""
    collection = measured_collection(city, collection_id)
    values = ask.only(*_WHERE, "limit", forms=("geojson", "json"))
    asked = edr_question.asked(collection, measured_place(city, collection), values, read_area(values))
    series = Series.of(collection, asked.query, city.plan, asked.names)
    limit = min(whole(values, "limit", 1, MOST_FEATURES), MOST_FEATURES)
    rows = await city.database.rows(question.latest(series, limit + 1))
    told(series.values.collection.id, min(len(rows), limit))
    told(series.features.collection.id, min(len(rows), limit))
    body = {
        "type": "FeatureCollection",
        "timeStamp": instant_text(series.values.now),
        "numberReturned": min(len(rows), limit),
        "onemap:complete": len(rows) <= limit,
        "parameters": described(series.values.collection.field(n) for n in series.columns),
        "links": [ask.link(f"/collections/{collection.id}", "collection", "application/json")],
        "features": [_feature(series, row) for row in rows[:limit]],
    }
    return bytes_reply(orjson.dumps(body, default=str), ask.language, GEOJSON)


def _feature(series: Series, row: tuple[Any, ...]) -> dict[str, Any]:
    fid, geometry, *rest = row
    told = dict(zip(series.features.fields, rest, strict=False))
    start, end, *values = rest[len(told) :]
    bounds = {n: None if t is None else instant_text(t) for n, t in (("valid_from", start), ("valid_to", end))}
    measured = dict(zip(series.columns, values, strict=True))
    return {
        "type": "Feature",
        "id": fid,
        "geometry": None if geometry is None else orjson.Fragment(geometry),
        "properties": {**told, **bounds, **measured},
    }


@router.get("/collections/{collection_id}/series")
async def series(collection_id: str, city: City, ask: Ask) -> Response:
    """Count, mean, minimum and maximum by hour, day, week or month of Shanghai; what was not measured is null."""
    collection = measured_collection(city, collection_id)
    values = ask.only(*_WHERE, "bin", "feature", forms=("json",))
    asked = edr_question.asked(collection, measured_place(city, collection), values, read_area(values))
    by = _bin(values)
    span = _span(asked.query.time, by)
    found = Series.of(collection, asked.query.but(time=span), city.plan, asked.names)
    bins = -((span.start - span.end) // _LONG[by]) + 1 if span.start and span.end else 0
    if bins > MOST_BINS:
        raise BadQuery(f"more than {MOST_BINS:,} bins; ask for a shorter time or a longer bin",
                       f"超过 {MOST_BINS:,} 个时段,请缩短时间或加长 bin", subject="datetime")  # fmt: skip
    most = max(1, MOST_FIGURES // bins)
    rows = await city.database.rows(question.bins(found, by, span, most + 1, _one(collection, found, values)))
    by_feature: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_feature.setdefault(row[0], []).append(row)
    if len(by_feature) > most:
        raise BadQuery(f"more than {most:,} features for so many bins; ask for a smaller area or a shorter time",
                       f"时段较多时最多 {most:,} 个要素,请缩小范围或缩短时间", subject="bbox")  # fmt: skip
    told(found.values.collection.id, len(rows))
    told(found.features.collection.id, len(by_feature))
    body = {
        "collection": collection.id,
        "bin": by,
        "timeZone": "Asia/Shanghai",
        "datetime": span.text,
        "parameters": described(found.values.collection.field(n) for n in found.parameters),
        "series": [_series(found, part) for part in by_feature.values()],
        "links": [ask.link(f"/collections/{collection.id}", "collection", "application/json")],
    }
    return json_reply(body, ask.language)


def _series(series: Series, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """One feature's figures as columns, and how many of its bins hold nothing."""
    told = series.features.fields
    first = 1 + len(told) + 2
    figures: dict[str, Any] = {}
    for n, name in enumerate(series.parameters):
        columns = {figure: [row[first + n * len(FIGURES) + k] for row in rows] for k, figure in enumerate(FIGURES)}
        figures[name] = {**columns, "missing": columns["count"].count(0)}
    return {
        "fid": rows[0][0],
        **dict(zip(told, rows[0][1:], strict=False)),
        "start": [instant_text(row[first - 2]) for row in rows],
        "end": [instant_text(row[first - 1]) for row in rows],
        "figures": figures,
    }


def _bin(values: Mapping[str, str]) -> Bin:
    choice(values, "bin", BINS)
    return next((b for b in BINS if b == values.get("bin")), "hour")


def _span(asked: Span | None, by: Bin) -> Span:
    """The asked time with both ends: an open end is now; where none is asked, the last while."""
    end = asked.end if asked is not None and asked.end is not None else now()
    if asked is None:
        return Span(end - _BACK[by], end)
    if asked.start is None:
        raise BadQuery(
            "say from when: datetime=2026-01-01/..", "请给出起始时间:datetime=2026-01-01/..", subject="datetime"
        )
    return Span(asked.start, end)


def _one(collection: Collection, series: Series, values: Mapping[str, str]) -> Statement | None:
    """The features named by `feature`: by number, or by key where that is one field."""
    text = values.get("feature")
    if text is None:
        return None
    place = series.features.collection
    wanted = [part.strip() for part in text.split(",")]
    if len(wanted) > _MOST_NAMED:
        raise BadQuery(
            f"feature names at most {_MOST_NAMED} features", f"feature 最多列出 {_MOST_NAMED} 个要素", subject="feature"
        )
    numbers = [number for part in wanted if (number := feature_number(part)) is not None]
    if len(place.key) != 1:
        return Statement("fid = ANY(%s::bigint[])", (numbers,))
    key = place.field(place.key[0])
    cast = "" if key.type is FieldType.TEXT else "::text"
    return Statement(f'("{key.name}"{cast} = ANY(%s::text[]) OR fid = ANY(%s::bigint[]))', (wanted, numbers))
