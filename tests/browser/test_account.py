"""The pages of accounts in a real browser: signing in, one's own rights, and what each administrator keeps."""

import time
from base64 import b32decode
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from gis.access import one_time_codes
from gis.store import accounts
from gis.store.accounts import AT_THE_MACHINE
from gis.store.cluster import Cluster
from tests.browser.conftest import _visits
from tests.browser.visits import Visit
from tests.conftest import copied_database
from tests.served import serving

pytestmark = pytest.mark.browser

PASSWORD = "Kestrel-over-9-moors"
Begin = Callable[..., Visit]


@pytest.fixture(scope="module")
def accounted(
    cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Callable[[str, str], str]]]:
    """A server of an empty city, and a way to make accounts in it: name and role to a one-time password."""
    with copied_database(cluster, template, "browsed") as url:

        def account(name: str, role: str) -> str:
            with psycopg.connect(url, autocommit=True) as conn:
                _, once = accounts.add(conn, name, f"person of {name}", actor=AT_THE_MACHINE, by="test")
                accounts.grant(conn, name, role, actor=AT_THE_MACHINE, divisions=None)
            return once

        with serving(url, tmp_path_factory.mktemp("accounted")) as base:
            yield base, account


@pytest.fixture
def begin(accounted: tuple[str, Callable[[str, str], str]], browser: Browser) -> Iterator[Begin]:
    with _visits(browser, accounted[0]) as found:
        yield found


def _sign_in(visit: Visit, name: str, once: str) -> Page:
    """Come with a one-time password, choose another; set a second factor up where the page asks for it."""
    page = visit.page
    page.goto(f"{visit.base}/account")
    page.locator("#name").fill(name)
    page.locator("#password").fill(once)
    page.locator("button[type=submit]").click()
    page.locator("#fresh").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    page.locator("[data-action=sign-out]").wait_for()
    # that another password was needed is no fault of the page
    visit.complaints[:] = [said for said in visit.complaints if "401" not in said]
    if page.locator("[data-part=collections]").count() == 0:
        page.locator("[data-action=factor]").click()
        secret = b32decode(page.locator("[data-part=factor] code").inner_text().replace(" ", ""))
        page.locator("#factor-code").fill(one_time_codes.code_of(secret, one_time_codes.step_at(time.time())))
        page.locator("[data-part=factor] button[type=submit]").click()
        expect(page.locator(".codes li")).to_have_count(one_time_codes.RECOVERY_CODES)
    return page


def test_signing_in_seeing_oneself_and_signing_out(
    accounted: tuple[str, Callable[[str, str], str]], begin: Begin
) -> None:
    visit = begin()
    visit.open()
    visit.page.locator("[data-action=account]").click()
    visit.page.locator("#name").wait_for()
    page = _sign_in(visit, "li.si", accounted[1]("li.si", "staff"))
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


def test_each_administrator_finds_what_the_office_is_for(
    accounted: tuple[str, Callable[[str, str], str]], begin: Begin
) -> None:
    system = _sign_in(begin(), "sys", accounted[1]("sys", "system_admin"))
    system.locator("nav a", has_text="用户管理").click()
    system.locator("[data-part=add] input").nth(0).fill("new.one")
    system.locator("[data-part=add] input").nth(1).fill("新人 001")
    system.locator("[data-part=add] button").click()
    expect(system.locator(".once code")).to_contain_text("new.one")
    assert system.locator("[data-user='new.one'] [data-action=grant]").count() == 0
    security = _sign_in(begin(), "sec", accounted[1]("sec", "security_admin"))
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
    audit = _sign_in(begin(), "aud", accounted[1]("aud", "audit_admin"))
    audit.locator("nav a", has_text="审计查询").click()
    expect(audit.locator("[data-entry]").first).to_be_visible()
    expect(audit.locator("table")).to_contain_text("sec")
    assert audit.locator("nav a").count() == 2


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_screen(
    accounted: tuple[str, Callable[[str, str], str]], begin: Begin, width: int
) -> None:
    visit = begin(width, 800, "en-GB")
    page = _sign_in(visit, f"wide.{width}", accounted[1](f"wide.{width}", "security_admin"))
    for place in ("me", "users", "keys"):
        page.goto(f"{visit.base}/account#page={place}")
        expect(page.locator(".state-note .turning")).to_have_count(0)
        assert page.evaluate("document.querySelector('.frame').scrollWidth") <= width, place
