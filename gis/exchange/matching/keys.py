"""Which address a building has: registers name it in words, so full addresses are compared as they read.

What a building's own row says may be cut off (the fields of a shapefile hold few bytes) or be missing; its dwellings
say it again. What any of them says may leave divisions out: the place is the same where the rest reads alike.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gis.codes.address import canonical
from gis.codes.address_column import AddressReader
from gis.codes.address_parts import DIVISIONS
from gis.codes.address_text import plain_column
from gis.codes.column import CodeColumn, strings
from gis.exchange.matching.vocabulary import Ints

_ASKED = 3
"""So many of a building's dwellings, the first by their codes, are asked for its address."""
_NONE = -1


@dataclass(frozen=True, slots=True)
class Joined:
    """The addresses with `key`, and the dwellings with the key of theirs as `place` (null where none is known).

    A building whose full address is not among the addresses stands there too, without code and fid; its key is its
    code after "@".
    """

    addresses: pa.Table
    dwellings: pa.Table


def joined(addresses: pa.Table, buildings: pa.Table, dwellings: pa.Table) -> Joined:
    """Find each building's and each dwelling's place; the order of rows does not matter.

    `addresses` have code, text; `buildings` code, address; `dwellings` code, building, address; the first two also
    division, lon, lat. A dwelling is where its building is; where that is not known, where its own address says.
    """
    known, built = _Known.of(addresses), strings(buildings["code"])
    found = _Buildings.of(buildings, _heard(built, dwellings), known)
    own = pc.binary_join_element_wise("@", built, "")
    codes = strings(addresses["code"])
    key = pc.coalesce(codes.take(_rows(found.row)), pc.if_else(pa.array(found.alone, pa.bool_()), own, _NO_TEXT))
    place = key.take(pc.index_in(strings(dwellings["building"]), value_set=built))
    lost = place.is_null()
    if pc.any(lost).as_py():
        said = [known.row(door) for door in _doors(strings(dwellings["address"]).filter(lost))]
        place = pc.replace_with_mask(place, lost, codes.take(_rows(said)))
    texts = pa.array(found.text, pa.string())
    more = buildings.append_column("key", key).append_column("text", texts)
    more = more.filter(pa.array(found.alone, pa.bool_()))
    every = pa.concat_tables([addresses.append_column("key", addresses["code"]), _as_addresses(more, addresses)])
    return Joined(every, dwellings.append_column("place", place))


_NO_TEXT = pa.scalar(None, pa.string())


class _Door(NamedTuple):
    """An address down to the building in standard form: the divisions that it names, and the rest."""

    named: tuple[str, ...]
    rest: str

    @property
    def full(self) -> str:
        return f"{''.join(self.named)}{self.rest}"

    def agrees(self, other: "_Door") -> bool:
        """Whether no division is named otherwise."""
        return all(a == b or not a or not b for a, b in zip(self.named, other.named, strict=True))


@dataclass(frozen=True, slots=True)
class _Known:
    """The addresses, to be found by how they read."""

    doors: list[_Door]
    divisions: list[str]
    by_rest: dict[str, list[int]]
    beginnings: tuple[list[str], list[str]]
    """All addresses in standard form, and as they are written, each ascending."""

    @classmethod
    def of(cls, addresses: pa.Table) -> "_Known":
        texts = strings(addresses["text"])
        doors = list(_doors(texts))
        by_rest: dict[str, list[int]] = {}
        for row, door in enumerate(doors):
            by_rest.setdefault(door.rest, []).append(row)
        beginnings = sorted(d.full for d in doors), sorted(plain_column(texts.to_pylist()))
        return cls(doors, strings(addresses["division"]).to_pylist(), by_rest, beginnings)

    def row(self, door: _Door, division: str = "") -> int:
        """The row that reads the same, −1 where there is none or no telling which; `division` is where it is known to
        be, by its code.
        """
        alike = self.by_rest.get(door.rest, []) if door.rest else []
        for row in alike:
            if self.doors[row].named == door.named:
                return row
        agreeing = {row for row in alike if self.doors[row].agrees(door)}
        here = {row for row in alike if division and self.divisions[row] == division}
        return next((min(rows) for rows in (agreeing & here, agreeing, here) if len(rows) == 1), _NONE)

    def is_whole(self, door: _Door, written: str) -> bool:
        """Whether a text is not just the beginning of an address, as one that was cut off is."""
        return bool(door.full) and not any(map(_begins, (door.full, written), self.beginnings))


def _begins(text: str, ordered: list[str]) -> bool:
    after = bisect_left(ordered, text)
    return bool(text) and after < len(ordered) and ordered[after].startswith(text)


@dataclass(frozen=True, slots=True)
class _Buildings:
    """For each building the row of its address (−1: not known), its full address, and whether it stands for itself."""

    row: list[int]
    text: list[str]
    alone: list[bool]

    @classmethod
    def of(cls, buildings: pa.Table, heard: list[list[_Door]], known: _Known) -> "_Buildings":
        """What most say of its dwellings and itself, of what is known; else what says most."""
        written = strings(buildings["address"])
        plain, divisions = plain_column(written.to_pylist()), strings(buildings["division"]).to_pylist()
        found = cls([], [], [])
        for own, said, text, division in zip(_doors(written), heard, plain, divisions, strict=True):
            # its dwellings first: where as many say one thing as the other, a text that was cut off says the other
            votes = Counter(known.row(door, division) for door in (*said, own))
            del votes[_NONE]
            row = max(votes, key=votes.__getitem__, default=_NONE)
            best = max((own, *said), key=lambda door: len(door.full))
            found.row.append(row)
            found.text.append(best.full)
            found.alone.append(row == _NONE and known.is_whole(best, text if best is own else ""))
        return found


def _heard(built: pa.Array, dwellings: pa.Table) -> list[list[_Door]]:
    """What some dwellings of each building say that its address is."""
    found: list[list[_Door]] = [[] for _ in range(len(built))]
    order = pc.sort_indices(dwellings, sort_keys=[("building", "ascending"), ("code", "ascending")]).to_numpy()
    of = pc.index_in(strings(dwellings["building"]), value_set=built).fill_null(_NONE).to_numpy()[order]
    first = np.flatnonzero(np.concatenate([[True], np.diff(of) != 0])) if len(of) else of
    within = np.arange(len(of)) - np.repeat(first, np.diff(np.append(first, len(of))))
    asked = np.flatnonzero((within < _ASKED) & (of != _NONE))
    texts = strings(dwellings["address"]).take(pa.array(order[asked]))
    for building, door in zip(of[asked].tolist(), _doors(texts), strict=True):
        found[building].append(door)
    return found


def _rows(rows: list[int]) -> pa.Array:
    numbers: Ints = np.array(rows, dtype=np.int64)
    return pa.array(numbers, mask=numbers == _NONE)


def _as_addresses(buildings: pa.Table, addresses: pa.Table) -> pa.Table:
    shared = {name: buildings[name] for name in ("division", "text", "lon", "lat", "key")}
    names = (*addresses.column_names, "key")
    types = {**{f.name: f.type for f in addresses.schema}, "key": addresses.schema.field("code").type}
    return pa.table({n: shared.get(n, pa.nulls(len(buildings), types[n])).cast(types[n]) for n in names})


def _doors(texts: CodeColumn) -> Iterator[_Door]:
    """Addresses in standard form down to the building; an empty one for a text without any."""
    bare = dict.fromkeys(DIVISIONS, "")
    for chunk in AddressReader().chunks(texts):
        for row in range(len(chunk)):
            door = chunk.parts(row)._replace(unit="", floor="", room="", remark="")
            yield _Door(door[: len(DIVISIONS)], canonical(door._replace(**bare)))
