"""A department's first words on an empty register: the fold is the words themselves, put in beside readers.

The register's copy is filled and indexed on a connection of its own while the claims are kept on another; one short
transaction puts it in the register's place.
"""

from typing import Any

import psycopg

from gis.exchange.delivery.claims import Place
from gis.exchange.delivery.fold import placing
from gis.exchange.registers import Deliverable
from gis.store.bulk import Bulk, may_swap
from gis.store.tables import Register


def fits(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> bool:
    """Whether nothing was ever said of the register, and the department may bring entities into being."""
    spoken = conn.execute(f"SELECT EXISTS (SELECT FROM {register.claims})").fetchone()
    return (
        department in register.presence
        and spoken == (False,)
        and may_swap(conn, Register.of(register.collection))
    )  # fmt: skip


def identity_key(register: Deliverable) -> str:
    """The natural key of a register's row in SQL; of persons their number, since the table may not name them."""
    return "to_hex(fid)" if register.identifiers else f'"{register.key}"'


def fill(
    conn: psycopg.Connection[Any], bulk: Bulk, register: Deliverable, place: Place, epoch: int, table: str
) -> None:
    """The copy of the register's open rows, bare, from the staged words."""
    tables = bulk.copy
    for statement in tables.create_open():
        conn.execute(statement)
    placed, joins = placing(register, "s")
    names = ("cell", "division", "geom", *(("geom_3857",) if register.collection.tiled else ()))
    own = ", ".join(
        f's."{f.name}"' if place.department in register.authority(f.name) else f"NULL::{f.type.sql}"
        for f in register.collection.fields
    )
    fields = ", ".join(f'"{f.name}"' for f in register.collection.fields)
    conn.execute(
        f"INSERT INTO {tables.table()} (fid, valid_from, valid_to, rec_from, digest, load, src_row,"
        f" {', '.join(names)}, {fields})"
        f" SELECT s.fid, coalesce(s.valid_from, '-infinity'), coalesce(s.valid_to, 'infinity'), {int(epoch)}, s.digest,"
        f" {int(place.delivery)}, s.src_row, {placed}, {own} FROM {table} s {joins} WHERE s.said ORDER BY s.fid"
    )
