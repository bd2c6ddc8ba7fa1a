"""The style: every declared look is drawn, in both themes and languages, and nothing is fetched from outside."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from gis.base import BASE
from gis.catalog import Catalogue, Collection, Geometry, Layer, Style, StyleClass
from gis.catalog.field import number, text
from gis.text import Text
from tiles.grid import EXTENT, MARGIN
from tiles.inks import THEMES, Theme
from tiles.sprite import MISSING_PATTERN
from tiles.style import DEEPEST_TILE_ZOOM, map_style
from tiles.style_layers import Look, label_source_layer, shown_at_first

TILES = "/collections/{collection}/tiles/WebMercatorQuad/{z}/{y}/{x}"
CITY = Catalogue([BASE])


def drawn(catalogue: Catalogue = CITY, theme: Theme = "light", language: Any = "zh") -> dict[str, Any]:
    return map_style(catalogue, Look(theme=theme, language=language, tiles_url=TILES))


def layer(style: dict[str, Any], layer_id: str) -> dict[str, Any]:
    return next(one for one in style["layers"] if one["id"] == layer_id)


def one_collection(geometry: Geometry | None, **look: Any) -> Catalogue:
    fields = (
        text("name", "名称", "Name"),
        text("name_en", "英文名", "English name"),
        number("pm25", "细颗粒物", "PM2.5"),
    )
    collection = Collection(
        id="air.grid",
        title=Text("网格", "Grid"),
        description=Text("网格", "Grid"),
        geometry=geometry,
        fields=fields,
        style=Style(color="#111111", dark="#eeeeee", **look),
    )
    return Catalogue([Layer(name="air", title=Text("空气", "Air"), collections=(collection,))])


def words(value: Any) -> Iterator[str]:
    """Every string within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (word for part in value.values() for word in words(part))
    elif isinstance(value, list):
        yield from (word for part in value for word in words(part))


def curves(value: Any) -> Iterator[list[Any]]:
    """Every expression within a JSON value that goes between stops."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        if value and value[0] == "interpolate":
            yield value
        yield from (curve for part in value for curve in curves(part))


@pytest.mark.parametrize("label_zoom", [0, 14, 18, 19, 20, 22])
@pytest.mark.parametrize("geometry", list(Geometry))
def test_stops_ascend_from_whatever_zoom_names_are_shown(geometry: Geometry, label_zoom: int) -> None:
    """A browser draws nothing at all by a style with two stops at one zoom."""
    styles = [drawn(), drawn(one_collection(geometry, label="name", label_zoom=label_zoom, outline="#222222"))]
    for curve in (one for style in styles for one in curves(style)):
        stops = curve[3::2]
        assert all(before < after for before, after in pairwise(stops)), curve


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_tiled_collection_is_drawn(theme: Theme, language: str) -> None:
    style = drawn(theme=theme, language=language)
    for collection in CITY:
        parts = [one for one in style["layers"] if one.get("metadata", {}).get("onemap:collection") == collection.id]
        if collection.style is None or not collection.tiled:
            assert not parts, collection.id
            continue
        assert {one["type"] for one in parts} > {"symbol"}, collection.id
        for one in parts:
            assert one["id"] == f"{collection.id}:{one['metadata']['onemap:part']}"
            assert one["source"] == collection.id
            own = label_source_layer(collection) if one["type"] == "symbol" else collection.id
            own = f"{collection.id}:cells" if one["metadata"]["onemap:part"] == "cells" else own
            assert one["source-layer"] == own
            assert one["minzoom"] >= collection.min_zoom
    ids = [one["id"] for one in style["layers"]]
    assert len(set(ids)) == len(ids)
    assert style["version"] == 8


def test_it_is_json_and_the_same_each_time() -> None:
    assert json.loads(json.dumps(drawn())) == json.loads(json.dumps(drawn()))


def test_nothing_comes_from_outside() -> None:
    style = drawn()
    assert "glyphs" not in style
    assert "sprite" not in style
    assert not [word for word in words(style) if "://" in word]


def test_tiles_are_asked_for_by_collection_in_the_order_of_the_standard() -> None:
    source = drawn()["sources"]["base.buildings"]
    assert source["tiles"] == ["/collections/base.buildings/tiles/WebMercatorQuad/{z}/{y}/{x}"]
    assert source["minzoom"] == CITY["base.buildings"].min_zoom
    assert source["maxzoom"] == DEEPEST_TILE_ZOOM


def test_shapes_are_stacked_as_declared_and_names_lie_above() -> None:
    layers = drawn()["layers"][1:]
    kinds = [one["type"] == "symbol" for one in layers]
    assert kinds == sorted(kinds)
    orders = [CITY[one["source"]].style.order for one in layers if one["type"] != "symbol"]  # type: ignore[union-attr]
    assert orders == sorted(orders)


def test_of_two_names_the_one_seen_from_farther_off_stays() -> None:
    """MapLibre places the last layer first, and what is placed first keeps its room."""
    names = [one["source"] for one in drawn()["layers"] if "text-field" in one.get("layout", {})]
    assert names[-1] == "base.divisions"
    assert names[0] == "base.dwellings"


@pytest.mark.parametrize(("theme", "color"), [("light", "#d6a99a"), ("dark", "#84564b")])
def test_text_classes_match_by_value(theme: Theme, color: str) -> None:
    painted = layer(drawn(theme=theme), "base.buildings:fill")["paint"]["fill-color"]
    assert painted[:2] == ["match", ["to-string", ["get", "use"]]]
    assert painted[painted.index("commercial") + 1] == color
    default = CITY["base.buildings"].style
    assert default is not None
    assert painted[-1] == (default.color if theme == "light" else default.dark)


def test_number_classes_are_steps_and_missing_values_are_hatched() -> None:
    classes = (
        StyleClass(35.0, "#bbbbbb", "#444444", Text("良", "fair")),
        StyleClass(0.0, "#aaaaaa", "#555555", Text("优", "good")),
    )
    style = drawn(one_collection(Geometry.POLYGON, by="pm25", classes=classes))
    painted = layer(style, "air.grid:fill")["paint"]["fill-color"]
    steps = ["step", ["get", "pm25"], "#111111", 0.0, "#aaaaaa", 35.0, "#bbbbbb"]
    assert painted == ["case", ["==", ["typeof", ["get", "pm25"]], "number"], steps, "#111111"]
    assert layer(style, "air.grid:missing")["paint"]["fill-pattern"] == MISSING_PATTERN


def test_line_widths_grow_with_zoom_and_are_as_declared_at_sixteen() -> None:
    line = layer(drawn(), "base.roads:line")
    kind, curve, zoom, *stops = line["paint"]["line-width"]
    assert (kind, curve[0], zoom) == ("interpolate", "exponential", ["zoom"])
    factors = {stops[i]: stops[i + 1][1][2] for i in range(0, len(stops), 2)}
    assert factors[16] == 1.0
    assert list(factors.values()) == sorted(factors.values())
    widths = line["layout"]["line-sort-key"]
    assert widths[widths.index("motorway") + 1] == 9.0


def test_the_casing_lies_under_its_line_and_is_wider() -> None:
    ids = [one["id"] for one in drawn()["layers"]]
    assert ids.index("base.roads:casing") < ids.index("base.roads:line")
    casing = layer(drawn(), "base.roads:casing")["paint"]["line-width"]
    edges_px = [stop[2] for stop in casing[4::2]]
    assert all(edge_px > 0 for edge_px in edges_px)


def test_buildings_rise_only_when_asked() -> None:
    raised = layer(drawn(), "base.buildings:extrusion")
    assert raised["layout"]["visibility"] == "none"
    assert raised["minzoom"] == 15
    assert raised["paint"]["fill-extrusion-height"][-1][1] == ["to-number", ["get", "height_m"], 0]


def test_divisions_are_told_by_dashed_borders_and_names_by_level() -> None:
    parts = {one["metadata"]["onemap:part"]: one for one in drawn()["layers"] if one.get("source") == "base.divisions"}
    assert not [one for one in parts.values() if one["type"] == "fill"]
    assert "line-dasharray" in parts["border-4"]["paint"]
    assert parts["border-3"]["minzoom"] < parts["border-5"]["minzoom"]
    assert parts["label-3"]["maxzoom"] < parts["label-5"]["maxzoom"]
    assert parts["label-5"]["filter"][-1] == 5


def test_the_band_along_a_border_stays_within_the_margin_of_a_tile() -> None:
    """Beyond it, the edges along which areas are cut for a tile would be drawn."""
    margin_px = MARGIN / EXTENT * 512
    for one in drawn()["layers"]:
        if "line-offset" in one.get("paint", {}):
            widest_px, farthest_px = one["paint"]["line-width"][-1], one["paint"]["line-offset"][-1]
            assert farthest_px + widest_px / 2 < margin_px


def test_names_in_english_where_there_are_any() -> None:
    city = one_collection(Geometry.POINT, label="name")
    english = layer(drawn(city, language="en"), "air.grid:label")["layout"]["text-field"]
    chinese = layer(drawn(city, language="zh"), "air.grid:label")["layout"]["text-field"]
    assert english[:2] == ["coalesce", ["get", "name_en"]]
    assert "name_en" not in list(words(chinese))


@pytest.mark.parametrize(
    ("collection", "shown"),
    [("base.roads", True), ("base.buildings", True), ("base.addresses", False), ("base.grids", False)],
)
def test_what_is_shown_at_first(collection: str, shown: bool) -> None:
    assert shown_at_first(CITY[collection]) is shown
    visible = {
        one["layout"]["visibility"]
        for one in drawn()["layers"]
        if one.get("source") == collection and one["type"] != "fill-extrusion"
    }
    assert visible == {"visible" if shown else "none"}


def test_a_layer_that_someone_adds_waits_to_be_switched_on() -> None:
    style = drawn(one_collection(Geometry.POINT))
    assert layer(style, "air.grid:circle")["layout"]["visibility"] == "none"


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert drawn(one_collection(None))["sources"] == {}
