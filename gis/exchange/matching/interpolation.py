"""Where a door plate would be that no register has: between its neighbours on its side of the street."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.codes.address_levels import AddressLevel
from gis.exchange.matching.nodes import Floats, Nodes
from gis.exchange.matching.vocabulary import Ints

_NUMBER_BITS = 20
OTHER_SIDE_M = 30.0
"""What the width of a street adds to the error when only the other side's plates are known."""
SAME_PLATE_M = 30.0
"""How far 88-2 may be from 88."""
FARTHEST_M = 800.0
"""Neighbours farther apart than this say too little of what is between them."""
LEAST_ERROR_M = 10.0


@dataclass(frozen=True, slots=True)
class Between:
    """A place for each asked plate, NaN where the known ones do not say; `error_m` is half the neighbours' distance."""

    lon: Floats
    lat: Floats
    error_m: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlateLine:
    """The known plates of all streets in order: by street, side (odd, even), number."""

    keys: Ints
    lon: Floats
    lat: Floats

    @classmethod
    def of(cls, nodes: Nodes, number: Ints) -> "PlateLine":
        """The plates among the places; `number` is each place's whole plate number (0 where it has none)."""
        rows = np.flatnonzero((nodes.level == AddressLevel.PLATE) & (nodes.street_node >= 0) & (number > 0))
        keys = _key(nodes.street_node[rows].astype(np.int64), number[rows])
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], nodes.lon[rows][order], nodes.lat[rows][order])

    def find(self, street_node: Ints, number: Ints, sub: NDArray[np.bool_]) -> Between:
        """Places for plates of given streets; `sub` marks those with a sub-number, which stand beside their plate."""
        own = self._side(street_node, number, number, sub)
        other = self._side(street_node, number, number + 1, np.zeros(len(number), dtype=np.bool_))
        missing = np.isnan(own.lon)
        return Between(
            np.where(missing, other.lon, own.lon),
            np.where(missing, other.lat, own.lat),
            np.where(missing, other.error_m + OTHER_SIDE_M, own.error_m).astype(np.float32),
        )

    def _side(self, street_node: Ints, number: Ints, parity: Ints, sub: NDArray[np.bool_]) -> Between:
        """Between the plates with the parity of `parity`."""
        count = len(number)
        if not len(self.keys) or not count:
            return Between(np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, dtype=np.float32))
        key = (((street_node << 1) | (parity & 1)) << _NUMBER_BITS) | number
        high = np.searchsorted(self.keys, key, side="left")
        low = np.maximum(high - 1, 0)
        above = self.keys.take(high, mode="clip")
        line = key >> _NUMBER_BITS
        after = (above >> _NUMBER_BITS == line) & (high < len(self.keys))
        before = (self.keys[low] >> _NUMBER_BITS == line) & (high > 0)
        same = after & (above == key) & sub
        share = (key - self.keys[low]) / np.maximum(above - self.keys[low], 1)
        share = np.where(same, 1.0, share)
        x0, y0 = self.lon[low], self.lat[low]
        x1, y1 = self.lon.take(high, mode="clip"), self.lat.take(high, mode="clip")
        apart = np.hypot((x1 - x0) * np.cos(np.radians(y1)), y1 - y0) * 111_320.0
        known = same | (before & after & (apart <= FARTHEST_M) & (above != key))
        error = np.where(same, SAME_PLATE_M, np.maximum(apart / 2, LEAST_ERROR_M))
        return Between(
            np.where(known, x0 + (x1 - x0) * share, np.nan),
            np.where(known, y0 + (y1 - y0) * share, np.nan),
            error.astype(np.float32),
        )


def _key(street_node: Ints, number: Ints) -> Ints:
    keys: Ints = (((street_node << 1) | (number & 1)) << _NUMBER_BITS) | np.minimum(number, (1 << _NUMBER_BITS) - 1)
    return keys
