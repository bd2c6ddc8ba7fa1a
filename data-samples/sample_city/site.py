"""Setting out a block: rows across it, buildings along the rows, lanes between them."""

import itertools
from collections.abc import Callable

import numpy as np

from sample_city.blocks import Block
from sample_city.footprints import Placed
from sample_city.lattice import Floats

Span = tuple[float, float]
_GATE_M = 5.5  # half the width that the lane through a gated block keeps free


class Site:
    """A block being filled: buildings and lanes, in the block's frame."""

    def __init__(self, block: Block, rng: np.random.Generator) -> None:
        self.block = block
        self.rng = rng
        self.ring = block.local(block.corners)
        self.height_m = float(min(self.ring[2, 1], self.ring[3, 1]))
        self.width_m = float(min(self.ring[1, 0], self.ring[2, 0]) - max(self.ring[0, 0], self.ring[3, 0]))
        self.gates = block.local(np.array(block.gates))
        self.placed: list[Placed] = []
        self.lanes: list[tuple[str, Floats]] = []
        self._crossings: list[float] = []

    def band(self, south: float, north: float, margin_m: float = 0.0) -> Span:
        """From where to where a strip between two heights lies within the block, less a margin at each end."""
        left, right = zip(self._ends(south), self._ends(north), strict=True)
        return max(left) + margin_m, min(right) - margin_m

    def halves(self, south: float, north: float, margin_m: float) -> list[Span]:
        """The strip on either side of the lane through the block."""
        start, end = self.band(south, north, margin_m)
        at = [self.lane_x(south), self.lane_x(north)]
        return [(start, min(at) - _GATE_M), (max(at) + _GATE_M, end)]

    def lane_x(self, y: float) -> float:
        """Where the lane through the block is at a height."""
        (x0, y0), (x1, y1) = self.gates
        return float(x0 + (x1 - x0) * (y - y0) / (y1 - y0))

    def rows(self, depth_m: float, pitch_m: float, margin_m: float) -> list[float]:
        """The middles of as many rows as fit, evenly from the southern to the northern margin."""
        free = self.height_m - 2 * margin_m - depth_m
        if free < 0:
            return []
        count = int(free / pitch_m) + 1
        step = free / (count - 1) if count > 1 else 0.0
        first = margin_m + depth_m / 2 + (free / 2 if count == 1 else 0.0)
        return [first + k * step for k in range(count)]

    def line_up(self, span: Span, gap_m: float, width: Callable[[], float]) -> list[tuple[float, float]]:
        """(middle, width) of buildings side by side along a span, the rest of it shared out among the gaps."""
        widths: list[float] = []
        room = span[1] - span[0]
        while (w := width()) + sum(widths) + gap_m * len(widths) <= room:
            widths.append(w)
        if not widths:
            return []
        spare = room - sum(widths)
        gap = spare / (len(widths) - 1) if len(widths) > 1 else 0.0
        if gap > 3 * gap_m + 4:
            gap = gap_m
        at, found = span[0] + (0.0 if len(widths) > 1 else spare / 2), []
        for w in widths:
            found.append((at + w / 2, w))
            at += w + gap
        return found

    def between(self, low: float, high: float) -> float:
        """A random measure, to the decimetre."""
        return round(low + (high - low) * float(self.rng.random()), 1)

    def pick(self, low: int, high: int) -> int:
        """A random whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return bool(self.rng.random() < share)

    def year(self, first: int | None = None, last: int | None = None) -> int:
        """A year of building: about the block's own, or between two years."""
        if first is not None and last is not None:
            return self.pick(first, last)
        return min(2025, max(1979, self.block.year + self.pick(-2, 3)))

    def side_lane(self, y: float, margin_m: float, kind: str = "service") -> None:
        """A lane across the block at a height, through the lane from gate to gate."""
        start, end = self.band(y - 2, y + 2, margin_m)
        middle = self.lane_x(y)
        self._crossings.append(y)
        self.lanes += [(kind, np.array([[start, y], [middle, y]])), (kind, np.array([[middle, y], [end, y]]))]

    def gate_lane(self, kind: str = "service") -> None:
        """The lane from the southern to the northern street, cut where side lanes cross it."""
        heights = [float(self.gates[0, 1]), *sorted(self._crossings), float(self.gates[1, 1])]
        for a, b in itertools.pairwise(heights):
            self.lanes.append((kind, np.array([[self.lane_x(a), a], [self.lane_x(b), b]])))

    def _ends(self, y: float) -> Span:
        left, right = np.inf, -np.inf
        for (x0, y0), (x1, y1) in zip(self.ring, np.roll(self.ring, -1, axis=0), strict=True):
            if (y0 <= y <= y1 or y1 <= y <= y0) and y0 != y1:
                x = x0 + (x1 - x0) * (y - y0) / (y1 - y0)
                left, right = min(left, x), max(right, x)
        return float(left), float(right)
