"""Homes in buildings: a million of them in a few sorted arrays, found by building, staircase and room.

A home without a room number (a house is one home) is found by its building alone, where it is the only one there.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.exchange.matching.nodes import NO_NODE, Nodes, Places
from gis.exchange.matching.register import RoomRows
from gis.exchange.matching.vocabulary import TOKEN_BITS, Edges, Ints, Tokens, packed


class FoundRooms(NamedTuple):
    """For each address: its room (−1 none), whether its unit is there, and the rows and rooms where several fit."""

    room: Ints
    unit_there: NDArray[np.bool_]
    several: tuple[Ints, Ints]


class PlacedSites(NamedTuple):
    """The addresses of the register as places: the key by which homes refer to each, and its node."""

    key: pa.Array
    node: Ints


@dataclass(frozen=True, slots=True)
class Rooms:
    """The homes of the city and the ways to them."""

    by_unit: Edges
    """(node, unit, room)."""
    by_room: Edges
    """(node, room)."""
    by_place: Edges
    """(node), for each place that a home is in: its building and that building's door plate."""
    unit: Tokens
    room: Tokens
    fid: Ints
    code: pa.Array
    words: list[str]

    @classmethod
    def of(cls, rows: RoomRows, places: PlacedSites, nodes: Nodes, words: list[str]) -> tuple["Rooms", int]:
        """Index homes by the place whose key they have; also how many have the key of no place and were left out."""
        at = pc.index_in(rows.place, value_set=places.key).fill_null(-1).to_numpy().astype(np.int64)
        node = np.where(at >= 0, places.node.take(at, mode="clip"), NO_NODE) if len(places.node) else at
        kept = np.flatnonzero(node != NO_NODE)
        every = np.arange(len(kept), dtype=np.int32)
        own, unit, room = node[kept], rows.unit[kept], rows.room[kept]
        numbered = np.flatnonzero(room > 0)
        plate = nodes.plate_node[own].astype(np.int64) if len(kept) else own
        within = np.flatnonzero((plate >= 0) & (plate != own))
        found = cls(
            Edges.of(packed(own[numbered], unit[numbered], room[numbered]), every[numbered]),
            Edges.of(packed(own[numbered], room[numbered]), every[numbered]),
            Edges.of(np.concatenate([own, plate[within]]), np.concatenate([every, every[within]])),
            unit,
            room,
            rows.fid[kept],
            rows.code.take(pa.array(kept)),
            words,
        )
        return found, int((node == NO_NODE).sum())

    def __len__(self) -> int:
        """How many homes."""
        return len(self.fid)

    def sole(self, node: Ints) -> tuple[Ints, Ints]:
        """How many homes are at each place, and which one where it is the only one (else −1)."""
        low = np.searchsorted(self.by_place.keys, node)
        many = np.searchsorted(self.by_place.keys, node, side="right") - low
        if not len(self.by_place.rows):
            return many, np.full(len(node), -1, dtype=np.int64)
        return many, np.where(many == 1, self.by_place.rows.take(low, mode="clip"), -1).astype(np.int64)

    def find(self, node: Ints, unit: Tokens, room: Tokens) -> FoundRooms:
        """Rooms of addresses in known buildings. Without a unit a room is found where only one unit has its number."""
        count = len(node)
        found = np.full(count, -1, dtype=np.int64)
        u, r = np.maximum(unit, 0).astype(np.int64), np.maximum(room, 0).astype(np.int64)
        exact = np.flatnonzero((unit > 0) & (room > 0))
        asked, rows = self.by_unit.find(packed(node[exact], u[exact], r[exact]))
        by_unit = _counted(exact[asked], rows, found)
        loose = np.flatnonzero((unit == 0) & (room > 0))
        asked, rows = self.by_room.find(packed(node[loose], r[loose]))
        by_room = _counted(loose[asked], rows, found)
        there = np.zeros(count, dtype=np.bool_)
        units = np.flatnonzero(unit > 0)
        low = packed(node[units], u[units])
        start = np.searchsorted(self.by_unit.keys, low)
        stop = np.searchsorted(self.by_unit.keys, low | ((1 << TOKEN_BITS) - 1), side="right")
        there[units] = stop > start
        several = tuple(np.concatenate(pair) for pair in zip(by_unit, by_room, strict=True))
        return FoundRooms(found, there, (several[0], several[1]))

    def lacking(self, node: Places, unit: Tokens, room: Tokens) -> NDArray[np.bool_]:
        """Which buildings have rooms, but not the one that is asked for (in its unit, where one is given)."""
        places, u, r = node.astype(np.int64), np.maximum(unit, 0), np.maximum(room, 0)
        wide = (1 << 2 * TOKEN_BITS) - 1
        known = _some(self.by_room, packed(places, np.zeros_like(u)), packed(places, np.zeros_like(u)) | wide)
        by_unit, by_room = packed(places, u, r), packed(places, r)
        there = np.where(unit != 0, _some(self.by_unit, by_unit, by_unit), _some(self.by_room, by_room, by_room))
        found: NDArray[np.bool_] = known & ~(there & (room > 0) & (unit >= 0))
        return found

    def codes(self, rooms: Ints) -> list[str]:
        """The register's codes of rooms."""
        found: list[str] = self.code.take(pa.array(rooms)).to_pylist()
        return found

    def names(self, room: int) -> str:
        """Unit and room as they are written."""
        unit, number = self.words[self.unit[room]][1:], self.words[self.room[room]][1:]
        return f"{unit}单元{number}室" if unit and number else f"{number}室" if number else ""


def _some(edges: Edges, low: Ints, high: Ints) -> NDArray[np.bool_]:
    """Whether any key lies in each closed range."""
    found: NDArray[np.bool_] = np.searchsorted(edges.keys, high, side="right") > np.searchsorted(edges.keys, low)
    return found


def _counted(asked: Ints, rows: NDArray[np.int32], found: Ints) -> tuple[Ints, Ints]:
    """Write the room of each address that has just one; return the pairs of those that have several."""
    many = np.bincount(asked, minlength=len(found)) if len(asked) else np.zeros(len(found), dtype=np.int64)
    one = many[asked] == 1
    found[asked[one]] = rows[one]
    return asked[~one], rows[~one].astype(np.int64)
