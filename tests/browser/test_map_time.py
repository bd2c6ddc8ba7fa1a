"""Time on the web map: a span of days, and what became of a feature."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

Begin = Callable[..., Visit]

#: A division that was cut anew, so that it has more than one version.
CHANGED = "/collections/base.divisions/items?datetime=../..&limit=2000&filter=valid_to IS NOT NULL"


def tiles(visit: Visit, collection: str) -> list[str]:
    return [url for url in visit.requests if f"/{collection}/tiles/" in url]


def test_a_span_of_days_is_asked_for_as_one_and_taken_back(visit: Begin) -> None:
    city = visit()
    city.open("#at=1995-05-01")
    before = city.drawn("base.buildings")
    city.requests.clear()
    city.page.locator("[data-action=span]").click()
    city.has("since=")
    city.settle()
    last = city.page.locator(".time .date input[type=text]").last
    last.fill("2010-05-01")
    last.press("Enter")
    city.has("since=1990-05-01&at=2010-05-01")
    city.settle()
    asked = tiles(city, "base.buildings")
    assert asked[-1].endswith("?datetime=1990-05-01/2010-05-01")
    assert not [url for url in tiles(city, "base.divisions") if "datetime" not in url]
    assert city.drawn("base.buildings") > before
    city.requests.clear()
    city.page.locator(".time .now").click()
    city.has_not("since=")
    city.settle()
    assert not [url for url in tiles(city, "base.buildings") if "datetime" in url]
    assert city.page.locator(".time input[type=range]").count() == 1


def test_both_ends_of_a_span_are_moved_by_the_keyboard_and_never_cross(visit: Begin) -> None:
    city = visit(locale="en-GB")
    city.open("#since=2010-01-01&at=2010-01-03")
    start = city.page.get_by_role("slider", name="First day")
    start.focus()
    start.press("ArrowLeft")
    city.has("since=2009-12-31&at=2010-01-03")
    for _ in range(9):
        start.press("ArrowRight")
    city.page.wait_for_timeout(400)
    first, last = (field.input_value() for field in city.page.locator(".time .date input[type=text]").all())
    assert first < last
    city.page.get_by_role("slider", name="Last day").press("Home")
    city.page.wait_for_timeout(400)
    first, last = (field.input_value() for field in city.page.locator(".time .date input[type=text]").all())
    assert first < last


def test_what_was_there_at_some_time_of_a_span_is_told_when_it_is_clicked(visit: Begin) -> None:
    city = visit()
    answer = city.page.request.get(f"{city.base}{CHANGED}").json()["features"]
    fid = next(one["id"] for one in answer if one["properties"]["level"] == answer[-1]["properties"]["level"])
    city.open(f"#since=1981-01-01&at=2026-01-01&sel=base.divisions/{fid}")
    expect(city.page.locator(".feature [data-field=code] dd")).not_to_be_empty()
    link = city.page.locator(".feature footer a").get_attribute("href")
    assert link == f"/collections/base.divisions/items/{fid}?datetime=1981-01-01/2026-01-01"


def test_the_history_of_a_feature_leads_to_its_own_time(visit: Begin) -> None:
    city = visit()
    found = city.page.request.get(f"{city.base}{CHANGED}").json()["features"]
    open_ones = city.page.request.get(f"{city.base}/collections/base.divisions/items?limit=2000").json()["features"]
    standing = {one["id"] for one in open_ones}
    fid = next(one["id"] for one in found if one["id"] in standing)
    city.open(f"#sel=base.divisions/{fid}")
    history = city.page.locator(".history li")
    expect(history.nth(1)).to_be_visible()
    assert history.first.get_attribute("aria-current") == "true"
    assert "至今有效" in history.first.inner_text()
    assert "→" in history.first.inner_text() or "形状改变" in history.first.inner_text()
    history.last.get_by_role("button").click()
    city.has("at=")
    expect(city.page.locator(".history li").last).to_have_attribute("aria-current", "true")
    city.page.locator(".history li").first.get_by_role("button").click()
    city.has_not("at=")


def test_a_date_that_is_none_in_a_link_is_left_out(visit: Begin) -> None:
    city = visit()
    city.open("#at=2021-02-31")
    city.has_not("at=")
    assert city.drawn("base.roads") > 0
