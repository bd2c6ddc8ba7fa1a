"""The web map when something is amiss, and for readers who need or have more or less than a mouse and a desk."""

import re
from collections.abc import Callable

import pytest

from tests.browser.visits import Visit, collection, near, pick_building

pytestmark = pytest.mark.browser

Begin = Callable[..., Visit]


FOCUSED = """() => {
  const { dataset, className } = document.activeElement
  return [dataset.action, document.activeElement.getAttribute('role'), className].join(' ')
}"""


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
    city.open(f"#{near(city, 'base.buildings', 9)}&layers=base.buildings")
    far = city.page.locator("[data-collection='base.buildings'] .far")
    assert "12" in far.inner_text()
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


def test_on_a_phone_what_is_looked_at_stays_above_the_sheet(visit: Begin) -> None:
    city = visit(390, 844, has_touch=True)
    place = near(city, "base.buildings", 17)
    city.open(f"#{place}")
    fid = pick_building(city)
    city.page.wait_for_timeout(900)
    city.settle()
    top = city.page.locator(".right").bounding_box()
    assert top
    assert 0 < city.evaluate("map => map.project(map.getCenter()).y") < top["y"]
    _, lon, lat = place.removeprefix("map=").split("/")
    other = visit(390, 844, has_touch=True)
    other.open(f"#{place}&sel=base.buildings/{fid}")
    assert 0 < other.evaluate(f"map => map.project([{lon}, {lat}]).y") < top["y"]
    other.page.get_by_role("button", name="关闭要素面板").click()
    other.page.wait_for_timeout(600)
    assert other.evaluate(f"map => map.project([{lon}, {lat}]).y") == pytest.approx(844 / 2, abs=2)


def test_on_a_phone_nothing_lies_over_what_was_found(visit: Begin) -> None:
    city = visit(390, 844, has_touch=True)
    city.open()
    city.page.get_by_role("combobox").fill("人民东路4号")
    option = city.page.locator(".search .option").first
    option.wait_for()
    box = option.bounding_box()
    assert box
    corner = [box["x"] + box["width"] - 6, box["y"] + box["height"] / 2]
    assert city.page.evaluate("at => Boolean(document.elementFromPoint(...at).closest('.search'))", corner)
    assert option.locator(".title").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_the_sources_and_licences_of_what_is_shown_are_told(visit: Begin) -> None:
    city = visit()
    city.open("#layers=-base.pois")
    city.page.locator(".source-note summary").click()
    told = city.text(".source-note ul")
    roads = collection(city, "base.roads")
    # in Chinese punctuation, however it was typed
    assert all(words in told for words in re.split(r"[(),;]", roads["source"]["zh"]))
    assert roads["license"] in told
    assert collection(city, "base.pois")["titles"]["zh"] not in told
