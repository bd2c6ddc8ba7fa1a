"""The pages of accounts in a real browser: signing in, one's own rights, and what each administrator keeps."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.accounts import Accounts, sign_in
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

Begin = Callable[..., Visit]


def test_signing_in_seeing_oneself_and_signing_out(accounted: Accounts, begin: Begin) -> None:
    visit = begin()
    visit.open()
    visit.page.locator("[data-action=account]").click()
    visit.page.locator("#name").wait_for()
    page = sign_in(visit, "li.si", accounted.add("li.si", "staff"))
    expect(page.locator("[data-part=role]")).to_have_text("工作人员")
    expect(page.locator("[data-part=collections]")).to_contain_text("房屋")
    assert page.evaluate("document.cookie") == ""
    page.goto(f"{visit.base}/map")
    assert page.evaluate("fetch('/collections/base.dwellings').then(answer => answer.status)") == 200
    page.goto(f"{visit.base}/account#lang=en")
    page.locator("[data-action=sign-out]").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    assert page.evaluate("fetch('/collections/base.dwellings').then(answer => answer.status)") == 403
    visit.complaints[:] = [said for said in visit.complaints if "403" not in said]


def test_each_administrator_finds_what_the_office_is_for(accounted: Accounts, begin: Begin) -> None:
    system = sign_in(begin(), "sys", accounted.add("sys", "system_admin"))
    system.locator("nav a", has_text="用户管理").click()
    system.locator("[data-part=add] input").nth(0).fill("new.one")
    system.locator("[data-part=add] input").nth(1).fill("新人 001")
    system.locator("[data-part=add] button").click()
    expect(system.locator(".once code")).to_contain_text("new.one")
    assert system.locator("[data-user='new.one'] [data-action=grant]").count() == 0
    security = sign_in(begin(), "sec", accounted.add("sec", "security_admin"))
    security.locator("nav a", has_text="用户管理").click()
    security.locator("[data-user='new.one'] [data-action=grant]").click()
    security.locator("[data-part=grant] select").select_option("duty")
    security.locator("[data-part=grant] input").nth(0).fill("341502")
    security.locator("[data-part=grant] button[type=submit]").click()
    expect(security.locator("[data-user='new.one']")).to_contain_text("经办人员")
    security.locator("nav a", has_text="密钥管理").click()
    security.locator("[data-part=add] input").nth(0).fill("公交调度")
    security.locator("[data-part=add] button").click()
    expect(security.locator(".once code")).to_contain_text("-")
    audit = sign_in(begin(), "aud", accounted.add("aud", "audit_admin"))
    audit.locator("nav a", has_text="审计查询").click()
    expect(audit.locator("[data-entry]").first).to_be_visible()
    expect(audit.locator("table")).to_contain_text("sec")
    assert audit.locator("nav a").count() == 2


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_screen(accounted: Accounts, begin: Begin, width: int) -> None:
    visit = begin(width, 800, "en-GB")
    page = sign_in(visit, f"wide.{width}", accounted.add(f"wide.{width}", "security_admin"))
    for place in ("me", "users", "keys"):
        page.goto(f"{visit.base}/account#page={place}")
        expect(page.locator(".state-note .turning")).to_have_count(0)
        assert page.evaluate("document.querySelector('.frame').scrollWidth") <= width, place
