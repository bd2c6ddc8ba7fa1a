"""The sprite of the map's style: signs and patterns in one image, with where each of them is.

MapLibre style specification, version 8, "Sprite": an index in JSON and a PNG, once plain and once at twice the size.
Signs come in the two inks in which they are drawn on light and on dark themes.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from PIL import Image

from gis.catalog import Collection
from tiles.glyphs import GLYPHS, glyph, hatch
from tiles.inks import THEMES, Theme
from tiles.picture import Picture, png

#: Pattern of features without a value.
MISSING_PATTERN: Final = "onemap:missing"

_HATCH_PX, _HATCH_OPACITY = 8, 0.22
_SIGN_PX = 20
#: Signs lie on points in the colour of their class: pale on the strong ones of light themes, dark on bright ones.
_INKS: Final[dict[Theme, str]] = {"light": "#ffffff", "dark": "#14171c"}
_HATCH_INKS: Final[dict[Theme, str]] = {"light": "#000000", "dark": "#ffffff"}
_COLUMNS = 8


def image_name(name: str, theme: Theme) -> str:
    """The name that an image has in the sprite, for a theme."""
    return name if theme == "light" else f"{name}-{theme}"


def sign_name(sign: str, theme: Theme) -> str:
    """The name that a declared sign has in the sprite."""
    return image_name(f"onemap:{sign}", theme)


def sign_ink(theme: Theme) -> str:
    """The ink of signs on points."""
    return _INKS[theme]


def signs(collections: Sequence[Collection]) -> tuple[str, ...]:
    """The signs that the classes of collections declare, each once, of those that are drawn."""
    declared = (one.glyph for c in collections if c.style for one in c.style.classes if one.glyph)
    return tuple(sorted(name for name in set(declared) if name in GLYPHS))


@lru_cache(maxsize=8)
def sprite(named: tuple[str, ...], ratio: int) -> tuple[dict[str, Any], bytes]:
    """The index and the PNG of a sprite with these signs, at a pixel ratio of 1 or 2."""
    images = _images(named)
    side_px = _SIGN_PX * ratio
    rows = -(-len(images) // _COLUMNS)
    sheet = Image.new("RGBA", (_COLUMNS * side_px, rows * side_px), (0, 0, 0, 0))
    index: dict[str, Any] = {}
    for place, (name, picture) in enumerate(images.items()):
        x, y = place % _COLUMNS * side_px, place // _COLUMNS * side_px
        painted = picture.image(ratio)
        sheet.paste(painted, (x, y))
        index[name] = {"x": x, "y": y, "width": painted.width, "height": painted.height, "pixelRatio": ratio}
    return index, png(sheet)


def _images(named: Sequence[str]) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    for theme in THEMES:
        found[image_name(MISSING_PATTERN, theme)] = Picture(
            _HATCH_PX, _HATCH_PX, hatch(_HATCH_INKS[theme], _HATCH_OPACITY, _HATCH_PX)
        )
        for name in named:
            found[sign_name(name, theme)] = Picture(_SIGN_PX, _SIGN_PX, glyph(name, _INKS[theme]))
    return found
