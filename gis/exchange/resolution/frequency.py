"""How common values are in a register, and how often two rows share one by chance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sharing(values: NDArray[Any]) -> float:
    """How probable it is that two rows that have a value (other than 0) have the same one; at least one in their
    number, where all differ.
    """
    _, many = np.unique(values[values != 0], return_counts=True)
    total = float(many.sum())
    if total < 2:
        return 0.0
    return max(float((many * (many - 1.0)).sum()) / (total * (total - 1.0)), 1.0 / total)


def rarity(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many times rarer than the usual value each row's is, in bits."""
    many = np.maximum(np.bincount(values)[values].astype(np.float64), 1.0)
    usual = max(sharing(values) * len(values), 1.0)
    return np.asarray(np.round(np.log2(usual / many), 4), dtype=np.float64)
