"""From address texts to places of the city, one at a time or a million: `AddressIndex`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.address_column import Addresses, AddressReader
from gis.codes.address_levels import AddressLevel
from gis.codes.column import CodeColumn
from gis.codes.division import SPANS
from gis.exchange.matching.answers import Match, Matches, Note, Others, Place, place_of
from gis.exchange.matching.asked import Asked, Hypotheses, Interpreter
from gis.exchange.matching.assembly import assemble
from gis.exchange.matching.interpolation import Between, PlateLine
from gis.exchange.matching.ladder import Ladder, Reached
from gis.exchange.matching.lexicon import Correction, Lexicon
from gis.exchange.matching.nodes import NO_NODE, Nodes, Places, main_of
from gis.exchange.matching.register import division_rows, landmark_rows, room_rows, site_rows
from gis.exchange.matching.rooms import FoundRooms, PlacedSites, Rooms
from gis.exchange.matching.vocabulary import UNKNOWN, Edges, Ints, Vocabulary

_PIECE = (1 << 21) - 1
NEAR_M = 50.0
"""How far a place may be from what it is said to be beside."""


@dataclass(frozen=True, slots=True)
class Register:
    """What an index is made of; tables with the columns that follow, others are left alone.

    `addresses`: division (12 digits), lon, lat (WGS 84), and street, plate, compound, building or else text; may have
    fid, code, key, main (the key of the main address of the same place). `divisions`: code, name; may have lon, lat,
    fid, former (no longer valid). `rooms`: place (an address's key, which is its code where it has none of its own),
    unit, room; may have fid, code. `landmarks`: name, division, lon, lat; may have fid, code.
    """

    addresses: pa.Table
    divisions: pa.Table
    rooms: pa.Table | None = None
    landmarks: pa.Table | None = None


class AddressIndex:
    """All places of a city, ready to be found by their addresses. It does not change; several threads may share one
    only if each has an index `clone`.
    """

    def __init__(self, register: Register) -> None:
        vocabulary = Vocabulary()
        lexicon = Lexicon(vocabulary)
        divisions = division_rows(register.divisions, lexicon)
        sites = site_rows(register.addresses, lexicon)
        placed = np.isfinite(sites.lon) & np.isfinite(sites.lat)
        named = (sites.street > 0) | (sites.compound > 0)
        sites = sites.taken(placed & named)
        marks = landmark_rows(register.landmarks, lexicon)
        dwellings = room_rows(register.rooms, vocabulary)
        lexicon.close()
        words = vocabulary.words()
        self.nodes, ways, place = assemble(divisions, sites, marks, words)
        self.rooms, homeless = Rooms.of(dwellings, PlacedSites(sites.key, place), self.nodes, words)
        self.left_out: dict[str, int] = {
            "no coordinates": int((~placed).sum()),
            "no street and no compound": int((placed & ~named).sum()),
            "dwellings of no known address": homeless,
        }
        """Rows of the register that could not be taken in, by reason."""
        self._lexicon = lexicon
        self._inside = _buildings_by_plate(self.nodes)
        self._plates = PlateLine.of(self.nodes, _plate_numbers(self.nodes, words))
        self._ladder = Ladder(self.nodes, ways, self.rooms)
        self._reader, self._interpreter = AddressReader(), Interpreter(lexicon)

    def clone(self) -> "AddressIndex":
        """The same places with a memory of its own, for another thread."""
        other = object.__new__(AddressIndex)
        other.__dict__.update(self.__dict__)
        other._reader, other._interpreter = AddressReader(), Interpreter(self._lexicon)
        return other

    def __len__(self) -> int:
        """How many places and rooms there are."""
        return len(self.nodes) + len(self.rooms)

    def place(self, node: int) -> Place:
        """One place of `nodes`."""
        return place_of(self.nodes, node, self.rooms.words)

    def buildings_at(self, node: Ints) -> tuple[Ints, Ints]:
        """How many buildings each door plate has, and the node of the only one that has a code (else −1)."""
        low = np.searchsorted(self._inside.keys, node)
        many = np.searchsorted(self._inside.keys, node, side="right") - low
        if not len(self._inside.rows):
            return many, np.full(len(node), NO_NODE, dtype=np.int64)
        one = np.where(many == 1, self._inside.rows.take(low, mode="clip"), NO_NODE).astype(np.int64)
        coded = pc.not_equal(self.nodes.code.take(pa.array(np.maximum(one, 0))), "").to_numpy(zero_copy_only=False)
        return many, np.where(coded, one, NO_NODE)

    def divisions_of(self, code: int) -> tuple[Place, ...]:
        """The known divisions from the province down to the one with a 12-digit code."""
        codes = np.array([code // span * span for span in SPANS], dtype=np.int64)
        found = self._ladder.division_node(codes[np.concatenate([[True], np.diff(codes) > 0])])
        return tuple(self.place(int(node)) for node in dict.fromkeys(found.tolist()) if node != NO_NODE)

    def match(self, text: str) -> Match:
        """The place of one address."""
        return self._matched(self._reader.read([text]))[0]

    def matches(self, column: CodeColumn) -> Iterator[Matches]:
        """The places of a column of addresses, chunk by chunk in bounded memory."""
        for chunk in self._reader.chunks(column):
            yield self._matched(chunk)

    def _matched(self, addresses: Addresses) -> Matches:
        key = (addresses.head.astype(np.int64) << 42) | (addresses.door.astype(np.int64) << 21) | addresses.tail
        keys, distinct = np.unique(key, return_inverse=True)
        asked = self._interpreter.ask(addresses, keys >> 42, (keys >> 21) & _PIECE, keys & _PIECE)
        exact = self._interpreter.exact(asked)
        state = self._ladder.climb(asked, exact, np.ones(len(asked), dtype=np.bool_))
        hypotheses = self._reconsidered(asked, state, exact)
        return _Answering(self, asked, state, hypotheses).matches(addresses, distinct.reshape(-1))

    def _reconsidered(self, asked: Asked, state: Reached, exact: Hypotheses) -> Hypotheses:
        """Look again, with corrected names, at what holds unknown names or was spoken against; `state` is updated."""
        unknown = (asked.street == UNKNOWN) | (asked.compound == UNKNOWN) | (asked.landmark == UNKNOWN)
        named = (asked.street != 0) | (asked.compound != 0) | (asked.landmark != 0)
        doubtful = named & ((state.penalty > 0) | (state.level <= AddressLevel.VILLAGE))
        rows = np.flatnonzero(unknown | doubtful)
        corrected = self._interpreter.corrected(asked, rows) if len(rows) else None
        if corrected is None or not len(corrected.row):
            return exact
        again = np.zeros(len(asked), dtype=np.bool_)
        again[corrected.row] = True
        both = exact.also(corrected)
        second = self._ladder.climb(asked, both, again)
        for name in ("node", "level", "penalty", "hypothesis", "ties"):
            getattr(state, name)[again] = getattr(second, name)[again]
        state.plate_seen |= second.plate_seen
        state.others = [*second.others, *state.others]
        return both


@dataclass(frozen=True, slots=True)
class _Answering:
    """From where addresses came on the ladder to their answers."""

    index: AddressIndex
    asked: Asked
    state: Reached
    hypotheses: Hypotheses

    def matches(self, addresses: Addresses, distinct: Ints) -> Matches:
        """The answers, by distinct address."""
        index, asked, state = self.index, self.asked, self.state
        nodes, level, node = index.nodes, state.level.copy(), main_of(index.nodes, state.node)
        ambiguous = state.ties > 1
        inside, rooms = self._rooms(node, ambiguous, level)
        lon, lat, error = self._points(node)
        between = self._interpolated(level, ambiguous)
        if between is not None:
            at, found = between
            lon[at], lat[at], error[at], level[at] = found.lon, found.lat, found.error_m, AddressLevel.INTERPOLATED
        several = dict[int, list[int]]()
        for row, room in zip(*(v.tolist() for v in rooms.several), strict=True):
            several.setdefault(int(inside[row]), []).append(room)
        ambiguous[list(several)] = True
        ties = state.ties.copy()
        for row, found_rooms in several.items():
            ties[row] = len(found_rooms)
        room_of = np.full(len(asked), -1, dtype=np.int64)
        room_of[inside] = rooms.room
        near = level > asked.supported
        level = np.minimum(level, asked.supported)
        error[near] = np.maximum(error[near], NEAR_M)
        room_of[near] = -1
        notes = self._notes(level, ambiguous, near)
        notes[node != state.node] |= np.uint8(Note.AUXILIARY)
        confidence = np.maximum(1.0 - 0.3 * state.penalty, 0.05) / np.where(ambiguous, np.maximum(ties, 1), 1)
        confidence = np.where(node == NO_NODE, 0.0, confidence)
        return Matches(addresses, asked, nodes, index.rooms, distinct, level, node, state.node, room_of,
                       confidence.astype(np.float32), notes, error, lon, lat, ties, self._others(several),
                       self._corrections())  # fmt: skip

    def _points(self, node: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
        nodes, missing = self.index.nodes, node == NO_NODE
        if not len(nodes):
            nothing = np.full(len(node), np.nan)
            return nothing, nothing.copy(), np.zeros(len(node), dtype=np.float32)
        at = np.maximum(node, 0)
        lon, lat = (np.where(missing, np.nan, values[at]) for values in (nodes.lon, nodes.lat))
        return lon, lat, np.where(missing, 0.0, nodes.radius_m[at]).astype(np.float32)

    def _rooms(self, node: Places, ambiguous: NDArray[np.bool_], level: NDArray[np.uint8]) -> tuple[Ints, FoundRooms]:
        """Which addresses reached a building and ask for more, and what was found; their levels are raised."""
        asked = self.asked
        door = (level == AddressLevel.BUILDING) | (level == AddressLevel.PLATE) & (asked.building == 0)
        inside = np.flatnonzero(door & ~ambiguous & ((asked.unit != 0) | (asked.room != 0)))
        rooms = self.index.rooms.find(node[inside].astype(np.int64), asked.unit[inside], asked.room[inside])
        level[inside[rooms.unit_there]] = AddressLevel.UNIT
        level[inside[rooms.room >= 0]] = AddressLevel.ROOM
        return inside, rooms

    def _interpolated(self, level: NDArray[np.uint8], ambiguous: NDArray[np.bool_]) -> tuple[Ints, Between] | None:
        asked, state = self.asked, self.state
        rows = np.flatnonzero((level == AddressLevel.ROAD) & ~ambiguous & ~state.plate_seen & (asked.plate_number > 0))
        if not len(rows):
            return None
        sub = asked.base_plate[rows] != 0
        found = self.index._plates.find(
            state.node[rows].astype(np.int64), asked.plate_number[rows].astype(np.int64), sub
        )
        known = ~np.isnan(found.lon)
        return rows[known], Between(found.lon[known], found.lat[known], found.error_m[known])

    def _notes(
        self, level: NDArray[np.uint8], ambiguous: NDArray[np.bool_], near: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        asked, state = self.asked, self.state
        corrected = np.zeros(len(asked), dtype=np.bool_)
        spent = np.zeros(len(asked), dtype=np.float32)
        known = np.flatnonzero(state.hypothesis >= 0)
        spent[known] = self.hypotheses.penalty[state.hypothesis[known]]
        corrected[known] = spent[known] > 0
        found = np.zeros(len(asked), dtype=np.uint8)
        for note, rows in (
            (Note.AMBIGUOUS, ambiguous),
            (Note.CORRECTED, corrected),
            (Note.CONTRADICTED, (state.penalty - spent > 0.05) & ~ambiguous),
            (Note.INTERPOLATED, level == AddressLevel.INTERPOLATED),
            (Note.NEAR, near),
            (Note.COARSER, level < asked.supported),
        ):
            found[rows] |= np.uint8(note)
        return found

    def _others(self, several: dict[int, list[int]]) -> Others:
        parts = self.state.others
        if not parts:
            return Others(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), several)
        row, node, penalty = (np.concatenate([getattr(p, name) for p in parts]) for name in ("row", "node", "penalty"))
        order = np.argsort(row, kind="stable")
        return Others(row[order], node[order], penalty[order], several)

    def _corrections(self) -> dict[int, tuple[Correction, ...]]:
        hyps = self.hypotheses
        chosen = np.flatnonzero(self.state.hypothesis >= 0)
        said = hyps.said[self.state.hypothesis[chosen]]
        found = {row: hyps.corrections[n] for row, n in zip(chosen.tolist(), said.tolist(), strict=True) if n}
        return {row: corrections for row, corrections in found.items() if corrections}


def _buildings_by_plate(nodes: Nodes) -> Edges:
    built = np.flatnonzero((nodes.level == AddressLevel.BUILDING) & (nodes.plate_node >= 0))
    return Edges.of(nodes.plate_node[built].astype(np.int64), built.astype(np.int32))


def _plate_numbers(nodes: Nodes, words: list[str]) -> Ints:
    """The whole number of each place's plate; 0 where it has none, and for plates with a sub-number."""
    number = np.array([int(w[1:]) if w[:1] == "号" and w[1:].isdecimal() else 0 for w in words], dtype=np.int64)
    found: Ints = number[nodes.plate] * (nodes.level == AddressLevel.PLATE)
    return found
