"""Natural persons: what is compared of two of them, and what brings them together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.exchange.resolution import dates
from gis.exchange.resolution.blocking import Probe
from gis.exchange.resolution.dates import Days
from gis.exchange.resolution.frequency import rarity, sharing
from gis.exchange.resolution.keys import Keys, joined, mixed
from gis.exchange.resolution.model import Comparison, Floats, Level, Levels, Overlap
from gis.exchange.resolution.names import NameLevel, Names
from gis.exchange.resolution.numbers import Numbers
from gis.exchange.resolution.places import PLACE_LEVELS, Located, neighbours
from gis.text import Text

Ints = NDArray[np.int64]

#: m as it is usual in files without checked codes; u as in a large city, until the register has been counted.
COMPARISONS = (
    Comparison("number", Text("身份证号", "id number"), (
        Level(Text("相同", "the same"), 0.80, 1e-9, agrees=True, counts=True),
        Level(Text("差一位(写错、漏写、多写或相邻颠倒)", "one place off (wrong, missing, doubled or swapped)"),
              0.08, 1e-8, agrees=True, counts=True),
        Level(Text("被电子表格截断,保留的位数相同", "cut by a spreadsheet, the places kept are the same"),
              0.04, 1e-8, agrees=True, counts=True),
        Level(Text("部分遮盖,显示的位数相同", "partly hidden, the places shown are the same"),
              0.04, 4e-5, agrees=True, counts=True),
        Level(Text("只剩开头几位,相同", "only its beginning is left, which is the same"), 0.03, 0.1, agrees=True),
        Level(Text("差两位", "two places off"), 0.01, 1e-4),
        Level(Text("差几位,且来件号码本身有误", "a few places off, and the number handed in is not sound"), 0.05, 0.45),
        Level(Text("不同", "another number"), 0.02, 0.45, bars=True),
    )),
    Comparison("name", Text("姓名", "name"), (
        Level(Text("相同", "the same"), 0.86, 2e-4, agrees=True, counts=True),
        Level(Text("同音或形近", "alike in sound or look"), 0.08, 5e-5, agrees=True, counts=True),
        Level(Text("差一字(写错、漏写、多写或颠倒)", "one character off (wrong, missing, added or swapped)"),
              0.03, 2e-3, agrees=True, counts=True),
        Level(Text("部分隐去,显示的字相同", "partly hidden, the characters shown are the same"),
              0.01, 0.02, agrees=True),
        Level(Text("名同姓不同", "the given name only"), 0.008, 5e-3),
        Level(Text("姓同名不同", "the surname only"), 0.012, 0.05),
        Level(Text("不同", "another name"), 0.01, 0.95, bars=True),
    )),
    Comparison("birth_date", Text("出生日期", "date of birth"), (
        Level(Text("相同", "the same"), 0.91, 4e-5, agrees=True, counts=True),
        Level(Text("月日颠倒", "month and day swapped"), 0.02, 3e-5, agrees=True, counts=True),
        Level(Text("差一位", "one digit off"), 0.04, 2e-3, agrees=True, counts=True),
        Level(Text("年份或月日相同", "the year, or the day of the year"), 0.015, 0.018),
        Level(Text("不同", "another day"), 0.015, 0.98, bars=True, settled_by=("number",)),
    )),
    Comparison("sex", Text("性别", "sex"), (
        Level(Text("相同", "the same"), 0.985, 0.5, agrees=True),
        Level(Text("不同", "the other"), 0.015, 0.5, bars=True, settled_by=("number", "birth_date")),
    )),
    Comparison("telephone", Text("电话", "telephone"), (
        Level(Text("相同", "the same"), 0.65, 1e-6, agrees=True, counts=True),
        Level(Text("不同", "another one"), 0.35, 1.0),
    )),
    Comparison("place", Text("住址", "address"), PLACE_LEVELS),
)  # fmt: skip

#: A number holds the birth date and the sex, and who shares a home often shares a telephone.
OVERLAPS = (
    Overlap("number", ("birth_date", "sex"), first_levels=3),
    Overlap("place", ("telephone",), more=0.9, first_levels=2),
)

NUMBER, NAME = 0, 1


@dataclass(frozen=True, slots=True)
class Persons:
    """Persons of one side, as columns; 0 is unknown in all of them. `names` is shared by both sides."""

    numbers: Numbers
    name: Ints
    birth: Days
    sex: NDArray[np.int8]
    telephone: Ints
    located: Located
    names: Names

    def __len__(self) -> int:
        """How many rows."""
        return len(self.name)

    def compare(self, rows: Ints, other: "Persons", others: Ints) -> Levels:
        """(pairs, comparisons): the level of each of `COMPARISONS`."""
        sex, its_sex = self.sex[rows], other.sex[others]
        telephone, its_telephone = self.telephone[rows], other.telephone[others]
        return np.stack(
            [
                self.numbers.compare(rows, other.numbers, others),
                self.names.compare(self.name[rows], other.name[others]),
                dates.compare(self.birth[rows], other.birth[others]),
                _equal(sex, its_sex),
                _equal(telephone, its_telephone),
                self.located.compare(rows, other.located, others),
            ],
            axis=1,
        )

    def rarity(self, others: Ints, levels: Levels) -> Floats:
        """How many times rarer than the usual name that of each pair is, in bits; 0 where the names are not the same.

        To be asked of the register's side.
        """
        found: Floats = np.where(levels[:, NAME] == NameLevel.SAME, rarity(self.name)[others], 0.0)
        return found

    def content(self) -> Keys:
        """A number for what each row says."""
        words = self.numbers.left.view(np.uint8).astype(np.uint64).T
        return mixed(*words, self.names.key_by_sound(self.name), self.birth, self.sex)

    def coincidence(self) -> dict[tuple[str, int], float]:
        """How often persons agree by chance, where the register's frequencies tell it."""
        n = max(len(self), 1)
        return {
            # a number stands in somebody else's row: lent, or a parent's for a child
            ("number", 1): 0.002 / n,
            ("number", 2): 0.05 / n,
            ("number", 3): 0.1 / n,
            ("name", 1): sharing(self.name),
            # the register hides no characters: of a hidden name little more than the surname is left
            ("name", 4): sharing(self.names.key_by_sound(self.name, slice(0, 1))),
            ("birth_date", 1): sharing(self.birth),
            ("telephone", 1): sharing(self.telephone),
            ("place", 1): max(sharing(self.located.code), 2.0 / n),
        }


def probes(register: Persons, asked: Persons) -> Iterator[Probe]:
    """The rules that bring persons together, one by one."""
    yield from (Probe(a, b) for a, b in zip(_keys(register), _keys(asked), strict=True))
    cells, around = register.located.places.cells(), asked.located.places.cells()
    row, cell = neighbours(around)
    for rule in (_room, _surname, _year):
        yield Probe(joined(cells, rule(register)), joined(cell, rule(asked)[row]), row)


def _keys(side: Persons) -> Iterator[Keys]:
    """The keys of rules that have one a row: codes; names with dates, with villages, alone; the surname's or the last
    character's sound with the date; telephone; dwelling; the date alone.
    """
    name, birth = side.name, side.birth
    yield from side.numbers.keys()
    spoken, day = side.names.key_by_sound(name), dates.key_of(birth)
    yield joined(spoken, dates.year_key(birth))
    yield joined(name, dates.in_year_key(birth))
    yield joined(_surname(side), day)
    yield joined(side.names.last_by_sound(name), day)
    village = side.located.places.village
    yield joined(spoken, np.where(village % 1000 > 0, village, 0))
    yield from (joined(values) for values in (name, side.telephone, side.located.code, day))


def _room(side: Persons) -> Ints:
    return side.located.room


def _surname(side: Persons) -> Keys:
    return side.names.key_by_sound(side.name, slice(0, 1))


def _year(side: Persons) -> Ints:
    return side.birth // 10_000


def _equal(a: NDArray[np.generic], b: NDArray[np.generic]) -> NDArray[np.int8]:
    found: NDArray[np.int8] = np.where((a == 0) | (b == 0), 0, np.where(a == b, 1, 2)).astype(np.int8)
    return found
