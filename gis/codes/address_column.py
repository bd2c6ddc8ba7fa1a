"""A column of addresses read at once.

Addresses share their pieces with many others: the names before the first number, the door (41号盛世名邸), what is
within (3栋2单元501室). Each text is cut into those, and each piece is read once for all texts that have it. The answer
keeps that form: tables of distinct heads, doors and tails, and three numbers a row.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.codes.address import PART_LEVELS, Address, capped, floor_of
from gis.codes.address_levels import AddressLevel
from gis.codes.address_parts import NOTHING, Next, Parts, names
from gis.codes.address_reading import DOOR, door, in_any_order, merged, tail, with_remark, without_remarks
from gis.codes.address_text import plain_column
from gis.codes.column import CodeColumn, strings

Numbers = NDArray[np.integer[Any]]

CHUNK_ROWS = 1 << 16
_KEPT = 1 << 17
"""So many distinct pieces are kept from chunk to chunk (about 60 MB at worst); then reading begins afresh."""
_CUT = re.compile(rf"^([^0-9A-Z(~\n]*)({DOOR})?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Up to `CHUNK_ROWS` addresses: row i is `heads[head[i]]`, `doors[door[i]]` and `tails[tail[i]]` together."""

    texts: list[str]
    heads: list[Parts]
    doors: list[Parts]
    tails: list[Parts]
    head: NDArray[np.int32]
    door: NDArray[np.int32]
    tail: NDArray[np.int32]
    remarks: dict[int, str]
    """What stood in brackets, and telephone numbers, by row."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.texts)

    def parts(self, row: int) -> Parts:
        """The parts of one row."""
        within = merged(self.doors[self.door[row]], self.tails[self.tail[row]])
        return with_remark(merged(self.heads[self.head[row]], within), self.remarks.get(row, ""))

    def __getitem__(self, row: int) -> Address:
        """One row as an address."""
        return Address.of(self.parts(row), self.texts[row])

    def level(self) -> NDArray[np.uint8]:
        """The `AddressLevel` that each text supports."""
        return self.level_of(self.head, self.door, self.tail)

    def level_of(self, head: Numbers, door: Numbers, tail: Numbers) -> NDArray[np.uint8]:
        """The level of any heads, doors and tails together."""
        finest, cap = np.zeros(len(head), dtype=np.uint8), np.full(len(head), AddressLevel.ROOM, dtype=np.uint8)
        for pieces, index in ((self.heads, head), (self.doors, door), (self.tails, tail)):
            used, place = np.unique(index, return_inverse=True)
            held, allowed = _levels([pieces[i] for i in used.tolist()])
            finest = np.maximum(finest, held[place.reshape(-1)])
            cap = np.minimum(cap, allowed[place.reshape(-1)])
        return np.minimum(finest, cap)

    def table(self) -> pa.Table:
        """One column a part, and `level`, `inferred_floor`: as they are stored beside the texts."""
        rows = [self.parts(row) for row in range(len(self))]
        columns = dict(zip(Parts._fields, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
        found = {name: pa.array(columns.get(name, []), pa.string()) for name in Parts._fields}
        inferred = [floor_of(p.room) if not p.floor else "" for p in rows]
        found["inferred_floor"] = pa.array(inferred, pa.string())
        found["level"] = pa.array(self.level(), pa.uint8())
        return pa.table(found)


def _levels(pieces: list[Parts]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The finest level that each piece gives, and the finest that it allows."""
    columns = dict(zip(Parts._fields, zip(*pieces, strict=True), strict=True)) if pieces else {}
    finest = np.zeros(len(pieces), dtype=np.uint8)
    for name, level in PART_LEVELS.items():
        finest[np.fromiter(map(bool, columns.get(name, ())), bool, len(pieces))] = level
    allowed = [capped(AddressLevel.ROOM, p.offset, p.plate_to) for p in pieces]
    return finest, np.array(allowed, dtype=np.uint8)


@dataclass(slots=True)
class AddressReader:
    """Reads columns of addresses chunk by chunk, remembering pieces between chunks; not for several threads at once."""

    _heads: list[Parts] = field(default_factory=list)
    _doors: list[Parts] = field(default_factory=lambda: [NOTHING])
    _tails: list[Parts] = field(default_factory=lambda: [NOTHING])
    _following: list[Next] = field(default_factory=lambda: [Next.END])
    _head_of: tuple[dict[str, int], ...] = field(default_factory=lambda: tuple({} for _ in Next))
    _door_of: dict[str, int] = field(default_factory=lambda: {"": 0})
    _tail_of: dict[str, int] = field(default_factory=lambda: {"": 0})
    _named: dict[Parts, int] = field(default_factory=dict)
    _numbered: dict[Parts, int] = field(default_factory=dict)
    """Heads and tails of texts in unusual order, by what they say."""

    def chunks(self, column: CodeColumn) -> Iterator[Addresses]:
        """The whole column, at most `CHUNK_ROWS` rows at a time. Nulls are read as empty texts."""
        texts = strings(column)
        for start in range(0, len(texts), CHUNK_ROWS):
            yield self.read(texts.slice(start, CHUNK_ROWS).to_pylist())

    def read(self, texts: list[str]) -> Addresses:
        """One chunk; the lists of pieces may grow later, but what is in them stays."""
        if max(map(len, (self._heads, self._doors, self._tails))) > _KEPT:
            self._forget()
        rows: list[tuple[int, int, int]] = []
        remarks: dict[int, str] = {}
        for cut in _CUT.findall("\n".join(plain_column(texts))) if texts else ():
            found = self._cut(*cut)
            if found is None:
                found, remark = self._unusual("".join(cut))
                if remark:
                    remarks[len(rows)] = remark
            rows.append(found)
        head, door_, tail_ = np.ascontiguousarray(np.array(rows, dtype=np.int32).reshape(-1, 3).T)
        return Addresses(texts, self._heads, self._doors, self._tails, head, door_, tail_, remarks)

    def _cut(self, first: str, middle: str, last: str) -> tuple[int, int, int] | None:
        """A text in the usual order by its pieces; None for any other."""
        number = self._tail_of.get(last)
        if number is None:
            number = self._new_tail(last)
        door_number = 0
        if middle:
            found = self._door_of.get(middle)
            door_number = self._new_door(middle) if found is None else found
            if number < 0 or door_number < 0 or self._following[number] is not Next.INNER:
                return self._cut(first, "", middle + last)
        if number < 0:
            return None
        following = Next.PLATE if middle else self._following[number]
        place = self._head_of[following].get(first)
        return self._new_head(first, following) if place is None else place, door_number, number

    def _new_door(self, text: str) -> int:
        found = door(text)
        self._door_of[text] = len(self._doors) if found is not None else -1
        if found is not None:
            self._doors.append(found)
        return self._door_of[text]

    def _new_tail(self, text: str) -> int:
        found = tail(text)
        if found is None:
            self._tail_of[text] = -1
            return -1
        self._tail_of[text] = number = self._add_tail(found[1], found[0])
        return number

    def _new_head(self, text: str, following: Next) -> int:
        self._head_of[following][text] = len(self._heads)
        self._heads.append(names(text, following))
        return len(self._heads) - 1

    def _unusual(self, plain: str) -> tuple[tuple[int, int, int], str]:
        """A text that is not in the usual order, or holds more than an address; and the remark in it."""
        bare, remark = without_remarks(plain)
        found = self._cut(*_CUT.findall(bare)[0]) if remark else None
        if found is not None:
            return found, remark
        named, numbers = in_any_order(bare)
        place, number = self._named.get(named), self._numbered.get(numbers)
        if place is None:
            place = self._named[named] = len(self._heads)
            self._heads.append(named)
        if number is None:
            number = self._numbered[numbers] = self._add_tail(numbers, Next.END)
        return (place, 0, number), remark

    def _add_tail(self, parts: Parts, following: Next) -> int:
        self._following.append(following)
        self._tails.append(parts)
        return len(self._tails) - 1

    def _forget(self) -> None:
        """Begin with new lists; those that were handed out stay with whom has them."""
        fresh = AddressReader()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))


def parse_column(column: CodeColumn) -> pa.Table:
    """A column of texts as a table with one column a part, `inferred_floor` and `level` (see `Addresses.table`)."""
    tables = [chunk.table() for chunk in AddressReader().chunks(column)]
    return pa.concat_tables(tables) if tables else AddressReader().read([]).table()
