"""A question as a URL and back: `base.pois?bbox=…&datetime=…`; the same question always has the same URL.

`render(parse(url))` is the canonical form of a URL, and `parse(render(query))` is the query itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode

import h3
import shapely

from gis.catalog import Catalogue, Collection, Field, FieldType
from gis.errors import BadQuery
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape, Within
from gis.query.filters import Filter
from gis.query.query import (
    FUNCTIONS,
    TIME_BINS,
    By,
    ByCell,
    ByDivision,
    ByField,
    ByTime,
    Measure,
    Page,
    Query,
    Sort,
)
from gis.query.span import Span, instant_text, moment
from gis.query.token import after_token, read_after

#: One of these says where the question looks.
AREA = frozenset({"bbox", "near", "cells", "area", "division"})
#: Which rows are meant.
ROWS = AREA | {"bbox-crs", "datetime", "as-of", "scenario", "filter", "filter-lang", "filter-crs"}
#: What groups are made, and what is counted in them.
GROUPS = frozenset({"by", "measure"})
#: Which part of the rows, and in what order.
PAGES = frozenset({"sortby", "limit", "offset", "after"})
#: Everything that a question can say.
ALL = ROWS | GROUPS | PAGES | {"properties"}

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_CRS84_NAMES = (CRS84, "OGC:CRS84", "[OGC:CRS84]", "CRS84")
_WITHIN = re.compile(r"([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)/(\d{1,16})\Z")

T = TypeVar("T")


def parse(url: str, catalogue: Catalogue) -> Query:
    """The question of a URL: `collection` or `collection?parameters`.

    Raises UnknownName for a collection that is not declared, BadQuery for everything else that cannot be asked.
    """
    collection, _, parameters = url.partition("?")
    return parse_parameters(catalogue[unquote(collection)], pairs(parameters))


def pairs(parameters: str) -> list[tuple[str, str]]:
    """The parameters of a URL's query string, decoded. Raises BadQuery where they are not UTF-8 or hold a NUL."""
    try:
        found = parse_qsl(parameters, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise _refusal("the parameters are too many, or not UTF-8", "参数过多,或不是有效的 UTF-8 编码", "") from None
    for name, value in found:
        if "\0" in name + value:
            raise _refusal(f"{name!r} holds a NUL character", f"参数 {name!r} 含有空字符", name)
    return found


def parse_parameters(collection: Collection, given: Iterable[tuple[str, str]], allowed: frozenset[str] = ALL) -> Query:
    """The question that decoded parameters ask of a collection.

    `allowed` are the parameters that fit the place; a queryable's name is always one and means equality. Raises
    BadQuery naming the parameter at fault; an unknown one is told all that there are.
    """
    values: dict[str, str] = {}
    for name, value in given:
        if name not in allowed and name not in collection.by_name:
            raise _unknown(name, (*sorted(allowed), *collection.by_name))
        if name in values:
            raise _refusal(f"the parameter {name} is given twice", f"参数 {name} 重复", name)
        values[name] = value
    equalities = [(collection.by_name[n], v) for n, v in values.items() if n not in allowed]
    _only_crs84(values)
    return Query(
        collection=collection.id,
        area=_area(values),
        time=_read(values, "datetime", Span.parse),
        as_of=_read(values, "as-of", lambda text: moment(text, "as-of")),
        scenario=_read(values, "scenario", _scenario),
        where=_where(values, equalities),
        fields=_read(values, "properties", lambda text: tuple(_listed(text))),
        by=_read(values, "by", lambda text: tuple(_by(part) for part in _listed(text))) or (),
        measure=_read(values, "measure", lambda text: tuple(_measure(part) for part in _listed(text))) or (),
        sort=_read(values, "sortby", lambda text: tuple(_sort(part) for part in _listed(text))) or (),
        page=Page(_whole(values, "limit", 1), _whole(values, "offset", 0) or 0, _read(values, "after", read_after)),
    )


def render(query: Query) -> str:
    """The URL that asks this question."""
    parameters = render_parameters(query)
    return f"{query.collection}?{parameters}" if parameters else query.collection


def render_parameters(query: Query) -> str:
    """The question's parameters, encoded, without its collection."""
    said: dict[str, str | None] = {
        **_area_said(query.area),
        "datetime": query.time.text if query.time else None,
        "as-of": instant_text(query.as_of) if query.as_of else None,
        "scenario": query.scenario,
        **_where_said(query.where),
        "properties": None if query.fields is None else ",".join(query.fields),
        "by": ",".join(_by_said(by) for by in query.by) or None,
        "measure": ",".join(m.function if m.field is None else f"{m.function}:{m.field}" for m in query.measure)
        or None,
        "sortby": ",".join(f"-{s.field}" if s.descending else s.field for s in query.sort) or None,
        "limit": None if query.page.limit is None else str(query.page.limit),
        "offset": str(query.page.offset) if query.page.offset else None,
        "after": after_token(query.page.after) if query.page.after else None,
    }
    return urlencode({k: v for k, v in said.items() if v is not None}, quote_via=quote, safe=",:/()*'")


def _read(values: Mapping[str, str], name: str, reader: Callable[[str], T]) -> T | None:
    return reader(values[name]) if name in values else None


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _whole(values: Mapping[str, str], name: str, least: int) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise _refusal(
            f"{name}={text[:40]} is not a whole number from {least}",
            f"{name}={text[:40]} 应为不小于 {least} 的整数",
            name,
        )
    return int(text)


def _numbers(text: str, name: str, counts: tuple[int, ...]) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) not in counts:
        wanted = " / ".join(str(n) for n in counts)
        raise _refusal(f"{name}={text[:80]} is not {wanted} numbers", f"{name}={text[:80]} 应为 {wanted} 个数", name)
    return found


def _area(values: Mapping[str, str]) -> Area | None:
    asked = [name for name in values if name in AREA]
    if len(asked) > 1:
        raise _refusal(
            f"one area a question, not {' and '.join(asked)}", f"一次查询只能有一个范围:{'、'.join(asked)}", asked[1]
        )
    return _AREAS[asked[0]](values[asked[0]]) if asked else None


def _box(text: str) -> Box:
    numbers = _numbers(text, "bbox", (4, 6))
    # heights, where given, do not narrow the question: no collection is asked by height yet
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    return Box(west, south, east, north)


def _cells(text: str) -> Cells:
    parts = _listed(text)
    for part in parts:
        if not (re.fullmatch(r"[0-9a-f]{15}", part) and h3.is_valid_cell(part)):
            raise _refusal(f"{part[:40]!r} is not an H3 cell", f"{part[:40]!r} 不是 H3 网格", "cells")
    return Cells(tuple(int(part, 16) for part in parts))


def _division(text: str) -> Division:
    """A code of 12 digits, or its first 2, 4, 6 or 9."""
    if not re.fullmatch(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}", text):
        raise _refusal(f"division={text[:40]} is not a division code of 2, 4, 6, 9 or 12 digits",
                f"division={text[:40]} 应为 2、4、6、9 或 12 位区划代码", "division")  # fmt: skip
    return Division(int(text.ljust(12, "0")))


def _within_or_shape(text: str) -> Within | Shape:
    feature = _WITHIN.match(text)
    if feature:
        return Within(feature[1], int(feature[2]))
    try:
        return Shape.of(shapely.from_wkt(text))
    except shapely.errors.GEOSException:
        raise _refusal(
            f"area={text[:80]!r} is neither WKT nor collection/fid",
            f"area={text[:80]!r} 不是 WKT,也不是 数据集/编号",
            "area",
        ) from None


_AREAS: dict[str, Callable[[str], Area]] = {
    "bbox": _box,
    "near": lambda text: Circle(*_numbers(text, "near", (3,))),
    "cells": _cells,
    "area": _within_or_shape,
    "division": _division,
}


def _area_said(area: Area | None) -> dict[str, str]:
    if area is None:
        return {}
    names = {Box: "bbox", Circle: "near", Cells: "cells", Shape: "area", Within: "area", Division: "division"}
    return {names[type(area)]: area.text}


def _only_crs84(values: Mapping[str, str]) -> None:
    for name in ("bbox-crs", "filter-crs"):
        if values.get(name, CRS84) not in _CRS84_NAMES:
            raise _refusal(f"{name} can only be {CRS84}", f"{name} 目前仅支持 {CRS84}", name)


def _scenario(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", text):
        raise _refusal(f"{text[:40]!r} is not the name of a scenario", f"{text[:40]!r} 不是方案名称", "scenario")
    return text


def _where(values: Mapping[str, str], equalities: list[tuple[Field, str]]) -> Filter | None:
    """The filter and the queryables named one by one, all together."""
    language = values.get("filter-lang", "cql2-text")
    if language not in ("cql2-text", "cql2-json"):
        raise _refusal(
            "filter-lang is cql2-text or cql2-json", "filter-lang 应为 cql2-text 或 cql2-json", "filter-lang"
        )
    conditions = [{"op": "=", "args": [{"property": field.name}, _constant(field, text)]} for field, text in equalities]
    if "filter" not in values and not conditions:
        return None
    if "filter" in values:
        asked = Filter.parse(values["filter"], language)
        if not conditions:
            return asked
        conditions.insert(0, json.loads(asked.json))
    tree = conditions[0] if len(conditions) == 1 else {"op": "and", "args": conditions}
    return Filter.parse(json.dumps(tree), "cql2-json")


def _constant(field: Field, text: str) -> Any:
    """A queryable's value as CQL2 JSON has it."""
    if field.type in (FieldType.INTEGER, FieldType.NUMBER):
        return _numbers(text, field.name, (1,))[0]
    if field.type is FieldType.BOOLEAN:
        if text not in ("true", "false"):
            raise _refusal(f"{field.name} is true or false", f"{field.name} 应为 true 或 false", field.name)
        return text == "true"
    kind = {FieldType.DATE: "date", FieldType.INSTANT: "timestamp"}.get(field.type)
    return {kind: text} if kind else text


def _where_said(where: Filter | None) -> dict[str, str]:
    """As text where the text means the very same filter, else as JSON."""
    if where is None:
        return {}
    text = where.text
    try:
        if Filter.parse(text) == where:
            return {"filter": text}
    except BadQuery:
        pass
    return {"filter": where.json, "filter-lang": "cql2-json"}


def _by(text: str) -> By:
    kind, _, what = text.partition(":")
    if kind == "cell" and re.fullmatch(r"1?[0-9]", what):
        return ByCell(int(what))
    if kind == "division" and re.fullmatch(r"[1-5]", what):
        return ByDivision(int(what))
    if kind == "field" and what:
        return ByField(what)
    for time_bin in TIME_BINS:
        if (kind, what) == ("time", time_bin):
            return ByTime(time_bin)
    raise _refusal(f"by={text[:40]} is none of cell:0–15, division:1–5, field:name, time:{'|'.join(TIME_BINS)}",
            f"by={text[:40]} 应为 cell:0–15、division:1–5、field:字段、time:{'|'.join(TIME_BINS)}", "by")  # fmt: skip


def _by_said(by: By) -> str:
    match by:
        case ByCell():
            return f"cell:{by.resolution}"
        case ByDivision():
            return f"division:{by.level}"
        case ByField():
            return f"field:{by.name}"
        case ByTime():
            return f"time:{by.bin}"


def _measure(text: str) -> Measure:
    name, _, field = text.partition(":")
    for function in FUNCTIONS:
        if function == name:
            return Measure(function, field or None)
    raise _refusal(f"measure={text[:40]} is not one of {', '.join(FUNCTIONS)}, each but count with :field",
            f"measure={text[:40]} 应为 {'、'.join(FUNCTIONS)} 之一,除 count 外须带 :字段", "measure")  # fmt: skip


def _sort(text: str) -> Sort:
    return Sort(text.removeprefix("-").removeprefix("+"), descending=text.startswith("-"))


def _unknown(name: str, known: Iterable[str]) -> BadQuery:
    listed = ", ".join(known)
    return _refusal(
        f"there is no parameter {name[:40]!r}; there are {listed}",
        f"没有参数 {name[:40]!r};可用参数:{listed}",
        name[:40],
    )


def _refusal(en: str, zh: str, subject: str) -> BadQuery:
    return BadQuery(en, zh, subject=subject)
