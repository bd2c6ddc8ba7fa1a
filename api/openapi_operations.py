"""Health, figures and rasters in OpenAPI 3.0.3."""

from collections.abc import Iterable
from typing import Any

from api.raster_document import TYPES
from api.reply import JSON
from api.routes.metrics import MEDIA_TYPE as FIGURES
from gis.catalog import Raster
from gis.text import Language, Text

_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
_COVERAGE = "application/prs.coverage+json"
_RASTER = "/collections/{collectionId}"
_GRID = f"{_RASTER}/map/tiles/{{tileMatrixSetId}}"

#: Address → its words, the forms of its answer by media type.
_PATHS: dict[str, tuple[Text, dict[str, Any]]] = {
    "/health/live": (Text("进程是否存活", "Whether the process lives"), {JSON: {}}),
    "/health/ready": (Text("能否应答查询", "Whether questions can be answered"), {JSON: {}}),
    "/metrics": (Text("运行指标(Prometheus)", "Figures for Prometheus"), {FIGURES: {"type": "string"}}),
}
#: Address → its words, parameters beside `lang`, the forms of its answer by media type.
_RASTER_PATHS: dict[str, tuple[Text, tuple[str, ...], dict[str, Any]]] = {
    f"{_RASTER}/map/tiles": (Text("栅格瓦片集", "Tilesets of a raster"), (), {JSON: {}}),
    _GRID: (Text("一个栅格瓦片集", "A tileset of a raster"), (), {JSON: {}}),
    f"{_GRID}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": (
        Text("栅格瓦片", "Tile of a raster"),
        ("datetime", "parameter-name", "form"),
        dict.fromkeys(TYPES.values(), _BINARY),
    ),
    f"{_RASTER}/statistics": (
        Text("范围内的统计值", "Figures of a box"),
        ("raster-bbox", "datetime", "parameter-name"),
        {JSON: {}},
    ),
    f"{_RASTER}/position": (
        Text("某点的栅格值(EDR)", "Values at a point (EDR)"),
        ("point", "datetime", "parameter-name"),
        {_COVERAGE: {}},
    ),
}
#: Parameters that are written out where they stand.
_OWN: dict[str, dict[str, Any]] = {
    "form": {"name": "f", "in": "query", "schema": {"type": "string", "enum": list(TYPES), "default": "png"}},
    "parameter-name": {"name": "parameter-name", "in": "query", "schema": {"type": "string"}},
    "point": {"name": "coords", "in": "query", "required": True, "schema": {"type": "string", "example": "POINT(1 2)"}},
    "raster-bbox": {"name": "bbox", "in": "query", "required": True, "style": "form", "explode": False, "schema": {
        "type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}},
}  # fmt: skip


def paths(rasters: Iterable[Raster], language: Language) -> dict[str, Any]:
    """The addresses; those of rasters only where there are any. What is measured has the same address for a point."""
    ids = [raster.id for raster in rasters]
    found = {path: {"get": _operation(path, *told, (), ids, language)} for path, told in _PATHS.items()}
    if ids:
        for path, (words, names, kinds) in _RASTER_PATHS.items():
            found[path] = {"get": _operation(path, words, kinds, names, ids, language)}
    return found


def _operation(
    path: str, words: Text, kinds: dict[str, Any], names: tuple[str, ...], ids: list[str], language: Language
) -> dict[str, Any]:
    in_path = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    raster = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string", "enum": ids}}
    own = {**_OWN, "collectionId": raster}
    parameters = [own.get(name) or _ref("parameters", name) for name in (*in_path, *names, "lang")]
    content = {kind: {"schema": schema} for kind, schema in kinds.items()}
    responses = {"200": {"description": words.in_(language), "content": content},
                 "default": _ref("responses", "problem")}  # fmt: skip
    if "{tileCol}" in path:
        responses["204"] = {"description": Text("空瓦片", "Nothing in the tile").in_(language)}
    return {
        "operationId": "get" + "".join(part.strip("{}").capitalize() for part in path.split("/")),
        "summary": words.in_(language),
        "parameters": parameters,
        "responses": responses,
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
