"""The clerks' pages for whoever reads them: what is public, both languages, both themes, phones, keyboards."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.clerks import ClerkVisit

pytestmark = pytest.mark.browser

Begin = Callable[..., ClerkVisit]

PLACES = ("page=deliveries", "page=returned", "page=directory", "page=scorecard")
#: Words that the page itself says, as against data: headings, labels, buttons, links of the frame.
SAID = "h1, h2, th, label, legend, button, .bar, .hint, .lead, option[value=''], .state-note"
FOCUSED = """() => {
  const on = document.activeElement
  const seen = [null, '::after'].some(part => getComputedStyle(on, part).outlineStyle !== 'none')
  return [on.id || on.dataset.action || on.name || on.tagName, seen || on.type === 'file']
}"""


def test_the_directory_is_open_to_everybody_and_searched(clerk: Begin) -> None:
    desk = clerk()
    desk.page.goto(f"{desk.base}/exchange#page=directory")
    held = desk.page.request.get(f"{desk.base}/exchange/directory").json()
    for name in ("departments", "classes", "items"):
        assert desk.text(f"[data-count={name}] dd") == f"{held[name]:,}"
    expect(desk.page.locator("[data-department]")).to_have_count(held["departments"])
    desk.page.locator("[data-department=civil_affairs]").click()
    desk.has("department=civil_affairs")
    first = desk.page.locator("[data-class]").first
    code = first.get_attribute("data-class")
    first.click()
    expect(desk.page.locator("[data-item]").first).to_contain_text(f"{code}-")
    desk.page.get_by_label("在目录中查找").fill("婚姻状况")
    desk.has("search=")
    expect(desk.page.locator("[data-item]").first).to_contain_text("婚姻状况")
    desk.page.get_by_label("在目录中查找").fill("没有这样的词")
    expect(desk.page.locator(".state-note")).to_contain_text("目录里没有找到“没有这样的词”")


@pytest.mark.parametrize("finding", ["overdue", "double", "absent"])
def test_what_is_amiss_in_the_directory_is_listed(clerk: Begin, finding: str) -> None:
    desk = clerk()
    desk.page.goto(f"{desk.base}/exchange#page=directory&list={finding}")
    matched = desk.page.request.get(f"{desk.base}/exchange/directory/{finding}?limit=1").json()["numberMatched"]
    assert matched > 0
    expect(desk.page.locator(f"[data-list={finding}] tbody tr")).to_have_count(min(50, matched))


def test_the_scorecard_is_open_to_everybody_and_says_how_it_is_computed(clerk: Begin) -> None:
    desk = clerk()
    desk.page.goto(f"{desk.base}/exchange#page=scorecard")
    card = desk.page.request.get(f"{desk.base}/exchange/scorecard?f=json").json()
    police = next(line for line in card["departments"] if line["department"] == "police")
    assert desk.text("[data-line=police] [data-score=quality]") == f"{police['quality']['value']:.1f}"
    tip = desk.page.locator("#how-quality")
    expect(tip).to_be_hidden()
    desk.page.locator("[aria-describedby=how-quality]").focus()
    expect(tip).to_be_visible()
    desk.page.locator("[data-line=police] a").click()
    own = [line for line in card["classes"] if line["department"] == "police"]
    expect(desk.page.locator("[data-line]")).to_have_count(len(own))


def test_every_page_is_complete_in_english(clerk: Begin) -> None:
    desk = clerk(1366, locale="en-GB")
    desk.sign_in("*")
    for place in PLACES:
        desk.go(place)
        said = " ".join(desk.page.locator(SAID).all_inner_texts()).replace("中文", "").replace("操作", "")
        assert len(said) > 100
        assert re.findall(r"[\u4e00-\u9fff]+", said) == [], place
        assert "Data exchange" in desk.page.title()


@pytest.mark.parametrize("text", ["", "&text=large"])
def test_on_a_phone_nothing_is_wider_than_the_screen(clerk: Begin, text: str) -> None:
    desk = clerk(390, 844, has_touch=True, is_mobile=True)
    desk.sign_in("*", f"page=deliveries{text}")
    number = desk.ask("*", "/exchange/returned?reason=conflict&limit=1")["tasks"][0]
    places = (*PLACES, f"page=returned&task={number['id']}", f"page=deliveries&delivery={number['delivery']}")
    for place in (*places, "page=directory&list=overdue", "page=scorecard&department=police"):
        desk.go(place + text)
        assert desk.width() == 390, place
    desk.go("page=returned")
    cell = desk.page.locator("[data-task] td").first
    assert cell.evaluate("td => getComputedStyle(td, '::before').content") == '"办理期限"'


def test_themes_and_languages_hold_from_page_to_map_and_back(clerk: Begin) -> None:
    desk = clerk()
    desk.sign_in("police", "page=deliveries&theme=dark")
    desk.page.locator("[data-action=language]").click()
    assert desk.page.locator("html").get_attribute("data-theme") == "dark"
    desk.page.locator("[data-action=large]").click()
    desk.page.locator("[data-action=map]").click()
    desk.page.wait_for_selector(".page[data-ready=true]", timeout=60_000)
    assert desk.page.locator("html").get_attribute("lang") == "en"
    assert desk.page.locator("html").get_attribute("data-theme") == "dark"
    desk.page.locator("[data-action=exchange]").click()
    assert desk.text(".who") == "Public security bureau"
    for words in ("lang=en", "theme=dark", "text=large"):
        desk.has(words)


def test_the_keyboard_reaches_everything_and_is_seen(clerk: Begin) -> None:
    desk = clerk(1366)
    desk.sign_in("police")
    reached = []
    for _ in range(24):
        desk.page.keyboard.press("Tab")
        reached.append(desk.page.evaluate(FOCUSED))
    assert {"A", "sign-out", "map", "language", "theme", "large", "register", "mode", "date"} <= {n for n, _ in reached}
    assert [name for name, seen in reached if not seen] == []
    desk.page.locator("[data-delivery] a").first.press("Enter")
    desk.page.locator("article.delivery").wait_for()


def test_links_go_back_and_forth(clerk: Begin) -> None:
    desk = clerk()
    desk.sign_in("police")
    desk.page.get_by_role("link", name="退回清单").click()
    desk.has("page=returned")
    desk.page.locator("[data-task] a").first.click()
    desk.has("task=")
    desk.page.go_back()
    desk.has_not("task=")
    expect(desk.page.locator("[data-task]").first).to_be_visible()
    desk.page.go_back()
    desk.page.locator(".hand-over").wait_for()
