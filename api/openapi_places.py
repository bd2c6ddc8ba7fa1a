"""What is here, and what was measured, in OpenAPI 3.0.3: addresses, parameters, the posted shape."""

from collections.abc import Iterable
from typing import Any

from api.reply import GEOJSON, JSON
from api.routes.edr import COMMON, FORMS
from api.routes.here import DEFAULT_NEAREST, DEFAULT_RADIUS_M, MAX_NEAREST, MAX_RADIUS_M
from gis.catalog import Collection
from gis.query.series import BINS
from gis.query.url_areas import AREA
from gis.text import Language, Text

_TEXT: dict[str, Any] = {"type": "string"}

#: Parameters that only these addresses have.
_PARAMETERS: dict[str, tuple[Text, dict[str, Any]]] = {
    "radius": (
        Text("半径(米),与 lon、lat 或 address 同用", "Radius in metres, with lon and lat or an address"),
        {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": MAX_RADIUS_M,
         "default": DEFAULT_RADIUS_M},
    ),
    "cell": (Text("一个 H3 网格", "One H3 cell"), {**_TEXT, "pattern": "^[0-9a-f]{15}$"}),
    "collections": (Text("只查这些数据集,逗号分隔", "Only these collections, separated by commas"), _TEXT),
    "nearest": (
        Text("每个数据集列出的最近要素数", "How many of the nearest features of each collection"),
        {"type": "integer", "minimum": 0, "maximum": MAX_NEAREST, "default": DEFAULT_NEAREST},
    ),
    "coords": (Text("WKT 图形(度,经度在前)", "A shape as WKT in degrees, longitude first"), _TEXT),
    "parameter-name": (Text("观测项,逗号分隔", "Parameters, separated by commas"), _TEXT),
    "z": (
        Text("高度(米):值、最低/最高、列表、R次数/起点/步长", "Height in metres: one, min/max, list, Rn/min/step"),
        _TEXT,
    ),
    "edr-crs": (Text("坐标系,仅 CRS84", "CRS; CRS84 only"), _TEXT),
    "bin": (Text("时段(上海时间)", "Bin of Shanghai time"), {"type": "string", "enum": list(BINS), "default": "hour"}),
    "feature": (Text("要素编号或编码,逗号分隔", "Numbers or keys of features, separated by commas"), _TEXT),
    "most": (Text("最多要素数", "Features at most"), {"type": "integer", "minimum": 1, "maximum": 10_000}),
}  # fmt: skip
#: Components whose parameter has a shorter name.
_NAMED = {"nearest": "limit", "most": "limit", "edr-crs": "crs"}

_WHEN = ("datetime", "as-of", "collections", "nearest")
_HERE = ("lon", "lat", "radius", "cell", "division", "area", "address", *_WHEN)
_EDR = tuple("edr-crs" if name == "crs" else name for name in COMMON)
_MEASURED = (*sorted(AREA), "datetime", "as-of", "parameter-name")
_PLACE = "/collections/{collectionId}"
_COVERAGE = tuple(FORMS.values())

#: Address → its words, the parameters beside `lang` and `f`, the media types of its answer.
_PATHS: dict[str, tuple[Text, tuple[str, ...], tuple[str, ...]]] = {
    "/here": (Text("此处有什么", "What is here"), _HERE, (JSON, GEOJSON)),
}
_MEASURED_PATHS: dict[str, tuple[Text, tuple[str, ...], tuple[str, ...]]] = {
    f"{_PLACE}/latest": (
        Text("各要素的最新观测值", "The newest value of each feature"),
        (*_MEASURED, "most"),
        (GEOJSON,),
    ),
    f"{_PLACE}/series": (Text("按时段统计", "Figures by bin of time"), (*_MEASURED, "bin", "feature"), (JSON,)),
    f"{_PLACE}/position": (Text("某点的观测值(EDR)", "Values at points (EDR)"), ("coords", *_EDR), _COVERAGE),
    f"{_PLACE}/area": (Text("某区域的观测值(EDR)", "Values in an area (EDR)"), ("coords", *_EDR), _COVERAGE),
    f"{_PLACE}/cube": (Text("某范围的观测值(EDR)", "Values in a box (EDR)"), ("bbox", *_EDR), _COVERAGE),
}
_SHAPE = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": _TEXT, "coordinates": {"type": "array", "items": {}}, "geometry": {"type": "object"}},
}


def paths(collections: Iterable[Collection], language: Language) -> dict[str, Any]:
    """The addresses; those of what is measured only where something is."""
    known = {**_PATHS, **(_MEASURED_PATHS if any(c.measured for c in collections) else {})}
    found = {path: {"get": _operation(path, "get", *one, language)} for path, one in known.items()}
    posted = _operation("/here", "post", _PATHS["/here"][0], _WHEN, (JSON, GEOJSON), language)
    posted["requestBody"] = {"required": True, "content": {kind: {"schema": _SHAPE} for kind in (GEOJSON, JSON)}}
    found["/here"]["post"] = posted
    return found


def parameters(language: Language) -> dict[str, Any]:
    """The parameters as components."""
    return {
        name: {
            "name": _NAMED.get(name, name),
            "in": "query",
            "required": name == "coords",
            "description": words.in_(language),
            "schema": schema,
        }
        for name, (words, schema) in _PARAMETERS.items()
    }


def _operation(
    path: str, method: str, words: Text, names: tuple[str, ...], kinds: tuple[str, ...], language: Language
) -> dict[str, Any]:
    place = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    text = words.in_(language)
    return {
        "operationId": method + "".join(part.strip("{}").capitalize() for part in path.split("/")),
        "summary": text,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*place, *names, "lang", "f")],
        "responses": {
            "200": {"description": text, "content": {kind: {"schema": {}} for kind in kinds}},
            "default": {"$ref": "#/components/responses/problem"},
        },
    }
