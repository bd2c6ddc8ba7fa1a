"""How well points sit on the lines and areas of a reference: the evidence that tells apart datums 500 m off each other.

Things are placed with regard to roads, buildings and boundaries: positioning fixes lie on roads, addresses close by,
houses never on one. So the distances from rightly placed points to the reference follow a profile of their own, and
moving all points together by a few hundred metres in any direction destroys it. Each reading of the coordinates is
therefore compared with copies of itself that were moved by 150 to 450 m: its gain is the log-likelihood (in nats)
that its own profile has over the pooled profile of the copies. A wrong reading is just one more moved copy and gains
no more than they do. Streets that repeat at regular distances let the copies gain too, which raises the bar.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.geo.offset import FloatArray
from gis.text import Text

EARTH_M_PER_DEGREE = 111_195.0
REACH_M = 400.0
"""Beyond this a point counts as having no neighbour."""
MOVED_M = (150.0, 450.0)
"""How far the copies are moved."""

_BINS_M = np.array([0.0, 3.0, 6.0, 12.0, 25.0, 50.0, 100.0, 200.0, REACH_M])
_ROUNDING_M = 1e-6
_COPIES = 24
_LEAST_GAIN = 20.0
_OVER_CHANCE = 1.8
_FARTHER_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat map in metres around a place, true to about 1 % within 200 km, which distances of 400 m can bear."""

    lon: float
    lat: float

    def project(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Degrees to an (n, 2) array of metres east and north."""
        east = (lon - self.lon) * (EARTH_M_PER_DEGREE * np.cos(np.radians(self.lat)))
        return np.column_stack([east, (lat - self.lat) * EARTH_M_PER_DEGREE])


@dataclass(frozen=True, slots=True)
class Fit:
    """How one reading of the points sits on one reference.

    `gain` is in nats; `chance` is the largest gain of the moved copies; `halves` are the gains of two halves of the
    points; distances are medians in metres among points with a neighbour in reach, of the reading and of its copies.
    """

    gain: float
    chance: float
    halves: tuple[float, float]
    median_m: float
    moved_median_m: float

    @property
    def stands_out(self) -> bool:
        """Whether the reading sits better than moving it about can explain."""
        return self.gain > _LEAST_GAIN + _OVER_CHANCE * max(self.chance, 0.0)


class Surroundings:
    """One kind of thing in the reference (roads, buildings, boundaries) as a tree of its parts on a plane."""

    def __init__(self, name: Text, shapes: NDArray[np.object_], plane: Plane) -> None:
        self.name = name
        flat = shapely.transform(shapes, lambda degrees: plane.project(degrees[:, 0], degrees[:, 1]))
        self._tree = shapely.STRtree(flat)
        self._areas = bool((shapely.get_dimensions(flat) == 2).any())

    def fit(self, points_m: FloatArray, seed: int) -> Fit:
        """How points on the same plane sit here, beside their moved copies; `seed` makes the copies repeatable."""
        rng = np.random.default_rng(seed)
        own = self._bins(points_m)
        moved = [self._bins(points_m + step) for step in _steps(rng)]
        pooled = _counts(np.concatenate(moved))
        first = rng.permutation(len(own)) < len(own) // 2
        return Fit(
            gain=_gain(_counts(own), pooled),
            chance=max(_gain(_counts(copy), pooled) for copy in moved),
            halves=(_gain(_counts(own[first]), pooled), _gain(_counts(own[~first]), pooled)),
            median_m=_median_m(_counts(own)),
            moved_median_m=_median_m(pooled),
        )

    def _bins(self, points_m: FloatArray) -> NDArray[np.int64]:
        """The distance class of each point; the last one means "none in reach"."""
        near, distance = self._tree.query_nearest(
            shapely.points(points_m), max_distance=REACH_M, all_matches=False, return_distance=True
        )
        bins = np.full(len(points_m), len(_BINS_M), dtype=np.int64)
        # 0 is a class of its own for points inside an area; on a line it is an accident of rounding
        distance = distance if self._areas else np.maximum(distance, _ROUNDING_M)
        bins[near[0]] = np.searchsorted(_BINS_M, distance, side="left")
        return bins


def segments(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Lines cut into their straight pieces, which a tree searches much faster than long lines."""
    points, line = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    joined = line[1:] == line[:-1]
    return np.asarray(shapely.linestrings(np.stack([points[:-1][joined], points[1:][joined]], axis=1)))


def _steps(rng: np.random.Generator) -> FloatArray:
    """Moves in all directions, the distances spread evenly by area."""
    angle = (np.arange(_COPIES) + rng.uniform(0, 1, _COPIES)) * (2.0 * np.pi / _COPIES)
    nearest, farthest = MOVED_M
    radius = np.sqrt(rng.uniform(nearest**2, farthest**2, _COPIES))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _counts(bins: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(bins, minlength=len(_BINS_M) + 1)


def _gain(counts: NDArray[np.int64], pooled: NDArray[np.int64]) -> float:
    """Log-likelihood of a profile against the pooled one, among points in reach.

    Being farther from everything than the copies are is evidence against a reading, not for it: there the sign turns.
    """
    here, there = counts[:-1], pooled[:-1]
    p = (here + 0.5) / (here.sum() + 0.5 * len(here))
    q = (there + 0.5) / (there.sum() + 0.5 * len(there))
    terms = here * np.log(p / q)
    farther = (np.cumsum(q) > _FARTHER_SHARE) & (p > q)
    return float(terms.sum() - 2.0 * terms[farther].sum())


def _median_m(counts: NDArray[np.int64]) -> float:
    """The median distance of points in reach, linear within its class; NaN when there are none."""
    total = np.cumsum(counts[:-1])
    if not total[-1]:
        return float("nan")
    return float(np.interp(total[-1] / 2.0, total, _BINS_M))
