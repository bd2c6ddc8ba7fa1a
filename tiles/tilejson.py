"""TileJSON 3.0.0: what a map client must know of tiles, and of the layers in them."""

from collections.abc import Sequence
from typing import Any

from gis.catalog import Collection, FieldType
from gis.text import Language
from tiles import cells
from tiles.style import DEEPEST_TILE_ZOOM
from tiles.style_layers import label_source_layer

_TYPES = {FieldType.INTEGER: "Number", FieldType.NUMBER: "Number", FieldType.BOOLEAN: "Boolean"}


def deepest_zoom(collection: Collection) -> int:
    """The last zoom at which tiles are cut; closer views enlarge these."""
    return max(collection.min_zoom, min(collection.max_zoom, DEEPEST_TILE_ZOOM))


def tilejson(
    collections: Sequence[Collection],
    *,
    title: str,
    language: Language,
    tiles_url: str,
    bounds: tuple[float, ...] | None,
) -> dict[str, Any]:
    """The TileJSON of tiles that hold these collections.

    `tiles_url` holds `{z}`, `{y}` and `{x}`; `bounds` is west, south, east, north in degrees (None: not known).
    """
    sources = dict.fromkeys(c.source.in_(language) for c in collections)
    found: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": title,
        "description": "; ".join(c.description.in_(language) for c in collections),
        "attribution": "; ".join(sources),
        "scheme": "xyz",
        "tiles": [tiles_url],
        **zooms(collections),
        "vector_layers": vector_layers(collections, language),
    }
    return found if bounds is None else {**found, "bounds": list(bounds)}


def zooms(collections: Sequence[Collection]) -> dict[str, int]:
    """The first and the last zoom at which one of the collections is drawn."""
    return {
        "minzoom": min((c.min_zoom for c in collections), default=0),
        "maxzoom": max((deepest_zoom(c) for c in collections), default=0),
    }


def vector_layers(collections: Sequence[Collection], language: Language) -> list[dict[str, Any]]:
    """The layers of a tile and their fields, in the order in which a tile holds them."""
    found: list[dict[str, Any]] = []
    for c in collections:
        told = {"description": c.description.in_(language)}
        names = dict.fromkeys([c.id, label_source_layer(c)])
        found += [{"id": name, **told, "fields": _fields(c, language), **zooms([c])} for name in names]
        if cells.has_cells(c) and c.rollup:
            zoomed = {"minzoom": c.min_zoom, "maxzoom": cells.last_zoom(c.rollup)}
            found.append({"id": cells.layer_name(c), **told, "fields": cells.described(c), **zoomed})
    return found


def _fields(collection: Collection, language: Language) -> dict[str, str]:
    return {
        f.name: f"{_TYPES.get(f.type, 'String')}: {f.title.in_(language)}{f' ({f.unit})' if f.unit else ''}"
        for f in collection.fields
    }
