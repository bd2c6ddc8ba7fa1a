"""Water: the 淠河 with its islands, lakes in parks, ponds in fields, reservoirs in the hills."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from sample_city.blocks import Block
from sample_city.lattice import LINES, RIVER_COLUMN, Floats, Lattice, inside, stream

_REACH = 17  # rows of the grid in one piece of river
_STEPS = 5  # points drawn for each row
_MOON_ISLAND = (2.25, 5.3, 0.5, 0.17)  # from row, to row, middle and half width as fractions of the river's column


@dataclass(frozen=True, slots=True)
class Water:
    """A water area in metres from the centre; `kind` is the Chinese word."""

    code: str
    name: str
    kind: str
    shape: shapely.Polygon


class River:
    """The river's edges and islands within its column of the grid."""

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        self.phase = stream(lattice.seed, 6).random(4) * 2 * np.pi

    def banks(self, v: float) -> tuple[float, float]:
        """Where the water begins and ends at a height (in rows), as fractions of the column."""
        west = 0.14 + 0.035 * np.sin(0.9 * v + self.phase[0]) + 0.02 * np.sin(2.3 * v + self.phase[1])
        east = 0.86 + 0.035 * np.sin(0.8 * v + self.phase[2]) + 0.02 * np.sin(2.1 * v + self.phase[3])
        return float(west), float(east)

    def point(self, s: float, v: float) -> Floats:
        """The point at a fraction of the column's width and a height in rows."""
        row = min(int(np.floor(v)), LINES - 1)
        return inside(self.lattice.corners(RIVER_COLUMN, row), s, v - row)

    def island(self, reach: int) -> shapely.Polygon:
        """The island in a reach: 月亮岛 in the reach of the city, smaller ones elsewhere."""
        start, end, middle, half = _MOON_ISLAND
        if reach:
            rng = stream(self.lattice.seed, 8, reach)
            start = reach * _REACH + 3.4
            end, middle, half = start + 1.2 + 1.4 * rng.random(), 0.4 + 0.2 * rng.random(), 0.07 + 0.05 * rng.random()
        f = np.linspace(0, 1, 15)
        swell = half * np.sqrt(np.sin(np.pi * f)) * (1 + 0.12 * np.sin(7 * f))
        east = [self.point(middle + w, start + (end - start) * t) for t, w in zip(f, swell, strict=True)]
        west = [self.point(middle - w, start + (end - start) * t) for t, w in zip(f, swell, strict=True)]
        return shapely.Polygon(np.round(np.array([*east, *west[-2:0:-1]]), 2))

    def reach(self, reach: int, first: int, last: int) -> shapely.Polygon:
        """The water of a reach between two row lines, with its island as a hole."""
        heights = np.linspace(first, last, (last - first) * _STEPS + 1).tolist()
        east = [self.point(self.banks(v)[1], v) for v in heights]
        west = [self.point(self.banks(v)[0], v) for v in heights]
        shell = shapely.Polygon(np.round(np.array([*east, *west[::-1]]), 2))
        island = self.island(reach)
        whole = shapely.Polygon(shell.exterior, [island.exterior]) if shell.contains_properly(island) else shell
        return shapely.orient_polygons(whole)

    def waters(self, rows: range) -> Iterator[Water]:
        """The river as pieces, over these rows."""
        for reach in range((rows.start + 5) // _REACH, (rows.stop + 5) // _REACH + 1):
            first, last = max(rows.start, reach * _REACH - 5), min(rows.stop, reach * _REACH + 12)
            if first < last:
                yield Water(f"W1{reach + 50:03d}", "淠河", "河流", self.reach(reach, first, last))

    def bank(self, j: int, rows: int, *, east: bool, margin_m: float) -> shapely.Polygon:
        """The green between the bank street and the water, over some rows."""
        heights = np.linspace(j, j + rows, rows * _STEPS + 1).tolist()
        gap = margin_m / 560
        outer, edge = (1 - gap, 1) if east else (gap, 0)
        water = [self.point(self.banks(v)[edge] + (0.008 if east else -0.008), v) for v in heights]
        street = [self.point(outer, v) for v in heights]
        return shapely.Polygon(np.round(np.array([*water, *street[::-1]]), 2)).normalize()


def lake_in(block: Block, seed: int) -> Water | None:
    """The lake of a park or the pond of a field; None for other blocks."""
    if block.use not in ("lake", "pond"):
        return None
    rng = stream(seed, 9, block.quad[0], block.quad[1])
    ring = block.local(block.corners)
    wide, high = float(ring[:, 0].max()), float(ring[:, 1].max())
    size = 0.33 if block.use == "lake" else 0.24
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    phase = rng.random(3) * 2 * np.pi
    radius = (
        1 + 0.16 * np.sin(2 * turn + phase[0]) + 0.10 * np.sin(3 * turn + phase[1]) + 0.05 * np.sin(5 * turn + phase[2])
    )
    blob = np.stack(
        [wide / 2 + wide * size * radius * np.cos(turn), high * 0.52 + high * size * radius * np.sin(turn)], -1
    )
    name = (
        f"{('南湖', '荷花塘', '云露湖', '九墩塘', '凤凰湖', '镜湖', '莲花湖')[rng.integers(7)]}"
        if block.use == "lake"
        else ""
    )
    kind = "湖泊" if block.use == "lake" else "坑塘"
    return Water(f"W2{block.code}", name, kind, shapely.Polygon(np.round(block.world(blob), 2)))
