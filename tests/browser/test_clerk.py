"""The clerks' pages in a real browser: signing in, handing over, looking into what was returned, taking back."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser.clerks import ClerkVisit, citizen_id, words

pytestmark = pytest.mark.browser

Begin = Callable[..., ClerkVisit]

HEADER = "操作,公民身份号码,姓名,性别,民族"


@pytest.fixture
def batch(tmp_path: Path) -> Callable[..., Path]:
    """Makes a file of changes: as many sound rows as asked for, and one whose check digit is wrong."""

    def made(division: str, sound: int = 3, name: str = "变更.csv") -> Path:
        numbers = [citizen_id(division, "19800101", order) for order in range(1, 2 * sound, 2)]
        rows = [f"新增,{number},张三,男,汉族" for number in numbers]
        wrong = numbers[0][:17] + ("1" if numbers[0][17] != "1" else "2")
        path = tmp_path / name
        path.write_text("\n".join([HEADER, *rows, f"新增,{wrong},李四,男,汉族"]) + "\n", "utf-8")
        return path

    return made


def test_a_key_in_the_address_signs_in_and_is_gone_from_it(clerk: Begin) -> None:
    desk = clerk()
    desk.sign_in("police")
    assert desk.text(".who") == "公安局"
    assert "key" not in desk.page.url
    assert desk.page.evaluate("() => sessionStorage.length + localStorage.length") == 1
    desk.page.reload()
    assert desk.text(".who") == "公安局"
    assert not [url for url in desk.requests if desk.keys["police"] in url]
    desk.page.locator("[data-action=sign-out]").click()
    desk.page.locator("form.sign-in").wait_for()
    assert desk.page.evaluate("() => sessionStorage.length") == 0


def test_a_key_is_pasted_and_a_wrong_one_is_said(clerk: Begin) -> None:
    desk = clerk()
    desk.page.goto(f"{desk.base}/exchange")
    form = desk.page.locator("form.sign-in")
    form.locator("#key").fill("1-no-such-key")
    form.get_by_role("button", name="登录").click()
    expect(form.get_by_role("alert")).to_contain_text("密钥不对")
    assert all("401" in said for said in desk.complaints)
    desk.complaints.clear()
    form.locator("#key").fill(f"  {desk.keys['market']} ")
    form.locator("#key").press("Enter")
    assert desk.text(".who") == "市场监督管理局"


def test_a_file_is_handed_over_and_its_account_adds_up(clerk: Begin, batch: Callable[..., Path]) -> None:
    desk = clerk()
    desk.sign_in("police")
    number = desk.hand_over(batch("340101"), "base.persons")
    told = desk.ask("police", f"/exchange/deliveries/{number}")
    assert told["rows"] == {"delivered": 4, "accepted": 3, "unchanged": 0, "returned": 1}
    rows = desk.page.locator("[data-account=rows]")
    for name in ("accepted", "unchanged", "returned"):
        count = rows.locator(f"[data-part={name}] dd").first.evaluate("dd => dd.firstChild.textContent")
        assert int(count) == told["rows"][name]
    assert "报送 4 = 入库 3 + 无变化 0 + 退回 1" in rows.inner_text()
    widths = desk.page.locator("[data-account=rows] .bar i").evaluate_all("all => all.map(i => i.offsetWidth)")
    whole = desk.page.locator("[data-account=rows] .bar").evaluate("bar => bar.offsetWidth")
    assert abs(sum(widths) - whole) <= 2 * len(widths) + 1
    assert widths[0] > widths[1] > 0
    desk.page.locator("[data-reason=check_digit] a").click()
    expect(desk.page.locator("[data-task]")).to_have_count(1)
    desk.has(f"delivery={number}")
    desk.has("reason=check_digit")


def test_a_file_is_dropped(clerk: Begin, batch: Callable[..., Path]) -> None:
    desk = clerk()
    desk.sign_in("police")
    text = batch("340102").read_text("utf-8")
    script = (
        """text => { const data = new DataTransfer(); data.items.add(new File([text], '拖来.csv')); return data }"""
    )
    data = desk.page.evaluate_handle(script, text)
    desk.page.dispatch_event(".drop", "dragover", {"dataTransfer": data})
    desk.page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    expect(desk.page.locator(".drop")).to_contain_text("拖来.csv")


@pytest.mark.parametrize(
    ("name", "content", "day", "said"),
    [
        ("照片.png", b"x", "2026-01-01", "不认识的文件格式：照片.png"),
        ("空.csv", b"", "2026-01-01", "文件“空.csv”是空的"),
        ("早.csv", b"x", "2999-01-01", "数据日期不能晚于今天"),
        ("无.csv", b"x", "明天", "请填写数据日期"),
        ("", b"", "2026-01-01", "请先选择文件"),
    ],
)
def test_what_cannot_be_handed_over_is_said_before_it_is_sent(
    clerk: Begin, name: str, content: bytes, day: str, said: str
) -> None:
    desk = clerk()
    desk.sign_in("police")
    form = desk.page.locator(".hand-over")
    if name:
        form.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": content})
    form.locator("#date").fill(day)
    form.locator("button[type=submit]").click()
    expect(form.get_by_role("alert")).to_contain_text(said)
    assert not [url for url in desk.requests if "file=" in url]


def test_a_delivery_that_fails_says_why_in_words(clerk: Begin, tmp_path: Path) -> None:
    desk = clerk()
    desk.sign_in("police")
    path = tmp_path / "无主键.csv"
    path.write_text("姓名,性别\n张三,男\n", "utf-8")
    number = desk.hand_over(path, "base.persons", "full")
    told = desk.ask("police", f"/exchange/deliveries/{number}")
    assert told["state"] == "failed"
    assert words(told["error"]["zh"]) in words(desk.text(".delivery [role=alert]"))
    desk.page.locator("[data-action=language]").click()
    expect(desk.page.locator(".delivery [role=alert]")).to_contain_text(told["error"]["en"])


def test_withdrawing_says_what_it_means_and_can_be_left(clerk: Begin, batch: Callable[..., Path]) -> None:
    desk = clerk()
    desk.sign_in("police")
    number = desk.hand_over(batch("340103", 2), "base.persons")
    desk.page.locator("[data-action=withdraw]").click()
    box = desk.page.get_by_role("dialog")
    assert "恢复到从未收到这次报送的样子" in box.inner_text()
    assert desk.page.evaluate("() => document.activeElement.textContent") == "不撤回"
    desk.page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    assert desk.ask("police", f"/exchange/deliveries/{number}")["state"] == "done"
    desk.page.locator("[data-action=withdraw]").click()
    desk.page.locator("[data-action=confirm]").click()
    desk.page.locator("article.delivery[data-state=withdrawn]").wait_for(timeout=60_000)
    assert desk.ask("police", f"/exchange/deliveries/{number}")["state"] == "withdrawn"
    assert desk.page.locator("[data-action=withdraw]").count() == 0
    desk.go("page=deliveries&state=withdrawn")
    expect(desk.page.locator(f"[data-delivery='{number}'] [data-state]")).to_have_text("已撤回")


def test_a_worker_that_is_out_of_reach_is_asked_again(clerk: Begin) -> None:
    """The work itself is not waited for: its state is held back at the door."""
    desk = clerk()
    desk.sign_in("police")
    number = desk.ask("police", "/exchange/deliveries?state=done&limit=1")["deliveries"][0]["id"]
    told = desk.ask("police", f"/exchange/deliveries/{number}")
    held = {**told, "state": "working", "progress": {"done": 500, "total": 1000}}
    address = f"**/exchange/deliveries/{number}"
    desk.page.route(address, lambda route: route.fulfill(json=held))
    desk.go(f"page=deliveries&delivery={number}")
    expect(desk.page.locator(".moving")).to_contain_text("已处理 500 / 1,000 行")
    desk.page.unroute(address)
    desk.page.route(address, lambda route: route.abort())
    expect(desk.page.locator(".moving")).to_contain_text("暂时问不到进度")
    desk.page.unroute(address)
    desk.page.locator("article.delivery[data-state=done]").wait_for()
    assert all("ERR_FAILED" in said for said in desk.complaints)
    desk.complaints.clear()


def test_returned_rows_are_narrowed_and_paged(clerk: Begin) -> None:
    desk = clerk()
    desk.sign_in("*", "page=returned")
    listed = desk.page.locator("[data-task]")
    expect(listed).to_have_count(50)
    desk.page.get_by_role("link", name="下一页").click()
    desk.has("offset=50")
    desk.read()
    desk.page.get_by_label("原因").select_option("conflict")
    desk.has("reason=conflict")
    desk.has_not("offset")
    matched = desk.ask("*", "/exchange/returned?reason=conflict&limit=1")["numberMatched"]
    expect(listed).to_have_count(min(50, matched))
    desk.page.get_by_label("部门", exact=True).select_option("civil_affairs")
    desk.page.get_by_label("只看逾期").check()
    expect(desk.page.locator(".state-note")).to_contain_text("没有符合筛选条件的内容")
    desk.page.get_by_role("link", name="清除筛选").click()
    expect(listed).to_have_count(50)


def test_a_task_shows_both_values_the_row_and_the_place(clerk: Begin) -> None:
    desk = clerk(1366, 768)
    desk.sign_in("civil_affairs", "page=returned&reason=conflict")
    task = next(
        one
        for one in desk.ask("civil_affairs", "/exchange/returned?reason=conflict&limit=50")["tasks"]
        if one["place"] and one["item"] and one["state"] == "open"
    )
    desk.go(f"page=returned&task={task['id']}")
    assert desk.text("[data-side=own] strong") == task["value"]
    assert desk.text("[data-side=rival] strong") == task["rival"]["value"]
    assert f"报送 {task['rival']['delivery']}，第 {task['rival']['row']} 行" in desk.text("[data-side=rival]")
    assert words(task["text"]["zh"]) in words(desk.text("article.task header"))
    row = desk.ask("civil_affairs", f"/exchange/returned/{task['id']}")["columns"]
    assert desk.page.locator(".table.kept tr").count() == len(row)
    marked = desk.page.locator(".table.kept tr.marked")
    expect(marked).to_have_count(1)
    assert "有问题的项" in marked.inner_text()
    desk.page.wait_for_selector(".place-map[data-ready=true]", timeout=60_000)
    middle = desk.page.evaluate("() => document.querySelector('.place-map').map.getCenter().toArray()")
    assert middle == pytest.approx([task["place"]["lon"], task["place"]["lat"]], abs=1e-6)
    link = desk.page.get_by_role("link", name="在地图中打开").get_attribute("href")
    assert link
    assert link.startswith("/map#map=16.50/")


def test_returned_rows_are_taken_away_as_excel(clerk: Begin, tmp_path: Path) -> None:
    desk = clerk()
    desk.sign_in("police")
    deliveries = desk.ask("police", "/exchange/deliveries?register=base.persons&limit=100")["deliveries"]
    number = next(one["id"] for one in deliveries if one["file"] == "persons_police.csv")
    desk.go(f"page=deliveries&delivery={number}")
    with desk.page.expect_download() as download:
        desk.page.locator("[data-action=excel]").click()
    assert download.value.suggested_filename == f"persons_police-退回-{number}.xlsx"
    path = tmp_path / "returned.xlsx"
    download.value.save_as(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert sum(1 for _ in sheet.iter_rows()) > 1


def test_what_is_not_one_s_own_is_refused_in_words(clerk: Begin) -> None:
    desk = clerk()
    desk.sign_in("market")
    strange = desk.ask("police", "/exchange/deliveries?limit=1")["deliveries"][0]["id"]
    desk.go(f"page=deliveries&delivery={strange}")
    expect(desk.said()).to_contain_text("没有权限")
    desk.go("page=deliveries&delivery=99999999")
    expect(desk.said()).to_contain_text("99999999")
    assert all("403" in said or "404" in said for said in desk.complaints)
    desk.complaints.clear()


def test_a_department_sees_its_own_and_the_centre_all(clerk: Begin) -> None:
    desk = clerk(1366)
    desk.sign_in("market")
    assert desk.page.locator("#department").count() == 0
    own = desk.ask("market", "/exchange/deliveries?limit=20")
    expect(desk.page.locator("[data-delivery]")).to_have_count(len(own["deliveries"]))
    desk.page.locator("[data-action=sign-out]").click()
    desk.sign_in("*")
    assert desk.text(".who") == "数据中心"
    desk.page.locator("#register").select_option("base.dwellings")
    offered = desk.page.locator("#department option").evaluate_all("all => all.map(one => one.value)")
    assert set(offered) == {"real_estate", "police"}
    desk.page.get_by_label("状态").select_option("failed")
    desk.has("state=failed")
