"""A question as a URL and back: `base.pois?bbox=…&datetime=…`; the same question always has the same URL.

`render(parse(url))` is the canonical form of a URL, and `parse(render(query))` is the query itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode

from gis.catalog import Catalogue, Collection, Field, FieldType
from gis.errors import BadQuery
from gis.query.crs import CRS84_URI
from gis.query.crs import read as read_crs
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
from gis.query.queryables import queryables
from gis.query.span import Span, instant_text, moment
from gis.query.token import UNSEALED, Seal
from gis.query.url_areas import AREA, area_said, listed, numbers, read_area

#: Which rows are meant.
ROWS = AREA | {"bbox-crs", "ids", "datetime", "as-of", "scenario", "filter", "filter-lang", "filter-crs"}
#: What groups are made, and what is counted in them.
GROUPS = frozenset({"by", "measure"})
#: Which part of the rows, and in what order.
PAGES = frozenset({"sortby", "limit", "offset", "after"})
#: Everything that a question can say.
ALL = ROWS | GROUPS | PAGES | {"properties"}

CRS84 = CRS84_URI
_MOST_IDS = 1_000

T = TypeVar("T")


def parse(url: str, catalogue: Catalogue, seal: Seal = UNSEALED) -> Query:
    """The question of a URL: `collection` or `collection?parameters`; `seal` knows the tokens of pages.

    Raises UnknownName for a collection that is not declared, BadQuery for everything else that cannot be asked.
    """
    collection, _, parameters = url.partition("?")
    return parse_parameters(catalogue[unquote(collection)], pairs(parameters), seal=seal)


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


def parse_parameters(
    collection: Collection, given: Iterable[tuple[str, str]], allowed: frozenset[str] = ALL, *, seal: Seal = UNSEALED
) -> Query:
    """The question that decoded parameters ask of a collection.

    `allowed` are the parameters that fit the place; a queryable's name is always one and means equality. `bbox-crs`
    and `filter-crs` may be any CRS that `gis.query.crs` reads. Raises BadQuery naming the parameter at fault; an
    unknown one is told all that there are.
    """
    values: dict[str, str] = {}
    known = queryables(collection)
    for name, value in given:
        if name not in allowed and name not in known:
            raise _unknown(name, (*sorted(allowed), *known))
        if name in values:
            raise _refusal(f"the parameter {name} is given twice", f"参数 {name} 重复", name)
        values[name] = value
    equalities = [(known[n], v) for n, v in values.items() if n not in allowed]
    query = Query(
        collection=collection.id,
        area=read_area(values),
        time=_read(values, "datetime", Span.parse),
        as_of=_read(values, "as-of", lambda text: moment(text, "as-of")),
        scenario=_read(values, "scenario", _scenario),
        where=_where(values, equalities),
        fields=_read(values, "properties", lambda text: tuple(listed(text))),
        by=_read(values, "by", lambda text: tuple(_by(part) for part in listed(text))) or (),
        measure=_read(values, "measure", lambda text: tuple(_measure(part) for part in listed(text))) or (),
        sort=_read(values, "sortby", lambda text: tuple(_sort(part) for part in listed(text))) or (),
    )
    after = _read(values, "after", lambda token: seal.read(token, identity(query)))
    return query.but(page=Page(_whole(values, "limit", 1), _whole(values, "offset", 0) or 0, after))


def render(query: Query, seal: Seal = UNSEALED) -> str:
    """The URL that asks this question."""
    parameters = render_parameters(query, seal)
    return f"{query.collection}?{parameters}" if parameters else query.collection


def render_parameters(query: Query, seal: Seal = UNSEALED) -> str:
    """The question's parameters, encoded, without its collection."""
    said: dict[str, str | None] = {
        **_rows_said(query),
        **_where_said(query.where),
        "properties": None if query.fields is None else ",".join(query.fields),
        "by": ",".join(by_said(by) for by in query.by) or None,
        "measure": ",".join(m.function if m.field is None else f"{m.function}:{m.field}" for m in query.measure)
        or None,
        **_order_said(query),
        "limit": None if query.page.limit is None else str(query.page.limit),
        "offset": str(query.page.offset) if query.page.offset else None,
        "after": seal.token(query.page.after, identity(query)) if query.page.after else None,
    }
    return urlencode({k: v for k, v in said.items() if v is not None}, quote_via=quote, safe=",:/()*'")


def identity(query: Query) -> str:
    """Which rows a question means and in which order, as one text: what the tokens of its pages are bound to."""
    said = {**_rows_said(query), "where": query.where and query.where.json, **_order_said(query)}
    return "\n".join([query.collection, *(f"{name}={value}" for name, value in said.items() if value is not None)])


def _rows_said(query: Query) -> dict[str, str | None]:
    return {
        **area_said(query.area),
        "datetime": query.time.text if query.time else None,
        "as-of": instant_text(query.as_of) if query.as_of else None,
        "scenario": query.scenario,
    }


def _order_said(query: Query) -> dict[str, str | None]:
    return {"sortby": ",".join(f"-{s.field}" if s.descending else s.field for s in query.sort) or None}


def _read(values: Mapping[str, str], name: str, reader: Callable[[str], T]) -> T | None:
    return reader(values[name]) if name in values else None


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


def _scenario(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", text):
        raise _refusal(f"{text[:40]!r} is not the name of a scenario", f"{text[:40]!r} 不是方案名称", "scenario")
    return text


def _where(values: Mapping[str, str], equalities: list[tuple[Field, str]]) -> Filter | None:
    """The filter, the ids and the queryables named one by one, all together."""
    language = values.get("filter-lang", "cql2-text")
    if language not in ("cql2-text", "cql2-json"):
        raise _refusal(
            "filter-lang is cql2-text or cql2-json", "filter-lang 应为 cql2-text 或 cql2-json", "filter-lang"
        )
    written_in = read_crs(values.get("filter-crs", CRS84), "filter-crs")
    asked = Filter.parse(values["filter"], language, written_in) if "filter" in values else None
    conditions: list[Any] = [
        {"op": "=", "args": [{"property": field.name}, _constant(field, text)]} for field, text in equalities
    ]
    if "ids" in values:
        conditions.append({"op": "in", "args": [{"property": "fid"}, _ids(values["ids"])]})
    if not conditions:
        return asked
    if asked:
        conditions.insert(0, json.loads(asked.json))
    tree = conditions[0] if len(conditions) == 1 else {"op": "and", "args": conditions}
    return Filter.parse(json.dumps(tree), "cql2-json")


def _ids(text: str) -> list[int]:
    parts = listed(text)
    if not parts or len(parts) > _MOST_IDS or not all(re.fullmatch(r"[0-9]{1,16}", part) for part in parts):
        raise _refusal(f"ids are 1 to {_MOST_IDS} numbers of features, separated by commas",
                       f"ids 应为 1 至 {_MOST_IDS} 个要素编号,逗号分隔", "ids")  # fmt: skip
    return [int(part) for part in parts]


def _constant(field: Field, text: str) -> Any:
    """A queryable's value as CQL2 JSON has it."""
    if field.type in (FieldType.INTEGER, FieldType.NUMBER):
        return numbers(text, field.name, (1,))[0]
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


def by_said(by: By) -> str:
    """One key of a grouping as an address has it: `cell:7`, `division:3`, `field:kind`, `time:day`."""
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
