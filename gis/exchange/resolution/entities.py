"""Legal entities: what is compared of two of them, and what brings them together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.exchange.resolution.blocking import Probe
from gis.exchange.resolution.entity_names import EntityNameLevel, EntityNames
from gis.exchange.resolution.frequency import rarity, sharing
from gis.exchange.resolution.keys import Keys, joined, mixed
from gis.exchange.resolution.model import Comparison, Floats, Level, Levels, Overlap
from gis.exchange.resolution.names import NameLevel, Names
from gis.exchange.resolution.numbers import Numbers
from gis.exchange.resolution.places import PLACE_LEVELS, Located, neighbours
from gis.text import Text

Ints = NDArray[np.int64]

COMPARISONS = (
    Comparison("number", Text("统一社会信用代码", "credit code"), (
        Level(Text("相同", "the same"), 0.80, 1e-9, agrees=True, counts=True),
        Level(Text("差一位(写错、漏写、多写或相邻颠倒)", "one place off (wrong, missing, doubled or swapped)"),
              0.08, 1e-8, agrees=True, counts=True),
        Level(Text("被截断,保留的位数相同", "cut, the places kept are the same"), 0.02, 1e-5, agrees=True, counts=True),
        Level(Text("部分遮盖,显示的位数相同", "partly hidden, the places shown are the same"),
              0.02, 1e-4, agrees=True, counts=True),
        Level(Text("只剩开头几位,相同", "only its beginning is left, which is the same"), 0.02, 0.3, agrees=True),
        Level(Text("差两位", "two places off"), 0.02, 1e-3),
        Level(Text("差几位,且来件代码本身有误", "a few places off, and the code handed in is not sound"), 0.03, 0.1),
        Level(Text("不同", "another code"), 0.02, 0.6, bars=True),
    )),
    Comparison("name", Text("名称", "name"), (
        Level(Text("相同", "the same"), 0.72, 1e-4, agrees=True, counts=True),
        Level(Text("除地区和组织形式外相同", "the same but for region and legal form"), 0.14, 2e-4, agrees=True,
              counts=True),
        Level(Text("字号相同,行业不同", "the firm's own part only"), 0.04, 2e-3, agrees=True),
        Level(Text("字号同音、形近或差一字,行业相同", "its own part alike or one character off, in the same trade"),
              0.05, 1e-3, agrees=True),
        Level(Text("不同", "another name"), 0.05, 0.99, bars=True),
    )),
    Comparison("representative", Text("法定代表人", "representative"), (
        Level(Text("证件号码相同", "the same id number"), 0.45, 1e-4, agrees=True, counts=True),
        Level(Text("姓名相同", "the same name"), 0.35, 3e-4, agrees=True, counts=True),
        Level(Text("姓名同音、形近或差一字", "a name alike or one character off"), 0.06, 2e-3, agrees=True),
        Level(Text("不同", "somebody else"), 0.14, 0.99),
    )),
    Comparison("place", Text("地址", "address"), PLACE_LEVELS),
)  # fmt: skip
OVERLAPS: tuple[Overlap, ...] = ()


@dataclass(frozen=True, slots=True)
class Entities:
    """Entities of one side, as columns; 0 is unknown. `representative` are names in `people`, `head` id numbers."""

    numbers: Numbers
    name: EntityNames
    representative: Ints
    head: Ints
    people: Names
    located: Located

    def __len__(self) -> int:
        """How many rows."""
        return len(self.representative)

    def compare(self, rows: Ints, other: "Entities", others: Ints) -> Levels:
        """(pairs, comparisons): the level of each of `COMPARISONS`."""
        return np.stack(
            [
                self.numbers.compare(rows, other.numbers, others),
                self.name.compare(rows, other.name, others),
                self._heads(rows, other, others),
                self.located.compare(rows, other.located, others),
            ],
            axis=1,
        )

    def _heads(self, rows: Ints, other: "Entities", others: Ints) -> NDArray[np.int8]:
        named = self.people.compare(self.representative[rows], other.representative[others])
        level = np.where(named == 0, 0, 4).astype(np.int8)
        level[(named == NameLevel.ALIKE) | (named == NameLevel.ONE_OFF)] = 3
        level[named == NameLevel.SAME] = 2
        head, its_head = self.head[rows], other.head[others]
        both = (head > 0) & (its_head > 0)
        level[both & (head != its_head) & (named == 0)] = 4
        level[both & (head == its_head)] = 1
        return level

    def rarity(self, others: Ints, levels: Levels) -> Floats:
        """How many times rarer than the usual name that of each pair is, in bits; 0 where names are not the same."""
        found: Floats = np.where(levels[:, 1] == EntityNameLevel.SAME, rarity(self.name.whole)[others], 0.0)
        return found

    def content(self) -> Keys:
        """A number for what each row says."""
        return mixed(*self.numbers.left.astype(np.uint64).T, self.name.keys()[2],
                     self.people.key_by_sound(self.representative))  # fmt: skip

    def coincidence(self) -> dict[tuple[str, int], float]:
        """How often entities agree by chance, where the register's frequencies tell it."""
        n = max(len(self), 1)
        return {
            ("number", 1): 0.002 / n,
            ("number", 2): 0.05 / n,
            ("name", 1): sharing(self.name.whole),
            ("name", 2): sharing(self.name.stem),
            ("place", 1): sharing(self.located.code),
            ("representative", 1): sharing(self.head),
            ("representative", 2): sharing(self.representative),
        }


def probes(register: Entities, asked: Entities) -> Iterator[Probe]:
    """The rules that bring entities together: codes, names, representatives; own names and heads in one surrounding."""
    yield from (Probe(a, b) for a, b in zip(_keys(register), _keys(asked), strict=True))
    cells, around = register.located.places.cells(), asked.located.places.cells()
    row, cell = neighbours(around)
    first = tuple(side.name.owns.key_by_sound(side.name.own, slice(0, 1)) for side in (register, asked))
    heads = register.representative, asked.representative
    yield from (Probe(joined(cells, near), joined(cell, far[row]), row) for near, far in (first, heads))


def _keys(side: Entities) -> list[Keys]:
    return [*side.numbers.keys(), *side.name.keys(), joined(side.head), joined(side.representative)]
