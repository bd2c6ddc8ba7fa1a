"""Blocks: the convex pieces of ground between streets, with a frame of their own in which buildings are set out.

A block's frame has its origin at the south-western corner of the property line and its x axis along the southern
street, so that whatever is placed with straight x and y is aligned to the block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sample_city.lattice import Floats, inside
from sample_city.plan import Kind, Plan, Quad
from sample_city.streets import CLASSES, Street, edge_street, split_street

_VERGE_M = 2.5  # pavement between a street's edge and the property line
_NO_STREET_M = 1.5
_HALF_NUMBERS = 20  # door numbers that each half of an edge is given


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """One block: its property line in metres (south-west first, anticlockwise), what it holds and its four streets.

    `fronts` are the streets south, east, north and west of it; `gates` are the points of the southern and northern
    street between which a gated block's lane runs.
    """

    quad: Quad
    number: int
    use: str
    year: int
    village: str
    corners: Floats
    fronts: tuple[Street | None, Street | None, Street | None, Street | None]
    gates: tuple[Floats, Floats]

    @property
    def code(self) -> str:
        """The village's code and a number within it."""
        return f"{self.quad[0] + 500:03d}{self.quad[1] + 500:03d}{self.number}"

    @property
    def axis(self) -> Floats:
        """The frame's x axis: the unit vector along the southern street."""
        along = self.corners[1] - self.corners[0]
        unit: Floats = along / np.sqrt((along**2).sum())
        return unit

    def local(self, points: Floats) -> Floats:
        """Points in the block's frame, from points in metres from the centre."""
        (ex, ey), d = self.axis.tolist(), points - self.corners[0]
        return np.stack([d[..., 0] * ex + d[..., 1] * ey, d[..., 1] * ex - d[..., 0] * ey], axis=-1)

    def world(self, points: Floats) -> Floats:
        """Points in metres from the centre, from points in the block's frame."""
        ex, ey = self.axis.tolist()
        x, y = points[..., 0], points[..., 1]
        turned = np.stack([x * ex - y * ey, x * ey + y * ex], axis=-1)
        moved: Floats = turned + self.corners[0]
        return moved


def blocks_of(plan: Plan, quad: Quad) -> Iterator[Block]:
    """The 1, 2 or 4 blocks of a quad; none for river and open land outside."""
    i, j = quad
    uses = plan.uses(i, j)
    if not uses or plan.at(i, j) <= Kind.RIVER:
        return
    u, v = plan.cut(i, j)
    columns = [(0.0, u), (u, 1.0)] if len(uses) == 4 else [(0.0, 1.0)]
    rows = [(0.0, v), (v, 1.0)] if len(uses) > 1 else [(0.0, 1.0)]
    for number, use in enumerate(uses):
        s, t = columns[number % len(columns)], rows[number // len(columns)]
        yield _block(plan, quad, number, use, (s, t))


def _block(
    plan: Plan, quad: Quad, number: int, use: str, part: tuple[tuple[float, float], tuple[float, float]]
) -> Block:
    (s0, s1), (t0, t1) = part
    outer = plan.lattice.corners(*quad)
    centre_lines = np.array([inside(outer, s, t) for s, t in ((s0, t0), (s1, t0), (s1, t1), (s0, t1))])
    fronts = _fronts(plan, quad, part)
    gaps = [_NO_STREET_M if f is None else CLASSES[f.kind].width_m / 2 + _VERGE_M for f in fronts]
    middle = (s0 + s1) / 2
    gates = (inside(outer, middle, t0), inside(outer, middle, t1))
    return Block(quad, number, use, plan.year_of(*quad), plan.village(*quad), inset(centre_lines, gaps), fronts, gates)


def _fronts(
    plan: Plan, quad: Quad, part: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[Street | None, Street | None, Street | None, Street | None]:
    (i, j), ((s0, s1), (t0, t1)) = quad, part
    south = edge_street(plan, i, j, column=False) if t0 == 0 else split_street(plan, i, j, column=False)
    north = edge_street(plan, i, j + 1, column=False) if t1 == 1 else split_street(plan, i, j, column=False)
    west = edge_street(plan, i, j, column=True) if s0 == 0 else split_street(plan, i, j, column=True)
    east = edge_street(plan, i + 1, j, column=True) if s1 == 1 else split_street(plan, i, j, column=True)
    return _half(south, s0), _half(east, t0), _half(north, s0), _half(west, t0)


def _half(street: Street | None, start: float) -> Street | None:
    if street is None or start == 0:
        return street
    return Street(street.name, street.kind, street.first + _HALF_NUMBERS)


def inset(corners: Floats, gaps_m: list[float]) -> Floats:
    """A convex quadrilateral drawn in by its own distance on each side (south, east, north, west), in metres."""
    along = np.roll(corners, -1, axis=0) - corners
    normal = np.stack([-along[:, 1], along[:, 0]], axis=-1) / np.sqrt((along**2).sum(axis=1))[:, None]
    offset = (normal * corners).sum(axis=1) + np.array(gaps_m)
    moved = [_meet(normal[k - 1], offset[k - 1], normal[k], offset[k]) for k in range(4)]
    return np.round(np.array(moved), 3)


def _meet(n1: Floats, c1: float, n2: Floats, c2: float) -> tuple[float, float]:
    det = n1[0] * n2[1] - n1[1] * n2[0]
    return (c1 * n2[1] - c2 * n1[1]) / det, (n1[0] * c2 - n2[0] * c1) / det
