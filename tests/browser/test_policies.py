"""Policies and emergencies in a real browser: read in sentences, adjusted, brought back; declared and ended."""

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import Accounts, sign_in
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

Begin = Callable[..., Visit]


@pytest.fixture
def security(office: Visit) -> Page:
    """The page of a security administrator who has signed in."""
    return office.page


@pytest.fixture
def office(accounted: Accounts, begin: Begin) -> Visit:
    """A visit of a security administrator."""
    name, visit = f"sec.{uuid.uuid4().hex[:8]}", begin()
    sign_in(visit, name, accounted.add(name, "security_admin"))
    return visit


def _open(page: Page, collection: str) -> None:
    page.locator("nav a", has_text="访问策略").click()
    page.locator(f"[data-policy='{collection}'] a").click()
    page.locator("[data-grant]").first.wait_for()


def _save(page: Page, why: str) -> None:
    page.locator("#why").fill(why)
    page.locator("[data-part=grants] button[type=submit]").click()


def test_a_policy_is_told_in_sentences_adjusted_and_brought_back(security: Page) -> None:
    _open(security, "base.persons")
    staff = security.locator("[data-part=explained] [data-role=staff]")
    expect(staff).to_contain_text("每个数不少于 5。")
    expect(security.locator("[data-part=grants] button[type=submit]")).to_be_disabled()
    security.locator("#grant-3-k").fill("8")
    security.locator("[data-action=check]").click()
    expect(security.locator("[data-part=preview] [data-role=staff]")).to_contain_text("每个数不少于 8。")
    expect(staff).to_contain_text("每个数不少于 5。")
    _save(security, "试点期间从严")
    expect(staff).to_contain_text("每个数不少于 8。")
    expect(security.locator("[data-version]")).to_have_count(1)
    expect(security.locator("[data-version]")).to_contain_text("试点期间从严")
    security.locator("#why").fill("试点结束")
    security.locator("[data-action=reset]").click()
    security.locator("dialog [data-action=confirm]").click()
    expect(staff).to_contain_text("每个数不少于 5。")
    expect(security.locator("[data-version]")).to_have_count(2)
    expect(security.locator("[data-action=reset]")).to_have_count(0)


def test_fields_rows_and_places_are_narrowed(security: Page) -> None:
    _open(security, "base.dwellings")
    grant = security.locator("[data-grant='1']")
    grant.locator("#grant-1-place").select_option("cell")
    grant.locator("#grant-1-cell").select_option("8")
    grant.locator("summary").click()
    field = grant.locator("[data-field] select").first
    field.select_option("hidden")
    _save(security, "只看大概位置")
    staff = security.locator("[data-part=explained] [data-role=staff]")
    expect(staff).to_contain_text("分辨率 8 的网格")
    expect(staff).to_contain_text("不显示：")
    security.reload()
    expect(security.locator("#grant-1-cell")).to_have_value("8")
    expect(field).to_have_value("hidden")


def test_a_policy_that_cannot_be_is_refused_in_words(office: Visit, security: Page) -> None:
    _open(security, "base.entities")
    security.locator("[data-action=add]").click()
    security.locator("[data-action=check]").click()
    expect(security.get_by_role("alert")).to_contain_text("策略：")
    assert security.locator("[data-part=preview]").count() == 0
    office.forgive(400)


def test_who_did_not_see_the_last_change_does_not_undo_it(accounted: Accounts, begin: Begin, security: Page) -> None:
    _open(security, "base.land")
    visit = begin()
    other = sign_in(visit, "sec.two", accounted.add("sec.two", "security_admin"))
    _open(other, "base.land")
    security.locator("#grant-1-departments").fill("police")
    _save(security, "先改")
    expect(security.locator("[data-version]")).to_have_count(1)
    other.locator("#grant-1-departments").fill("market")
    _save(other, "后改")
    expect(other.get_by_role("alert")).to_be_visible()
    expect(other.locator("#grant-1-departments")).to_have_value("market")
    visit.forgive(412)


def test_an_emergency_is_declared_and_ended(security: Page) -> None:
    security.locator("nav a", has_text="紧急状态").click()
    security.locator("#emergency-name").fill("防汛一级响应")
    security.locator("#emergency-why").fill("洪水预警")
    declare = security.locator("[data-part=declare] button[type=submit]")
    declare.click()
    expect(security.get_by_role("alert")).to_contain_text("请至少选择一个区划")
    security.locator("#division-term").fill("341502")
    security.locator("#division-term").press("Enter")
    expect(security.locator("[data-division='341502']")).to_be_visible()
    declare.click()
    row = security.locator("[data-emergency]")
    expect(row).to_contain_text("生效中")
    expect(row).to_contain_text("341502")
    row.locator("[data-action=end]").click()
    expect(security.locator("dialog")).to_contain_text("防汛一级响应")
    security.locator("dialog [data-action=confirm]").click()
    expect(row).to_contain_text("结束")
    expect(row.locator("[data-action=end]")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_nothing_is_wider_than_the_screen(accounted: Accounts, begin: Begin, width: int) -> None:
    name = f"sec.{width}"
    page = sign_in(begin(width, 844, "en-GB", color_scheme="dark"), name, accounted.add(name, "security_admin"))
    for place in ("policies", "policies&of=base.persons", "emergencies"):
        page.goto(f"{accounted.url}/account#page={place}")
        expect(page.locator(".state-note .turning")).to_have_count(0)
        page.locator("h1").wait_for()
        assert page.evaluate("document.querySelector('.frame').scrollWidth") <= width, place
