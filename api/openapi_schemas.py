"""What the documents hold, as schemas of OpenAPI 3.0.3 (after the schemas of OGC API – Features 1.0, 17-069r4)."""

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_LINKS = {"type": "array", "items": {"$ref": "#/components/schemas/link"}}
_URIS = {"type": "array", "items": _TEXT}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


SCHEMAS: dict[str, Any] = {
    "link": _object(("href", "rel"), href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT, templated={"type": "boolean"}),
    "landing": _object(("links",), title=_TEXT, description=_TEXT, links=_LINKS),
    "conformance": _object(("conformsTo",), conformsTo=_URIS),
    "collections": _object(
        ("links", "collections"),
        links=_LINKS,
        crs=_URIS,
        collections={"type": "array", "items": {"$ref": "#/components/schemas/collection"}},
    ),
    "collection": _object(
        ("id", "links"),
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        links=_LINKS,
        extent={"type": "object"},
        itemType=_TEXT,
        crs=_URIS,
        storageCrs=_TEXT,
    ),
    "feature": _object(
        ("type", "geometry", "properties"),
        type={"type": "string", "enum": ["Feature"]},
        id=_COUNT,
        geometry={"type": "object", "nullable": True},
        properties={"type": "object", "nullable": True},
        links=_LINKS,
    ),
    "features": _object(
        ("type", "features"),
        type={"type": "string", "enum": ["FeatureCollection"]},
        features={"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
        links=_LINKS,
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched=_COUNT,
        numberReturned=_COUNT,
        **{"onemap:numberMatchedIsEstimate": {"type": "boolean"}, "onemap:numberMatchedAtLeast": _COUNT},
    ),
}

_PLACE = "/collections/{collectionId}"
_OF = {
    "/": "landing",
    "/conformance": "conformance",
    "/collections": "collections",
    _PLACE: "collection",
    f"{_PLACE}/items": "features",
    f"{_PLACE}/items/{{featureId}}": "feature",
}


def of(path: str) -> dict[str, Any]:
    """The schema of what an address answers in JSON; anything where none is given."""
    return {"$ref": f"#/components/schemas/{_OF[path]}"} if path in _OF else {}
