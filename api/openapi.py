"""The API in OpenAPI 3.0.3, written from the declarations, so that it cannot tell what is not there."""

from collections.abc import Iterable
from typing import Any

from api import openapi_exchange, openapi_places
from api.errors import MEDIA_TYPE as PROBLEM
from api.geocoding import MAX_ADDRESSES, MAX_CHARACTERS
from api.reply import GEOJSON, SCHEMA
from gis.catalog import Collection, FieldType
from gis.query.url import GROUPS, PAGES, ROWS
from gis.text import Language, Text
from tiles.grid import MATRIX_SET, MAX_ZOOM
from tiles.mvt import MEDIA_TYPE as MVT

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
_JSON = "application/json"

_TITLE = Text("一张图接口", "One Map API")
_TEXT: dict[str, Any] = {"type": "string"}

#: Every parameter of a question: its words and its schema.
_PARAMETERS: dict[str, tuple[Text, dict[str, Any]]] = {
    "bbox": (
        Text(
            "范围:西,南,东,北(度);西大于东表示跨越 180° 经线",
            "West,south,east,north in degrees; west above east crosses the antimeridian",
        ),
        {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
    ),
    "bbox-crs": (Text("bbox 的坐标系,仅 CRS84", "CRS of bbox; CRS84 only"), _TEXT),
    "datetime": (
        Text(
            "有效时间:时刻、日期(上海)或闭区间 a/b,.. 表示不限",
            "Valid time: instant, date (Shanghai) or closed interval a/b, .. for open",
        ),
        _TEXT,
    ),
    "as-of": (Text("按当时的记录回答", "Answer as it was recorded then"), _TEXT),
    "scenario": (Text("规划方案", "A planned variant of the city"), _TEXT),
    "filter": (Text("CQL2 过滤条件", "A CQL2 filter"), _TEXT),
    "filter-lang": (
        Text("过滤语言", "Language of the filter"),
        {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
    ),
    "filter-crs": (Text("过滤条件中几何的坐标系,仅 CRS84", "CRS of geometries in the filter; CRS84 only"), _TEXT),
    "near": (Text("经度,纬度,半径(米)", "Longitude,latitude,radius in metres"), _TEXT),
    "cells": (Text("H3 网格,逗号分隔", "H3 cells, separated by commas"), _TEXT),
    "area": (Text("WKT 图形,或 数据集/要素编号", "A shape as WKT, or collection/fid of a feature"), _TEXT),
    "division": (Text("区划代码(2、4、6、9 或 12 位)", "Division code of 2, 4, 6, 9 or 12 digits"), _TEXT),
    "properties": (Text("返回的字段,逗号分隔", "Fields in the answer, separated by commas"), _TEXT),
    "sortby": (Text("排序字段,-为降序", "Fields to sort by; - for descending"), _TEXT),
    "limit": (
        Text("每页要素数", "Features a page"),
        {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10},
    ),
    "offset": (Text("跳过的要素数", "Features to skip"), {"type": "integer", "minimum": 0, "default": 0}),
    "after": (Text("翻页标记,见 next 链接", "Where the page before ended; from a next link"), _TEXT),
    "measure": (Text("统计量:count,sum:字段…", "Figures: count, sum:field …"), _TEXT),
    "by": (Text("分组", "Groups"), _TEXT),
    "res": (Text("H3 分辨率", "H3 resolution"), {"type": "integer", "minimum": 0, "maximum": 15}),
    "address": (Text("地址文本", "An address"), {**_TEXT, "maxLength": MAX_CHARACTERS}),
    "lon": (Text("经度(WGS 84)", "Longitude (WGS 84)"), {"type": "number", "minimum": -180, "maximum": 180}),
    "lat": (Text("纬度(WGS 84)", "Latitude (WGS 84)"), {"type": "number", "minimum": -90, "maximum": 90}),
    "theme": (Text("主题", "Theme"), {"type": "string", "enum": ["light", "dark"]}),
    "lang": (Text("语言", "Language"), {"type": "string", "enum": ["zh", "en"]}),
    "f": (Text("格式", "Form of the answer"), _TEXT),
}
_EXPLODED = {"bbox": {"style": "form", "explode": False}}
_ITEM = frozenset({"datetime", "as-of", "scenario", "properties"})
_TILE = ROWS | {"properties"}
_PLACE = "/collections/{collectionId}"
_TILE_PLACE = f"{_PLACE}/tiles/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"

#: Path → its words, what it answers in, the parameters that it takes beside `lang` and `f`.
_PATHS: tuple[tuple[str, Text, str, frozenset[str]], ...] = (
    ("/", Text("入口", "Landing page"), _JSON, frozenset()),
    (
        "/geocode",
        Text("地址匹配,或查询某点的地点", "The place of an address, or what is at a point"),
        _JSON,
        frozenset({"address", "lon", "lat"}),
    ),
    ("/conformance", Text("遵循的标准", "Conformance"), _JSON, frozenset()),
    ("/api", Text("本说明", "This description"), MEDIA_TYPE, frozenset()),
    ("/collections", Text("全部数据集", "All collections"), _JSON, frozenset()),
    (_PLACE, Text("数据集", "A collection"), _JSON, frozenset()),
    (f"{_PLACE}/schema", Text("要素结构", "Schema of its features"), SCHEMA, frozenset()),
    (f"{_PLACE}/queryables", Text("可过滤字段", "Queryables"), SCHEMA, frozenset()),
    (f"{_PLACE}/items", Text("要素", "Features"), GEOJSON, ROWS | PAGES | {"properties"}),
    (f"{_PLACE}/items/{{featureId}}", Text("一个要素", "One feature"), GEOJSON, _ITEM),
    (f"{_PLACE}/cells", Text("按 H3 网格统计", "Counted by H3 cell"), GEOJSON, ROWS | (GROUPS - {"by"}) | {"res"}),
    (f"{_PLACE}/tiles", Text("瓦片集", "Tilesets"), _JSON, frozenset()),
    (f"{_PLACE}/tiles/{MATRIX_SET}", Text("瓦片集说明", "The tileset"), _JSON, frozenset()),
    (
        f"{_PLACE}/tiles/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}",
        Text("矢量瓦片", "Vector tile"),
        MVT,
        _TILE,
    ),
    ("/styles", Text("地图样式", "Styles"), _JSON, frozenset()),
    ("/styles/{styleId}", Text("一个地图样式", "A style"), _JSON, frozenset({"theme"})),
    ("/health", Text("运行状态", "Health"), _JSON, frozenset()),
)

#: Path → what is posted there: its words, the schema of its body.
_POSTED: dict[str, tuple[Text, dict[str, Any]]] = {
    "/geocode": (
        Text("批量地址匹配", "The places of many addresses"),
        {
            "type": "object",
            "required": ["addresses"],
            "additionalProperties": False,
            "properties": {
                "addresses": {
                    "type": "array",
                    "maxItems": MAX_ADDRESSES,
                    "items": {**_TEXT, "maxLength": MAX_CHARACTERS},
                }
            },
        },
    ),
}


def document(collections: Iterable[Collection], base: str, language: Language) -> dict[str, Any]:
    """The whole description; collections and their queryables are those that the caller may ask."""
    known = list(collections)
    return {
        "openapi": "3.0.3",
        "info": {"title": _TITLE.in_(language), "version": "1.0.0"},
        "servers": [{"url": base or "/"}],
        "paths": {
            **{place[0]: {"get": _operation(*place, language), **_post(place[0], language)} for place in _PATHS},
            **openapi_exchange.paths(language),
            **openapi_places.paths(known, language),
        },
        "components": {
            "parameters": {
                **{name: _parameter(name, language) for name in _PARAMETERS},
                **_in_paths(known),
                **openapi_exchange.parameters(language),
                **openapi_places.parameters(language),
            },
            "securitySchemes": openapi_exchange.SECURITY,
            "schemas": {"problem": _PROBLEM, **{c.id: _properties(c, language) for c in known}},
            "responses": {"problem": {"description": "RFC 9457", "content": {PROBLEM: {"schema": _ref("schemas",
                                                                                                  "problem")}}}},
        },
    }  # fmt: skip


def _operation(path: str, words: Text, kind: str, parameters: frozenset[str], language: Language) -> dict[str, Any]:
    in_path = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    names = [*in_path, *sorted(parameters), "lang", "f"]
    operation: dict[str, Any] = {
        "operationId": "get" + "".join(part.strip("{}").capitalize() for part in path.split("/")),
        "summary": words.in_(language),
        "parameters": [_ref("parameters", name) for name in names],
        "responses": {
            "200": {"description": words.in_(language), "content": {kind: {"schema": {}}}},
            "default": _ref("responses", "problem"),
        },
    }
    if kind == MVT:
        operation["responses"]["200"]["content"] = {MVT: {"schema": {"type": "string", "format": "binary"}}}
        operation["responses"]["204"] = {"description": "—"}
    if path.endswith("/items") or kind == MVT:
        operation["parameters"].append(_QUERYABLES)
    return operation


def _post(path: str, language: Language) -> dict[str, Any]:
    """What can be posted to a path, as its operation; nothing for most."""
    if path not in _POSTED:
        return {}
    words, schema = _POSTED[path]
    operation = _operation(path, words, _JSON, frozenset(), language)
    operation["operationId"] = operation["operationId"].replace("get", "post", 1)
    operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    return {"post": operation}


#: The names of a collection's queryables are parameters too, and mean equality.
_QUERYABLES: dict[str, Any] = {
    "name": "queryables", "in": "query", "required": False, "style": "form", "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}  # fmt: skip

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT, "instance": _TEXT,
        "subject": _TEXT,
    },
}  # fmt: skip


def _parameter(name: str, language: Language) -> dict[str, Any]:
    words, schema = _PARAMETERS[name]
    found = {"name": name, "in": "query", "required": False, "description": words.in_(language), "schema": schema}
    return {**found, **_EXPLODED.get(name, {})}


def _in_paths(collections: list[Collection]) -> dict[str, Any]:
    whole = {"type": "integer", "minimum": 0}
    schemas: dict[str, dict[str, Any]] = {
        "collectionId": {"type": "string", "enum": [c.id for c in collections]},
        "featureId": whole,
        "tileMatrix": {**whole, "maximum": MAX_ZOOM},
        "tileRow": whole,
        "tileCol": whole,
        "styleId": {"type": "string", "enum": ["onemap"]},
    }
    return {name: {"name": name, "in": "path", "required": True, "schema": s} for name, s in schemas.items()}


def _properties(collection: Collection, language: Language) -> dict[str, Any]:
    """The properties of a collection's features."""
    types = {FieldType.INTEGER: "integer", FieldType.NUMBER: "number", FieldType.BOOLEAN: "boolean"}
    return {
        "type": "object",
        "description": collection.description.in_(language),
        "properties": {
            f.name: {"type": types.get(f.type, "string"), "nullable": True, "title": f.title.in_(language)}
            for f in collection.fields
        },
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
