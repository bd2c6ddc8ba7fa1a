"""Which pairs are compared at all: those that share a key, so that a million rows need not meet a million persons."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.exchange.resolution.keys import Keys

LARGEST_BLOCK = 400
"""A key that more of the register share brings nobody together; that is said of rows which have no other."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Probe:
    """The keys of one rule: those of the register's rows, and those of the rows asked about, of which one may have
    several (`row` says whose each is; None: the k-th is row k's).
    """

    register: Keys
    asked: Keys
    row: Ints | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One rule ready to be asked: the register's rows in the order of their keys."""

    keys: Keys
    order: NDArray[np.int32]
    asked: Keys
    row: Ints

    @classmethod
    def of(cls, probe: Probe) -> "Block":
        """Sort the register's keys, and those asked about by their rows."""
        kept = np.flatnonzero(probe.register)
        order = kept[np.argsort(probe.register[kept], kind="stable")]
        row = np.arange(len(probe.asked)) if probe.row is None else probe.row
        asked = np.flatnonzero(probe.asked)
        asked = asked[np.argsort(row[asked], kind="stable")]
        return cls(probe.register[order], order.astype(np.int32), probe.asked[asked], row[asked])

    def pairs(self, start: int, stop: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Rows (start ≤ row < stop) and the register's rows that share a key with them; the rows whose key is shared by
        too many, and those that have a key that is not.
        """
        low, high = np.searchsorted(self.row, (start, stop))
        keys, row = self.asked[low:high], self.row[low:high]
        first = np.searchsorted(self.keys, keys)
        many = np.searchsorted(self.keys, keys, side="right") - first
        crowded = many > LARGEST_BLOCK
        many = np.where(crowded, 0, many)
        owner = np.repeat(row, many)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
        return owner, self.order[np.repeat(first, many) + within].astype(np.int64), row[crowded], row[~crowded]


@dataclass(frozen=True, slots=True)
class Blocks:
    """All rules together."""

    blocks: tuple[Block, ...]
    size: int

    @classmethod
    def of(cls, probes: Iterable[Probe], size: int) -> "Blocks":
        """Get the rules of a register of `size` rows ready."""
        return cls(tuple(Block.of(p) for p in probes), max(size, 1))

    def candidates(self, start: int, stop: int) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """Each pair of some rule once, rows ascending; and which rows say only what very many of the register share."""
        found = [b.pairs(start, stop) for b in self.blocks]
        crowded, told = np.zeros((2, stop - start), dtype=np.bool_)
        for _, _, many, few in found:
            crowded[many - start] = True
            told[few - start] = True
        pair = np.unique(np.concatenate([row * self.size + other for row, other, _, _ in found]))
        return pair // self.size, pair % self.size, crowded & ~told
