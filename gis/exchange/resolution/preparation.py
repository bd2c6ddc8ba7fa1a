"""Both sides of a question made comparable: the register as it is read, the rows as they were understood."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.citizen_id_column import check_column
from gis.codes.column import strings
from gis.exchange.matching import AddressIndex, register_of
from gis.exchange.resolution import entities, persons
from gis.exchange.resolution.asked import Asked
from gis.exchange.resolution.dates import days_of
from gis.exchange.resolution.entities import Entities
from gis.exchange.resolution.entity_names import EntityNames
from gis.exchange.resolution.keys import numbered
from gis.exchange.resolution.names import Names, plain_names
from gis.exchange.resolution.numbers import Numbers
from gis.exchange.resolution.persons import Persons
from gis.exchange.resolution.places import Places, located, places_of_texts
from gis.exchange.resolution.register import Source, column, faces, points
from gis.exchange.resolution.sides import Sides

_SEXES = {"male": 1, "female": 2}
#: Where a row of a register says where it is: its address in words, and the code of that place.
_ADDRESSED = {"base.persons": ("dwelling_address", "dwelling"), "base.entities": ("site_address", "site")}


def sides_of(register: str, source: Source, rows: Asked) -> Sides:
    """Both sides, read from a register by its id."""
    text, _ = _ADDRESSED[register]
    index = None
    if text in rows.columns:
        index = AddressIndex(register_of(source.database, source.catalogue, source.identity, at=source.at))
    if register == "base.persons":
        return persons_sides(source.persons(), rows, index)
    return entities_sides(source.entities(), rows, index, source.regions())


def persons_sides(register: pa.Table, rows: Asked, index: AddressIndex | None) -> Sides:
    """Persons as `Source.persons` gives them, with all spellings of their names; `index` reads the rows' addresses."""
    table = faces(register)
    known = points(table, "unit", "room", "dwelling")
    here, there = located(known, _places(rows, _ADDRESSED["base.persons"], known, index))
    names, (own, others) = Names.of(plain_names(column(table, "name")), plain_names(rows.get("name")))
    phones = numbered(_telephones(column(table, "telephone")), _telephones(rows.get("telephone")))
    persons_of = Persons(
        Numbers.of_citizens(column(table, "citizen_id")), own, days_of(column(table, "birth_date")),
        _sexes(column(table, "sex")), phones[0], here, names,
    )  # fmt: skip
    asked = Persons(
        Numbers.of_citizens(rows.get("citizen_id")), others, days_of(rows.get("birth_date")),
        _sexes(rows.get("sex")), phones[1], there, names,
    )  # fmt: skip
    fid = np.asarray(column(table, "fid"), dtype=np.int64)
    return Sides(
        persons_of, asked, fid, partial(persons.probes, persons_of, asked), persons.COMPARISONS, persons.OVERLAPS
    )


def entities_sides(register: pa.Table, rows: Asked, index: AddressIndex | None, regions: Sequence[str]) -> Sides:
    """Entities as `Source.entities` gives them; `regions` are the names of divisions that names may begin with."""
    known = points(register, None, None, "site")
    here, there = located(known, _places(rows, _ADDRESSED["base.entities"], known, index))
    name, its_name = EntityNames.of_both(column(register, "name"), rows.get("name"), regions)
    heads = plain_names(column(register, "representative")), plain_names(rows.get("representative_name"))
    people, (own, others) = Names.of(*heads)
    ids = numbered(_citizens(column(register, "representative_id")), _citizens(rows.get("representative")))
    recorded = Entities(Numbers.of_entities(column(register, "credit_code")), name, own, ids[0], people, here)
    asked = Entities(Numbers.of_entities(rows.get("credit_code")), its_name, others, ids[1], people, there)
    fid = np.asarray(column(register, "fid"), dtype=np.int64)
    return Sides(
        recorded, asked, fid, partial(entities.probes, recorded, asked), entities.COMPARISONS, entities.OVERLAPS
    )


def _citizens(values: pa.Array) -> pa.Array:
    """Sound id numbers; "" for the others."""
    return check_column(strings(values)).text.fill_null("")


def _places(rows: Asked, fields: tuple[str, str], known: Places, index: AddressIndex | None) -> Places:
    """Where the rows are: by the code of a dwelling or an address that the register knows, else by their text."""
    text, code = fields
    nothing = np.full(rows.rows, np.nan)
    blank = pa.array([""] * rows.rows, pa.string())
    found = Places(nothing, nothing, np.zeros(rows.rows), np.zeros(rows.rows, dtype=np.int64), blank, blank, blank)
    if index is not None and text in rows.columns:
        found = places_of_texts(rows.get(text), index)
    return _by_code(found, rows.get(code), known) if code in rows.columns else found


def _by_code(found: Places, codes: pa.Array, known: Places) -> Places:
    """The known places of those rows that have a known code, the others as they were found."""
    codes = codes.cast(pa.string()).fill_null("")
    at = np.asarray(pc.index_in(codes, value_set=known.code.filter(pc.not_equal(known.code, ""))).fill_null(-1))
    rowed = np.flatnonzero(np.asarray(pc.not_equal(known.code, "")))
    there = at >= 0
    if not there.any():
        return found
    which = rowed[np.maximum(at, 0)]
    take, mask = pa.array(which), pa.array(there)
    return Places(
        np.where(there, known.lon[which], found.lon),
        np.where(there, known.lat[which], found.lat),
        np.where(there, 0.0, found.reach_m),
        np.where(there, known.village[which], found.village),
        pc.if_else(mask, known.unit.take(take), found.unit),
        pc.if_else(mask, known.room.take(take), found.room),
        pc.if_else(mask, codes, found.code),
    )


def _sexes(values: pa.Array) -> NDArray[np.int8]:
    found = np.zeros(len(values), dtype=np.int8)
    for word, number in _SEXES.items():
        found[np.asarray(pc.equal(values.cast(pa.string()).fill_null(""), word))] = number
    return found


def _telephones(values: pa.Array) -> pa.Array:
    """Telephone numbers by their last eleven digits; "" where there are fewer than seven."""
    if pa.types.is_floating(values.type):
        values = values.cast(pa.int64(), safe=False)
    digits = pc.replace_substring_regex(values.cast(pa.string()).fill_null(""), r"\.0+$|[^0-9]", "")
    last = pc.utf8_slice_codeunits(digits, -11)
    return pc.if_else(pc.greater_equal(pc.utf8_length(last), 7), last, "")
