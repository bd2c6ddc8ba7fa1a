"""The warped grid that streets, blocks and borders share.

Lines are numbered from the centre, columns eastward and rows northward; the cell between lines i and i + 1 and
rows j and j + 1 is the quad (i, j). Spacing grows outward, a smooth field bends the lines, and one column is kept
for the river, so that its banks are streets by construction. Positions are metres east and north of the centre.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LINES = 172
RIVER_COLUMN = -5
CENTRE_E_M = 454_200.0
CENTRE_N_M = 3_512_650.0

_RIVER_WIDTH_M = 560.0
_INNER_SPACING_M = 262.0
_OUTER_SPACING_M = 430.0
_TILT = (0.99692, 0.07846)  # cosine and sine of 4.5°


def stream(seed: int, *tags: int) -> np.random.Generator:
    """An independent stream of random numbers for one purpose; the same tags always give the same stream."""
    return np.random.default_rng([seed, *(t & 0xFFFFFFFF for t in tags)])


@dataclass(frozen=True, eq=False)
class Lattice:
    """The grid's nodes: `xy[i + LINES, j + LINES]` is where column line i meets row line j, in metres."""

    seed: int
    xy: Floats

    def node(self, i: int, j: int) -> Floats:
        """Where column line i meets row line j: (x, y) in metres."""
        found: Floats = self.xy[i + LINES, j + LINES]
        return found

    def corners(self, i: int, j: int) -> Floats:
        """The quad's corners, south-west first and anticlockwise: (4, 2) in metres."""
        a, b = i + LINES, j + LINES
        return np.array([self.xy[a, b], self.xy[a + 1, b], self.xy[a + 1, b + 1], self.xy[a, b + 1]])

    def centres(self) -> Floats:
        """The middle of every quad: (2 LINES, 2 LINES, 2) in metres."""
        p = self.xy
        middle: Floats = (p[:-1, :-1] + p[1:, :-1] + p[1:, 1:] + p[:-1, 1:]) / 4
        return middle

    def areas_ha(self) -> Floats:
        """The area of every quad in hectares."""
        p = self.xy
        d1, d2 = p[1:, 1:] - p[:-1, :-1], p[:-1, 1:] - p[1:, :-1]
        area: Floats = (d1[..., 0] * d2[..., 1] - d1[..., 1] * d2[..., 0]) / 20_000
        return area


def inside(corners: Floats, s: float, t: float) -> Floats:
    """The point of a quad at the fractions s (eastward) and t (northward) of its sides."""
    south = corners[0] + (corners[1] - corners[0]) * s
    north = corners[3] + (corners[2] - corners[3]) * s
    point: Floats = south + (north - south) * t
    return point


def make_lattice(seed: int) -> Lattice:
    """The grid of a city; its nodes are rounded to centimetres, so that every border and street agrees exactly."""
    rng = stream(seed, 1)
    u, v = np.meshgrid(_line_positions(rng, river=True), _line_positions(rng, river=False), indexing="ij")
    phase = rng.random(10) * 2 * np.pi
    bend = _meander(u, v, phase, u[LINES + RIVER_COLUMN, 0] + _RIVER_WIDTH_M / 2)
    x = u + bend + 95 * _wave(0.8 * v + 0.3 * u, 5200, phase[3]) + 34 * _wave(v - 0.4 * u, 2300, phase[4])
    y = v + 95 * _wave(0.8 * u - 0.3 * v, 5600, phase[5]) + 34 * _wave(u + 0.4 * v, 2500, phase[6])
    cos, sin = _TILT
    xy = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    return Lattice(seed, np.round(xy - xy[LINES, LINES], 2))


def smooth_noise(x: Floats, y: Floats, wavelength_m: float, rng: np.random.Generator) -> Floats:
    """A smooth random field between about -1 and 1, rounded so that every processor thresholds it alike."""
    phase = rng.random(12) * 2 * np.pi
    total = np.zeros_like(x)
    for k in range(6):
        direction = phase[k]
        along = np.cos(direction) * x + np.sin(direction) * y
        total += _wave(along, wavelength_m / (1 + 0.45 * k), phase[6 + k]) / (1 + 0.35 * k)
    return np.round(total / 2.2, 6)


def _wave(along_m: Floats, wavelength_m: float, phase: float) -> Floats:
    wave: Floats = np.sin(2 * np.pi * along_m / wavelength_m + phase)
    return wave


def _line_positions(rng: np.random.Generator, *, river: bool) -> Floats:
    index = np.arange(-LINES, LINES)
    far = np.minimum(np.maximum(np.abs(index) - 6, 0) / 34, 1.0)
    spacing = _INNER_SPACING_M + (_OUTER_SPACING_M - _INNER_SPACING_M) * far
    spacing *= 1 + 0.16 * (rng.random(len(index)) - 0.5)
    if river:
        spacing[LINES + RIVER_COLUMN] = _RIVER_WIDTH_M
    position = np.concatenate([[0.0], np.cumsum(spacing)])
    centred: Floats = position - position[LINES]
    return centred


def _meander(u: Floats, v: Floats, phase: Floats, river_u: float) -> Floats:
    near = np.exp(-(((u - river_u) / 3300) ** 2))
    wide = np.exp(-(((u - river_u) / 14_000) ** 2))
    outside = np.minimum(np.maximum((np.abs(v) - 9000) / 16_000, 0), 1)
    bends = 230 * _wave(v, 7300, phase[0]) + 60 * _wave(v, 3700, phase[1])
    bend: Floats = near * bends + wide * outside * 2300 * _wave(v, 31_000, phase[2])
    return bend
