"""The web map in a real browser, driven as a reader would drive it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from gis.base import BASE
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

Begin = Callable[..., Visit]

#: A pixel on which a feature of a collection lies on top, as [x, y, fid]; the middle of the map first.
PIXEL_OF = """(map, id) => {
  const { clientWidth: w, clientHeight: h } = map.getCanvas()
  const hits = []
  for (let x = 0.4 * w; x < 0.7 * w; x += 12) for (let y = 0.3 * h; y < 0.7 * h; y += 12) {
    const [top] = map.queryRenderedFeatures([x, y]).filter(f => f.layer.metadata?.['onemap:collection'])
    if (top && top.source === id && top.layer.type === 'fill') hits.push([x, y, top.id])
  }
  hits.sort((a, b) => Math.hypot(a[0] - w / 2, a[1] - h / 2) - Math.hypot(b[0] - w / 2, b[1] - h / 2))
  return hits[0] ?? null
}"""

FOCUSED = """() => {
  const { dataset, className } = document.activeElement
  return [dataset.action, document.activeElement.getAttribute('role'), className].join(' ')
}"""


def collection(visit: Visit, collection_id: str) -> dict[str, Any]:
    answer = visit.page.request.get(f"{visit.base}/collections/{collection_id}")
    assert answer.ok
    return dict(answer.json())


def near(visit: Visit, collection_id: str, zoom: float) -> str:
    """An address in the middle of the densest part of a collection: where its middle feature is."""
    answer = visit.page.request.get(f"{visit.base}/collections/{collection_id}/items?limit=200").json()
    boxes = [_box(feature["geometry"]) for feature in answer["features"]]
    middles = sorted(((west + east) / 2, (south + north) / 2) for west, south, east, north in boxes)
    lon, lat = middles[len(middles) // 2]
    return f"map={zoom:.2f}/{lon:.5f}/{lat:.5f}"


def _box(geometry: dict[str, Any]) -> tuple[float, float, float, float]:
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", json.dumps(geometry["coordinates"]))]
    lons, lats = numbers[0::2], numbers[1::2]
    return min(lons), min(lats), max(lons), max(lats)


def pick_building(visit: Visit) -> int:
    """Click a building; its fid."""
    found = visit.evaluate(PIXEL_OF, "base.buildings")
    assert found, "no building near the middle of the map"
    x, y, fid = found
    box = visit.page.locator(".city-map").bounding_box()
    assert box
    visit.page.mouse.click(box["x"] + x, box["y"] + y)
    visit.page.wait_for_selector(".feature [data-field=coordinates]")
    visit.settle()
    return int(fid)


def test_it_opens_on_the_city_with_all_its_layers(visit: Begin) -> None:
    city = visit()
    city.open()
    listed = city.page.locator(".entry").evaluate_all("all => all.map(one => one.dataset.collection)")
    assert set(listed) >= {c.id for c in BASE.collections if c.style}
    assert city.drawn("base.roads") > 10
    assert city.drawn("base.buildings") > 10
    assert city.drawn("base.addresses") == 0
    assert city.page.title().startswith("一张图")
    assert city.hash().endswith("lang=zh")


def test_names_are_written_with_the_fonts_of_the_machine(visit: Begin) -> None:
    city = visit()
    city.open()
    names = city.evaluate(
        "map => map.queryRenderedFeatures().filter(f => f.layer.type === 'symbol').map(f => f.properties.name)"
    )
    assert any(re.search(r"[\u4e00-\u9fff]", name or "") for name in names)
    assert not [url for url in city.requests if "font" in url or "glyph" in url]


def test_an_area_is_named_once_however_many_tiles_it_lies_in(visit: Begin) -> None:
    city = visit()
    city.open()
    script = """map => map.queryRenderedFeatures()
        .filter(f => f.source === 'base.divisions' && f.layer.type === 'symbol').map(f => f.id)"""
    names = city.evaluate(script)
    assert names
    assert len(names) == len(set(names))


def test_a_layer_is_switched_off_and_on(visit: Begin) -> None:
    city = visit()
    city.open()
    switch = city.page.locator("[data-collection='base.buildings'] [role=switch]")
    assert switch.get_attribute("aria-checked") == "true"
    switch.click()
    city.settle()
    assert city.drawn("base.buildings") == 0
    city.has("layers=-base.buildings")
    switch.click()
    city.settle()
    assert city.drawn("base.buildings") > 0
    city.has_not("layers")


def test_opacity_fades_a_layer_as_a_whole(visit: Begin) -> None:
    city = visit()
    city.open()
    entry = city.page.locator("[data-collection='base.water']")
    entry.locator("button.name").click()
    entry.locator("input[type=range]").fill("40")
    city.settle()
    assert city.evaluate("map => map.getPaintProperty('base.water:fill', 'fill-opacity')") == pytest.approx(0.4)
    city.has("layers=base.water@40")


def test_the_legend_names_and_counts_what_is_in_view(visit: Begin) -> None:
    city = visit()
    city.open()
    entry = city.page.locator("[data-collection='base.buildings']")
    entry.locator("button.name").click()
    entry.locator(".legend li").first.wait_for()
    declared = [one["title"]["zh"] for one in collection(city, "base.buildings")["style"]["classes"]]
    told = entry.locator(".legend .name").all_inner_texts()
    assert told[: len(declared)] == declared
    counts = [int(n.replace(",", "")) for n in entry.locator(".legend .count").all_inner_texts()]
    assert sum(counts) == city.drawn("base.buildings")


def test_a_click_on_a_building_tells_its_fields_in_words(visit: Begin) -> None:
    city = visit()
    city.open("#" + near(city, "base.buildings", 17))
    fid = pick_building(city)
    told = city.page.request.get(f"{city.base}/collections/base.buildings/items/{fid}").json()["properties"]
    fields = {one["name"]: one for one in collection(city, "base.buildings")["fields"]}
    assert told["code"] == city.text("[data-field=code] dd")
    assert city.text("[data-field=use] dt") == fields["use"]["title"]["zh"]
    use = fields["use"]["values"].get(told["use"], {"zh": "无"})["zh"]
    assert city.text("[data-field=use] dd") == use
    height = city.text("[data-field=height_m] dd")
    assert height.endswith("米") if told.get("height_m") is not None else height == "无"
    assert re.fullmatch(r"\d+\.\d{6}, \d+\.\d{6}", city.text("[data-field=coordinates] dd").splitlines()[0].strip())
    city.has(f"sel=base.buildings/{fid}")
    city.page.get_by_role("button", name="关闭要素面板").click()
    city.has_not("sel=")


def test_the_language_is_changed_with_everything_that_is_open(visit: Begin) -> None:
    city = visit()
    city.open("#" + near(city, "base.buildings", 17))
    pick_building(city)
    city.page.locator("[data-action=language]").click()
    city.settle()
    assert city.page.locator("html").get_attribute("lang") == "en"
    assert city.text(".catalogue h1") == "One Map"
    assert city.text("[data-collection='base.buildings'] .title") == "Buildings"
    assert city.text("[data-field=use] dt") == "Use"
    city.has("lang=en")
    left = re.findall(r"[\u4e00-\u9fff]+", city.text(".catalogue"))
    sources = {word for one in BASE.collections for word in re.findall(r"[\u4e00-\u9fff]+", one.source.zh)}
    assert set(left) <= sources


@pytest.mark.parametrize(
    ("locale", "address", "language"), [("en-GB", "", "en"), ("fr-FR", "", "zh-CN"), ("zh-CN", "?lang=en", "en")]
)
def test_the_first_language_is_that_of_the_address_then_of_the_browser(
    visit: Begin, locale: str, address: str, language: str
) -> None:
    city = visit(locale=locale)
    city.page.goto(f"{city.base}/map{address}")
    city.page.wait_for_selector(".catalogue h1")
    assert city.page.locator("html").get_attribute("lang") == language


def test_a_date_is_sent_with_every_question_and_taken_back(visit: Begin) -> None:
    city = visit()
    city.open()
    buildings = city.drawn("base.buildings")
    city.requests.clear()
    date = city.page.locator(".time .date input[type=text]")
    date.fill("1995-5-1")
    date.press("Enter")
    city.settle()
    tiles = [url for url in city.requests if "/base.buildings/tiles/" in url]
    assert tiles
    assert all(url.endswith("?datetime=1995-05-01") for url in tiles)
    city.has("at=1995-05-01")
    assert date.input_value() == "1995-05-01"
    assert 0 < city.drawn("base.buildings") < buildings
    city.requests.clear()
    city.page.locator(".time .now").click()
    city.settle()
    tiles = [url for url in city.requests if "/tiles/" in url]
    assert tiles
    assert not [url for url in tiles if "datetime" in url]
    assert city.drawn("base.buildings") == buildings
    city.has_not("at=")


def test_the_slider_of_years_is_moved_by_the_keyboard(visit: Begin) -> None:
    city = visit()
    city.open()
    slider = city.page.locator(".time input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")
    city.settle()
    city.has("at=")
    slider.press("End")
    city.settle()
    city.has_not("at=")


def test_a_mistyped_date_is_said_and_changes_nothing(visit: Begin) -> None:
    city = visit()
    city.open()
    date = city.page.locator(".time .date input[type=text]")
    date.fill("2016-02-31")
    date.press("Enter")
    assert date.get_attribute("aria-invalid") == "true"
    city.has_not("at=")


def test_the_theme_follows_the_reader_then_the_system(visit: Begin) -> None:
    city = visit(color_scheme="dark")
    city.open()
    ground = "map => map.getPaintProperty('onemap:ground', 'background-color')"
    assert city.page.locator("html").get_attribute("data-theme") == "dark"
    dark = city.evaluate(ground)
    city.page.locator("[data-action=theme]").click()
    city.settle()
    city.page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    city.page.wait_for_timeout(500)
    city.settle()
    assert city.evaluate(ground) != dark
    city.has("theme=light")
    assert city.drawn("base.roads") > 0


def test_a_link_opens_the_same_view(visit: Begin) -> None:
    first = visit()
    first.open("#" + near(first, "base.buildings", 17))
    fid = pick_building(first)
    place = first.hash().partition("&")[0]
    parts = [f"{place}/20/40", "layers=-base.pois,base.water@50", f"sel=base.buildings/{fid}"]
    parts += ["lang=en", "theme=dark", "text=large", "3d=1"]
    second = visit(locale="zh-CN")
    second.open("#" + "&".join(parts))
    assert second.hash() == "&".join(parts)
    view = second.evaluate("map => [map.getZoom(), map.getBearing(), map.getPitch()]")
    assert view == pytest.approx([17, 20, 40], abs=0.1)
    assert second.page.locator("html").get_attribute("lang") == "en"
    assert second.page.locator("html").get_attribute("data-theme") == "dark"
    assert second.drawn("base.pois") == 0
    assert second.text(".feature h2") == first.text(".feature h2") or second.text(".feature h2") == "Buildings"


def test_a_feature_that_is_not_there_is_said_in_words(visit: Begin) -> None:
    city = visit()
    city.open("#sel=base.buildings/1&at=1901-01-01")
    assert "1901年1月1日" in city.text(".feature [role=alert]")
    city.page.get_by_role("button", name="回到现在").click()
    city.settle()
    assert city.text(".feature [role=alert] strong") == "没有这个要素"
    assert city.complaints
    assert all("404" in said for said in city.complaints)
    city.complaints.clear()


def test_a_busy_server_is_said_and_can_be_asked_again(visit: Begin) -> None:
    city = visit()
    busy = {"status": 503, "content_type": "application/problem+json", "body": '{"detail": "busy"}'}
    city.page.route("**/collections", lambda route: route.fulfill(**busy))
    city.page.goto(f"{city.base}/map")
    assert "服务器正忙" in city.text(".catalogue [role=alert]")
    city.page.unroute("**/collections")
    city.page.get_by_role("button", name="重试").first.click()
    city.page.wait_for_selector(".entry")
    city.settle()
    assert city.drawn("base.roads") > 0
    assert all("503" in said for said in city.complaints)
    city.complaints.clear()


def test_tiles_that_do_not_arrive_are_said_and_asked_for_again(visit: Begin) -> None:
    city = visit()
    city.page.route("**/base.water/tiles/**", lambda route: route.fulfill(status=500, body=""))
    city.open()
    assert "水域" in city.text(".notice")
    city.page.unroute("**/base.water/tiles/**")
    city.requests.clear()
    city.page.locator(".notice .text-button").click()
    city.settle()
    assert city.page.locator(".notice").count() == 0
    assert [url for url in city.requests if "/base.water/tiles/" in url]
    assert all("500" in said for said in city.complaints)
    city.complaints.clear()


def test_an_empty_place_is_said_and_leads_back(visit: Begin) -> None:
    city = visit()
    city.open("#map=15.00/-30.00000/-40.00000")
    assert "这里没有数据" in city.text(".notice")
    city.page.get_by_role("button", name="回到全城").first.click()
    city.page.wait_for_timeout(900)
    city.settle()
    assert city.drawn("base.roads") > 0


def test_layers_for_close_looks_say_so_from_afar(visit: Begin) -> None:
    city = visit()
    city.open(f"#{near(city, 'base.buildings', 9)}&layers=base.addresses")
    far = city.page.locator("[data-collection='base.addresses'] .far")
    assert "14" in far.inner_text()
    far.get_by_role("button").click()
    city.page.wait_for_timeout(900)
    city.settle()
    assert far.count() == 0


def test_coordinates_are_found_however_they_are_typed(visit: Begin) -> None:
    city = visit()
    city.open()
    box = city.page.get_by_role("combobox")
    box.fill("31.75, 116.5")
    assert city.text(".option .title") == "116.500000, 31.750000"
    box.press("Enter")
    city.page.wait_for_timeout(900)
    city.settle()
    center = city.evaluate("map => map.getCenter().toArray()")
    assert center == pytest.approx([116.5, 31.75], abs=1e-4)


def test_the_keyboard_reaches_map_and_panels(visit: Begin) -> None:
    city = visit()
    city.open("#" + near(city, "base.buildings", 17))
    reached = ""
    for _ in range(40):
        city.page.keyboard.press("Tab")
        reached += f"{city.page.evaluate(FOCUSED)} "
    assert {"switch", "combobox", "language", "theme", "large", "maplibregl-canvas"} <= set(reached.split())
    city.page.locator(".maplibregl-canvas").focus()
    city.page.keyboard.press("Enter")
    city.page.wait_for_selector(".feature, .aim")


def test_on_a_phone_the_map_comes_first(visit: Begin) -> None:
    city = visit(390, 844, has_touch=True)
    city.open()
    assert city.page.locator(".catalogue").count() == 0
    assert city.page.evaluate("() => document.documentElement.scrollWidth") == 390
    city.page.get_by_role("button", name="打开图层目录").click()
    sheet = city.page.locator(".left")
    sheet.wait_for()
    bounds = sheet.bounding_box()
    assert bounds
    assert (bounds["x"], bounds["width"]) == (0, 390)
    assert bounds["y"] > 844 * 0.3
    city.page.get_by_role("button", name="收起图层目录").click()
    assert city.page.locator(".catalogue").count() == 0


def test_large_text_is_larger_on_panels_and_on_the_map(visit: Begin) -> None:
    city = visit()
    city.open()
    size = "() => parseFloat(getComputedStyle(document.querySelector('.entry .title')).fontSize)"
    name = "map => map.getLayoutProperty('base.divisions:label-3', 'text-size')"
    before = city.page.evaluate(size), city.evaluate(name)
    city.page.locator("[data-action=large]").click()
    city.settle()
    after = city.page.evaluate(size), city.evaluate(name)
    assert after[0] > before[0] * 1.2
    assert after[1] > before[1] * 1.2
    city.has("text=large")


def test_buildings_rise(visit: Begin) -> None:
    city = visit()
    city.open("#" + near(city, "base.buildings", 16.5))
    city.page.locator("[data-action=raised]").click()
    city.page.wait_for_timeout(900)
    city.settle()
    raised = city.evaluate("map => map.queryRenderedFeatures({layers: ['base.buildings:extrusion']}).length")
    assert raised > 0
    assert city.evaluate("map => map.getPitch()") > 40
    city.has("3d=1")
