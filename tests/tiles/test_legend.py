"""Legends say what the map draws: every declared class in its colour, in both languages, as data and as images."""

from io import BytesIO
from xml.etree import ElementTree

import pytest
from PIL import Image

from gis.base import BASE
from gis.catalog import Catalogue, Collection, Geometry, Style, StyleClass
from gis.catalog.field import number
from gis.errors import Unavailable
from gis.text import Language, Text
from layers import LAYERS
from tiles import lettering
from tiles.inks import THEMES, Theme
from tiles.legend import Legend, legends, picture
from tiles.picture import Disc, Picture, Stroke, Words
from tiles.style import is_drawn
from tiles.units import unit_words

CITY = Catalogue(LAYERS)
DRAWN = [c for c in CITY if is_drawn(c)]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
SVG = "{http://www.w3.org/2000/svg}"


def air(geometry: Geometry) -> Collection:
    classes = (StyleClass(0.0, "#00aa00", "#005500", Text("优", "good")),
               StyleClass(35.0, "#bbbb00", "#555500", Text("良", "fair")))  # fmt: skip
    return Collection(
        id="air.grid", title=Text("网格", "Grid"), description=Text("网格", "Grid"), geometry=geometry,
        fields=(number("pm25_ugm3", "细颗粒物", "PM2.5", unit="ug/m3"),),
        style=Style(color="#111111", dark="#eeeeee", by="pm25_ugm3", classes=classes),
    )  # fmt: skip


def features(collection: Collection, theme: Theme = "light") -> Legend:
    return next(one for one in legends([collection], theme) if one.part == "features")


@pytest.mark.parametrize("collection", DRAWN, ids=[c.id for c in DRAWN])
@pytest.mark.parametrize("theme", THEMES)
def test_every_class_is_listed_as_declared(collection: Collection, theme: Theme) -> None:
    assert collection.style
    found = features(collection, theme)
    expected = [
        (c.value, c.title, c.color if theme == "light" else c.dark) for c in collection.style.classes
    ] if collection.style.by else []  # fmt: skip
    assert [(e.value, e.title, e.sign.color) for e in found.entries if e.value is not None] == expected
    assert found.entries


def test_what_is_in_no_class_is_listed_where_there_can_be_such() -> None:
    last = features(CITY["base.roads"]).entries[-1]
    assert (last.value, last.title.en, last.sign.color) == (None, "other", "#ffffff")
    assert all(e.value is not None for e in features(CITY["base.buildings"]).entries)


def test_a_legend_of_numbers_has_its_unit_and_missing_values() -> None:
    found = features(air(Geometry.POLYGON))
    assert (found.by, found.unit) == (Text("细颗粒物", "PM2.5"), Text("微克/立方米", "µg/m³"))
    assert found.entries[-1].sign.shape == "hatched"
    document = found.document("zh")
    assert (document["by"], document["unit"], document["field"]) == ("细颗粒物", "微克/立方米", "pm25_ugm3")
    assert [e["value"] for e in document["entries"]] == [0.0, 35.0, None]


def test_points_that_are_counted_from_far_have_a_legend_of_cells() -> None:
    near, far = legends([CITY["base.pois"]], "dark")
    assert (near.part, far.part) == ("features", "cells")
    assert far.min_zoom < near.min_zoom
    assert far.unit == Text("个/平方千米", "per km²")


def test_the_uppermost_comes_first() -> None:
    orders = [one.collection.style.order for one in legends(DRAWN, "light") if one.collection.style]
    assert orders == sorted(orders, reverse=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_both_images_hold_every_word_and_colour(language: Language, theme: Theme) -> None:
    found = legends(BASE.collections, theme)
    drawn = picture(found, theme, language)
    root = ElementTree.fromstring(drawn.svg())
    said = "\n".join("".join(e.itertext()) for e in root.iter(f"{SVG}text")).casefold()
    for one in found:
        assert all(e.title.in_(language).casefold() in said for e in one.entries)
        assert one.title.in_(language).casefold() in said
        assert one.unit is None or one.unit.in_(language).casefold() in said
    image = Image.open(BytesIO(drawn.png(1)))
    assert image.size == (drawn.width_px, drawn.height_px) == (int(root.attrib["width"]), int(root.attrib["height"]))
    colors = {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b, _) in image.getcolors(1 << 20)}  # type: ignore[misc, union-attr]
    solid = [e.sign.color for one in found for e in one.entries if e.sign.color and e.sign.opacity == 1]
    thick = set(solid) - {e.sign.color for one in found for e in one.entries if e.sign.shape == "line"}
    assert thick <= colors


def test_an_image_twice_as_large_shows_the_same() -> None:
    drawn = picture(legends([CITY["base.roads"]], "light"), "light", "en")
    small, large = Image.open(BytesIO(drawn.png(1))), Image.open(BytesIO(drawn.png(2)))
    assert large.size == (2 * small.width, 2 * small.height)
    halved = large.convert("L").resize(small.size, Image.Resampling.BOX)
    pairs = zip(halved.tobytes(), small.convert("L").tobytes(), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / (small.width * small.height) < 8


def test_marks_are_painted_where_they_are_drawn() -> None:
    marks = [Stroke(points=((2, 2), (8, 2), (8, 8), (2, 8)), fill="#ff0000"),
             Disc(at=(15, 5), radius_px=3, fill="#0000ff"),
             Stroke(points=((-5, 15), (25, 15)), line="#00ff00", width_px=4, opacity=0.5)]  # fmt: skip
    image = Picture(20, 20, marks, "#ffffff").image()
    found = [image.getpixel(at) for at in ((5, 5), (15, 5), (10, 15), (0, 15), (0, 0), (11, 5))]
    red, blue, green, white = (255, 0, 0, 255), (0, 0, 255, 255), (127, 255, 127, 255), (255, 255, 255, 255)
    assert found == [red, blue, green, green, white, white]


def test_words_of_a_declaration_cannot_become_marks_of_an_svg() -> None:
    words = "<script>&\"'"
    drawn = Picture(9, 9, [Words(at=(0, 9), text=words, size_px=9, ink="#000000")], title=words)
    root = ElementTree.fromstring(drawn.svg())
    assert [e.text for e in root] == [words, words]


def test_without_a_chinese_font_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_chinese", lambda: None)
    found = legends([CITY["base.pois"]], "light")
    with pytest.raises(Unavailable, match="fonts-noto-cjk"):
        picture(found, "light", "zh").png()
    assert picture(found, "light", "zh").svg()
    assert Image.open(BytesIO(picture(found, "light", "en").png())).height > 100


def test_a_unit_without_words_stands_for_itself() -> None:
    assert unit_words("kPa") == Text("kPa", "kPa")
