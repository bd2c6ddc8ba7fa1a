"""Tiles of several collections in OpenAPI 3.0.3."""

from typing import Any

from api.reply import JSON
from api.tile_question import PARAMETERS
from gis.text import Language, Text
from tiles.mvt import MEDIA_TYPE

_PLACE = "/tiles/{tileMatrixSetId}"
_BINARY = {"type": "string", "format": "binary"}

#: Address → its words, the media type and the schema of its answer.
_PATHS: dict[str, tuple[Text, str, dict[str, Any]]] = {
    _PLACE: (Text("多个数据集的瓦片集说明", "A tileset of several collections"), JSON, {"type": "object"}),
    f"{_PLACE}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": (
        Text("多个数据集的矢量瓦片", "Vector tile of several collections"),
        MEDIA_TYPE,
        _BINARY,
    ),
}


def paths(language: Language) -> dict[str, Any]:
    """The addresses with what can be asked there; the parameters are those of other addresses."""
    return {path: {"get": _operation(path, *told, language)} for path, told in _PATHS.items()}


def _operation(path: str, words: Text, kind: str, schema: dict[str, Any], language: Language) -> dict[str, Any]:
    in_path = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    responses: dict[str, Any] = {
        "200": {"description": words.in_(language), "content": {kind: {"schema": schema}}},
        "default": {"$ref": "#/components/responses/problem"},
    }
    if kind == MEDIA_TYPE:
        responses["204"] = {"description": Text("空瓦片", "Nothing in the tile").in_(language)}
    return {
        "operationId": "get" + "".join(part.strip("{}").capitalize() for part in path.split("/")),
        "summary": words.in_(language),
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"}
            for name in (*in_path, "collections", *sorted(PARAMETERS), "lang", "f")
        ],
        "responses": responses,
    }
