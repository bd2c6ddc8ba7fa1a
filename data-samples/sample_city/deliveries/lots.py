"""Who gets which fault: lots drawn district by district, at a rate over the whole city, each one at most once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sample_city.lattice import stream

Fits = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Lot:
    """So many of 10 000 are to get what `name` says, among those that it fits."""

    name: str
    rate: float
    fits: Fits = field(default=lambda _: True)


@dataclass(slots=True)
class Lots:
    """Draws lots; what one district could not give is made up for in the next ones."""

    seed: int
    tag: int
    _seen: int = 0
    _given: dict[str, int] = field(default_factory=dict)

    def draw(self, district: int, count: int, lots: Sequence[Lot]) -> dict[int, str]:
        """The lot of each of `count` that drew one, by place; lots are filled in the order in which they stand."""
        order = stream(self.seed, self.tag, district).permutation(count).tolist()
        self._seen += count
        drawn: dict[int, str] = {}
        for lot in lots:
            due = int(self._seen * lot.rate / 10_000 + 0.5) - self._given.get(lot.name, 0)
            found = _first((n for n in order if n not in drawn), due, lot.fits)
            drawn |= dict.fromkeys(found, lot.name)
            self._given[lot.name] = self._given.get(lot.name, 0) + len(found)
        return drawn


def _first(order: Iterable[int], due: int, fits: Fits) -> list[int]:
    return list(islice((n for n in order if fits(n)), max(due, 0)))
