"""The web map in a real browser, driven as a reader would drive it."""

import re
from collections.abc import Callable

import pytest

from gis.base import BASE
from gis.catalog import Sensitivity
from tests.browser.visits import Visit, collection, near, pick_building

pytestmark = pytest.mark.browser

Begin = Callable[..., Visit]


def test_it_opens_on_the_city_with_all_its_layers(visit: Begin) -> None:
    city = visit()
    city.open()
    listed = city.page.locator(".entry").evaluate_all("all => all.map(one => one.dataset.collection)")
    assert set(listed) >= {c.id for c in BASE.collections if c.style and c.sensitivity is Sensitivity.OPEN}
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


def test_an_address_is_found_with_its_level_and_shown(visit: Begin) -> None:
    city = visit()
    city.open()
    box = city.page.get_by_role("combobox")
    box.fill("裕安区长安西路四十一号盛世名邸3栋")
    first = city.page.locator(".search .option").first
    first.wait_for()
    assert "安徽省六安市裕安区西市街道草市社区长安西路41号盛世名邸3栋" in first.inner_text()
    assert "楼栋" in first.inner_text()
    box.press("Enter")
    city.has("sel=base.addresses/")
    city.settle()
    assert "D341503002007000003" in city.text(".feature")


def test_an_address_that_several_places_fit_lists_them(visit: Begin) -> None:
    city = visit()
    city.open("?lang=en")
    city.page.get_by_role("combobox").fill("人民夕路4号")
    city.page.locator(".search .option").first.wait_for()
    listed = city.page.locator(".search .option").all_inner_texts()
    assert len(listed) == 2 and all("one of several" in one for one in listed)
