"""Styles, legends and sprites in OpenAPI 3.0.3."""

from collections.abc import Sequence
from typing import Any

from api.reply import JSON
from api.style_links import CITY_STYLE, MEDIA_TYPE
from gis.catalog import Collection
from gis.text import Language, Text
from tiles.style import is_drawn

_BINARY = {"type": "string", "format": "binary"}
_STYLE = "/styles/{styleId}"
_SPRITE = Text("所有样式共用的图标", "The sprite of all styles")
_IMAGES = {"image/png": _BINARY, "image/svg+xml": _BINARY}

#: Address → its words, what it answers in, the parameters that it takes beside `lang` and `f`.
_PATHS: dict[str, tuple[Text, dict[str, dict[str, Any]], tuple[str, ...]]] = {
    "/styles": (Text("地图样式", "Styles"), {JSON: {"type": "object"}}, ()),
    _STYLE: (Text("一个地图样式(MapLibre)", "A MapLibre style"), {MEDIA_TYPE: {"type": "object"}}, ("theme",)),
    f"{_STYLE}/legend": (
        Text("图例:数据或图片", "A legend, as data or as an image"),
        {JSON: {"type": "object"}, **_IMAGES},
        ("theme", "scale"),
    ),
    **{
        f"/sprites/city{ratio}.{ending}": (_SPRITE, answers, ())
        for ratio in ("", "@2x")
        for ending, answers in (("json", {JSON: {"type": "object"}}), ("png", {"image/png": _BINARY}))
    },
}


def paths(language: Language) -> dict[str, Any]:
    """The addresses with what can be asked there."""
    return {path: {"get": _operation(path, *told, language)} for path, told in _PATHS.items()}


def parameters(collections: Sequence[Collection], language: Language) -> dict[str, Any]:
    """The parameters that are asked nowhere else; styles are those of collections that the caller may ask."""
    names = [CITY_STYLE, *(c.id for c in collections if is_drawn(c))]
    scale = Text("图片放大倍数", "How many times larger the image is")
    return {
        "styleId": {"name": "styleId", "in": "path", "required": True, "schema": {"type": "string", "enum": names}},
        "scale": {
            "name": "scale", "in": "query", "required": False, "description": scale.in_(language),
            "schema": {"type": "integer", "minimum": 1, "maximum": 2, "default": 1},
        },
    }  # fmt: skip


def _operation(
    path: str, words: Text, answers: dict[str, dict[str, Any]], names: tuple[str, ...], language: Language
) -> dict[str, Any]:
    in_path = ("styleId",) if path.startswith(_STYLE) else ()
    return {
        "operationId": "get" + "".join(part.strip("{}").capitalize() for part in path.replace("@", "/At").split("/")),
        "summary": words.in_(language),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*in_path, *names, "lang", "f")],
        "responses": {
            "200": {
                "description": words.in_(language),
                "content": {kind: {"schema": schema} for kind, schema in answers.items()},
            },
            "default": {"$ref": "#/components/responses/problem"},
        },
    }
