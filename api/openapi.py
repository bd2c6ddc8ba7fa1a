"""The API in OpenAPI 3.0.3, written from the declarations, so that it cannot tell what is not there."""

from collections.abc import Container, Iterable
from typing import Any

from api import (
    openapi_accounts,
    openapi_audit,
    openapi_collections,
    openapi_exchange,
    openapi_formats,
    openapi_operations,
    openapi_places,
    openapi_schemas,
    openapi_styles,
    openapi_tiles,
)
from api.collection_document import JSON_TYPES
from api.errors import MEDIA_TYPE as PROBLEM
from api.geocoding import MAX_ADDRESSES, MAX_CHARACTERS
from api.openapi_parameters import EXPLODED, PARAMETERS
from api.reply import GEOJSON, HTML, SCHEMA
from gis.catalog import Collection, Raster
from gis.query.url import GROUPS, PAGES, ROWS
from gis.text import Language, Text
from tiles.grid import GRIDS, MAX_ZOOM
from tiles.mvt import MEDIA_TYPE as MVT

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
_JSON = "application/json"

_TITLE = Text("一张图接口", "One Map API")
_TEXT: dict[str, Any] = {"type": "string"}

_ITEM = frozenset({"datetime", "as-of", "scenario", "properties", "crs"})
_ITEMS = ROWS | PAGES | {"properties", "crs"}
_TILE = ROWS | {"properties"}
_PLACE = "/collections/{collectionId}"
_GRID = "{tileMatrixSetId}"
_TILE_PLACE = "{tileMatrix}/{tileRow}/{tileCol}"
#: What is answered as a page for people as well.
_PAGES = frozenset({"/", "/conformance", "/collections", _PLACE, f"{_PLACE}/schema", f"{_PLACE}/queryables",
                    f"{_PLACE}/items", f"{_PLACE}/items/{{featureId}}"})  # fmt: skip

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
    (f"{_PLACE}/items", Text("要素", "Features"), GEOJSON, _ITEMS),
    (f"{_PLACE}/items/{{featureId}}", Text("一个要素", "One feature"), GEOJSON, _ITEM),
    (f"{_PLACE}/cells", Text("按 H3 网格统计", "Counted by H3 cell"), GEOJSON, ROWS | GROUPS | {"res"}),
    (f"{_PLACE}/tiles", Text("瓦片集", "Tilesets"), _JSON, frozenset()),
    (f"{_PLACE}/tiles/{_GRID}", Text("瓦片集说明", "The tileset"), _JSON, _TILE),
    (f"{_PLACE}/tiles/{_GRID}/{_TILE_PLACE}", Text("矢量瓦片", "Vector tile"), MVT, _TILE),
    ("/tiles", Text("全部数据的瓦片集", "Tilesets of everything"), _JSON, frozenset()),
    ("/tileMatrixSets", Text("瓦片矩阵集", "Tile matrix sets"), _JSON, frozenset()),
    (f"/tileMatrixSets/{_GRID}", Text("一个瓦片矩阵集", "A tile matrix set"), _JSON, frozenset()),
    ("/health", Text("运行状态", "Health"), _JSON, frozenset()),
    ("/changes", Text("某位置以来的变更", "What changed since a position"), _JSON, frozenset({"since", "collection"})),
    (
        "/live",
        Text("实时变更(服务器推送事件)", "Changes as they happen (server-sent events)"),
        "text/event-stream",
        frozenset({"since", "collection"}),
    ),
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


def document(
    collections: Iterable[Collection],
    base: str,
    language: Language,
    rasters: Iterable[Raster] = (),
    counted: Container[str] = (),
) -> dict[str, Any]:
    """The whole description; collections and their queryables are those that the caller may ask.

    Of those whose ids are `counted` the caller is told counts alone: they have no items.
    """
    known = list(collections)
    rowed = [collection for collection in known if collection.id not in counted]
    return {
        "openapi": "3.0.3",
        "info": {"title": _TITLE.in_(language), "version": "1.0.0"},
        "servers": [{"url": base or "/"}],
        "paths": openapi_collections.with_items(openapi_formats.extended({
            **{place[0]: {"get": _operation(*place, language), **_post(place[0], language)} for place in _PATHS},
            **openapi_exchange.paths(language),
            **openapi_accounts.paths(language),
            **openapi_audit.paths(language),
            **openapi_operations.paths(rasters, language),
            **openapi_places.paths(known, language),
            **openapi_tiles.paths(language),
            **openapi_styles.paths(language),
        }, language), rowed, language),
        "components": {
            "parameters": {
                **{name: _parameter(name, language) for name in PARAMETERS},
                **_in_paths(known),
                **openapi_exchange.parameters(language),
                **openapi_places.parameters(language),
                **openapi_styles.parameters(known, language),
            },
            "securitySchemes": {**openapi_exchange.SECURITY, **openapi_accounts.SECURITY},
            "schemas": {
                "problem": _PROBLEM,
                **openapi_schemas.SCHEMAS,
                **{c.id: _properties(c, language) for c in known},
            },
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
            "200": {"description": words.in_(language), "content": {kind: {"schema": openapi_schemas.of(path)}}},
            "default": _ref("responses", "problem"),
        },
    }
    if path in _PAGES:
        operation["responses"]["200"]["content"][HTML] = {"schema": _TEXT}
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
    words, schema = PARAMETERS[name]
    found = {"name": name, "in": "query", "required": False, "description": words.in_(language), "schema": schema}
    return {**found, **EXPLODED.get(name, {})}


def _in_paths(collections: list[Collection]) -> dict[str, Any]:
    whole = {"type": "integer", "minimum": 0}
    schemas: dict[str, dict[str, Any]] = {
        "collectionId": {"type": "string", "enum": [c.id for c in collections]},
        "featureId": whole,
        "tileMatrixSetId": {"type": "string", "enum": list(GRIDS)},
        "tileMatrix": {**whole, "maximum": MAX_ZOOM},
        "tileRow": whole,
        "tileCol": whole,
    }
    return {name: {"name": name, "in": "path", "required": True, "schema": s} for name, s in schemas.items()}


def _properties(collection: Collection, language: Language) -> dict[str, Any]:
    """The properties of a collection's features."""
    return {
        "type": "object",
        "description": collection.description.in_(language),
        "properties": {
            f.name: {"type": JSON_TYPES[f.type]["type"], "nullable": True, "title": f.title.in_(language)}
            for f in collection.fields
        },
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
