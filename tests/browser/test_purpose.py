"""Rights in the map: those on duty say what for, and figures that are anonymous say so."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Request, expect

from tests.browser.accounts import Accounts, give_passwords, sign_in
from tests.browser.visits import Visit, near

pytestmark = pytest.mark.browser
#: How long what is here may take to be told on a busy machine.
PATIENCE_MS = 20_000

Begin = Callable[..., Visit]


def _here(visit: Visit) -> str:
    """The address of a place where people live, and of the question what is there."""
    where = near(visit, "base.buildings", 16.5)
    _, lon, lat = where.removeprefix("map=").split("/")
    return f"#{where}&here={lon}/{lat}"


def test_who_is_on_duty_says_what_for_and_every_question_carries_it(peopled: Accounts, guest: Begin) -> None:
    visit = guest(1366, 768)
    page = sign_in(visit, "on.duty", peopled.add("on.duty", "duty"))
    stated: dict[str, str | None] = {}

    def note(request: Request) -> None:
        for part in ("/here?", "/tiles/", "/items", "/collections?"):
            if part in request.url:
                stated[part] = request.headers.get("onemap-purpose")

    page.on("request", note)
    visit.open(_here(visit))
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    chip = page.locator("[data-action=purpose]")
    expect(chip).to_have_text("说明用途")
    persons = page.locator(".here [data-collection='base.persons']")
    expect(page.locator(".here [data-collection='base.buildings']")).to_be_visible()
    expect(persons).to_have_count(0)
    assert stated["/here?"] is None
    stated.clear()
    chip.click()
    page.locator("dialog .words").fill("走访独居老人")
    page.keyboard.press("Enter")
    expect(chip).to_have_text("用途：走访独居老人")
    expect(persons).to_be_visible(timeout=PATIENCE_MS)
    visit.settle()
    assert stated["/here?"] == stated["/tiles/"] == quote("走访独居老人")
    page.reload()
    expect(chip).to_have_text("用途：走访独居老人")
    expect(persons).to_be_visible(timeout=PATIENCE_MS)
    chip.click()
    page.locator("[data-action=no-purpose]").click()
    expect(chip).to_have_text("说明用途")
    expect(persons).to_have_count(0)


def test_a_person_behind_a_link_is_told_once_it_is_said_what_for(peopled: Accounts, guest: Begin) -> None:
    visit = guest(390, 844, "en-GB", color_scheme="dark")
    page = sign_in(visit, "on.call", peopled.add("on.call", "duty"))
    persons = f"{visit.base}/collections/base.persons/items?limit=1"
    answer = page.request.get(persons, headers={"OneMap-Purpose": "test"}).json()
    visit.open(f"#sel=base.persons/{answer['features'][0]['id']}")
    page.keyboard.press("Escape")
    panel = page.locator(".feature")
    expect(panel.get_by_role("alert")).to_contain_text("This is told once you say what for.")
    visit.forgive(403)
    panel.get_by_role("button", name="State the purpose").click()
    page.locator("dialog .words").fill("visit")
    page.locator("dialog button[type=submit]").click()
    expect(panel.locator("[data-field=sex]")).to_be_visible()


def test_declared_purposes_are_chosen_and_those_of_another_account_are_not_kept(
    peopled: Accounts, guest: Begin
) -> None:
    visit = guest(1366, 768)
    once = peopled.add("by.purpose", "staff")
    with peopled.policy("base.entities", {"grants": [{"roles": ["staff"], "purposes": ["执法检查", "走访企业"]}]}):
        page = sign_in(visit, "by.purpose", once)
        visit.open()
        expect(page.locator(".entry[data-collection='base.buildings']")).to_be_visible()
        expect(page.locator(".entry[data-collection='base.entities']")).to_have_count(0)
        page.locator("[data-action=purpose]").click()
        page.get_by_label("走访企业").check()
        page.locator("dialog button[type=submit]").click()
        expect(page.locator("[data-action=purpose]")).to_have_text("用途：走访企业")
        expect(page.locator(".entry[data-collection='base.entities']")).to_be_visible()
        page.goto(f"{visit.base}/account")
        page.locator("[data-action=sign-out]").click()
        page.locator("#name").wait_for()
        page.goto(f"{visit.base}/map")
        visit.settle()
        assert page.locator("[data-action=purpose]").count() == 0
        assert page.evaluate("sessionStorage.length") == 0
        visit.forgive(403)


@pytest.mark.parametrize(
    ("locale", "role", "smallest", "widened"),
    [("zh-CN", "", "每个数不少于 10", "查询范围已扩大"), ("en-GB", "staff", "none below 5", "was widened")],
)
def test_anonymous_figures_say_what_they_are(
    peopled: Accounts, guest: Begin, locale: str, role: str, smallest: str, widened: str
) -> None:
    visit = guest(1366, 768, locale)
    if role:
        sign_in(visit, f"of.{role}", peopled.add(f"of.{role}", role))
    visit.open(_here(visit))
    told = visit.page.locator(".here [data-counted='base.persons']")
    expect(told.locator("[data-part=note]")).to_contain_text(smallest)
    expect(told.locator("[data-part=widened]")).to_contain_text(widened)
    assert visit.page.locator("[data-action=purpose]").count() == 0


def test_a_clerk_comes_with_an_account_and_hands_over_as_its_department(peopled: Accounts, guest: Begin) -> None:
    visit = guest(1366, 768)
    page = visit.page
    page.goto(f"{visit.base}/exchange")
    page.locator("[data-action=account]").click()
    give_passwords(visit, "clerk.wu", peopled.add("clerk.wu", "staff", "police"))
    page.locator(".who").wait_for()
    assert page.url.startswith(f"{visit.base}/exchange#")
    expect(page.locator(".who")).to_contain_text("公安局 · clerk.wu")
    form = page.locator(".hand-over")
    content = "操作,公民身份号码,姓名,性别,民族\n新增,110101199003074610,张三,男,汉族\n".encode()
    form.locator("input[type=file]").set_input_files({"name": "变更.csv", "mimeType": "text/csv", "buffer": content})
    form.locator("#register").select_option("base.persons")
    form.locator("button[type=submit]").click()
    page.locator("article.delivery[data-state=done]").wait_for(timeout=120_000)
    page.locator("[data-action=sign-out]").click()
    page.locator("form.sign-in").wait_for()
    assert page.evaluate("fetch('/me').then(answer => answer.json()).then(told => told.name)") is None


def test_an_account_of_no_department_is_told_so_and_may_use_a_key(peopled: Accounts, guest: Begin) -> None:
    visit = guest(390, 844, "en-GB")
    page = sign_in(visit, "no.one", peopled.add("no.one", "staff"))
    page.goto(f"{visit.base}/exchange")
    expect(page.locator("[data-part=account]")).to_contain_text("no.one")
    page.locator("#key").fill(peopled.key("market"))
    page.locator("#key").press("Enter")
    expect(page.locator(".who")).to_contain_text("Market")
    form = page.locator(".hand-over")
    form.get_by_role("button", name="Hand over a file").click()
    content = "操作,统一社会信用代码\n新增,91110000600037341L\n".encode()
    form.locator("input[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    form.locator("#register").select_option("base.entities")
    form.locator("button[type=submit]").click()
    page.locator("article.delivery").wait_for(timeout=120_000)
    assert page.evaluate("document.querySelector('.frame').scrollWidth") <= 390
