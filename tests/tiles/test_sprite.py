"""The sprite holds every sign that is declared and every image that a style names, whole and apart from each other."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from gis.catalog import Catalogue, Collection
from layers import LAYERS
from tiles.glyphs import GLYPHS
from tiles.inks import THEMES, Theme
from tiles.sprite import MISSING_PATTERN, image_name, sign_name, signs, sprite
from tiles.style import is_drawn, map_style
from tiles.style_layers import Look

CITY = Catalogue(LAYERS)
SIGNS = signs(list(CITY))


def sheet(ratio: int) -> tuple[dict[str, Any], Image.Image]:
    index, content = sprite(SIGNS, ratio)
    return index, Image.open(BytesIO(content))


@pytest.mark.parametrize("collection", [c for c in CITY if is_drawn(c)], ids=lambda c: c.id)
def test_every_declared_sign_is_drawn(collection: Collection) -> None:
    assert collection.style
    declared = {c.glyph for c in collection.style.classes if c.glyph}
    assert declared <= set(GLYPHS)
    assert declared <= set(SIGNS)


@pytest.mark.parametrize("theme", THEMES)
def test_a_style_names_only_what_is_in_it(theme: Theme) -> None:
    style = map_style(CITY, Look(theme=theme, language="zh", tiles_url="{collection}", sprite_url="/sprites/city"))
    index, _ = sheet(1)
    named = [layer["layout"]["icon-image"] for layer in style["layers"] if "icon-image" in layer.get("layout", {})]
    assert named
    images = {name for expression in named for name in expression[3::2]}
    assert images == {sign_name(name, theme) for name in SIGNS}
    assert images <= set(index)
    patterns = {layer["paint"]["fill-pattern"] for layer in style["layers"] if "fill-pattern" in layer.get("paint", {})}
    assert patterns <= {image_name(MISSING_PATTERN, theme)} <= set(index)


@pytest.mark.parametrize("ratio", [1, 2])
def test_images_lie_apart_and_none_is_empty(ratio: int) -> None:
    index, image = sheet(ratio)
    taken: set[tuple[int, int]] = set()
    for name, at in index.items():
        assert at["pixelRatio"] == ratio
        box = (at["x"], at["y"], at["x"] + at["width"], at["y"] + at["height"])
        assert box[2] <= image.width and box[3] <= image.height
        assert image.crop(box).getbbox(), name
        pixels = {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}
        assert not pixels & taken, name
        taken |= pixels


def test_twice_the_size_is_the_same_in_pixels_of_a_style() -> None:
    (one, _), (two, _) = sheet(1), sheet(2)
    assert {n: (a["width"], a["height"]) for n, a in one.items()} == {
        n: (a["width"] / 2, a["height"] / 2) for n, a in two.items()
    }


@pytest.mark.parametrize("theme", THEMES)
def test_the_pattern_goes_on_from_square_to_square(theme: Theme) -> None:
    """What leaves on the right comes in on the left, and so from below to above."""
    index, image = sheet(2)
    at = index[image_name(MISSING_PATTERN, theme)]
    side = at["width"]
    alpha = image.crop((at["x"], at["y"], at["x"] + side, at["y"] + side)).getchannel("A")
    for k in range(side):
        # along a line from lower left to upper right nothing changes, over the edges neither
        along = {alpha.getpixel(((k + step) % side, (side - 1 - step) % side)) for step in range(side)}
        assert max(along) - min(along) <= 12  # type: ignore[type-var, operator]
