"""The two sides of a question: a register, and the rows asked about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gis.exchange.resolution.blocking import Probe
from gis.exchange.resolution.keys import Keys
from gis.exchange.resolution.model import Comparison, Floats, Levels, Overlap

Ints = NDArray[np.int64]


class Side(Protocol):
    """The rows of one side, as columns, ready to be compared with the other's."""

    def __len__(self) -> int: ...

    def compare(self, rows: Ints, other: Any, others: Ints) -> Levels:
        """(pairs, comparisons): the levels of pairs."""
        ...

    def rarity(self, others: Ints, levels: Levels) -> Floats:
        """Bits beyond the levels, for pairs with these rows of the register."""
        ...

    def coincidence(self) -> dict[tuple[str, int], float]:
        """u of levels that the register's frequencies tell."""
        ...

    def content(self) -> Keys:
        """A number for what each row says, whatever its place."""
        ...


@dataclass(frozen=True, slots=True)
class Sides:
    """A register (`fid` says whose each row is) and the rows asked about, with what is compared of them."""

    register: Side
    asked: Side
    fid: Ints
    probes: Callable[[], Iterator[Probe]]
    """The rules that bring rows together, each made when it is needed: a rule of a million rows takes 16 MB."""
    comparisons: tuple[Comparison, ...]
    overlaps: tuple[Overlap, ...]
