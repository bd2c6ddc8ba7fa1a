"""What the sample city's departments hand over: the seeded faults are where the answers say, and nowhere else."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

FOLDER = Path(__file__).resolve().parents[2] / "data-samples" / "luan"
#: Columns by file stem in which a code with a check character stands.
NUMBER, CREDIT = "公民身份号码", "统一社会信用代码"


def told(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


DELIVERIES: list[dict[str, Any]] = told("deliveries.json")["deliveries"]
ANSWERS: dict[str, Any] = told("deliveries_answers.json")
EXPECTED_KINDS = {
    "deliveries/dwellings_real_estate.csv": {
        "unknown_reference", "missing", "duplicate", "unknown_division", "form", "unknown_value",
    },
    "deliveries/dwellings_police.xlsx": {"conflict"},
    "deliveries/persons_police.csv": {
        "excel_damaged", "check_digit", "bad_date", "future_date", "contradiction", "unknown_reference", "missing",
        "unknown_value", "unknown_division", "bad_code", "duplicate",
    },
    "deliveries/persons_civil_affairs.xlsx": {
        "identity", "contradiction", "conflict", "address_coarse", "address_ambiguous", "address_unknown",
        "check_digit", "excel_damaged", "missing", "unknown_value", "duplicate",
    },
    "deliveries/entities_market.csv": {
        "bad_code", "address_unknown", "address_coarse", "excel_damaged", "future_date", "missing", "unknown_value",
        "duplicate",
    },
    "deliveries/entities_civil_affairs.xlsx": {"identity", "conflict"},
}  # fmt: skip


def rows_of(file: str) -> list[list[str]]:
    """The cells of a file as texts, headers included."""
    path, encoding = FOLDER / file, ANSWERS["files"][file]["encoding"]
    if path.suffix == ".csv":
        with path.open(encoding=encoding, newline="") as text:
            return list(csv.reader(text))
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]


def records(file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number, {column: cell}) of a text file with one header row."""
    header, *rows = rows_of(file)
    for number, row in enumerate(rows, start=2):
        yield number, dict(zip(header, row, strict=True))


@pytest.mark.parametrize("entry", DELIVERIES, ids=lambda e: Path(e["file"]).name)
def test_the_accounts_add_up_and_agree_with_the_answers(entry: dict[str, Any]) -> None:
    rows, answers = entry["expected"]["rows"], ANSWERS["files"][entry["file"]]
    headers = 2 if "persons_civil_affairs" in entry["file"] else 1
    assert rows["delivered"] == rows["accepted"] + rows["unchanged"] + rows["returned"]
    assert rows["delivered"] == answers["rows"] == len(rows_of(entry["file"])) - headers
    assert rows["returned"] == len({r["row"] for r in answers["returned"]})
    assert entry["expected"]["reasons"] == Counter(r["reason"] for r in answers["returned"])


@pytest.mark.parametrize("file", EXPECTED_KINDS)
def test_every_kind_of_fault_is_there(file: str) -> None:
    assert {r["reason"] for r in ANSWERS["files"][file]["returned"]} == EXPECTED_KINDS[file]


def test_departments_registers_and_editions() -> None:
    assert {(e["department"], e["register"]) for e in DELIVERIES} == {
        ("real_estate", "base.dwellings"), ("police", "base.dwellings"), ("police", "base.persons"),
        ("civil_affairs", "base.persons"), ("market", "base.entities"), ("civil_affairs", "base.entities"),
    }  # fmt: skip
    police = [e["edition"] for e in DELIVERIES if e["register"] == "base.persons" and e["department"] == "police"]
    assert police[-1] < police[-3], "the last one comes in late"
    assert all(date.fromisoformat(e["edition"]) <= date(2026, 6, 1) for e in DELIVERIES)


def citizen_id_is_right(number: str) -> bool:
    """GB 11643-1999, once more."""
    if len(number) == 15 and number.isdigit():
        return True
    if len(number) != 18 or not number[:17].isdigit():
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    rest = sum(int(c) * (2 ** (17 - k) % 11) for k, c in enumerate(number[:17])) % 11
    return number[17].upper() == "10X98765432"[rest] and born <= date(2026, 11, 1)


def test_police_rows_are_right_but_for_those_in_the_answers() -> None:
    file = "deliveries/persons_police.csv"
    homes = {r["房屋编码"] for _, r in records("deliveries/dwellings_real_estate.csv")} | {
        row[1] for row in rows_of("deliveries/dwellings_police.xlsx")
    }
    seen: set[str] = set()
    wrong: set[int] = set()
    for number, r in records(file):
        own = r[NUMBER].upper()
        own18 = own if len(own) == 18 else f"{own[:6]}19{own[6:]}"
        sound = citizen_id_is_right(own) and bool(r["姓名"]) and own not in seen
        sound = sound and r["出生日期"].replace("-", "") == own18[6:14] and r["性别"] == "女男"[int(own18[16]) % 2]
        if not (sound and len(r["户籍地区划代码"]) == 12 and (not r["房屋编码"] or r["房屋编码"] in homes)):
            wrong.add(number)
        seen.add(own)
    assert wrong == {r["row"] for r in ANSWERS["files"][file]["returned"]}


def test_businesses_have_right_codes_but_for_those_in_the_answers() -> None:
    file, alphabet = "deliveries/entities_market.csv", "0123456789ABCDEFGHJKLMNPQRTUWXY"
    answers = ANSWERS["files"][file]
    wrong, odd = set(), set()
    for number, r in records(file):
        code = r[CREDIT]
        if len(code) != 18 or not set(code) <= set(alphabet):
            wrong.add(number)
        elif (31 - sum(alphabet.index(c) * 3**k for k, c in enumerate(code[:17])) % 31) % 31 != alphabet.index(
            code[17]
        ):
            odd.add(number)
    assert wrong == {r["row"] for r in answers["returned"] if r["reason"] == "bad_code"}
    assert odd == {n["row"] for n in answers["notes"] if n["what"] == "pilot code"}


def test_corrections_answer_returned_rows_of_earlier_files() -> None:
    files = [e["file"] for e in DELIVERIES]
    returned = {(file, r["row"]) for file in files for r in ANSWERS["files"][file]["returned"]}
    later = {
        (file, r["row"]) for file in files for a in files for r in ANSWERS["files"][a]["raises"] if r["file"] == file
    }
    for file in files:
        for answer in ANSWERS["files"][file]["answers"]:
            assert (answer["file"], answer["of"]) in returned | later
            assert files.index(answer["file"]) < files.index(file)
    assert sum(len(ANSWERS["files"][f]["answers"]) for f in files) > 150


def test_facts_tell_lives_and_a_city_that_moves() -> None:
    facts = ANSWERS["facts"]
    assert len(facts["persons"]) >= 20
    homes = [{p["on"][day]["dwelling"] for day in p["on"]} for p in facts["persons"]]
    assert sum(len(h) > 1 for h in homes) >= 15
    one, two = facts["population"].values()
    assert one != two
    for day, villages in facts["population"].items():
        assert 0 < facts["registered"][day] - sum(villages.values()) < 600, "few have no home in the register"


def test_visitors_are_named_by_the_answers() -> None:
    answers = told("resolution_answers.json")
    people = {r[NUMBER].upper(): r for _, r in records("deliveries/persons_police.csv")}
    with (FOLDER / answers["file"]).open(encoding="utf-8-sig", newline="") as text:
        visits = dict(enumerate(csv.DictReader(text), start=2))
    assert answers["count"] == len(visits) == len(answers["rows"])
    assert 1_800 < len(visits) < 2_200
    assert answers["not_registered"] == sum(a["citizen_id"] is None for a in answers["rows"]) > 150
    noise: Counter[str] = Counter()
    for answer in answers["rows"]:
        visit, noisy = visits[answer["row"]], answer["noise"]
        noise.update(noisy.values())
        if answer["citizen_id"] is not None:
            person = people.get(answer["citizen_id"])
            assert person is None or "name" in noisy or visit["姓名"] == person["姓名"]
        if "id" not in noisy:
            assert answer["citizen_id"] in (None, visit["证件号码"])
    assert {"missing", "masked", "one digit wrong", "mistaken character", "a year off", "elsewhere"} <= set(noise)
