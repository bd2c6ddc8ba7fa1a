"""A collection as documents: its description, the schema of its features, what it can be filtered by."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from api.facts import Known
from api.reply import GEOJSON, HTML, SCHEMA
from api.served import Asked
from api.style_links import MEDIA_TYPE, style_links
from gis.catalog import Collection, Field, FieldType
from gis.query.queryables import ROLES, VALID_FROM, VALID_TO
from gis.query.queryables import queryables as declared
from gis.query.span import instant_text
from gis.query.url import CRS84
from tiles.grid import MATRIX_SET
from tiles.style import is_drawn
from tiles.tilejson import deepest_zoom

_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
_JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"

#: Fields' types as JSON Schema has them.
JSON_TYPES: dict[FieldType, dict[str, str]] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.INSTANT: {"type": "string", "format": "date-time"},
}


def description(collection: Collection, known: Known, crs: list[str], ask: Asked) -> dict[str, Any]:
    """The collection as `/collections/{id}` tells it; `crs` are the URIs of what it is offered in."""
    return {
        "id": collection.id,
        "title": collection.title.in_(ask.language),
        "description": collection.description.in_(ask.language),
        "titles": collection.title,
        "descriptions": collection.description,
        "group": collection.group,
        "itemType": "feature",
        "geometryType": collection.geometry and collection.geometry.value,
        "extent": _extent(collection, known),
        "crs": crs if collection.geometry else [CRS84],
        "storageCrs": CRS84,
        "minzoom": collection.min_zoom,
        "maxzoom": deepest_zoom(collection),
        "timed": collection.timed,
        "base": collection.style is not None and collection.style.base,
        "count": known.count,
        "updated": _instant(known.loaded.at if known.loaded else None),
        "source": known.loaded.source if known.loaded else collection.source,
        "license": known.loaded.licence if known.loaded else collection.licence,
        "fields": [_field(f) for f in collection.fields],
        "style": collection.style and asdict(collection.style),
        "links": _links(collection, ask),
    }


def schema(collection: Collection, ask: Asked) -> dict[str, Any]:
    """The properties of a feature as JSON Schema (OGC API Features part 5, 23-058)."""
    properties = {f.name: {**_property(f, ask), "x-ogc-propertySeq": n} for n, f in enumerate(collection.fields, 1)}
    standard: dict[str, Any] = {
        "division": {"type": ["string", "null"], "pattern": "^[0-9]{12}$"},
        "cell": {"type": ["string", "null"], "pattern": "^[0-9a-f]{15}$"},
    }
    if collection.timed:
        bounds = {f.name: _property(f, ask) for f in (VALID_FROM, VALID_TO)}
        standard = {**{n: {**p, "type": ["string", "null"], "readOnly": True} for n, p in bounds.items()}, **standard}
    return {
        **_head(collection, ask, "schema"),
        "properties": {**_geometry(collection), **properties, **standard},
        "required": [f.name for f in collection.fields if f.required],
    }


def queryables(collection: Collection, ask: Asked) -> dict[str, Any]:
    """What filters may name, as JSON Schema (OGC API Features part 3)."""
    properties = {f.name: _property(f, ask) for f in declared(collection).values()}
    return {
        **_head(collection, ask, "queryables"),
        "properties": {**_geometry(collection), **properties},
        "additionalProperties": False,
    }


def _head(collection: Collection, ask: Asked, place: str) -> dict[str, Any]:
    return {
        "$schema": _JSON_SCHEMA,
        "$id": f"{ask.base}/collections/{collection.id}/{place}",
        "type": "object",
        "title": collection.title.in_(ask.language),
        "description": collection.description.in_(ask.language),
    }


def _geometry(collection: Collection) -> dict[str, Any]:
    if collection.geometry is None:
        return {}
    kind = f"geometry-{collection.geometry.value}-or-multi{collection.geometry.value}".replace("line", "linestring")
    return {"geometry": {"format": kind, "x-ogc-role": "primary-geometry"}}


def _property(field: Field, ask: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {"title": field.title.in_(ask.language), **JSON_TYPES[field.type]}
    if field.name in ROLES:
        found["x-ogc-role"] = ROLES[field.name]
    if field.description:
        found["description"] = field.description.in_(ask.language)
    if field.unit:
        found["x-ogc-unit"] = field.unit
    if field.values:
        is_number = field.type is FieldType.INTEGER
        found["enum"] = [int(code) if is_number else code for code in field.values]
        found["x-onemap-words"] = {code: words.in_(ask.language) for code, words in field.values.items()}
    return found


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type.value,
        "title": field.title,
        "unit": field.unit,
        "description": field.description,
        "values": dict(field.values),
        "sortable": field.sortable,
    }


def _extent(collection: Collection, known: Known) -> dict[str, Any]:
    extent: dict[str, Any] = {}
    if known.bbox:
        extent["spatial"] = {"bbox": [list(known.bbox)], "crs": CRS84}
    if collection.timed and known.count:
        extent["temporal"] = {"interval": [[_instant(known.start), _instant(known.end)]], "trs": _GREGORIAN}
    return extent


def _instant(when: datetime | None) -> str | None:
    return None if when is None else instant_text(when)


def _links(collection: Collection, ask: Asked) -> list[dict[str, Any]]:
    place, title = f"/collections/{collection.id}", collection.title.in_(ask.language)
    links: list[dict[str, Any]] = [
        ask.link(place, "self", "application/json", title),
        ask.link(f"{place}?f=html", "alternate", HTML, title),
        ask.link(f"{place}/items", "items", GEOJSON, title),
        ask.link(f"{place}/items?f=html", "items", HTML, title),
        ask.link(f"{place}/cells", "cells", GEOJSON),
        ask.link(f"{place}/schema", "describedby", SCHEMA),
        ask.link(f"{place}/queryables", _QUERYABLES, SCHEMA),
    ]
    if collection.tiled:
        links.append(ask.link(f"{place}/tiles", _TILESETS, "application/json"))
        links.append(ask.link(f"{place}/tiles/{MATRIX_SET}?f=tilejson", "tiles", "application/json", "TileJSON"))
    if is_drawn(collection):
        links += [ask.link(f"/styles/{collection.id}", "styles", MEDIA_TYPE, title), *style_links(collection.id, ask)]
    return links
