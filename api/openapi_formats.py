"""What OpenAPI tells of formats and of changing features: added to the paths of items and of one item."""

from typing import Any

from api.reply import GEOJSON
from api.routes.editing import FEATURE, PATCH
from gis.export import FORMATS
from gis.text import Language, Text

_ITEMS = "/collections/{collectionId}/items"
_ITEM = f"{_ITEMS}/{{featureId}}"
_BINARY = {"type": "string", "format": "binary"}
_WORDS = {
    "post": Text("新增要素(须有密钥,仅限可编辑的数据集)", "Create a feature (needs a key; editable collections only)"),
    "put": Text("替换要素", "Replace a feature"),
    "patch": Text("修改要素的部分内容(RFC 7396)", "Change parts of a feature (RFC 7396)"),
    "delete": Text("删除要素(历史仍可按 as-of 查询)", "Delete a feature; it stays known as of earlier times"),
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "ETag",
}
#: JSON; the declaration's own checks are told as problems, with the field at fault.
_BODY = {"type": "object"}


def extended(paths: dict[str, Any], language: Language) -> dict[str, Any]:
    """The paths with the formats of items, and with the operations that change them."""
    items, item = paths[_ITEMS], paths[_ITEM]
    formats = {f.media_type.partition(";")[0]: {"schema": _BINARY} for f in FORMATS.values() if f.name != "gpkg"}
    formats.pop(GEOJSON)
    items["get"]["responses"]["200"]["content"].update(formats)
    items["post"] = _operation("post", language, ["collectionId"], "201", FEATURE)
    for method, media_types in (("put", FEATURE), ("patch", PATCH), ("delete", ())):
        item[method] = _operation(method, language, ["collectionId", "featureId"], "204", media_types)
        item[method]["parameters"].append(_IF_MATCH)
    return paths


def _operation(
    method: str, language: Language, names: list[str], status: str, media_types: tuple[str, ...]
) -> dict[str, Any]:
    words = _WORDS[method].in_(language)
    found: dict[str, Any] = {
        "operationId": f"{method}Item",
        "summary": words,
        "security": [{"key": []}],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*names, "lang")],
        "responses": {
            status: {"description": words, "headers": {"ETag": {"schema": {"type": "string"}}}},
            "default": {"$ref": "#/components/responses/problem"},
        },
    }
    if media_types:
        content = {media_type: {"schema": _BODY} for media_type in media_types}
        found["requestBody"] = {"required": True, "content": content}
    return found
