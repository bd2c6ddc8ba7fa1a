"""Everybody as police have them, with the faults that such files have, and the rows that police send back corrected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sample_city.deliveries.cast import OF_AGE_BY, POLICE_FAULTS, Cast
from sample_city.deliveries.handed import Cover, Handed
from sample_city.deliveries.id_numbers import cut, exponent, sealed, wrong_check
from sample_city.people import Person

HEADER = (
    "姓名", "性别", "公民身份号码", "出生日期", "民族", "婚姻状况", "户号", "与户主关系", "户籍地区划代码", "房屋编码",
    "联系电话",
)  # fmt: skip
CHANGE_HEADER = ("操作", *HEADER, "生效日期")


@dataclass(frozen=True, slots=True)
class Resident:
    """One person as police tell it; the fields in the order of the columns."""

    name: str
    sex: str
    number: str
    born: str
    ethnicity: str
    marital: str
    household: str
    relation: str
    registered: str
    dwelling: str
    telephone: str

    def row(self) -> tuple[str, ...]:
        """The cells."""
        return (
            self.name, self.sex, self.number, self.born, self.ethnicity, self.marital, self.household, self.relation,
            self.registered, self.dwelling, self.telephone,
        )  # fmt: skip

    def in_home(self, code: str) -> "Resident":
        """The same in another dwelling."""
        return replace(self, dwelling=code, household=f"H{code}")


def cover(name: str, mode: str, edition: str, *title: str, department: str = "police") -> Cover:
    """The cover of a file about persons."""
    return Cover(name=name, register="base.persons", department=department, mode=mode, edition=edition,
                 title=(title[0], title[1]))  # fmt: skip


class ResidentFiles:
    """The first police file and the corrections; `rows` are the row numbers of the latest district's people."""

    def __init__(self, folder: Path) -> None:
        first = cover("persons_police", "full", "2026-01-01", "公安实有人口", "Residents (police)")
        self.first = Handed.text(folder, first, HEADER)
        self.again = Handed.text(folder, first.corrected(), CHANGE_HEADER)
        self.rows: list[int] = []

    def add(self, cast: Cast) -> list[Resident]:
        """Append a district's people; returns them as they are in truth."""
        told = [told_by_police(cast, n) for n in range(len(cast.people))]
        self.rows = [self._write(resident, cast.police.get(n, "")) for n, resident in enumerate(told)]
        for n in (n for n, part in cast.police.items() if part == "twice"):
            row = self.first.write(told[n].row())
            self.first.give_back(row, "duplicate", "twice", code=told[n].number)
        return told

    def _write(self, resident: Resident, part: str) -> int:
        told = _faulty(resident, part) if part else resident
        row = self.first.write(told.row())
        if part in POLICE_FAULTS:
            self.first.give_back(row, POLICE_FAULTS[part], part, code=resident.number)
            again = self.again.write(("新增", *resident.row(), ""))
            self.again.answer(again, self.first, row, keyed=told.number == resident.number)
        elif part in ("lower-case x", "old number"):
            self.first.note(row, part, resident.number)
        return row


def told_by_police(cast: Cast, n: int) -> Resident:
    """What police know of a person: all but a home that no register holds."""
    person = cast.people[n]
    return Resident(
        name=person.name,
        sex=person.sex,
        number=person.number,
        born=person.born,
        ethnicity=person.ethnicity,
        marital=marital_status(cast.people, cast.head, n),
        household=person.household,
        relation=person.relation,
        registered=person.registered,
        dwelling=person.dwelling if person.dwelling in cast.quarter.known else "",
        telephone=telephone(person) if person.relation == "户主" else "",
    )


def marital_status(people: Sequence[Person], head: list[int], n: int) -> str:
    """Married where there is a couple, widowed for lone parents, single for the others; nothing for children."""
    person = people[n]
    if person.born >= OF_AGE_BY:
        return ""
    if person.relation in ("户主", "配偶"):
        first = head[n]
        couple = first + 1 < len(people) and head[first + 1] == first and people[first + 1].relation == "配偶"
        return "已婚" if couple else "未婚"
    return "丧偶" if person.relation == "父母" else "未婚"


def telephone(person: Person) -> str:
    """An invented number."""
    return f"1990564{int(person.number[6:17]) * 7919 % 10_000:04d}"


def _faulty(right: Resident, part: str) -> Resident:
    """The person as the first file has it."""
    number, sequence = right.number, int(right.number[14:17])
    changed: dict[str, dict[str, str]] = {
        "exponent": {"number": exponent(number)},
        "digits lost": {"number": cut(number)},
        "check character": {"number": wrong_check(number)},
        "too few digits": {"number": number[:16]},
        "impossible day": {"number": sealed(number[:6], "19990229", sequence), "born": ""},
        "future birth": {"number": sealed(number[:6], "20990511", sequence), "born": ""},
        "other sex": {"sex": "女" if right.sex == "男" else "男"},
        "other birth": {"born": f"{int(right.born[:4]) - 1}{right.born[4:8]}15"},
        "unknown home": {"dwelling": f"{right.registered[:6]}999999999999010101"},
        "division code too short": {"registered": right.registered[:11]},
        "no name": {"name": ""},
        "no number": {"number": ""},
        "unknown sex": {"sex": "未说明"},
        "birth in words": {"born": f"{right.born[:4]}年前后"},
        "lower-case x": {"number": number.lower()},
        "old number": {"number": number[:6] + number[8:17]},
    }
    return replace(right, **changed[part]) if part in changed else right
