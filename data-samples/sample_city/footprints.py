"""Shapes of buildings: unit outlines that are stretched, turned to their block and set down, many at a time."""

from dataclasses import dataclass

import numpy as np
import shapely

from sample_city.blocks import Block
from sample_city.lattice import Floats


def _outline(*points: tuple[float, float]) -> Floats:
    return np.array(points, dtype=np.float64)


def _slab(units: int) -> Floats:
    """A slab facing south, with a shallow recess for each staircase on the north side and bays on the south."""
    north: list[tuple[float, float]] = []
    for k in range(units):
        left = 0.5 - (k + 0.62) / units
        right = 0.5 - (k + 0.38) / units
        north += [(right, 0.5), (right, 0.38), (left, 0.38), (left, 0.5)]
    return _outline((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), *north, (-0.5, 0.5))


#: Outlines within the square from (-0.5, -0.5) to (0.5, 0.5), anticlockwise; y points north.
OUTLINES: dict[str, Floats] = {
    "box": _outline((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    "ell": _outline((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.12, 0.5), (0.12, -0.02), (-0.5, -0.02)),
    "jay": _outline((-0.5, -0.5), (0.5, -0.5), (0.5, -0.05), (-0.1, -0.05), (-0.1, 0.5), (-0.5, 0.5)),
    "court": _outline(
        (-0.5, -0.5), (-0.16, -0.5), (-0.16, 0.02), (0.16, 0.02), (0.16, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)
    ),
    "slab1": _slab(1),
    "slab2": _slab(2),
    "slab3": _slab(3),
    "slab4": _slab(4),
    "tower": _outline(
        (-0.5, -0.5), (-0.1, -0.5), (-0.1, -0.32), (0.1, -0.32), (0.1, -0.5), (0.5, -0.5), (0.5, 0.28),
        (0.28, 0.28), (0.28, 0.5), (-0.28, 0.5), (-0.28, 0.28), (-0.5, 0.28)
    ),
    "comb": _outline(
        (-0.5, -0.5), (0.5, -0.5), (0.5, -0.22), (-0.26, -0.22), (-0.26, -0.1), (0.42, -0.1), (0.42, 0.14),
        (-0.26, 0.14), (-0.26, 0.26), (0.42, 0.26), (0.42, 0.5), (-0.5, 0.5)
    ),
    "aitch": _outline(
        (-0.5, -0.5), (-0.22, -0.5), (-0.22, -0.12), (0.22, -0.12), (0.22, -0.5), (0.5, -0.5), (0.5, 0.5),
        (0.22, 0.5), (0.22, 0.12), (-0.22, 0.12), (-0.22, 0.5), (-0.5, 0.5)
    ),
    "octagon": _outline(
        (-0.21, -0.5), (0.21, -0.5), (0.5, -0.21), (0.5, 0.21), (0.21, 0.5), (-0.21, 0.5), (-0.5, 0.21), (-0.5, -0.21)
    ),
    "ring": _outline((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
}  # fmt: skip
_RING_HOLE = _outline((-0.22, -0.22), (-0.22, 0.22), (0.22, 0.22), (0.22, -0.22))


@dataclass(slots=True)
class Placed:
    """A building as set out in its block's frame: centre and size in metres, and what it is.

    `units` are staircases, `flats` the dwellings on a floor of one staircase; `number` is the building's number in
    its compound, 0 where it has a door plate of its own.
    """

    shape: str
    x: float
    y: float
    width: float
    depth: float
    use: str
    storeys: int
    year: int
    name: str = ""
    units: int = 0
    flats: int = 0
    number: int = 0

    @property
    def dwellings(self) -> int:
        """How many dwellings it holds."""
        return self.units * self.flats * self.storeys


def footprint(block: Block, placed: Placed) -> shapely.Polygon:
    """The building's outline, in metres from the centre, to the centimetre."""
    size = np.array([placed.width, placed.depth])
    middle = np.array([placed.x, placed.y])
    shell = np.round(block.world(OUTLINES[placed.shape] * size + middle), 2)
    holes = [np.round(block.world(_RING_HOLE * size + middle), 2)] if placed.shape == "ring" else None
    return shapely.Polygon(shell, holes)
