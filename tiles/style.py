"""The map's style: MapLibre layers drawn from the declarations, for one theme and one language.

A pure function of the catalogue. Each collection becomes a vector source of its own and a handful of layers named
`{collection}:{part}` (fill, outline, casing, line, circle, label, …); the layer's metadata says which collection and
part it is, so that a map can switch, fade and restyle a collection as one thing.

Everything follows the MapLibre style specification, version 8. Signs and patterns come from the city's own sprite. No
font is named by URL: text is drawn with the fonts of the reader's machine, so that the map works on a closed network.
"""

from collections.abc import Sequence
from typing import Final

from gis.catalog import Catalogue, Collection
from gis.text import Text
from tiles.expressions import Json
from tiles.inks import inks
from tiles.style_layers import Drawing, Look

#: Closer tiles are cut from these: at zoom 16 a tile's grid is 15 cm at the equator, finer than what is surveyed.
DEEPEST_TILE_ZOOM: Final = 16

_NAME = Text("一张图", "One Map")
_FONTS = Text(
    "文字用读者本机字体绘制(样式未指定 glyphs 时,MapLibre GL JS 6 即如此)。"
    "其他客户端请将 glyphs 设为自有字形服务的地址,并将各图层的 text-font 改为其字体。",
    "Text is drawn with the fonts of the reader's machine, as MapLibre GL JS 6 does where a style names no glyphs. For"
    " other clients set glyphs to the address of a glyph server of your own, and text-font of the layers to its fonts.",
)


def map_style(catalogue: Catalogue, look: Look) -> dict[str, Json]:
    """The whole map as one MapLibre style.

    Shapes are stacked by their declared order, names above all of them: where two names collide, the one that is
    seen from farther off stays. Collections that are not tiled, have no geometry or no style are left out.
    """
    drawings = [Drawing(c, c.style, look) for c in catalogue if c.style and is_drawn(c)]
    return _style(_NAME, drawings, look)


def collection_style(collection: Collection, look: Look) -> dict[str, Json]:
    """One collection that `is_drawn` as a MapLibre style of its own, shown from the start."""
    assert collection.style is not None
    found = _style(collection.title, [Drawing(collection, collection.style, look)], look)
    for layer in found["layers"]:
        if layer["type"] not in ("background", "fill-extrusion"):
            layer["layout"]["visibility"] = "visible"
    return found


def is_drawn(collection: Collection) -> bool:
    """Whether a collection has a look and tiles to show it in."""
    return collection.tiled and collection.geometry is not None and collection.style is not None


def _style(name: Text, drawings: Sequence[Drawing], look: Look) -> dict[str, Json]:
    ink = inks(look.theme)
    shapes = [layer for d in sorted(drawings, key=lambda d: d.style.order) for layer in d.shapes()]
    signs = [layer for d in sorted(drawings, key=lambda d: d.style.order) for layer in d.signs()]
    names = [layer for d in sorted(drawings, key=_by_reach) for layer in d.names()]
    ground = {"id": "onemap:ground", "type": "background", "paint": {"background-color": ink.ground}}
    fonts = _FONTS.in_(look.language)
    return {
        "version": 8,
        "name": name.in_(look.language),
        "metadata": {"onemap:theme": look.theme, "onemap:language": look.language, "onemap:fonts": fonts},
        "light": {"anchor": "map", "position": [1.2, 215, 35], "color": "#ffffff", "intensity": ink.sun},
        "transition": {"duration": 200, "delay": 0},
        **({"sprite": look.sprite_url} if look.sprite_url else {}),
        "sources": {d.collection.id: _source(d.collection, look) for d in drawings},
        "layers": [ground, *shapes, *signs, *names],
    }


def _by_reach(drawing: Drawing) -> tuple[int, int]:
    return (-drawing.style.label_zoom, drawing.style.order)


def _source(collection: Collection, look: Look) -> dict[str, Json]:
    return {
        "type": "vector",
        "tiles": [look.tiles_url.replace("{collection}", collection.id)],
        "minzoom": collection.min_zoom,
        "maxzoom": max(collection.min_zoom, min(collection.max_zoom, DEEPEST_TILE_ZOOM)),
        "attribution": collection.source.in_(look.language),
    }
