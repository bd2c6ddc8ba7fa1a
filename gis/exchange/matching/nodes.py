"""The places of a city as one table of numbers: divisions, streets, compounds, plates, buildings, landmarks.

A place of the register (a building, a door) has its fid and code; streets, compounds and plates with several buildings
are drawn together from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.codes.address_levels import AddressLevel
from gis.codes.division import LEVEL_ENDS, SPANS
from gis.exchange.matching.vocabulary import Ints

NO_FID, NO_NODE = -1, -1
Floats = NDArray[np.float64]
Places = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Nodes:
    """One row a place. Tokens are the vocabulary's, 0 where a part does not apply; pointers are rows of this table."""

    level: NDArray[np.uint8]
    division: Ints
    """12-digit code of the finest division that holds all of the place; 0 where none is known."""
    divisions: NDArray[np.int32]
    """(n, 5) tokens of the names of the divisions above it."""
    street: Places
    compound: Places
    plate: Places
    building: Places
    street_node: Places
    compound_node: Places
    plate_node: Places
    main: Places
    """For the place of an auxiliary address, that of its main one; −1 for all others."""
    lon: Floats
    lat: Floats
    radius_m: NDArray[np.float32]
    """How far from its point the place reaches, about; 0 for a single door."""
    fid: Ints
    code: pa.Array
    name: pa.Array
    """What it is called at its own level: 皖西路, 88号, 盛世名邸, 3栋."""

    def __len__(self) -> int:
        """How many places."""
        return len(self.level)


def full_address(nodes: Nodes, node: int, words: Sequence[str]) -> str:
    """How a place is written in full, from the province down; `words` are those of the tokens."""

    def word(token: int) -> str:
        return words[token][1:]

    divisions = "".join(word(token) for token in nodes.divisions[node].tolist())
    if nodes.level[node] <= AddressLevel.VILLAGE:
        return divisions
    road, compound = word(nodes.street[node]), word(nodes.compound[node])
    plate = nodes.plate[node] and f"{word(nodes.plate[node])}号"
    if nodes.level[node] == AddressLevel.LANDMARK:
        compound = nodes.name[node].as_py()
    door = f"{road}{plate or ''}{compound}" if road else f"{compound}{plate or ''}"
    return f"{divisions}{door}{word(nodes.building[node])}"


def main_of(nodes: Nodes, rows: NDArray[Any]) -> Places:
    """The places themselves, or the main ones of those that are auxiliary; −1 stays."""
    found = rows.astype(np.int32)
    known = np.flatnonzero(found >= 0)
    main = nodes.main[found[known]]
    found[known] = np.where(main >= 0, main, found[known])
    return found


def stacked(parts: list[Nodes]) -> Nodes:
    """Tables one under the other."""
    columns = {}
    for name in Nodes.__slots__:
        values = [getattr(p, name) for p in parts]
        columns[name] = pa.concat_arrays(values) if isinstance(values[0], pa.Array) else np.concatenate(values)
    return Nodes(**columns)


def shared_division(low: Ints, high: Ints) -> Ints:
    """The finest division that holds all codes from a smallest to a greatest one; 0 where they share none."""
    shared = np.zeros(len(low), dtype=np.int64)
    for span in reversed(SPANS[: len(LEVEL_ENDS)]):
        base = low // span * span
        fits = (shared == 0) & (low > 0) & (base == high // span * span)
        shared[fits] = base[fits]
    return shared


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows drawn together: for each group its first row, centre, reach, shared division."""

    first: Ints
    lon: Floats
    lat: Floats
    radius_m: NDArray[np.float32]
    division: Ints
    size: Ints


def grouped(group: Ints, lon: Floats, lat: Floats, division: Ints) -> Grouped:
    """Draw rows together by group number (0 … without gaps)."""
    count = int(group.max()) + 1 if len(group) else 0
    size = np.bincount(group, minlength=count)
    first = np.full(count, len(group), dtype=np.int64)
    np.minimum.at(first, group, np.arange(len(group)))
    x, y = (np.bincount(group, weights=v, minlength=count) / np.maximum(size, 1) for v in (lon, lat))
    metre_x = 111_320.0 * np.cos(np.radians(y))
    apart = np.hypot((lon - x[group]) * metre_x[group], (lat - y[group]) * 111_320.0)
    radius = np.zeros(count)
    np.maximum.at(radius, group, apart)
    low, high = np.full(count, np.iinfo(np.int64).max), np.zeros(count, dtype=np.int64)
    np.minimum.at(low, group, division)
    np.maximum.at(high, group, division)
    return Grouped(first, x, y, radius.astype(np.float32), shared_division(low, high), size)
