"""TileJSON 3.0.0: what a map client must know of a collection's tiles."""

from typing import Any

from gis.catalog import Collection, FieldType
from gis.text import Language
from tiles.style import DEEPEST_TILE_ZOOM, label_source_layer

_TYPES = {FieldType.INTEGER: "Number", FieldType.NUMBER: "Number", FieldType.BOOLEAN: "Boolean"}


def deepest_zoom(collection: Collection) -> int:
    """The last zoom at which tiles are cut; closer views enlarge these."""
    return max(collection.min_zoom, min(collection.max_zoom, DEEPEST_TILE_ZOOM))


def tilejson(
    collection: Collection, *, language: Language, tiles_url: str, bounds: tuple[float, ...] | None
) -> dict[str, Any]:
    """The TileJSON of a collection; `tiles_url` holds `{z}`, `{y}` and `{x}`, `bounds` is west, south, east, north."""
    fields = {
        f.name: f"{_TYPES.get(f.type, 'String')}: {f.title.in_(language)}{f' ({f.unit})' if f.unit else ''}"
        for f in collection.fields
    }
    layers = dict.fromkeys([collection.id, label_source_layer(collection)])
    zooms = {"minzoom": collection.min_zoom, "maxzoom": deepest_zoom(collection)}
    found: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": collection.title.in_(language),
        "description": collection.description.in_(language),
        "attribution": collection.source.in_(language),
        "scheme": "xyz",
        "tiles": [tiles_url],
        **zooms,
        "vector_layers": [
            {"id": name, "description": collection.description.in_(language), "fields": fields, **zooms}
            for name in layers
        ],
    }
    return found if bounds is None else {**found, "bounds": list(bounds)}
