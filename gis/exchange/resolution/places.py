"""Where people live and entities sit: addresses read into places of the city, compared by distance, door and division.

Places bring together what lies in one H3 cell or in neighbouring ones, so that a wrong house number, or a point drawn
at the gate instead of in the house, does not keep a person apart from himself.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from h3.api import basic_int as h3
from numpy.typing import NDArray

from gis.codes.address_levels import AddressLevel
from gis.codes.address_text import plain_column
from gis.codes.column import CodeColumn, strings
from gis.exchange.matching import AddressIndex
from gis.exchange.resolution.keys import numbered
from gis.exchange.resolution.model import Level
from gis.geo.cells import cells
from gis.text import Text

CELL_RESOLUTION = 10
"""Cells of 66 m edge: a cell and its neighbours are the surroundings of a door up to about 200 m."""
_DOOR_M, _NEAR_M = 40.0, 200.0
_EARTH_M = 6_371_008.8
_TOWNSHIP = 1000
"""A village's code without its last three digits is its township's; those of a township or wider are 000."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PlaceLevel(IntEnum):
    """How close two places are, best first; 0 where one is unknown."""

    HOME = 1
    """The same room of the same house."""
    DOOR = 2
    NEAR = 3
    VILLAGE = 4
    TOWNSHIP = 5
    ELSEWHERE = 6


PLACE_LEVELS = (
    Level(Text("同一户室或同一地点编码", "the same room, or the same place by code"), 0.50, 4e-6, agrees=True,
          counts=True),
    Level(Text("同一门牌或楼栋(40 米内)", "the same door or building (within 40 m)"), 0.22, 2e-4, agrees=True,
          counts=True),
    Level(Text("相邻网格(200 米内)", "neighbouring cells (within 200 m)"), 0.06, 2e-3, agrees=True),
    Level(Text("同一社区、村", "the same community or village"), 0.05, 5e-3, agrees=True),
    Level(Text("同一街道、乡镇", "the same township"), 0.03, 0.05),
    Level(Text("其他地方", "elsewhere"), 0.14, 0.94),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Places:
    """Points (WGS 84, NaN unknown) with how far each reaches, their village (12 digits, 0 unknown) and their rooms.

    `unit`, `room` and `code` (of the dwelling or the address) are texts, "" where unknown.
    """

    lon: Floats
    lat: Floats
    reach_m: Floats
    village: Ints
    unit: pa.Array
    room: pa.Array
    code: pa.Array

    def __len__(self) -> int:
        """How many rows."""
        return len(self.lon)

    def cells(self) -> Ints:
        """The H3 cell of each door; 0 where only a wider area is known."""
        exact = np.where(self.reach_m <= _NEAR_M, 1.0, np.nan)
        return cells(self.lon * exact, self.lat * exact, CELL_RESOLUTION)


def neighbours(of: Ints) -> tuple[Ints, Ints]:
    """The positions in `of` and, for each, its cell and the six or five around it; cell 0 has none."""
    distinct, place = np.unique(of, return_inverse=True)
    disks = [h3.grid_disk(int(c), 1) if c else [] for c in distinct.tolist()]
    size = np.array([len(d) for d in disks], dtype=np.int64)
    members = np.array([c for d in disks for c in d], dtype=np.int64)
    start = np.cumsum(size) - size
    many = size[place]
    position = np.repeat(np.arange(len(of)), many)
    within = np.arange(len(position)) - np.repeat(np.cumsum(many) - many, many)
    return position, members[np.repeat(start[place], many) + within]


def places_of_texts(texts: CodeColumn, index: AddressIndex) -> Places:
    """Addresses in words as places; what is not found, or is several places at once, is unknown."""
    parts: list[Places] = []
    for matches in index.matches(texts):
        table = matches.table()
        found = np.isfinite(table["lon"].to_numpy()) & ~matches.ambiguous
        level = matches.level
        spread = np.where(level >= AddressLevel.INTERPOLATED, 0.0, np.where(level >= AddressLevel.ROAD, _NEAR_M, 1e4))
        reach = np.maximum(np.asarray(table["error_m"], dtype=np.float64), spread)
        said = [matches.addresses.parts(row) for row in range(len(matches))]
        parts.append(
            Places(
                np.where(found, table["lon"].to_numpy(), np.nan),
                np.where(found, table["lat"].to_numpy(), np.nan),
                reach,
                np.where(matches.ambiguous, 0, _villages(matches.nodes.division, matches.node_[matches.distinct])),
                pa.array([p.unit for p in said], pa.string()),
                pa.array([p.room for p in said], pa.string()),
                pc.if_else(pa.array(level == AddressLevel.ROOM), table["code"].combine_chunks(), ""),
            )
        )
    return joined_places(parts)


def _villages(division: Ints, node: NDArray[np.int32]) -> Ints:
    found: Ints = np.where(node >= 0, division.take(np.maximum(node, 0), mode="clip") if len(division) else 0, 0)
    return found


def joined_places(parts: list[Places]) -> Places:
    """Several stretches of places as one."""
    none = pa.array([], pa.string())
    if not parts:
        return Places(np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), none, none, none)
    numbers = [np.concatenate([getattr(p, n) for p in parts]) for n in ("lon", "lat", "reach_m", "village")]
    texts = [pa.concat_arrays([getattr(p, n) for p in parts]) for n in ("unit", "room", "code")]
    return Places(*numbers, *texts)


@dataclass(frozen=True, slots=True)
class Located:
    """Places with what is compared of them as numbers, the same numbers on both sides; 0 is unknown."""

    places: Places
    unit: Ints
    room: Ints
    code: Ints

    def compare(self, rows: Ints, other: "Located", others: Ints) -> NDArray[np.int8]:
        """The `PlaceLevel` of each pair of own rows with rows of a register."""
        here, there = self.places, other.places
        away = _distance_m(here.lon[rows], here.lat[rows], there.lon[others], there.lat[others])
        reach = here.reach_m[rows]
        room, unit = self.room[rows], self.unit[rows]
        indoors = (room > 0) & (room == other.room[others])
        indoors &= (unit == 0) | (other.unit[others] == 0) | (unit == other.unit[others])
        village, its_village = here.village[rows], there.village[others]
        town = (village // _TOWNSHIP == its_village // _TOWNSHIP) & (village // _TOWNSHIP % 1000 > 0)
        level = np.full(len(rows), PlaceLevel.ELSEWHERE, dtype=np.int8)
        level[town] = PlaceLevel.TOWNSHIP
        level[town & (village == its_village) & (village % _TOWNSHIP > 0)] = PlaceLevel.VILLAGE
        level[(away <= _NEAR_M) | (away <= np.minimum(reach, 1000.0))] = PlaceLevel.NEAR
        level[(reach <= _DOOR_M) & (away <= _DOOR_M)] = PlaceLevel.DOOR
        level[(away <= _NEAR_M) & (reach <= _NEAR_M) & indoors] = PlaceLevel.HOME
        code = self.code[rows]
        same = (code > 0) & (code == other.code[others])
        level[same] = PlaceLevel.HOME
        level[np.isnan(away) & ((village == 0) | (its_village == 0)) & ~same] = 0
        return level


def located(first: Places, second: Places) -> tuple[Located, Located]:
    """Two sides made comparable."""
    sides = (first, second)
    units, rooms = (numbered(*(_plain(getattr(side, name)) for side in sides)) for name in ("unit", "room"))
    codes = numbered(strings(first.code), strings(second.code))
    return Located(first, units[0], rooms[0], codes[0]), Located(second, units[1], rooms[1], codes[1])


def _plain(texts: pa.Array) -> pa.Array:
    """Staircases and rooms without what they are called."""
    bare = pc.replace_substring_regex(strings(texts), "(单元|室)$", "").dictionary_encode()
    words = pa.array(plain_column(bare.dictionary.to_pylist()), pa.string())
    return words.take(bare.indices)


def _distance_m(lon: Floats, lat: Floats, other_lon: Floats, other_lat: Floats) -> Floats:
    """Metres between points that are not far apart (equirectangular; off by less than 0.1 % within a city)."""
    x = np.radians(other_lon - lon) * np.cos(np.radians((lat + other_lat) / 2))
    found: Floats = np.hypot(x, np.radians(other_lat - lat)) * _EARTH_M
    return found
