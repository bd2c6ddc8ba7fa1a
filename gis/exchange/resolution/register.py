"""The register's side: persons and entities as they are recorded and valid now, with what names them.

The rows come through the plan, so rights and times hold here too; names and numbers are joined to what it lets pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.access import Identity, rules_for
from gis.catalog import Catalogue
from gis.exchange.resolution.places import Places
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import now
from gis.query.statement import Statement
from gis.store.database import Database

PERSONS, ENTITIES, DWELLINGS, DIVISIONS = "base.persons", "base.entities", "base.dwellings", "base.divisions"
IDENTIFIER = "base.persons_identifier"
_BATCH_ROWS = 50_000

_PERSON_SCHEMA = pa.schema(
    [("fid", pa.int64()), ("division", pa.int64()), ("lon", pa.float64()), ("lat", pa.float64()), ("sex", pa.string()),
     ("birth_date", pa.date32()), ("dwelling", pa.string()), ("unit", pa.string()), ("room", pa.string()),
     ("citizen_id", pa.string()), ("name", pa.string()), ("telephone", pa.string()),
     ("variants", pa.list_(pa.string()))]
)  # fmt: skip
_ENTITY_SCHEMA = pa.schema(
    [("fid", pa.int64()), ("division", pa.int64()), ("lon", pa.float64()), ("lat", pa.float64()),
     ("credit_code", pa.string()), ("name", pa.string()), ("site", pa.string()), ("representative", pa.string()),
     ("representative_id", pa.string())]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Where the register is read, by whom, and as of when."""

    database: Database
    catalogue: Catalogue
    identity: Identity
    at: datetime | None = None

    def plan(self, collection: str, *fields: str) -> Statement:
        """The protected relation of a collection. Raises Forbidden, UnknownName."""
        moment = self.at or now()
        return Plan(Query(collection=collection, fields=fields), self.catalogue, self.identity, moment).relation()

    def allow(self) -> None:
        """Raise Forbidden unless names and numbers of persons are open to the identity."""
        rules_for(self.identity, self.catalogue[PERSONS])

    def persons(self) -> pa.Table:
        """One row a person and telling of it, by `fid`; other spellings of the name are in `variants`."""
        person = self.plan(PERSONS, "sex", "birth_date", "dwelling")
        home = self.plan(DWELLINGS, "code", "unit", "room")
        sql = (
            "SELECT p.fid, p.division, ST_X(p.geom), ST_Y(p.geom), p.sex, p.birth_date, p.dwelling, d.unit::text,"  # noqa: S608  declared names
            " d.room, i.citizen_id, i.name, i.telephone,"
            " CASE WHEN jsonb_typeof(i.variants) = 'object' THEN"
            " ARRAY(SELECT value FROM jsonb_each_text(i.variants) ORDER BY key) END"
            f" FROM ({person.sql}) p JOIN {IDENTIFIER} i USING (fid) LEFT JOIN ({home.sql}) d ON d.code = p.dwelling"
        )
        return self._table(Statement(sql, person.args + home.args), _PERSON_SCHEMA)

    def entities(self) -> pa.Table:
        """One row an entity, with its representative's name and number."""
        entity = self.plan(ENTITIES, "credit_code", "name", "site", "representative")
        sql = (
            "SELECT e.fid, e.division, ST_X(e.geom), ST_Y(e.geom), e.credit_code, e.name, e.site, i.name, i.citizen_id"  # noqa: S608  declared names
            f" FROM ({entity.sql}) e LEFT JOIN {IDENTIFIER} i ON i.fid = e.representative"
        )
        return self._table(Statement(sql, entity.args), _ENTITY_SCHEMA)

    def regions(self) -> list[str]:
        """The names of the divisions."""
        relation = self.plan(DIVISIONS, "name")
        found = self.database.rows(Statement(f"SELECT DISTINCT name FROM ({relation.sql}) q", relation.args))  # noqa: S608  declared names
        return [str(name) for (name,) in found]

    def _table(self, statement: Statement, schema: pa.Schema) -> pa.Table:
        batches = [pa.record_batch(list(map(list, zip(*rows, strict=True))), schema=schema)
                   for rows in self._batches(statement)]  # fmt: skip
        return pa.Table.from_batches(batches, schema=schema).sort_by("fid").combine_chunks()

    def _batches(self, statement: Statement) -> Iterator[list[tuple[Any, ...]]]:
        """Rows by a cursor in the server, so that a million never stand in memory as Python objects."""
        with self.database.connection() as conn, conn.transaction():
            conn.execute("SET LOCAL statement_timeout = 0")
            with conn.cursor("resolution", binary=True) as cursor:
                cursor.execute(statement.sql, statement.args)
                while rows := cursor.fetchmany(_BATCH_ROWS):
                    yield rows


def faces(persons: pa.Table) -> pa.Table:
    """Persons with one row more for every other spelling of their name: all rows of a `fid` are one person."""
    variants = persons["variants"].combine_chunks()
    parents, texts = pc.list_parent_indices(variants), pc.list_flatten(variants)
    named = pc.fill_null(pc.match_substring_regex(texts, r"^\p{L}[\p{L}·•.\s]*$"), False)
    own = persons["name"].take(parents)
    named = pc.and_(named, pc.fill_null(pc.not_equal(texts, own.combine_chunks()), True))
    if not pc.any(named).as_py():
        return persons
    more = persons.take(parents.filter(named))
    more = more.set_column(more.column_names.index("name"), "name", texts.filter(named))
    return pa.concat_tables([persons, more]).sort_by("fid").combine_chunks()


def column(table: pa.Table, name: str) -> pa.Array:
    """One column as one plain array; of texts, nulls become ""."""
    found = table[name].combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        found = found.chunk(0) if found.num_chunks else pa.array([], found.type)
    return found.fill_null("") if pa.types.is_string(found.type) else found


def points(table: pa.Table, unit: str | None, room: str | None, code: str) -> Places:
    """Where the rows of a register are."""
    nothing = pa.array([""] * len(table), pa.string())
    lon, lat = (_floats(table, name) for name in ("lon", "lat"))
    return Places(
        lon,
        lat,
        np.zeros(len(table)),
        np.asarray(column(table, "division").fill_null(0), dtype=np.int64),
        column(table, unit) if unit else nothing,
        column(table, room) if room else nothing,
        column(table, code),
    )


def _floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(column(table, name).fill_null(np.nan), dtype=np.float64)
