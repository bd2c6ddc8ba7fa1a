"""The directory: files applied as versions, faults told, and the questions that it answers."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.catalog import Catalogue
from gis.errors import NotFound
from gis.exchange.directory import (
    absent,
    apply,
    counts,
    departments,
    directory,
    double,
    overdue,
)
from gis.exchange.directory.words import Period, Share, read_word
from gis.exchange.registers import DELIVERABLES
from gis.settings import CHECKOUT
from gis.store.database import Database
from layers import LAYERS
from tests.gis.directory_files import claim, content, deliver, item, klass, refused, workbook, written

SAMPLE = CHECKOUT / "data-samples" / "luan"
CATALOGUE = Catalogue(LAYERS)


@pytest.fixture
def applied(database: Database, tmp_path: Path) -> Database:
    apply(database, CATALOGUE, written(tmp_path))
    return database


def test_the_departments_of_the_registers_are_there_before_any_directory(database: Database) -> None:
    assert set(departments(database)) == {"police", "civil_affairs", "real_estate", "market"}
    assert departments(database)["police"] == ("公安局", "Public security bureau")
    weighed = {code for d in DELIVERABLES.values() for code in d.presence}
    assert weighed <= set(departments(database))
    assert counts(database) == {"departments": 4, "classes": 0, "items": 0}


def test_the_sample_has_13_departments_127_classes_and_1426_items(database: Database) -> None:
    done = apply(database, CATALOGUE, SAMPLE / "directory.json")
    assert (done.version, done.counts) == (1, {"departments": 13, "classes": 127, "items": 1426})
    assert counts(database) == done.counts == directory(database).counts
    assert done.changes["data_item"].added == 1426


def test_the_sample_answers_its_questions_as_its_key_says(database: Database, conn: psycopg.Connection) -> None:
    answers = json.loads((SAMPLE / "directory_answers.json").read_text())
    apply(database, CATALOGUE, SAMPLE / "directory.json")
    late = overdue(database, on=date(2026, 1, 1))
    assert sorted(one.information_class for one in late) == answers["overdue_before_any_delivery"]
    found = [{"by": d.by, "departments": list(d.departments), "items": list(d.items)} for d in double(database)]
    assert sorted(found, key=lambda d: (d["by"], d["items"])) == answers["double"]
    for register, department, table in (
        ("base.persons", "police", "base_persons"), ("base.entities", "market", "base_entities"),
        ("base.dwellings", "real_estate", "base_dwellings"),
    ):  # fmt: skip
        number = deliver(conn, register, department, "2026-01-01")
        fill(conn, table, number, department)
    lacking = [{"item": a.item, "asked_by": list(a.asked_by), "why": a.why} for a in absent(database)]
    assert sorted(lacking, key=lambda a: str(a["item"])) == answers["absent"]


def fill(conn: psycopg.Connection, noun: str, delivery: int, department: str) -> None:
    """One claim in which every field holds something."""
    deliverable = next(d for d in DELIVERABLES.values() if d.noun == noun)
    sample = {"text": "x", "bigint": 1, "double precision": 1.0, "date": date(2020, 1, 1)}
    values = {name: sample[kind] for name, kind in deliverable.claim_columns}
    names = ", ".join(f'"{n}"' for n in values)
    conn.execute(
        f"INSERT INTO exchange.{noun}_claim (fid, department, delivery, edition, said, latest, digest,"
        f" {names}) VALUES (1, %s, %s, now(), true, true, 0{', %s' * len(values)})",
        (department, delivery, *values.values()),
    )
    conn.commit()


def test_the_sample_is_written_with_the_same_bytes_every_time(tmp_path: Path) -> None:
    program = CHECKOUT / "data-samples" / "sample_city" / "directory.py"
    subprocess.run([sys.executable, program, tmp_path], check=True, timeout=60)
    for name in ("directory.json", "directory_answers.json"):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()


def test_a_second_file_is_a_second_version_and_the_first_can_be_read_again(applied: Database, tmp_path: Path) -> None:
    before = directory(applied)
    classes = [c | {"period": "yearly"} if c["code"] == "WJ001" else c for c in content()["classes"]]
    items = [i for i in content()["items"] if i["code"] != "MZ001-01"] + [item("MZ001-02", "MZ001", "子女数")]
    done = apply(applied, CATALOGUE, written(tmp_path, "next.json", classes=classes, items=items))
    assert done.version == 2
    assert done.as_dict()["changes"]["information_class"] == {"added": 0, "changed": 1, "removed": 0}
    assert done.as_dict()["changes"]["data_item"] == {"added": 1, "changed": 0, "removed": 1}
    assert directory(applied).classes["WJ001"].period is Period.YEARLY
    assert directory(applied, 1) == before
    assert set(directory(applied, 0).departments) == {"police", "civil_affairs", "real_estate", "market"}
    assert "MZ001-01" in directory(applied, 1).items
    assert "MZ001-01" not in directory(applied, 2).items
    for unknown in (3, -1):
        with pytest.raises(NotFound):
            directory(applied, unknown)


def test_a_file_that_changes_nothing_makes_no_version(applied: Database, tmp_path: Path) -> None:
    again = apply(applied, CATALOGUE, written(tmp_path, "again.json"))
    assert again.version == 1
    assert all(set(c.values()) == {0} for c in again.as_dict()["changes"].values())


def test_what_a_file_does_not_hold_stays(applied: Database, tmp_path: Path) -> None:
    path = tmp_path / "departments.json"
    path.write_text(json.dumps({"departments": [*content()["departments"], {"code": "tax", "title_zh": "税务局"}]}))
    assert apply(applied, CATALOGUE, path).counts == {"departments": 6, "classes": 3, "items": 5}
    assert len(directory(applied).requests) == 2
    assert departments(applied)["tax"] == ("税务局", "税务局")


def test_a_workbook_as_bureaus_hand_it_over(database: Database, tmp_path: Path) -> None:
    path = workbook(tmp_path / "目录.xlsx", SHEETS)
    assert apply(database, CATALOGUE, path).counts == {"departments": 5, "classes": 1, "items": 2}
    held = directory(database)
    assert (held.classes["WJ001"].period, held.classes["WJ001"].begins) == (Period.MONTHLY, date(2024, 3, 1))
    assert held.items["WJ001-02"].share is Share.WITHHELD
    assert held.items["WJ001-01"].identifying
    assert held.owner(held.items["WJ001-02"]) == "health"
    assert held.period(held.items["WJ001-02"]) is Period.MONTHLY


DEPARTMENT_ROWS = [[d["code"], d["title"]["zh"]] for d in content()["departments"]]
SHEETS: dict[str, list[list[Any]]] = {
    "部门": [["六安市信息资源目录"], [], ["部门编码", "部门名称"], *DEPARTMENT_ROWS],
    "信息类": [
        ["信息类编码", "部门编码", "信息类名称", "主题", "归集周期", "起始日期"],
        ["WJ001", "health", "健康档案信息", "人口", "每月", date(2024, 3, 1)],
    ],
    "数据项": [
        ["数据项编码", "信息类编码", "数据项名称", "数据类型", "敏感级别", "共享类型", "条件说明", "标识项"],
        ["WJ001-01", "WJ001", "姓名", "字符型", "个人信息", "有条件共享", "履职需要", "是"],
        ["WJ001-02", "WJ001", "病史", "字符型", "个人信息", "不予共享", "个人信息保护法", None],
    ],
}


def broken(sheet: str, row: int, column: int, value: Any) -> dict[str, list[list[Any]]]:
    """The workbook with one cell changed; row and column as Excel counts them."""
    rows = [list(r) for r in SHEETS[sheet]]
    rows[row - 1][column - 1] = value
    return SHEETS | {sheet: rows}


@pytest.mark.parametrize(
    ("cell", "value", "field", "word"),
    [
        (("部门", 4, 1), "公安", "部门编码", "不能作编码"),
        (("部门", 5, 1), "police", "部门编码", "第 4 行已有"),
        (("部门", 4, 2), None, "部门名称", "缺失"),
        (("信息类", 2, 2), "tax", "部门编码", "没有部门"),
        (("信息类", 2, 4), "天文", "主题", "不在可选值"),
        (("信息类", 2, 5), "常常", "归集周期", "每月"),
        (("信息类", 2, 6), "去年", "起始日期", "不是日期"),
        (("数据项", 2, 2), "WJ009", "信息类编码", "没有信息类"),
        (("数据项", 3, 4), "长文", "数据类型", "字符型"),
        (("数据项", 3, 7), None, "条件说明", "依据"),
        (("数据项", 2, 8), "也许", "标识项", "是"),
    ],
)
def test_a_fault_is_told_with_sheet_row_and_field(
    untouched: Database, tmp_path: Path, cell: tuple[str, int, int], value: Any, field: str, word: str
) -> None:
    sheet, row, _ = cell
    error = refused(untouched, workbook(tmp_path / "t.xlsx", broken(*cell, value)))
    where = next(line for line in error.text.zh.split(";") if f"{sheet} 第 {row} 行「{field}」" in line)
    assert word in where
    assert f"{sheet} row {row}, {field}" in error.text.en
    assert counts(untouched)["classes"] == 0


def test_all_faults_are_counted_and_the_first_told(untouched: Database, tmp_path: Path) -> None:
    items = [item(f"X-{n}", "NONE", "名") for n in range(15)]
    error = refused(untouched, written(tmp_path, items=items, requests=[]))
    assert "and 5 more" in error.text.en


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.json", "{", "JSON"),
        ("a.json", "[]", "no directory"),
        ("a.json", '{"classes": 3}', "not a list"),
        ("a.json", '{"classes": [], "stars": []}', "stars"),
        ("a.json", '{"departments": [7]}', "departments 1"),
        ("a.json", '{"departments": [{"code": "a", "mood": "good"}]}', "mood"),
        ("a.json", '{"departments": [{"code": ["a"]}]}', "code"),
        ("a.xlsx", "no workbook", "cannot be read"),
        ("missing.json", None, "no file"),
    ],
)
def test_what_is_no_directory(untouched: Database, tmp_path: Path, name: str, text: str | None, word: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert word in refused(untouched, tmp_path / name).text.en


def test_a_workbook_without_the_sheets_or_with_a_column_nobody_knows(untouched: Database, tmp_path: Path) -> None:
    assert "数据项" in refused(untouched, workbook(tmp_path / "a.xlsx", {"Sheet1": [["甲"], ["乙"]]})).text.zh
    sheets = {"部门": [["部门编码", "部门名称", "心情"], ["a", "甲局", "好"]]}
    assert "心情" in refused(untouched, workbook(tmp_path / "b.xlsx", sheets)).text.zh


def test_departments_whose_word_counts_cannot_be_left_out(untouched: Database, tmp_path: Path) -> None:
    without = [d for d in content()["departments"] if d["code"] != "market"]
    assert "'market'" in refused(untouched, written(tmp_path, departments=without)).text.en


def test_a_field_or_a_register_that_is_not_there(untouched: Database, tmp_path: Path) -> None:
    items = [item("GA001-01", "GA001", "属相", field="zodiac")]
    assert "'zodiac'" in refused(untouched, written(tmp_path, items=items, requests=[])).text.en
    classes = [klass("GA001", "police", register="base.ghosts")]
    assert "base.ghosts" in refused(untouched, written(tmp_path, classes=classes, items=[], requests=[])).text.en


def test_overdue_by_period_and_by_last_edition(applied: Database, conn: psycopg.Connection) -> None:
    deliver(conn, "base.persons", "police", "2026-01-31")
    deliver(conn, "base.persons", "civil_affairs", "2026-02-27", state="failed")
    deliver(conn, "WJ001", "health", "2026-02-25")

    def late(day: str) -> dict[str, int]:
        return {one.information_class: one.days for one in overdue(applied, on=date.fromisoformat(day))}

    since_it_began = (date(2026, 2, 28) - date(2024, 1, 1)).days
    assert late("2026-02-28") == {"MZ001": since_it_began}
    assert late("2026-03-01") == {"MZ001": since_it_began + 1, "GA001": 1}
    assert late("2026-03-05") == {"MZ001": since_it_began + 5, "GA001": 5, "WJ001": 1}
    assert late("2024-01-01") == {}
    never = next(one for one in overdue(applied, on=date(2026, 2, 28)) if one.information_class == "MZ001")
    assert (never.last, never.due) == (None, date(2024, 1, 1))


def test_a_delivery_of_another_department_does_not_help(applied: Database, conn: psycopg.Connection) -> None:
    deliver(conn, "base.persons", "market", "2026-02-27")
    assert {"GA001", "MZ001"} <= {one.information_class for one in overdue(applied, on=date(2026, 2, 28))}


def test_irregular_and_single_classes(database: Database, conn: psycopg.Connection, tmp_path: Path) -> None:
    classes = [klass("A1", "health", period="irregular"), klass("A2", "health", period="once")]
    apply(database, CATALOGUE, written(tmp_path, classes=classes, items=[], requests=[]))
    assert [one.information_class for one in overdue(database, on=date(2030, 1, 1))] == ["A2"]
    deliver(conn, "A2", "health", "2024-06-01")
    assert overdue(database, on=date(2030, 1, 1)) == []


def test_what_another_department_owns_is_not_collected_twice(applied: Database) -> None:
    assert [(d.by, d.what, d.departments) for d in double(applied)] == [
        ("name", "婚姻状况", ("civil_affairs", "police"))
    ]


@pytest.mark.parametrize(
    ("first", "second", "by"),
    [
        ({}, {}, "name"),
        ({"element": "E1"}, {"element": "E1"}, "element"),
        ({"element": "E1"}, {}, "name"),
        ({"element": "E1"}, {"element": "E2"}, None),
        ({"type": "code"}, {}, None),
        ({"identifying": "是"}, {}, None),
    ],
)
def test_one_datum_or_two(
    database: Database, tmp_path: Path, first: dict[str, str], second: dict[str, str], by: str | None
) -> None:
    items = [item("P", "GA001", "身高(cm)", **first), item("C", "MZ001", " 身高", **second)]
    apply(database, CATALOGUE, written(tmp_path, items=items, requests=[]))
    assert [d.by for d in double(database)] == ([] if by is None else [by])


def test_one_element_under_two_names_and_one_name_in_two_subjects(database: Database, tmp_path: Path) -> None:
    classes = [*content()["classes"], klass("SC001", "market", subject="entity")]
    items = [
        item("P", "GA001", "身高", element="E1"),
        item("C", "MZ001", "体长", element="E1"),
        item("H", "WJ001", "类别"),
        item("M", "SC001", "类别"),
    ]
    apply(database, CATALOGUE, written(tmp_path, classes=classes, items=items, requests=[]))
    assert [(d.by, d.items) for d in double(database)] == [("element", ("C", "P"))]


def test_asked_for_and_never_delivered(applied: Database, conn: psycopg.Connection) -> None:
    def lacking() -> dict[str, str]:
        return {one.item: one.why for one in absent(applied)}

    assert lacking() == {"GA001-02": "class", "GA001-03": "class"}
    number = deliver(conn, "base.persons", "police", "2026-01-01")
    assert lacking() == {"GA001-02": "empty", "GA001-03": "field"}
    claim(conn, number, "police", 1, sex="male")
    assert lacking() == {"GA001-02": "empty", "GA001-03": "field"}
    claim(conn, number, "police", 2, marital_status="single")
    assert lacking() == {"GA001-03": "field"}
    (one,) = absent(applied)
    assert (one.owner, one.asked_by, one.since) == ("police", ("health",), date(2024, 4, 1))


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(list(Period)))
def test_a_next_delivery_is_due_after_the_last_and_within_a_year(last: date, period: Period) -> None:
    due = period.due_after(last)
    if period in (Period.ONCE, Period.IRREGULAR):
        assert due is None
    else:
        assert due is not None and 1 <= (due - last).days <= 366
        earlier = period.due_after(date.fromordinal(last.toordinal() - 1))
        assert earlier is not None and earlier <= due


@pytest.mark.parametrize(("written_as", "word"), [("季", Period.QUARTERLY), (" Monthly ", Period.MONTHLY), ("", None)])
def test_words_are_read_as_people_write_them(written_as: str, word: Period | None) -> None:
    assert read_word(Period, written_as) is word
