"""What was found for addresses: one place each with its level, how sure it is, what else it could be, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntFlag

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.codes.address import Address
from gis.codes.address_column import Addresses
from gis.codes.address_levels import AddressLevel
from gis.exchange.matching.asked import Asked
from gis.exchange.matching.lexicon import Correction
from gis.exchange.matching.nodes import NO_FID, Floats, Nodes, full_address
from gis.exchange.matching.rooms import Rooms
from gis.exchange.matching.vocabulary import Ints
from gis.text import Text


class Note(IntFlag):
    """What to mind of an answer."""

    AMBIGUOUS = 1
    CORRECTED = 2
    CONTRADICTED = 4
    INTERPOLATED = 8
    NEAR = 16
    COARSER = 32
    AUXILIARY = 64

    @property
    def text(self) -> Text:
        """The note in words."""
        return _NOTES[self]


_NOTES = {
    Note.AMBIGUOUS: Text(
        "有多处同样符合,只给出它们共有的一级", "several places fit equally well; this is what they share"
    ),
    Note.CORRECTED: Text("按一字之差的名称更正", "a name was corrected by one character"),
    Note.CONTRADICTED: Text("文本中有与所找到地点不符之处", "something in the text disagrees with the place found"),
    Note.INTERPOLATED: Text(
        "该门牌未登记,按相邻门牌内插", "this plate is not registered; placed between its neighbours"
    ),
    Note.NEAR: Text("文本只说在此处附近", "the text says only that it is near this place"),
    Note.AUXILIARY: Text("文本是该处的辅地址", "the text is an auxiliary address of this place"),
    Note.COARSER: Text("文本更细的部分未找到", "the finer parts of the text were not found"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the city: `fid` and `code` are the register's, None and "" for one drawn together from others."""

    level: AddressLevel
    name: str
    fid: int | None
    code: str
    lon: float
    lat: float
    radius_m: float
    """How far it reaches from its point; 0 for a door or a building."""
    division: str
    """12 digits; "" where unknown."""
    address: str
    """Its full address, from the province down."""


def place_of(nodes: Nodes, node: int, words: Sequence[str]) -> Place:
    """One row of a table of places."""
    fid, division = int(nodes.fid[node]), int(nodes.division[node])
    return Place(
        AddressLevel(int(nodes.level[node])),
        nodes.name[node].as_py(),
        fid if fid != NO_FID else None,
        nodes.code[node].as_py(),
        float(nodes.lon[node]),
        float(nodes.lat[node]),
        float(nodes.radius_m[node]),
        f"{division:012d}" if division else "",
        full_address(nodes, node, words),
    )


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A place that was considered and how sure it would have been."""

    place: Place
    confidence: float


@dataclass(frozen=True, slots=True)
class Match:
    """The answer for one address. `place` is None when nothing fits; `level` is never finer than the text supports."""

    address: Address
    level: AddressLevel
    place: Place | None
    lon: float
    lat: float
    """WGS 84; NaN without a place. The place's own point, except for interpolated plates."""
    error_m: float
    """How far off the point may be for what the level says, in metres: the reach of a road or compound, the neighbours'
    distance of an interpolated plate."""
    confidence: float
    """1 when everything in the text agrees; divided by the number of equally good places when there are several."""
    ambiguous: bool
    candidates: tuple[Place, ...]
    """The equally good places of an ambiguous answer (at most ten)."""
    runners_up: tuple[RunnerUp, ...]
    corrections: tuple[Correction, ...]
    notes: Note
    form: Place | None = None
    """The auxiliary address by which the place was found, where it was not by its main one."""

    def explain(self) -> Text:
        """The answer in words, in both languages."""
        if self.place is None:
            return Text("没有找到符合的地点", "no place fits")
        zh = [f"{self.level.label.zh} {self.place.name}"]
        en = [f"{self.level.label.en} {self.place.name}"]
        for note in Note:
            if note in self.notes:
                zh.append(note.text.zh)
                en.append(note.text.en)
        if self.form is not None:
            zh[0] = f"{zh[0]}(辅地址 {self.form.address})"
            en[0] = f"{en[0]} (by its auxiliary address {self.form.address})"
        zh += [f"「{c.written}」读作「{c.read}」" for c in self.corrections]
        en += [f"{c.written!r} read as {c.read!r}" for c in self.corrections]
        return Text(";".join(zh), "; ".join(en))


@dataclass(frozen=True, slots=True)
class Matches:
    """The answers for a chunk of addresses as columns; `matches[i]` is the whole answer for row i."""

    addresses: Addresses
    asked: Asked
    """What the distinct addresses ask for."""
    nodes: Nodes
    rooms: Rooms
    distinct: Ints
    """Which distinct address each row is; the columns below are by distinct address."""
    level_: NDArray[np.uint8]
    node_: NDArray[np.int32]
    form_: NDArray[np.int32]
    """The place as it was met: of an auxiliary address, where `node_` is that of its main one."""
    room_: Ints
    confidence_: NDArray[np.float32]
    notes_: NDArray[np.uint8]
    error_m_: NDArray[np.float32]
    lon_: Floats
    lat_: Floats
    ties_: Ints
    others: "Others"
    corrections: dict[int, tuple[Correction, ...]]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.distinct)

    @property
    def level(self) -> NDArray[np.uint8]:
        """The `AddressLevel` reached."""
        return self.level_[self.distinct]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """See `Match.confidence`."""
        return self.confidence_[self.distinct]

    @property
    def notes(self) -> NDArray[np.uint8]:
        """See `Note`."""
        return self.notes_[self.distinct]

    @property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Whether several places fit equally well."""
        found: NDArray[np.bool_] = self.notes_[self.distinct] & Note.AMBIGUOUS > 0
        return found

    @property
    def fid(self) -> Ints:
        """The register's fid of the place (of the room where a room was reached), −1 where it has none."""
        own = (
            np.where(self.node_ >= 0, self.nodes.fid[np.maximum(self.node_, 0)], NO_FID)
            if len(self.nodes)
            else self.room_
        )
        at_room = self.room_ >= 0
        if at_room.any():
            own = np.where(at_room, self.rooms.fid[np.maximum(self.room_, 0)], own)
        found: Ints = own[self.distinct]
        return found

    @property
    def code(self) -> pa.Array:
        """The register's code of the place, "" where it has none."""
        if not len(self.nodes):
            return pa.array([""] * len(self), pa.string())
        missing = self.node_ < 0
        own = self.nodes.code.take(pa.array(np.maximum(self.node_, 0), mask=missing)).fill_null("").to_pylist()
        at_room = np.flatnonzero(self.room_ >= 0)
        for row, code in zip(at_room.tolist(), self.rooms.codes(self.room_[at_room]), strict=True):
            own[row] = code
        return pa.array(own, pa.string()).take(pa.array(self.distinct))

    def table(self) -> pa.Table:
        """The answers as they are stored beside the texts."""
        return pa.table(
            {
                "level": self.level,
                "fid": pa.array(self.fid, mask=self.fid == NO_FID),
                "code": self.code,
                "lon": pa.array(self.lon_[self.distinct], from_pandas=True),
                "lat": pa.array(self.lat_[self.distinct], from_pandas=True),
                "error_m": self.error_m_[self.distinct],
                "confidence": self.confidence,
                "ambiguous": self.ambiguous,
                "notes": self.notes_[self.distinct],
            }
        )

    def __getitem__(self, row: int) -> Match:
        """The whole answer for one row."""
        at = int(self.distinct[row])
        notes = Note(int(self.notes_[at]))
        node, ties = int(self.node_[at]), int(self.ties_[at])
        ambiguous = Note.AMBIGUOUS in notes
        level = AddressLevel(int(self.level_[at]))
        ranked = self._ranked(at)
        room = int(self.room_[at])
        tied = ranked[: min(ties, 10)] if ambiguous else []
        if ambiguous and self.others.rooms.get(at):
            places = tuple(self._room(node, r) for r in self.others.rooms[at][:10])
        else:
            places = tuple(self._place(n) for n, _ in tied)
        others = [(n, p) for n, p in ranked if n != node and n not in {t for t, _ in tied}][:5]
        place = self._room(node, room) if room >= 0 else self._place(node) if node >= 0 else None
        return Match(
            self.addresses[row],
            level,
            place,
            float(self.lon_[at]),
            float(self.lat_[at]),
            float(self.error_m_[at]),
            float(self.confidence_[at]),
            ambiguous,
            places,
            tuple(RunnerUp(self._place(n), round(confidence_of(p), 3)) for n, p in others),
            self.corrections.get(at, ()),
            notes,
            self._place(int(self.form_[at])) if Note.AUXILIARY in notes else None,
        )

    def _ranked(self, at: int) -> list[tuple[int, float]]:
        """What was considered for a distinct address, each place once by its main address."""
        found: dict[int, float] = {}
        for node, penalty in self.others.of(at):
            main = int(self.nodes.main[node])
            found.setdefault(main if main >= 0 else node, penalty)
        return list(found.items())

    def _place(self, node: int) -> Place:
        return place_of(self.nodes, node, self.rooms.words)

    def _room(self, node: int, room: int) -> Place:
        building, fid, name = self._place(node), int(self.rooms.fid[room]), self.rooms.names(room)
        return replace(
            building,
            level=AddressLevel.ROOM,
            name=name,
            fid=fid if fid != NO_FID else None,
            code=self.rooms.codes(np.array([room]))[0],
            radius_m=0.0,
            address=building.address + name,
        )


@dataclass(frozen=True, slots=True)
class Others:
    """What was considered for each distinct address, finest rung and lowest cost first."""

    row: Ints
    node: NDArray[np.int32]
    penalty: NDArray[np.float32]
    rooms: dict[int, list[int]]
    """The rooms that fit equally well, where a room is ambiguous within its building."""

    def of(self, at: int) -> list[tuple[int, float]]:
        """Places with what speaks against them, each once."""
        low, high = np.searchsorted(self.row, (at, at + 1))
        found: dict[int, float] = {}
        for node, penalty in zip(self.node[low:high].tolist(), self.penalty[low:high].tolist(), strict=True):
            found.setdefault(node, penalty)
        return list(found.items())


def confidence_of(penalty: float) -> float:
    """How sure a place is from what speaks against it: 1 at nothing, 0.5 at the limit, never below 0.05."""
    return max(0.05, 1.0 - 0.3 * penalty)
