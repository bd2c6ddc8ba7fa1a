"""Slips of the hand between rows of characters: two neighbours swapped."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def swapped(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of two matrices of characters differ by one swap of neighbours, and by nothing else."""
    differ = a != b
    found = np.zeros(len(a), dtype=np.bool_)
    rows = np.flatnonzero(differ.sum(axis=1) == 2)
    at = differ[rows].argmax(axis=1)
    there = np.minimum(at + 1, a.shape[1] - 1)
    found[rows] = (a[rows, at] == b[rows, there]) & (a[rows, there] == b[rows, at])
    return found
