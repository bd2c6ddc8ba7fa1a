"""Numbers by which rows are brought together: equal for equal parts, 0 where a part is missing."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_GOLDEN, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mixed(*parts: NDArray[Any]) -> Keys:
    """One number of several, never 0: chance makes two equal that are not once in 2⁶⁴ (splitmix64, Steele 2014)."""
    key = np.full(len(parts[0]), _GOLDEN, dtype=np.uint64)
    for part in parts:
        key = (key ^ part.astype(np.uint64, copy=False)) + _GOLDEN
        key = (key ^ (key >> np.uint64(30))) * _FIRST
        key = (key ^ (key >> np.uint64(27))) * _SECOND
        key ^= key >> np.uint64(31)
    key[key == 0] = 1
    return key


def joined(*parts: NDArray[Any]) -> Keys:
    """Like `mixed`, but 0 where any part is 0: what is missing brings nobody together."""
    key = mixed(*parts)
    for part in parts:
        key[part == 0] = 0
    return key


def numbered(*columns: pa.Array) -> list[NDArray[np.int64]]:
    """The distinct texts of some columns as numbers, the same in all of them; 0 is the empty text."""
    coded = pa.chunked_array([pa.array([""]), *columns]).dictionary_encode().unify_dictionaries()
    found = iter([chunk.indices.to_numpy().astype(np.int64) for chunk in coded.chunks if len(chunk)][1:])
    return [next(found) if len(column) else np.zeros(0, dtype=np.int64) for column in columns]
