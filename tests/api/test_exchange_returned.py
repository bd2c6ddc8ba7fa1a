"""What is returned to a department: both values, whose, masked where they name somebody; and the table to correct."""

import io
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from gis.exchange.columns import match
from gis.exchange.delivery.workbook import ADDED, OPERATION
from gis.exchange.readers import open_source
from gis.exchange.registers import DELIVERABLES
from tests.api.exchange_city import CENTRE, ExchangeCity, citizen_id, person, table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POLICE = [person(n, 姓名="张三丰", 婚姻状况="已婚" if n == 1 else "未婚") for n in range(6)]
CIVIL = [person(n, 姓名="欧阳娜娜" if n == 3 else "张三丰") for n in range(5)]
#: Cells that a spreadsheet would calculate, or could not hold.
ODD = ["=1+1", "+86 564", "-5", "@SUM(A1)", "\tx", 'a"b,c', "one\ntwo", "bell\x07", " blank ", "007", "1E5"]


@pytest.fixture(scope="module")
def disputed(exchange: ExchangeCity) -> dict[str, dict[str, Any]]:
    """Two departments' deliveries of six persons, who disagree on two of them; one row of each has a broken number."""
    broken = person(90, 身份证号="34150219500101001", 姓名="王五")
    odd = [person(100 + n, 身份证号="1", 备注=text) for n, text in enumerate(ODD)]
    police = exchange.hand_over([*POLICE, broken], date="2026-01-01", mode="full")
    civil = exchange.hand_over([*CIVIL, *odd], "civil_affairs", date="2026-02-01", mode="full")
    return {"police": police, "civil_affairs": civil}


def _tasks(exchange: ExchangeCity, whose: str, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = exchange.ask(
        "/exchange/returned", whose, params={"limit": "1000", "state": "open", **asked}
    ).json()["tasks"]
    return found


def test_an_item_on_which_another_prevails(exchange: ExchangeCity, disputed: Any) -> None:
    (found,) = _tasks(exchange, "police", reason="conflict")
    assert (found["item"], found["value"], found["row"]) == ("marital_status", "已婚", 3)
    assert found["item_title"] == {"zh": "婚姻状况", "en": "Marital status"}
    assert found["rival"] == {
        "department": "civil_affairs", "title": {"zh": "民政局", "en": "Civil affairs bureau"},
        "delivery": disputed["civil_affairs"]["id"], "row": 3, "value": "未婚",
    }  # fmt: skip
    english = exchange.ask(f"/exchange/returned/{found['id']}?lang=en").json()
    assert (english["value"], english["rival"]["value"]) == ("married", "single")
    assert {c["column"]: c["value"] for c in english["columns"]} == POLICE[1]


def test_a_name_is_shown_to_its_department_and_masked_to_the_rival(exchange: ExchangeCity, disputed: Any) -> None:
    (found,) = _tasks(exchange, "civil_affairs", reason="identity")
    assert (found["item_title"]["zh"], found["value"], found["rival"]["value"]) == ("姓名", "欧阳娜娜", "张**")
    assert "张三丰" not in exchange.ask(f"/exchange/returned/{found['id']}", "civil_affairs").text
    assert exchange.ask(f"/exchange/returned/{found['id']}", CENTRE).json()["rival"]["value"] == "张**"


def test_a_number_that_cannot_be_read_is_shown_with_its_row_alone(exchange: ExchangeCity, disputed: Any) -> None:
    (found,) = _tasks(exchange, "police", reason="bad_code")
    assert found["value"] is None and found["rival"] is None
    whole = exchange.ask(f"/exchange/returned/{found['id']}").json()
    assert whole["value"] == "34150219500101001"
    assert {"column": "姓名", "value": "王五"} in whole["columns"]


def test_lists_are_filtered_and_paged(exchange: ExchangeCity, disputed: Any) -> None:
    number = disputed["civil_affairs"]["id"]
    place = f"/exchange/deliveries/{number}/returned"
    everything = exchange.ask(place, "civil_affairs", params={"limit": "1000"}).json()
    assert everything["numberMatched"] == len(everything["tasks"]) == 1 + len(ODD)
    rows = [t["row"] for t in everything["tasks"]]
    assert rows == sorted(rows)
    pages = [
        exchange.ask(place, "civil_affairs", params={"limit": "5", "offset": str(at)}).json()["tasks"]
        for at in (0, 5, 10)
    ]
    assert [t["id"] for page in pages for t in page] == [t["id"] for t in everything["tasks"]]
    assert _tasks(exchange, "civil_affairs", overdue="true") == []
    assert _tasks(exchange, "civil_affairs", state="answered") == []
    assert {t["department"] for t in _tasks(exchange, CENTRE)} == {"police", "civil_affairs"}
    assert {t["department"] for t in _tasks(exchange, CENTRE, department="police")} == {"police"}


def _workbook(exchange: ExchangeCity, disputed: Any, whose: str) -> tuple[bytes, list[list[Any]]]:
    answer = exchange.ask(f"/exchange/deliveries/{disputed[whose]['id']}/returned?f=xlsx", whose)
    assert answer.status_code == 200 and answer.headers["content-type"] == XLSX
    assert answer.headers["cache-control"] == "no-store" and ".xlsx" in answer.headers["content-disposition"]
    sheet = load_workbook(io.BytesIO(answer.content)).active
    return answer.content, [list(row) for row in sheet.iter_rows()]


def test_the_table_to_correct_is_in_the_departments_own_columns(exchange: ExchangeCity, disputed: Any) -> None:
    _, (head, *rows) = _workbook(exchange, disputed, "police")
    assert [cell.value for cell in head] == [*POLICE[0], OPERATION, *ADDED]
    assert [[cell.value or "" for cell in row][:6] for row in rows] == [
        list(POLICE[1].values()),
        ["34150219500101001", "王五", "男", "未婚", "", ""],
    ]
    why = dict(zip([cell.value for cell in head], [cell.value for cell in rows[0]], strict=True))
    assert (why["问题字段"], why["我方值"], why["对方值"], why["对方部门"]) == ("婚姻状况", "已婚", "未婚", "民政局")
    assert why[OPERATION] == "变更" and why["期限"].count("-") == 2


def test_no_cell_of_it_is_calculated(exchange: ExchangeCity, disputed: Any, tmp_path: Path) -> None:
    content, (head, *rows) = _workbook(exchange, disputed, "civil_affairs")
    assert {cell.data_type for row in rows for cell in row if cell.value} <= {"s", "inlineStr"}
    at = [cell.value for cell in head].index("备注")
    cells = {row[at].value: row[at] for row in rows if row[at].value}
    assert set(cells) == {text.replace("\x07", "\ufffd") for text in ODD}
    assert all(cells[text].quotePrefix for text in ODD if text[0] in "=+-@\t")
    (tmp_path / "x.xlsx").write_bytes(content)
    read = next(open_source(tmp_path / "x.xlsx").batches()).table
    assert set(read["备注"].to_pylist()) >= {"=1+1", "007", "1E5", "one\ntwo"}


@pytest.mark.parametrize("register", sorted(DELIVERABLES))
def test_the_columns_that_are_added_hold_no_item(register: str) -> None:
    intake = DELIVERABLES[register].intake
    own = [f.title.zh for f in intake.fields]
    found = match([*own, OPERATION, *ADDED, "原文"], intake)
    assert set(found.unmatched) >= {OPERATION, *ADDED, "原文"}
    assert found.valid_from is None and found.valid_to is None


def test_corrected_and_handed_over_again_it_closes_what_it_answers(exchange: ExchangeCity, disputed: Any) -> None:
    _, (head, *rows) = _workbook(exchange, disputed, "police")
    names = [cell.value for cell in head]
    corrected = [dict(zip(names, [str(cell.value or "") for cell in row], strict=True)) for row in rows]
    corrected[0]["婚姻状况"] = "未婚"
    corrected[1]["身份证号"] = citizen_id(90)
    found = exchange.hand_over(corrected, date="2026-03-01")
    assert (found["mode"], found["rows"]["returned"], found["ended"]) == ("incremental", 0, 0)
    assert _tasks(exchange, "police") == []
    closed = _tasks(exchange, "police", state="answered")
    assert {t["reason"] for t in closed} == {"conflict", "bad_code"}
    assert {t["closed_by"] for t in closed} == {found["id"]}
    nothing = exchange.ask(f"/exchange/deliveries/{disputed['police']['id']}/returned?f=xlsx")
    assert nothing.status_code == 404


def test_a_line_that_cannot_be_cut_is_given_back_whole(exchange: ExchangeCity) -> None:
    body = table([person(n) for n in range(200, 203)]) + b'34150,"too,short\n'
    answer = exchange.post(body, date="2026-04-01", mode="incremental")
    exchange.work()
    number = answer.json()["id"]
    found = exchange.ask(f"/exchange/deliveries/{number}/returned").json()["tasks"]
    assert [t["row"] for t in found] == [5]
    whole = exchange.ask(f"/exchange/returned/{found[0]['id']}").json()
    assert whole["columns"] == [{"column": "原文", "value": '34150,"too,short'}]
    sheet = load_workbook(io.BytesIO(exchange.ask(f"/exchange/deliveries/{number}/returned?f=xlsx").content)).active
    head, row = ([cell.value for cell in line] for line in sheet.iter_rows())
    assert dict(zip(head, row, strict=True))["原文"] == '34150,"too,short'


def test_a_file_that_is_gone_leaves_the_task(exchange: ExchangeCity) -> None:
    found = exchange.hand_over([person(300), person(301, 身份证号="3")], date="2026-05-01", mode="incremental")
    number = exchange.ask(f"/exchange/deliveries/{found['id']}/returned").json()["tasks"][0]["id"]
    exchange.kept(found["id"]).unlink()
    told = exchange.ask(f"/exchange/returned/{number}").json()
    assert told["reason"] == "bad_code" and "columns" not in told
    assert exchange.ask(f"/exchange/deliveries/{found['id']}/returned?f=xlsx").status_code == 404


def test_rows_that_are_told_are_in_the_trace_with_their_register(exchange: ExchangeCity, disputed: Any) -> None:
    """Before they are told, since they are of persons; and each delivery says of which register it is."""
    listed = exchange.ask("/exchange/returned", params={"limit": "5"})
    one = exchange.ask(f"/exchange/returned/{listed.json()['tasks'][0]['id']}")
    number = disputed["civil_affairs"]["id"]
    book = exchange.ask(f"/exchange/deliveries/{number}/returned?f=xlsx", "civil_affairs")
    assert book.status_code == 200, book.text
    with psycopg.connect(exchange.url) as conn:
        rows = {
            answer: conn.execute(
                "SELECT rows FROM access.trace WHERE event = 'read' AND collection = 'base.persons' AND request = %s",
                (answer.headers["onemap-request-id"],),
            ).fetchall()
            for answer in (listed, one, book)
        }
        delivered = conn.execute(
            "SELECT DISTINCT collection, detail::jsonb ->> 'department' FROM access.trace WHERE event = 'delivered'"
        ).fetchall()
    assert list(rows.values()) == [[(len(listed.json()["tasks"]),)], [(1,)], [(None,)]]
    assert set(delivered) == {("base.persons", "police"), ("base.persons", "civil_affairs")}
