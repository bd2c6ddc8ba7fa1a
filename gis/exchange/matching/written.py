"""From addresses as departments write them to the codes of dwellings and addresses, and why where there is none."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.catalog import Catalogue
from gis.codes.address_levels import AddressLevel
from gis.codes.column import CodeColumn, strings
from gis.errors import UnknownName
from gis.exchange.matching.answers import Match, Matches
from gis.exchange.matching.index import AddressIndex
from gis.exchange.matching.nodes import NO_NODE
from gis.exchange.matching.sources import ADDRESSES, DWELLINGS, register_of
from gis.exchange.matching.vocabulary import Ints
from gis.store.database import Database
from gis.text import Text

REASONS = ("ok", "address_unknown", "address_ambiguous", "address_coarse")
"""What becomes of a text: it has a code, no place fits, several do, or it does not say enough."""
OK, UNKNOWN, AMBIGUOUS, COARSE = range(len(REASONS))
Reasons = NDArray[np.uint8]

_NOUNS = {DWELLINGS: Text("房屋", "dwelling"), ADDRESSES: Text("门牌或楼栋", "door plate or building")}
_NAMED = 5
"""So many possible places are named in a sentence."""


class Codes(NamedTuple):
    """The code for each text, null where there is none, and the place in REASONS of what became of it.

    Nothing written is nothing to be found: a null or empty text has no code and the reason "ok".
    """

    codes: pa.Array
    reason: Reasons


@dataclass(frozen=True, slots=True)
class Written:
    """Finds the codes of what texts refer to: `refers` is "base.dwellings" or "base.addresses".

    A dwelling is found by its room, or by its building or door plate where it is the only one there and the text asks
    for no other room. An address is found by its building or door plate, whatever the text says of what is inside.
    Not for several threads at once.
    """

    index: AddressIndex
    refers: str

    def __post_init__(self) -> None:
        """Raises UnknownName for what no address text can refer to."""
        if self.refers not in _NOUNS:
            known = tuple(_NOUNS)
            raise UnknownName(
                f"an address text refers to {' or '.join(known)}, not to {self.refers!r}",
                f"地址文本只能对应 {'、'.join(known)},不能对应 {self.refers!r}",
                subject=self.refers,
            )

    @classmethod
    def of(cls, database: Database, catalogue: Catalogue, refers: str, *, at: datetime | None = None) -> "Written":
        """By the registers as they are valid at `at` (default: now). Raises UnknownName, Unavailable."""
        return cls(AddressIndex(register_of(database, catalogue, at=at)), refers)

    def codes(self, texts: CodeColumn) -> Codes:
        """The codes of a column of texts."""
        texts = strings(texts)
        judged = [self._judged(chunk) for chunk in self.index.matches(texts)]
        codes = pa.chunked_array([j.codes for j in judged], pa.string()).combine_chunks()
        reason = np.concatenate([j.reason for j in judged]) if judged else np.zeros(0, dtype=np.uint8)
        reason[pc.equal(pc.utf8_trim_whitespace(texts), "").to_numpy(zero_copy_only=False)] = OK
        return Codes(codes, reason)

    def sentences(self, texts: CodeColumn) -> list[Text]:
        """For each text what became of it, with the places that it could mean, as a clerk reads it."""
        found: list[Text] = []
        for chunk in self.index.matches(texts):
            reasons = self._judged(chunk).reason.tolist()
            found += [self._sentence(chunk, row, reason) for row, reason in enumerate(reasons)]
        return found

    def _judged(self, matches: Matches) -> Codes:
        codes, reason = self._homes(matches) if self.refers == DWELLINGS else self._doors(matches)
        distinct = matches.distinct
        return Codes(codes.take(pa.array(distinct)), reason[distinct])

    def _homes(self, m: Matches) -> Codes:
        """Codes of dwellings and reasons, by distinct text."""
        home, level = m.room_.copy(), m.level_
        many, sole = self._inside(m)
        within = (level >= AddressLevel.PLATE) & ~_ambiguous(m)
        fits = (sole >= 0) & (m.asked.room == 0) & (home < 0) & within & self._whole(m)
        fits &= (m.asked.unit == 0) | (_taken(m.rooms.unit, sole) == m.asked.unit)
        home[fits] = sole[fits]
        open_room = within & (m.asked.room == 0) & (many > 1) & self._whole(m)
        reason = self._reasons(m, home >= 0, open_room)
        return Codes(_codes(m.rooms.code, home), reason)

    def _doors(self, m: Matches) -> Codes:
        """Codes of addresses and reasons, by distinct text."""
        level, node = m.nodes.level, np.where(m.ties_ > 1, NO_NODE, m.node_).astype(np.int64)
        if m.others.rooms:  # several rooms of one building: the building is sure
            inside = np.fromiter(m.others.rooms, dtype=np.int64)
            node[inside] = m.node_[inside]
        node[_taken(level, node) < AddressLevel.COMPOUND] = NO_NODE
        node[m.level_ < AddressLevel.COMPOUND] = NO_NODE
        node[m.level_ == AddressLevel.INTERPOLATED] = NO_NODE
        node[(_taken(level, node) == AddressLevel.COMPOUND) & (m.asked.supported > AddressLevel.COMPOUND)] = NO_NODE
        coded = _taken(pc.not_equal(m.nodes.code, "").to_numpy(zero_copy_only=False), node)
        many, sole = self.index.buildings_at(node)
        whole = m.asked.building == 0
        at = np.where(coded, node, np.where(whole, sole, NO_NODE))
        vague = (node != NO_NODE) & ~coded & whole & ((many > 1) | (_taken(level, node) == AddressLevel.COMPOUND))
        return Codes(_codes(m.nodes.code, at), self._reasons(m, at >= 0, vague & (at == NO_NODE)))

    def _reasons(self, m: Matches, found: NDArray[np.bool_], vague: NDArray[np.bool_]) -> Reasons:
        """Why each distinct text has a code or none; `vague` are those whose place holds several to choose from."""
        supported = m.asked.supported
        coarse = vague | ((supported < AddressLevel.PLATE) & (supported > AddressLevel.NONE) & (m.node_ != NO_NODE))
        reason = np.where(_ambiguous(m), np.uint8(AMBIGUOUS), np.uint8(UNKNOWN))
        reason[coarse] = COARSE
        reason[found] = OK
        return reason.astype(np.uint8)

    def _inside(self, m: Matches) -> tuple[Ints, Ints]:
        return m.rooms.sole(m.node_.astype(np.int64))

    @staticmethod
    def _whole(m: Matches) -> NDArray[np.bool_]:
        """Whether the building that a text names was reached, where it names one."""
        found: NDArray[np.bool_] = (m.asked.building == 0) | (m.level_ >= AddressLevel.BUILDING)
        return found

    def _sentence(self, chunk: Matches, row: int, reason: int) -> Text:
        match, noun = chunk[row], _NOUNS[self.refers]
        if reason == OK:
            return match.explain()
        if reason == AMBIGUOUS:
            names = [p.address for p in match.candidates]
            said = Text(f"有{len(names)}处同样符合", f"{len(names)} places fit equally well")
            return _listed(said, names)
        others = [r.place.address for r in match.runners_up]
        if reason == COARSE:
            return _listed(self._coarse(chunk, row, match), others)
        if match.place is None:
            return _listed(Text(f"没有找到这一{noun.zh}", f"no such {noun.en} is known"), others)
        label = match.level.label
        said = Text(
            f"没有登记这一{noun.zh},只找到{label.zh}{match.place.address}",
            f"no such {noun.en} is registered; found is the {label.en} {match.place.address}",
        )
        return _listed(said, others)

    def _coarse(self, chunk: Matches, row: int, match: Match) -> Text:
        noun, label = _NOUNS[self.refers], match.address.level.label
        homes = int(self._inside(chunk)[0][chunk.distinct[row]])
        if self.refers == DWELLINGS and homes > 1 and match.place is not None:
            where = match.place.address
            return Text(
                f"{where}有{homes}户,请写明楼栋、单元和室号",
                f"{where} has {homes} dwellings; building, staircase and room are wanted",
            )
        return Text(
            f"地址只写到{label.zh},不能确定一处{noun.zh}",
            f"the address says no more than the {label.en}, which does not tell one {noun.en}",
        )


def _ambiguous(m: Matches) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = m.ties_ > 1
    return found


def _taken(values: NDArray[Any], rows: Ints) -> NDArray[Any]:
    """Values of rows; 0 for row −1."""
    if not len(values):
        return np.zeros(len(rows), dtype=values.dtype)
    return np.where(rows >= 0, values.take(np.maximum(rows, 0)), np.zeros(1, dtype=values.dtype))


def _codes(codes: pa.Array, rows: Ints) -> pa.Array:
    if not len(codes):
        return pa.nulls(len(rows), pa.string())
    return codes.take(pa.array(np.maximum(rows, 0), mask=rows < 0))


def _listed(said: Text, names: list[str]) -> Text:
    if not names:
        return said
    shown, more = names[:_NAMED], len(names) > _NAMED
    zh, en = "、".join(shown) + "等" * more, ", ".join(shown) + ", …" * more
    return Text(f"{said.zh};可能是:{zh}", f"{said.en}; it could be: {en}")
