"""Words of addresses as small numbers, and sorted keys of such numbers: a million places in a few plain arrays."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gis.errors import BadInput

Ints = NDArray[np.int64]
Tokens = NDArray[np.int32]

TOKEN_BITS = 20
MOST_TOKENS = 1 << TOKEN_BITS
MOST_NODES = 1 << 23
NONE, UNKNOWN = 0, -1


@dataclass(slots=True)
class Vocabulary:
    """Each word that occurs in the city's addresses has a number from 1; 0 is no word, −1 one that does not occur."""

    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, word: str) -> int:
        """The number of a word, given now if it has none. Raises BadInput beyond a million distinct words."""
        if not word:
            return NONE
        number = self._numbers.setdefault(word, len(self._numbers) + 1)
        if number >= MOST_TOKENS:
            raise BadInput(
                f"the addresses hold more than {MOST_TOKENS:,} distinct names and numbers; index one city at a time",
                f"地址中不同的名称和号码超过 {MOST_TOKENS:,} 个,请按城市分别建索引",
                subject="places",
            )
        return number

    def find(self, word: str) -> int:
        """The number of a word: NONE for "", UNKNOWN for one that does not occur."""
        return self._numbers.get(word, UNKNOWN) if word else NONE

    def words(self) -> list[str]:
        """All words by their numbers; the first is ""."""
        return ["", *self._numbers]


def packed(first: Tokens | Ints, second: Tokens | Ints, third: Tokens | Ints | int = 0) -> Ints:
    """Three numbers as one sortable key; the last two below 2^20."""
    upper, lower = first.astype(np.int64) << (2 * TOKEN_BITS), second.astype(np.int64) << TOKEN_BITS
    found: Ints = upper | lower | np.asarray(third, dtype=np.int64)
    return found


@dataclass(frozen=True, slots=True)
class Edges:
    """From a key to the rows that have it: sorted keys beside the rows' numbers."""

    keys: Ints
    rows: NDArray[np.int32]

    @classmethod
    def of(cls, keys: Ints, rows: NDArray[np.int32]) -> "Edges":
        """Index rows by their keys; a key may have several rows."""
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], rows[order].astype(np.int32))

    def find(self, keys: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """For many keys at once: which key (by its place) and which row, one pair for each that is found."""
        return self.between(keys, keys)

    def between(self, low: Ints, high: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """The same for closed ranges of keys."""
        start = np.searchsorted(self.keys, low, side="left")
        count = np.searchsorted(self.keys, high, side="right") - start
        asked = np.repeat(np.arange(len(low)), count)
        within = np.arange(len(asked)) - np.repeat(np.cumsum(count) - count, count)
        return asked, self.rows[np.repeat(start, count) + within]
