"""What stands together under one name: two lanes of one name at two ends of a city are two, one street is one."""

import numpy as np
from numpy.typing import NDArray

from gis.exchange.matching.vocabulary import Ints

_METRES_A_DEGREE = 111_320.0
_OFFSETS = ((0, 1), (1, -1), (1, 0), (1, 1))


def metres(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres east and north in a plane that fits a city (equirectangular about the mean latitude; 0.1 % at 50 km)."""
    middle = float(np.mean(lat)) if len(lat) else 0.0
    return lon * _METRES_A_DEGREE * np.cos(np.radians(middle)), lat * _METRES_A_DEGREE


def clusters(token: Ints, x_m: NDArray[np.float64], y_m: NDArray[np.float64], reach_m: float) -> Ints:
    """A number from 0 for each row: rows of one token belong together when squares of `reach_m` link them."""
    if not len(token):
        return np.empty(0, dtype=np.int64)
    column = np.floor(x_m / reach_m).astype(np.int64)
    row = np.floor(y_m / reach_m).astype(np.int64)
    column, row = column - column.min() + 1, row - row.min() + 1
    wide, high = int(column.max()) + 2, int(row.max()) + 2
    key = (token.astype(np.int64) * wide + column) * high + row
    squares, square = np.unique(key, return_inverse=True)
    ends = [_linked(squares, squares + dx * high + dy) for dx, dy in _OFFSETS]
    label = _components(len(squares), *(np.concatenate(e) for e in zip(*ends, strict=True)))
    _, numbered = np.unique(label, return_inverse=True)
    found: Ints = numbered[square].astype(np.int64)
    return found


def _linked(squares: Ints, neighbours: Ints) -> tuple[Ints, Ints]:
    place = np.searchsorted(squares, neighbours)
    there = squares.take(place, mode="clip") == neighbours
    return there.nonzero()[0], place[there]


def _components(count: int, first: Ints, second: Ints) -> Ints:
    """The smallest number in each connected component, by hooking and pointer jumping."""
    label = np.arange(count, dtype=np.int64)
    while True:
        low = np.minimum(label[first], label[second])
        before = label.copy()
        np.minimum.at(label, label[first], low)
        np.minimum.at(label, label[second], low)
        label = label[label]
        if np.array_equal(before, label):
            return label
