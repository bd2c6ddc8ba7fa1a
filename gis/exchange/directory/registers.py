"""Registers that the directory declares: their tables made and widened, and found beside those declared in code."""

from collections.abc import Mapping
from typing import Any

import psycopg

from gis.catalog import Catalogue, Collection, Layer
from gis.errors import BadInput, UnknownName
from gis.exchange.claim_tables import create_claims, create_identifiers
from gis.exchange.directory.declarations import read_declaration
from gis.exchange.registers import DELIVERABLES, Deliverable
from gis.query.statement import Statement
from gis.store import derived
from gis.store.database import Database
from gis.store.tables import Register
from gis.text import Text

_EXCHANGE = "exchange"
_TITLE = Text("目录登记库", "Registers of the directory")


def stored_deliverables(database: Database) -> dict[str, Deliverable]:
    """The registers that the directory declares now, by id."""
    rows = database.rows(
        Statement("SELECT id, declaration FROM exchange.declared_register WHERE to_version IS NULL ORDER BY id")
    )
    return {str(name): read_declaration(declaration) for name, declaration in rows}


def known_deliverables(database: Database) -> dict[str, Deliverable]:
    """Every register that departments can deliver to: those declared in code, then those of the directory."""
    return {**DELIVERABLES, **stored_deliverables(database)}


def known_deliverable(database: Database, register: str) -> Deliverable:
    """The register of that id, declared in code or in the directory. Raises UnknownName."""
    if register in DELIVERABLES:
        return DELIVERABLES[register]
    known = known_deliverables(database)
    if register not in known:
        raise UnknownName(
            f"nothing can be delivered to {register!r}; there are {', '.join(known)}",
            f"{register!r} 不接收部门数据;可选:{'、'.join(known)}",
            subject=register,
        )
    return known[register]


def with_declared(catalogue: Catalogue, database: Database) -> Catalogue:
    """The catalogue with the registers that the directory declares, each in the layer that its id names.

    A catalogue without the exchange has no directory, and stays as it is.
    """
    if not any(layer.name == _EXCHANGE for layer in catalogue.layers):
        return catalogue
    layers: dict[str, list[Collection]] = {}
    for register in stored_deliverables(database).values():
        if register.collection.id not in {c.id for c in catalogue}:
            layers.setdefault(register.collection.layer, []).append(register.collection)
    more = (Layer(name=name, title=_TITLE, collections=tuple(found)) for name, found in layers.items())
    return Catalogue((*catalogue.layers, *more))


def ensure_tables(conn: psycopg.Connection[Any], register: Deliverable, before: Deliverable | None) -> None:
    """Make a register's tables, or widen those that are there by fields that `before` did not have.

    Raises BadInput where the tables that are there hold something else.
    """
    tables = Register.of(register.collection)
    held = _columns(conn, register.collection.layer, register.collection.noun)
    if not held:
        made = [*tables.create(), *create_claims(register.noun, register.claim_columns),
                *create_identifiers(register)]  # fmt: skip
        for statement in made:
            conn.execute(statement.encode())
        derived.ensure(conn, register.collection)
        return
    _check_held(register, held, before)
    new = [(name, kind) for name, kind in tables.columns if name not in held]
    if new:
        _widen(conn, register, tables, new)
    derived.ensure(conn, register.collection)


def _widen(conn: psycopg.Connection[Any], register: Deliverable, tables: Register, new: list[tuple[str, str]]) -> None:
    added = ", ".join(f'ADD COLUMN "{name}" {kind}' for name, kind in new)
    conn.execute(f"DROP VIEW {tables.table('_all')}".encode())
    for table in (tables.table(), tables.table("_past"), register.claims):
        conn.execute(f"ALTER TABLE {table} {added}".encode())
    for name, _ in new:
        if name in tables.sortable:
            conn.execute(f'CREATE INDEX "{tables.noun}_by_{name}" ON {tables.table()} ("{name}", fid)'.encode())
    conn.execute(tables.create_view().encode())


def _check_held(register: Deliverable, held: Mapping[str, str], before: Deliverable | None) -> None:
    """What identifies and places a register's rows stays; so does every field that it has."""
    own = register.collection
    lost = [f.name for f in before.collection.fields if f.name not in own.by_name] if before else []
    moved = before is not None and (_frame(before) != _frame(register))
    changed = [f.name for f in own.fields if f.name in held and held[f.name] != f.type.sql.replace("timestamptz", _TZ)]
    wrong = ", ".join(lost + changed) or ("key, identifiers, placed_by, look" if moved else "")
    if wrong:
        raise BadInput(
            f"register {own.id} holds data: fields may be added, words and weights may change, but not {wrong};"
            " declare another register",
            f"登记库 {own.id} 已建表:可增加字段、调整用语和权威顺序,但不能改变 {wrong};请另行声明登记库",
            subject=f"{own.id} {wrong}",
        )


_TZ = "timestamp with time zone"


def _frame(register: Deliverable) -> tuple[object, ...]:
    own = register.collection
    return own.key, tuple(f.name for f in register.identifiers), own.geometry, own.tiled


def _columns(conn: psycopg.Connection[Any], schema: str, table: str) -> dict[str, str]:
    rows = conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        (schema, table),
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}
