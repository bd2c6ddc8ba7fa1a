"""Rows of the registers as the index takes them in: distinct names made plain once, rows as columns of numbers."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.address_column import AddressReader
from gis.codes.address_text import plain_column
from gis.codes.column import strings
from gis.codes.division import SPANS
from gis.codes.division_column import check_column, levels
from gis.exchange.matching import words
from gis.exchange.matching.lexicon import LEVELS, Lexicon
from gis.exchange.matching.nodes import NO_FID, Floats
from gis.exchange.matching.vocabulary import Ints, Tokens, Vocabulary


@dataclass(frozen=True, slots=True)
class DivisionRows:
    """The divisions, sorted by code; `tokens` (n, 5) are the names of those above and of each itself."""

    code: Ints
    level: NDArray[np.int8]
    tokens: Tokens
    name: list[str]
    lon: Floats
    lat: Floats
    fid: Ints

    def above(self, code: Ints) -> Tokens:
        """The (n, 5) tokens of the names above and of any codes; 0 where no such division is known."""
        found = np.zeros((len(code), LEVELS), dtype=np.int32)
        if not len(self.code):
            return found
        own = levels(np.maximum(code, 1))
        for level, span in enumerate(SPANS):
            ancestor = code // span * span
            place = np.searchsorted(self.code, ancestor)
            there = (self.code.take(place, mode="clip") == ancestor) & (own > level)
            found[there, level] = self.tokens[place[there], level]
        return found


def division_rows(table: pa.Table, lexicon: Lexicon) -> DivisionRows:
    """Take in divisions: `code` (12 digits or fewer), `name`; where given `lon`, `lat`, `fid`, `former`.

    `former` marks rows (true) that are no longer valid: their names stay known, as names of the division that has
    the code now.
    """
    code = check_column(table["code"]).code.astype(np.int64)
    names = strings(table["name"]).to_pylist()
    past = (
        table["former"].to_numpy(zero_copy_only=False) if "former" in table.column_names else np.zeros(len(code), bool)
    )
    current: dict[int, int] = {int(c): row for row, c in enumerate(code) if c and not past[row]}
    former: dict[int, list[str]] = {}
    for row in past.nonzero()[0].tolist():
        former.setdefault(int(code[row]), []).append(names[row])
    rows = np.array([current[c] for c in sorted(current)], dtype=np.int64)
    kept = code[rows]
    level = levels(kept)
    own = [
        lexicon.add_division(int(v) - 1, names[r], former.get(int(c), ()))
        for r, c, v in zip(rows.tolist(), kept.tolist(), level.tolist(), strict=True)
    ]
    bare = np.zeros((len(rows), LEVELS), dtype=np.int32)
    bare[np.arange(len(rows)), level - 1] = own
    found = DivisionRows(
        kept,
        level,
        bare,
        [names[r] for r in rows.tolist()],
        _numbers(table, "lon")[rows],
        _numbers(table, "lat")[rows],
        _fids(table)[rows],
    )
    bare[:] = found.above(kept)
    return found


@dataclass(frozen=True, slots=True)
class SiteRows:
    """Addresses of buildings and doors: tokens of their parts, where they are, what the register calls them."""

    division: Ints
    street: Tokens
    plate: Tokens
    compound: Tokens
    building: Tokens
    number: Tokens
    lon: Floats
    lat: Floats
    fid: Ints
    code: pa.Array
    key: pa.Array
    """What rooms name it by; "" where nothing does."""
    main: pa.Array
    """The key of the main address of the same place; "" for a main one."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.division)

    def taken(self, rows: NDArray[np.bool_]) -> "SiteRows":
        """Some of the rows."""
        return SiteRows(
            *(
                v.filter(pa.array(rows)) if isinstance(v, pa.Array) else v[rows]
                for v in (getattr(self, f.name) for f in fields(self))
            )
        )


def site_rows(table: pa.Table, lexicon: Lexicon) -> SiteRows:
    """Take in addresses: `street`, `plate`, `compound`, `building`, or `text` where those are empty; `division`, `lon`,
    `lat`; where given `fid`, `code`, `key` (else the code), `main`. Names come to stand in the lexicon.
    """
    table = _with_parts(table)
    add = lexicon.vocabulary.add
    street, compound = (
        _names(table[column], known, lexicon.vocabulary)
        for column, known in (("street", lexicon.streets), ("compound", lexicon.compounds))
    )
    plate = _distinct(table["plate"], lambda values: np.array([add(w) for w in words.plates(values)], dtype=np.int32))
    built = _distinct(
        table["building"],
        lambda values: np.array(
            [[add(word) for word in row] for row in words.buildings(values)], dtype=np.int32
        ).reshape(-1, 3),
    )
    house = (plate == 0) & (built[:, 2] > 0)
    return SiteRows(
        check_column(table["division"]).code.astype(np.int64),
        street,
        np.where(house, built[:, 2], plate).astype(np.int32),
        compound,
        built[:, 0],
        built[:, 1],
        _numbers(table, "lon"),
        _numbers(table, "lat"),
        _fids(table),
        _codes(table),
        strings(table["key"]) if "key" in table.column_names else _codes(table),
        strings(table["main"]) if "main" in table.column_names else pa.array([""] * len(table), pa.string()),
    )


@dataclass(frozen=True, slots=True)
class RoomRows:
    """Rooms: of which place (its key), staircase and room."""

    place: pa.Array
    unit: Tokens
    room: Tokens
    fid: Ints
    code: pa.Array


def room_rows(table: pa.Table | None, vocabulary: Vocabulary) -> RoomRows:
    """Take in dwellings: `place` (the key of the address that they are in), `unit`, `room`; where given `fid`, `code`.

    Units and rooms may be bare (2, 501) or named (2单元, 501室); a house that is one home may be without.
    """
    table = _NO_ROOMS if table is None else table

    def tokens(column: str, kind: str, ending: str) -> Tokens:
        def read(values: list[str]) -> Tokens:
            bare = [v.removesuffix(ending) for v in plain_column(values)]
            return np.array([vocabulary.add(v and f"{kind}{v}") for v in bare], dtype=np.int32)

        return _distinct(table[column], read)

    return RoomRows(strings(table["place"]), tokens("unit", "单", "单元"), tokens("room", "室", "室"), _fids(table),
                    _codes(table))  # fmt: skip


class Landmarks(NamedTuple):
    """Points that have names."""

    token: Tokens
    division: Ints
    lon: Floats
    lat: Floats
    fid: Ints
    code: pa.Array
    name: pa.Array


_NO_LANDMARKS = pa.table({name: pa.array([], pa.string()) for name in ("name", "division", "lon", "lat", "code")})
_NO_ROOMS = pa.table({name: pa.array([], pa.string()) for name in ("place", "unit", "room", "code")})


def landmark_rows(table: pa.Table | None, lexicon: Lexicon) -> Landmarks:
    """Take in points with a `name`, `division`, `lon`, `lat`; where given `fid`, `code`."""
    table = _NO_LANDMARKS if table is None else table
    names = strings(table["name"])
    return Landmarks(
        _names(names, lexicon.landmarks, lexicon.vocabulary),
        check_column(table["division"]).code.astype(np.int64),
        _numbers(table, "lon"),
        _numbers(table, "lat"),
        _fids(table),
        _codes(table),
        names,
    )


def _with_parts(table: pa.Table) -> pa.Table:
    """Parts read from the texts of those rows that have none."""
    parts = ("street", "plate", "compound", "building")
    for name in (*parts, "text"):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), pa.string()))
    columns = {name: strings(table[name]) for name in (*parts, "text")}
    bare = pc.equal(pc.binary_join_element_wise(*(columns[p] for p in parts), ""), "")
    bare = pc.and_(bare, pc.not_equal(columns["text"], ""))
    if pc.any(bare).as_py():
        rows = [c.parts(r) for c in AddressReader().chunks(columns["text"].filter(bare)) for r in range(len(c))]
        read = {
            "street": [p.road for p in rows],
            "plate": [f"{p.plate}{'-' * bool(p.plate_sub)}{p.plate_sub}" for p in rows],
            "compound": [p.compound or p.landmark for p in rows],
            "building": [p.building for p in rows],
        }
        for name in parts:
            columns[name] = pc.replace_with_mask(columns[name], bare, pa.array(read[name], pa.string()))
    for name in parts:
        table = table.set_column(table.column_names.index(name), name, columns[name])
    return table


def _distinct(column: pa.ChunkedArray, read: Callable[[list[str]], Tokens]) -> Tokens:
    """Read each distinct value once."""
    coded = strings(column).dictionary_encode()
    return read(coded.dictionary.to_pylist())[coded.indices.to_numpy()] if len(coded) else read([])


def _names(column: pa.ChunkedArray, known: set[str], vocabulary: Vocabulary) -> Tokens:
    def read(values: list[str]) -> Tokens:
        plain = plain_column(values)
        known.update(filter(None, plain))
        return np.array([vocabulary.add(name and f"名{name}") for name in plain], dtype=np.int32)

    return _distinct(column, read)


def _numbers(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return np.asarray(table[name].cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _fids(table: pa.Table) -> Ints:
    if "fid" not in table.column_names:
        return np.full(len(table), NO_FID, dtype=np.int64)
    return np.asarray(table["fid"].cast(pa.int64()).fill_null(NO_FID).to_numpy(), dtype=np.int64)


def _codes(table: pa.Table) -> pa.Array:
    return strings(table["code"]) if "code" in table.column_names else pa.array([""] * len(table), pa.string())
