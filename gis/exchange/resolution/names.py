"""Names of persons compared character by character: the same, alike in sound or look, one character off, in part."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.column import CodeColumn, strings
from gis.exchange.resolution.characters import looks, sounds
from gis.exchange.resolution.edits import swapped
from gis.exchange.resolution.keys import Keys, mixed

_WIDTH = 6
"""So many characters are compared; longer names beyond them only as a whole."""
_SEPARATORS = r"[\s·•・‧∙\.\-_'’]+"
_HIDING = "[某*×○〇□?]"
_HIDDEN = "*"

Ints = NDArray[np.int64]


class NameLevel(IntEnum):
    """How well two names agree, best first; 0 where one is missing."""

    SAME = 1
    ALIKE = 2
    ONE_OFF = 3
    SHOWN = 4
    """Characters were hidden on purpose (王某, 王*明); those shown are the same."""
    GIVEN = 5
    SURNAME = 6
    DIFFERENT = 7


def plain_names(column: CodeColumn) -> pa.Array:
    """Names without blanks, dots and width; "" where there is none."""
    texts = pc.utf8_normalize(strings(column), form="NFKC")
    texts = pc.utf8_upper(pc.replace_substring_regex(texts, _SEPARATORS, ""))
    return pc.replace_substring_regex(texts, _HIDING, _HIDDEN)


@dataclass(frozen=True, slots=True)
class Names:
    """The distinct names of both sides as code points; a name is a number here, 0 is none."""

    characters: NDArray[np.int32]
    sound: NDArray[np.int32]
    look: NDArray[np.int32]
    size: NDArray[np.int8]

    @classmethod
    def of(cls, *columns: pa.Array) -> tuple["Names", list[Ints]]:
        """The names in some columns (made plain) and, for each column, the number of each row's."""
        coded = pa.chunked_array([pa.array([""]), *columns]).dictionary_encode().unify_dictionaries()
        words = coded.chunk(0).dictionary.to_pylist()
        numbers = [chunk.indices.to_numpy().astype(np.int64) for chunk in coded.chunks if len(chunk)]
        table = np.array(words, dtype=f"U{_WIDTH}").view(np.int32).reshape(-1, _WIDTH)
        size = np.array([min(len(w), 127) for w in words], dtype=np.int8)
        rest = iter(numbers[1:])
        return cls(table, sounds(table), looks(table), size), [
            next(rest) if len(column) else np.zeros(0, dtype=np.int64) for column in columns
        ]

    def key_by_sound(self, name: Ints, part: slice = slice(None)) -> Keys:
        """A number that is equal for names whose part sounds the same; 0 where there is none."""
        columns = self.sound[:, part]
        key = mixed(*(columns[:, k] for k in range(columns.shape[1])))
        key[columns[:, 0] == 0] = 0
        return key[name]

    def last_by_sound(self, name: Ints) -> Keys:
        """A number for the sound of the last character."""
        at = np.clip(self.size.astype(np.int64) - 1, 0, _WIDTH - 1)
        last = self.sound[np.arange(len(at)), at]
        key = mixed(last, np.full(len(last), 7))
        key[last == 0] = 0
        return key[name]

    def compare(self, a: Ints, b: Ints) -> NDArray[np.int8]:
        """The `NameLevel` of each pair."""
        first, second = self.characters[a], self.characters[b]
        alike = (first == second) | (self.sound[a] == self.sound[b]) | (self.look[a] == self.look[b])
        long_a, long_b = self.size[a], self.size[b]
        same_size = long_a == long_b
        off = (~alike).sum(axis=1)
        level = np.full(len(a), NameLevel.DIFFERENT, dtype=np.int8)
        level[alike[:, 0]] = NameLevel.SURNAME
        level[same_size & (first[:, 1:] == second[:, 1:]).all(axis=1) & (long_a > 1)] = NameLevel.GIVEN
        one = same_size & (off == 1) & (long_a >= 3)
        level[one | same_size & swapped(first, second) | _one_left_out(first, second, long_a, long_b)] = (
            NameLevel.ONE_OFF
        )
        level[same_size & (off == 0)] = NameLevel.ALIKE
        level[a == b] = NameLevel.SAME
        hidden = first == ord(_HIDDEN)
        masked = hidden.any(axis=1)
        level[masked] = NameLevel.DIFFERENT
        level[masked & _shown(second, hidden, alike)] = NameLevel.SHOWN
        level[(a == 0) | (b == 0)] = 0
        return level


def _shown(b: NDArray[np.int32], hidden: NDArray[np.bool_], alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the characters before the first hidden one are alike; 王某 may stand for 王明 and 王小明."""
    before = np.cumsum(hidden, axis=1) == 0
    found: NDArray[np.bool_] = alike[:, 0] & before[:, 0] & (alike | ~before).all(axis=1) & (b[:, 1] != 0)
    return found


def _one_left_out(
    a: NDArray[np.int32], b: NDArray[np.int32], long_a: NDArray[np.int8], long_b: NDArray[np.int8]
) -> NDArray[np.bool_]:
    """Names of which one is the other without one character."""
    found = np.zeros(len(a), dtype=np.bool_)
    rows = np.flatnonzero((np.abs(long_a - long_b) == 1) & (np.minimum(long_a, long_b) >= 2))
    longer = (long_a > long_b)[rows, None]
    long, short = np.where(longer, a[rows], b[rows]), np.where(longer, b[rows], a[rows])
    for k in range(_WIDTH):
        rest = np.delete(long, k, axis=1)
        found[rows] |= (rest == short[:, : _WIDTH - 1]).all(axis=1)
    return found
