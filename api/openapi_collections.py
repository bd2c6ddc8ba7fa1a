"""What OpenAPI tells of each collection's own items: its queryables as parameters, by name and type.

A template alone cannot say which collection has which; GDAL, for one, leaves to the server what is named here and
filters the rest itself.
"""

from collections.abc import Iterable
from typing import Any

from api.collection_document import JSON_TYPES
from gis.catalog import Collection, Field, FieldType
from gis.query.queryables import queryables
from gis.text import Language

_TEMPLATE = "/collections/{collectionId}/items"


def with_items(paths: dict[str, Any], collections: Iterable[Collection], language: Language) -> dict[str, Any]:
    """The paths, and beside the template of items those of each collection."""
    shared = paths[_TEMPLATE]["get"]
    common = [p for p in shared["parameters"] if p.get("name") != "queryables" and "collectionId" not in p["$ref"]]
    taken = {p.get("name") or p["$ref"].rpartition("/")[2] for p in common}
    return {**paths, **{f"/collections/{c.id}/items": {"get": {
        **shared,
        "operationId": f"getItemsOf{''.join(part.capitalize() for part in c.id.split('.'))}",
        "summary": c.title.in_(language),
        "parameters": [*common, *_equalities(c, taken, language)],
    }} for c in collections}}  # fmt: skip


def _equalities(collection: Collection, taken: set[str], language: Language) -> list[dict[str, Any]]:
    """Those whose names the operation has no other use for."""
    return [_equality(field, language) for field in queryables(collection).values() if field.name not in taken]


def _equality(field: Field, language: Language) -> dict[str, Any]:
    schema: dict[str, Any] = dict(JSON_TYPES[field.type])
    if field.values:
        schema["enum"] = [int(code) if field.type is FieldType.INTEGER else code for code in field.values]
    words = {"description": field.title.in_(language), "schema": schema}
    return {"name": field.name, "in": "query", "required": False, "style": "form", "explode": False, **words}
