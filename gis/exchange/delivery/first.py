"""A department's first words on an empty register: the fold is the words themselves, put in beside readers.

The words are written as claims at once, into a copy of the empty table, their identifiers into another. From there the
register's own copy is filled and indexed on connections of its own while the claims are indexed; one short transaction
puts the copies in the places of the tables.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa

from gis.exchange.delivery import claims, identifiers
from gis.exchange.delivery.claims import Place
from gis.exchange.delivery.fold import placing
from gis.exchange.delivery.merging import leave_room
from gis.exchange.delivery.words import Words
from gis.exchange.registers import Deliverable
from gis.store import copy
from gis.store.aside import Aside
from gis.store.bulk import Bulk, may_swap, prepare_indexing
from gis.store.database import connect
from gis.store.tables import Register

#: The register's rows are sorted once, and the places that they refer to are held at once.
_ROOM = "256MB"


def fits(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> bool:
    """Whether nothing was ever said of the register, and the department may bring entities into being."""
    spoken = conn.execute(f"SELECT EXISTS (SELECT FROM {register.claims})").fetchone()
    named = (
        conn.execute(f"SELECT EXISTS (SELECT FROM {identifiers.table_of(register)})").fetchone()
        if register.identifiers
        else (False,)
    )
    return (
        department in register.presence
        and spoken == named == (False,)
        and may_swap(conn, Register.of(register.collection))
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class First:
    """A register's first delivery, with the copies that it fills."""

    conn: psycopg.Connection[Any]
    url: str
    register: Deliverable
    place: Place
    epoch: int

    @property
    def bulk(self) -> Bulk:
        """The register's copy."""
        key = "to_hex(fid)" if self.register.identifiers else f'"{self.register.key}"'
        return Bulk(self.register.collection, self.url, key, False)

    @property
    def asides(self) -> tuple[Aside, ...]:
        """The copies of claims and, where there are any, of identifiers."""
        collection = self.register.collection
        named = (Aside(collection.layer, f"{collection.noun}_identifier"),) if self.register.identifiers else ()
        return (self.claims, *named)

    @property
    def claims(self) -> Aside:
        """The copy of the claims."""
        return Aside("exchange", f"{self.register.noun}_claim")

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Without copies that an earlier attempt may have left; nor does this one leave any when it fails."""
        self._drop()
        with self.bulk.cleared(self.conn):
            try:
                yield
            except BaseException:
                with suppress(psycopg.Error):
                    self.conn.rollback()
                    self._drop()
                raise

    def stage(self, batches: Iterator[Words]) -> None:
        """Write the words as claims, and their identifiers: each table on a connection of its own."""
        names = [claims.first_columns(self.register)]
        if self.register.identifiers:
            names.append(", ".join(["fid", *(f'"{f.name}"' for f in self.register.identifiers)]))
        with connect(self.url) as second, self.conn.transaction():
            targets = []
            for aside, columns, conn in zip(self.asides, names, (self.conn, second), strict=False):
                aside.make(conn)
                statement = f"COPY {aside.copy} ({columns}) FROM STDIN (FORMAT binary, FREEZE)"
                targets.append((conn.cursor(), statement))
            copy.streams(targets, map(self._encode, copy.ahead(batches)))

    def _encode(self, words: Words) -> tuple[pa.LargeBinaryArray, ...]:
        said = claims.encode_first(words, self.place)
        return (said, identifiers.encode_first(words)) if self.register.identifiers else (said,)

    def building(self) -> AbstractContextManager["Future[None]"]:
        """Fill and index the register's copy while the caller goes on; the result says that it is done."""
        return self.bulk.beside(self._fill, self.epoch)

    def index(self) -> None:
        """Index claims and identifiers."""
        prepare_indexing(self.conn)
        for aside in self.asides:
            aside.index(self.conn)

    def swap(self) -> None:
        """Put all copies in their places, in the transaction that records the delivery."""
        self.bulk.swap(self.conn, [aside.table for aside in self.asides])
        for aside in self.asides:
            aside.replace(self.conn)

    def _drop(self) -> None:
        with self.conn.transaction():
            for aside in self.asides:
                aside.drop(self.conn)

    def _fill(self, conn: psycopg.Connection[Any]) -> None:
        """The copy of the register's open rows, bare, from the claims."""
        tables, collection = self.bulk.copy, self.register.collection
        for statement in tables.create_open():
            conn.execute(statement)
        conn.execute(leave_room(tables))
        conn.execute(f"SET LOCAL work_mem = '{_ROOM}'")
        placed, joins = placing(self.register, "s")
        names = ("cell", "division", "geom", *(("geom_3857",) if collection.tiled else ()))
        own = ", ".join(
            f's."{f.name}"' if self.place.department in self.register.authority(f.name) else f"NULL::{f.type.sql}"
            for f in collection.fields
        )
        fields = ", ".join(f'"{f.name}"' for f in collection.fields)
        conn.execute(
            f"INSERT INTO {tables.table()} (fid, valid_from, valid_to, rec_from, digest, load, src_row,"
            f" {', '.join(names)}, {fields})"
            f" SELECT s.fid, coalesce(s.valid_from, '-infinity'), coalesce(s.valid_to, 'infinity'), {int(self.epoch)},"
            f" s.digest, {int(self.place.delivery)}, s.src_row, {placed}, {own}"
            f" FROM {self.claims.copy} s {joins} WHERE s.said ORDER BY s.fid"
        )
