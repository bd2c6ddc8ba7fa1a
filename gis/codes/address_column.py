"""A column of addresses read at once.

Addresses share their beginnings (divisions and road) and their ends (3栋2单元501室) with many others: each text is cut
at its first number, and either piece is read once for all texts that have it. The answer keeps that form: a table of
distinct beginnings, a table of distinct ends, and two numbers a row.
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
from gis.codes.address_reading import in_any_order, merged, tail, with_remark, without_remarks
from gis.codes.address_text import plain_column
from gis.codes.column import CodeColumn, strings

CHUNK_ROWS = 1 << 16
_KEPT = 1 << 17
"""So many distinct pieces are kept from chunk to chunk (about 60 MB at worst); then reading begins afresh."""
_CUT = re.compile(r"^([^0-9A-Z(~\n]*)(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Up to `CHUNK_ROWS` addresses: row i is `heads[head[i]]` together with `tails[tail[i]]`."""

    texts: list[str]
    heads: list[Parts]
    tails: list[Parts]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    remarks: dict[int, str]
    """What stood in brackets, and telephone numbers, by row."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.texts)

    def parts(self, row: int) -> Parts:
        """The parts of one row."""
        found = merged(self.heads[self.head[row]], self.tails[self.tail[row]])
        return with_remark(found, self.remarks.get(row, ""))

    def __getitem__(self, row: int) -> Address:
        """One row as an address."""
        return Address.of(self.parts(row), self.texts[row])

    def level(self) -> NDArray[np.uint8]:
        """The `AddressLevel` that each text supports."""
        return self.level_of(self.head, self.tail)

    def level_of(self, head: NDArray[np.integer[Any]], tail: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """The level of any pairs of a beginning and an end."""
        finest, cap = np.zeros(len(head), dtype=np.uint8), np.full(len(head), AddressLevel.ROOM, dtype=np.uint8)
        for pieces, index in ((self.heads, head), (self.tails, tail)):
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
    _tails: list[Parts] = field(default_factory=lambda: [NOTHING])
    _following: list[Next] = field(default_factory=lambda: [Next.END])
    _head_of: tuple[dict[str, int], ...] = field(default_factory=lambda: tuple({} for _ in Next))
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
        if len(self._heads) > _KEPT or len(self._tails) > _KEPT:
            self._forget()
        plain = plain_column(texts)
        tails, heads, following = self._tail_of, self._head_of, self._following
        rows: list[tuple[int, int]] = []
        remarks: dict[int, str] = {}
        add = rows.append
        for first, last in _CUT.findall("\n".join(plain)) if texts else ():
            number = tails.get(last)
            if number is None:
                number = self._new_tail(last)
            if number < 0:
                place, number, remark = self._unusual(first + last)
                add((place, number))
                if remark:
                    remarks[len(rows) - 1] = remark
                continue
            known = heads[following[number]].get(first)
            add((self._new_head(first, following[number]) if known is None else known, number))
        found = np.array(rows, dtype=np.int32).reshape(-1, 2)
        return Addresses(texts, self._heads, self._tails, found[:, 0].copy(), found[:, 1].copy(), remarks)

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

    def _unusual(self, plain: str) -> tuple[int, int, str]:
        """A text that is not in the usual order, or holds more than an address; and the remark in it."""
        bare, remark = without_remarks(plain)
        if remark:
            first, last = _CUT.findall(bare)[0]
            number = self._tail_of.get(last)
            number = self._new_tail(last) if number is None else number
            if number >= 0:
                following = self._following[number]
                place = self._head_of[following].get(first)
                return self._new_head(first, following) if place is None else place, number, remark
        named, numbers = in_any_order(bare)
        place, number = self._named.get(named), self._numbered.get(numbers)
        if place is None:
            place = self._named[named] = len(self._heads)
            self._heads.append(named)
        if number is None:
            number = self._numbered[numbers] = self._add_tail(numbers, Next.END)
        return place, number, remark

    def _add_tail(self, parts: Parts, following: Next) -> int:
        self._following.append(following)
        self._tails.append(parts)
        return len(self._tails) - 1

    def _forget(self) -> None:
        """Begin with new lists; those that were handed out stay with whom has them."""
        self._heads, self._tails, self._following = [], [NOTHING], [Next.END]
        self._head_of, self._tail_of = tuple({} for _ in Next), {"": 0}
        self._named, self._numbered = {}, {}


def parse_column(column: CodeColumn) -> pa.Table:
    """A column of texts as a table with one column a part, `inferred_floor` and `level` (see `Addresses.table`)."""
    tables = [chunk.table() for chunk in AddressReader().chunks(column)]
    return pa.concat_tables(tables) if tables else AddressReader().read([]).table()
