"""Ours and a peer's in turn, pair by pair, so that a machine whose speed drifts slows both alike."""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

_RESAMPLES = 2_000
_WIDEST = 0.10


@dataclass(frozen=True)
class Comparison:
    """How many times faster ours is than the peer: the median over the pairs, its 95 % interval, and the verdict."""

    name: str
    peer: str
    goal: float
    ours_s: list[float]
    peer_s: list[float]
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """Peer's time over ours, pair by pair."""
        return [p / o for o, p in zip(self.ours_s, self.peer_s, strict=True)]

    @property
    def median(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the median, by bootstrap."""
        draw = random.Random(1)
        found = sorted(statistics.median(draw.choices(self.ratios, k=len(self.ratios))) for _ in range(_RESAMPLES))
        return found[int(0.025 * _RESAMPLES)], found[int(0.975 * _RESAMPLES)]

    @property
    def verdict(self) -> Literal["reached", "missed", "undecided"]:
        """Reached or missed when the interval is narrower than a tenth of the median, or all on one side."""
        low, high = self.interval
        if low >= self.goal:
            return "reached"
        if high < self.goal:
            return "missed"
        if (high - low) / self.median > _WIDEST:
            return "undecided"
        return "reached" if self.median >= self.goal else "missed"


def compare(
    name: str, peer: str, goal: float, ours: Callable[[], object], theirs: Callable[[], object], pairs: int
) -> Comparison:
    """Run both `pairs` times in turn, changing who goes first; the first pair warms up and is not counted."""
    ours_s: list[float] = []
    peer_s: list[float] = []
    for number in range(pairs + 1):
        order = [(ours, ours_s), (theirs, peer_s)]
        for run, times in order if number % 2 else reversed(order):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return Comparison(name, peer, goal, ours_s[1:], peer_s[1:])
