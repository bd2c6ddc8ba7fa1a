"""What a chunk of texts asks for, as columns of tokens: each distinct beginning and end is looked up once."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gis.codes.address_column import Addresses
from gis.codes.address_parts import NOTHING, Parts
from gis.exchange.matching import words
from gis.exchange.matching.lexicon import KINDS, LEVELS, Correction, Lexicon, Names
from gis.exchange.matching.vocabulary import NONE, UNKNOWN, Ints, Tokens

_KEPT = 1 << 17
_NO_NAMES = Names()
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Asked:
    """Distinct addresses as tokens of their parts: NONE (0) where there is none, UNKNOWN (−1) for words not known."""

    divisions: Tokens
    """(n, 5)."""
    street: Tokens
    compound: Tokens
    landmark: Tokens
    plate: Tokens
    base_plate: Tokens
    plate_number: Tokens
    """The plate's whole number; 0 where there is none."""
    building: Tokens
    building_number: Tokens
    unit: Tokens
    room: Tokens
    supported: NDArray[np.uint8]
    """The `AddressLevel` that the text supports."""
    names: list[Names]
    """What the distinct beginnings and ends say; `first` and `second` are each address's two."""
    first: Ints
    second: Ints

    def __len__(self) -> int:
        """How many."""
        return len(self.street)


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """Readings of addresses: exact ones, and those with a name corrected; `penalty` is what the corrections cost."""

    row: Ints
    street: Tokens
    compound: Tokens
    landmark: Tokens
    penalty: NDArray[np.float32]
    said: Ints
    """Which of `corrections` each makes."""
    corrections: list[tuple[Correction, ...]]

    def also(self, other: "Hypotheses") -> "Hypotheses":
        """These readings and others."""
        return Hypotheses(
            np.concatenate([self.row, other.row]),
            np.concatenate([self.street, other.street]),
            np.concatenate([self.compound, other.compound]),
            np.concatenate([self.landmark, other.landmark]),
            np.concatenate([self.penalty, other.penalty]),
            np.concatenate([self.said, other.said + len(self.corrections)]),
            self.corrections + other.corrections,
        )

    def of_rows(self, wanted: NDArray[np.bool_]) -> Ints:
        """Which hypotheses belong to the wanted rows."""
        return np.flatnonzero(wanted[self.row])


TYPING_ERROR = 0.6
_AS_IS = -9
_Change = tuple[dict[str, int], float, tuple[Correction, ...]]
"""Tokens by kind of name, the cost, what is said of it."""
_MOST_READINGS = 24


@dataclass(slots=True)
class Interpreter:
    """Looks up the words of addresses in a lexicon, remembering what it found."""

    lexicon: Lexicon
    _names: dict[Parts, Names] = field(default_factory=dict)
    _doors: dict[Parts, tuple[int, ...]] = field(default_factory=dict)
    _readings: dict[tuple[tuple[str, str], ...], list[_Change]] = field(default_factory=dict)

    def ask(self, addresses: Addresses, head: Ints, door: Ints, tail: Ints) -> Asked:
        """Tokens for distinct combinations of head, door and tail; beside a door a tail has no names."""
        heads, first, head_names = self._names_of(addresses.heads, head)
        doors, at_door, door_names = self._names_of(addresses.doors, door)
        tails, at_tail, tail_names = self._names_of(addresses.tails, tail)
        second = np.where(door > 0, at_door, at_tail + len(doors))
        tail_names = np.where((door > 0)[:, None], door_names, tail_names)
        door_numbers, tail_numbers = self._numbers(addresses.doors, door), self._numbers(addresses.tails, tail)
        numbers = np.where(door_numbers != 0, door_numbers, tail_numbers)
        held = np.where(head_names != 0, head_names, tail_names)
        compound = LEVELS + 1
        held[:, compound] = np.where(tail_names[:, compound] != 0, tail_names[:, compound], head_names[:, compound])
        return Asked(
            held[:, :LEVELS],
            held[:, LEVELS],
            held[:, compound],
            held[:, LEVELS + 2],
            numbers[:, 0],
            numbers[:, 1],
            numbers[:, 2],
            numbers[:, 3],
            numbers[:, 4],
            numbers[:, 5],
            numbers[:, 6],
            addresses.level_of(head, door, tail),
            heads + doors + tails,
            first,
            second + len(heads),
        )

    def _names_of(self, pieces: list[Parts], index: Ints) -> tuple[list[Names], Ints, Tokens]:
        used, place = np.unique(index, return_inverse=True)
        found = [self._name(pieces[i]) for i in used.tolist()]
        table = np.array([(*n.divisions, n.street, n.compound, n.landmark) for n in found], dtype=np.int32)
        rows = place.reshape(-1)
        return found, rows, table.reshape(-1, LEVELS + 3)[rows]

    def _name(self, piece: Parts) -> Names:
        if not (any(piece[:6]) or piece.compound or piece.landmark):
            return _NO_NAMES
        found = self._names.get(piece)
        if found is None:
            if len(self._names) > _KEPT:
                self._names.clear()
            found = self._names[piece] = self.lexicon.resolve(piece)
        return found

    def _numbers(self, pieces: list[Parts], index: Ints) -> Tokens:
        used, place = np.unique(index, return_inverse=True)
        table = np.array([self._door(pieces[i]) for i in used.tolist()], dtype=np.int32).reshape(-1, 7)
        found: Tokens = table[place.reshape(-1)]
        return found

    def _door(self, piece: Parts) -> tuple[int, ...]:
        if piece is NOTHING:
            return (0,) * 7
        found = self._doors.get(piece)
        if found is None:
            if len(self._doors) > _KEPT:
                self._doors.clear()
            door, find = words.door(piece), self.lexicon.vocabulary.find
            number = int("".join(c for c in piece.plate if c in _DIGITS) or 0) if door.plate else 0
            found = (find(door.plate), find(door.base_plate), number, find(door.building), find(door.number),
                     find(door.unit), find(door.room))  # fmt: skip
            self._doors[piece] = found
        return found

    def exact(self, asked: Asked) -> Hypotheses:
        """Every address as it is written; a corrected division costs what a corrected name does."""
        corrected = np.array([len(n.corrections) for n in asked.names], dtype=np.int64)
        many = corrected[asked.first] + corrected[asked.second]
        said = np.zeros(len(asked), dtype=np.int64)
        corrections: list[tuple[Correction, ...]] = [()]
        for row in np.flatnonzero(many).tolist():
            said[row] = len(corrections)
            corrections.append(_corrections(asked, row))
        return Hypotheses(
            np.arange(len(asked)),
            asked.street,
            asked.compound,
            asked.landmark,
            (many * TYPING_ERROR).astype(np.float32),
            said,
            corrections,
        )

    def corrected(self, asked: Asked, rows: Ints) -> Hypotheses:
        """Readings of some addresses in which one name is taken for another that is one edit away (or, where two names
        are unknown, each of them).
        """
        pairs, place = np.unique(asked.first[rows] * len(asked.names) + asked.second[rows], return_inverse=True)
        order = np.argsort(place.reshape(-1), kind="stable")
        many = np.bincount(place.reshape(-1), minlength=len(pairs))
        corrections: list[tuple[Correction, ...]] = []
        columns: list[list[float]] = []
        sizes = np.zeros(len(pairs), dtype=np.int64)
        for n, pair in enumerate(pairs.tolist()):
            first, second = divmod(pair, len(asked.names))
            before = asked.names[first].corrections + asked.names[second].corrections
            for change, penalty, said in self._changes(asked.names[first].written + asked.names[second].written):
                cost = penalty + TYPING_ERROR * len(before)
                columns.append([*(float(change.get(k, _AS_IS)) for k in KINDS), cost])
                corrections.append(before + said)
                sizes[n] += 1
        of_pair = np.concatenate([[0], np.cumsum(sizes)])
        by_row = np.repeat(sizes, many)
        row = np.repeat(rows[order], by_row)
        start = np.repeat(np.cumsum(by_row) - by_row, by_row)
        which = np.repeat(np.repeat(of_pair[:-1], many), by_row) + np.arange(len(row)) - start
        table = np.array(columns, dtype=np.float64).reshape(-1, 4)[which]
        tokens = [
            np.where(table[:, k] == _AS_IS, own[row], table[:, k]).astype(np.int32)
            for k, own in enumerate((asked.street, asked.compound, asked.landmark))
        ]
        return Hypotheses(row, tokens[0], tokens[1], tokens[2], table[:, 3].astype(np.float32), which, corrections)

    def _changes(self, written: tuple[tuple[str, str], ...]) -> list[_Change]:
        """What each correction of the written names sets: tokens by kind, its cost, what is said of it."""
        found = self._readings.get(written)
        if found is None:
            if len(self._readings) > _KEPT:
                self._readings.clear()
            found = self._readings[written] = self._read(written)
        return found

    def _read(self, written: tuple[tuple[str, str], ...]) -> list[_Change]:
        find = self.lexicon.vocabulary.find
        single: list[_Change] = []
        for kind, name in written:
            for near_kind, near in self.lexicon.near(name):
                tokens = {kind: NONE} | {near_kind: find(f"名{near}")}
                single.append((tokens, TYPING_ERROR, (Correction(name, near),)))
        single = single[:_MOST_READINGS]
        unknown = {name for _, name in written if find(f"名{name}") == UNKNOWN}
        if len(unknown) < 2:
            return single
        wrong = [change for change in single if change[2][0].written in unknown]
        both: list[_Change] = [
            (a[0] | b[0], a[1] + b[1], (*a[2], *b[2]))
            for n, a in enumerate(wrong)
            for b in wrong[n + 1 :]
            if a[2][0].written != b[2][0].written
        ]
        return (single + both)[: 2 * _MOST_READINGS]


def _corrections(asked: Asked, row: int) -> tuple[Correction, ...]:
    return asked.names[int(asked.first[row])].corrections + asked.names[int(asked.second[row])].corrections
