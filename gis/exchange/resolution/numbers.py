"""Code numbers of 18 places compared although one was mistyped, cut, doubled, or ruined by a spreadsheet."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes import citizen_id_column, credit_code_column, damage
from gis.codes.column import CodeColumn, byte_matrix, lengths, tidy_column
from gis.exchange.resolution.edits import swapped
from gis.exchange.resolution.keys import Keys, joined, mixed

_PLACES, _ROOM = 18, 19
_LEAST_KNOWN = 14
"""From so many leading digits on a cut number is as good as a number with an error in it."""
_LEAST_SHOWN = 8
_MOST_SLIPS = 4
"""A number that is off in more places than this was not mistyped; it is another one."""
_STAR = ord("*")

Ints = NDArray[np.int64]


class NumberLevel(IntEnum):
    """How well two numbers agree, best first; 0 where one is missing or tells nothing."""

    SAME = 1
    ONE_OFF = 2
    CUT = 3
    MASKED = 4
    """Places were hidden with stars on purpose; those shown are the same."""
    BEGINS = 5
    TWO_OFF = 6
    UNSOUND = 7
    """A few places off, and the row's own fails its check or was cut: it is wrong somewhere."""
    DIFFERENT = 8


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: bytes from the left and from the right, and how much of each can be relied on."""

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    size: NDArray[np.int8]
    known: NDArray[np.int8]
    """Leading places that a spreadsheet left alone; 0 where nothing is known."""
    masked: NDArray[np.bool_]
    sound: NDArray[np.bool_]

    @classmethod
    def of_citizens(cls, column: CodeColumn) -> "Numbers":
        """Citizen ids (GB 11643), old ones of 15 digits extended."""
        return cls._of(column, lambda texts: citizen_id_column.check_column(texts).text)

    @classmethod
    def of_entities(cls, column: CodeColumn) -> "Numbers":
        """Unified social credit codes (GB 32100)."""
        return cls._of(column, lambda texts: credit_code_column.check_column(texts).text)

    @classmethod
    def _of(cls, column: CodeColumn, check: Callable[[pa.Array], pa.Array]) -> "Numbers":
        texts = tidy_column(_written_out(column))
        good = check(texts)
        sound = np.asarray(good.is_valid())
        harm = damage.explain_column(texts, _PLACES)
        reason = np.array([f.reason for f in harm.findings])[harm.index]
        # three zeros behind may also be a number's own: it is then known by them too
        exponent, lost = reason == "exponent", reason == "precision"
        texts = pc.coalesce(good, texts)
        digits = pc.replace_substring_regex(pc.replace_substring_regex(texts, r"E[+-]?[0-9]+$", ""), r"[^0-9A-Z]", "")
        texts = pc.utf8_slice_codeunits(pc.if_else(pa.array(exponent), digits, pc.replace_substring_regex(
            texts, r"\.0*$|[^0-9A-Z*]", "")), 0, _ROOM)  # fmt: skip
        masked = damage.matches(texts, r"\*")
        size = lengths(texts).astype(np.int8)
        known = np.where(size >= _PLACES - 1, size, 0).astype(np.int8)
        known[lost] = damage.SIGNIFICANT_DIGITS
        # the last digit that is shown of a number with an exponent has been rounded
        known[exponent] = np.minimum(np.maximum(size[exponent] - 1, 0), damage.SIGNIFICANT_DIGITS)
        shown = lengths(pc.replace_substring(texts, "*", "")).astype(np.int8)
        known[masked] = np.where((size == _PLACES) & (shown >= _LEAST_SHOWN), shown, 0)[masked]
        known[known < 3] = 0
        left = byte_matrix(pc.ascii_rpad(texts, _ROOM, "\0"), _ROOM)
        right = byte_matrix(pc.ascii_lpad(texts, _ROOM, "\0"), _ROOM)
        return cls(left, right, size, known, masked, sound)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.size)

    def take(self, rows: Ints) -> "Numbers":
        """Some rows."""
        return Numbers(*(getattr(self, name)[rows] for name in self.__slots__))

    def keys(self) -> list[Keys]:
        """Numbers with at most one error share one of these: they agree in their head, in their tail, or around the
        birth date (credit codes: the organisation's number).
        """
        words = [self.left[:, a:b].astype(np.uint64) for a, b in ((0, 6), (6, 14), (14, 18))]
        head, middle, tail = (mixed(*w.T) for w in words)
        open_ = ~self.masked & (self.known > 0)
        whole = open_ & (self.size >= _PLACES)
        missing = np.uint64(0)
        return [
            np.where(open_ & (self.known >= _LEAST_KNOWN), joined(head, middle), missing),
            np.where(whole, joined(middle, tail), missing),
            np.where(whole | self.masked & (self.known > 0), joined(head, tail), missing),
            # a digit lost or doubled: the tail from the right, which holds all but the division
            np.where(open_ & (self.size >= _PLACES - 1), mixed(*self.right[:, 7:].T), missing),
        ]

    def compare(self, rows: Ints, other: "Numbers", others: Ints) -> NDArray[np.int8]:
        """The `NumberLevel` of each pair of own rows with rows of a register."""
        level = np.zeros(len(rows), dtype=np.int8)
        usable = other.sound[others] | (other.known[others] >= _PLACES - 1) & ~other.masked[others]
        usable &= self.known[rows] > 0
        partial = self.masked[rows] | (self.known[rows] < _PLACES - 1)
        whole = ~self.masked[rows] & (self.size[rows] >= _PLACES - 1)
        for judge, wanted in ((self._partly, usable & partial), (self._wholly, usable & whole)):
            pairs = np.flatnonzero(wanted)
            found = judge(rows[pairs], other, others[pairs])
            level[pairs] = np.where(level[pairs] > 0, np.minimum(level[pairs], found), found)
        return level

    def _wholly(self, a: Ints, other: "Numbers", b: Ints) -> NDArray[np.int8]:
        """Numbers with all their places, give or take one."""
        left, right = self.left[a] == other.left[b], self.right[a] == other.right[b]
        start = np.minimum.accumulate(left, axis=1).sum(axis=1)
        end = np.minimum.accumulate(right[:, ::-1], axis=1).sum(axis=1)
        size = np.maximum(self.size[a], other.size[b])
        between = size - np.minimum(start, size) - np.minimum(end, size)
        off = np.where(self.size[a] == other.size[b], (~left).sum(axis=1), between)
        found = np.where(~self.sound[a] & (off <= _MOST_SLIPS), NumberLevel.UNSOUND, NumberLevel.DIFFERENT)
        found[off == 2] = NumberLevel.TWO_OFF
        found[(between <= 1) | swapped(self.left[a], other.left[b])] = NumberLevel.ONE_OFF
        found[left.all(axis=1)] = NumberLevel.SAME
        return found.astype(np.int8)

    def _partly(self, a: Ints, other: "Numbers", b: Ints) -> NDArray[np.int8]:
        """Numbers of which a beginning is left, or of which some places are hidden."""
        left, known, masked = self.left[a], self.known[a], self.masked[a]
        told = np.where(masked[:, None], left != _STAR, np.arange(_ROOM) < known[:, None])
        off = (told & (left != other.left[b])).sum(axis=1)
        found = np.where(off <= 1, NumberLevel.UNSOUND, NumberLevel.DIFFERENT)
        as_good = np.where(known >= _LEAST_KNOWN, NumberLevel.CUT, NumberLevel.BEGINS)
        return np.where(off == 0, np.where(masked, NumberLevel.MASKED, as_good), found).astype(np.int8)


def _written_out(column: CodeColumn) -> Any:
    """Numbers that came as floating-point numbers: 15 places of them mean something."""
    if isinstance(column, pa.Array | pa.ChunkedArray) and pa.types.is_floating(column.type):
        said = [
            None if v is None or math.isnan(v) else f"{v:.0f}" if v < 1e15 else f"{v:.14E}" for v in column.to_pylist()
        ]
        return pa.array(said, pa.string())
    return column
