"""What is here: asked of a place on the map, told in the right panel, kept in the address, led on from."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visits import Visit, near, pick_building

Begin = Callable[..., Visit]


def test_a_place_tells_what_is_there_and_leads_to_it(visit: Begin) -> None:
    page = visit(locale="en-GB")
    page.open(f"#{near(page, 'base.buildings', 17.0)}")
    pick_building(page)
    page.page.click(".feature [data-action=here]")
    panel = page.page.locator(".here")
    expect(panel.locator("[data-collection='base.buildings'] li")).to_have_count(3)
    page.has("here=")
    page.has_not("sel=")
    assert page.page.locator(".maplibregl-marker").count() == 1

    many = int(panel.locator("[data-collection='base.buildings'] .count").first.inner_text().replace(",", ""))
    panel.get_by_role("button", name="100 m", exact=True).click()
    expect(panel.locator("[data-collection='base.buildings'] h3 .count")).not_to_have_text(f"{many:,}")

    panel.locator("[data-collection='base.buildings'] li button").first.click()
    page.page.wait_for_selector(".feature [data-field=coordinates]")
    page.has("sel=base.buildings/")
    page.has_not("here=")


def test_a_link_opens_the_same_place_in_the_other_language(visit: Begin) -> None:
    page = visit()
    where = near(page, "base.buildings", 16.0)
    _, lon, lat = where.removeprefix("map=").split("/")
    page.open(f"#{where}&here={lon}/{lat}")
    expect(page.page.locator(".here h2")).to_have_text("此处有什么")
    expect(page.page.locator(".here [data-collection='base.buildings']")).to_contain_text("建筑物")
    page.page.locator(".here header button").click()
    expect(page.page.locator(".here")).to_have_count(0)
    page.has_not("here=")


def test_a_click_where_nothing_is_drawn_asks_what_is_there(visit: Begin) -> None:
    page = visit(locale="en-GB")
    page.open("#map=9.00/100.00000/20.00000")
    box = page.page.locator(".city-map").bounding_box()
    assert box
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.page.locator(".here")).to_contain_text("no data within 300 m")
