"""What was asked for and never came: requested items that no delivery has held."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg
from psycopg import sql

from gis.exchange.directory import versions
from gis.exchange.directory.entries import DataItem, Directory
from gis.exchange.directory.registers import known_deliverables
from gis.exchange.registers import Deliverable
from gis.store.database import Database
from gis.text import Text


@dataclass(frozen=True, slots=True)
class Absent:
    """An item that `asked_by` departments asked for, the first of them on `since`, and that its owner never delivered.

    `why`: the class has never been delivered ("class"), its register has no field for the item ("field"), or the
    field was empty in every row ("empty").
    """

    item: str
    title: Text
    information_class: str
    owner: str
    asked_by: tuple[str, ...]
    since: date
    why: Literal["class", "field", "empty"]

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "item": self.item, "title": self.title.as_dict(), "class": self.information_class, "owner": self.owner,
            "asked_by": list(self.asked_by), "since": self.since.isoformat(), "why": self.why,
        }  # fmt: skip


def absent(database: Database) -> list[Absent]:
    """The items asked for that were never delivered, the longest awaited first; withdrawn deliveries do not count."""
    known = known_deliverables(database)
    with database.connection() as conn:
        held = versions.read(conn)
        wanted: dict[str, list[tuple[str, date]]] = {}
        for request in held.requests.values():
            wanted.setdefault(request.item, []).append((request.department, request.asked_on))
        lacks = _Lacks(conn, held, known)
        found = []
        for code, asked in wanted.items():
            item, why = held.items[code], lacks.why(held.items[code])
            if why is not None:
                by, since = tuple(sorted({d for d, _ in asked})), min(day for _, day in asked)
                found.append(Absent(code, item.title, item.information_class, held.owner(item), by, since, why))
    return sorted(found, key=lambda one: (one.since, one.item))


class _Lacks:
    """What each department has delivered, looked up once for each register."""

    def __init__(self, conn: psycopg.Connection[Any], held: Directory, known: dict[str, Deliverable]) -> None:
        self._conn, self._held, self._known = conn, held, known
        rows = conn.execute("SELECT DISTINCT register, department FROM exchange.delivery WHERE state = 'done'")
        self._done = {(str(register), str(department)) for register, department in rows}
        self._filled: dict[tuple[str, str], frozenset[str]] = {}

    def why(self, item: DataItem) -> Literal["class", "field", "empty"] | None:
        """Why an item is absent; None where it has come."""
        own, owner = self._held.classes[item.information_class], self._held.owner(item)
        if (own.delivered_as, owner) not in self._done:
            return "class"
        register = self._known.get(own.register)
        if register is None:
            return None
        if not item.field:
            return "field"
        if item.field == register.key:
            return None
        return None if _column(register, item.field) in self._fields(register, owner) else "empty"

    def _fields(self, register: Deliverable, department: str) -> frozenset[str]:
        """The columns of claims that the department has filled in some row."""
        key = (register.collection.id, department)
        if key not in self._filled:
            names = [name for name, _ in register.claim_columns]
            query = sql.SQL("SELECT {} FROM {} WHERE department = %s AND said AND NOT withdrawn").format(
                sql.SQL(", ").join(sql.SQL("bool_or({} IS NOT NULL)").format(sql.Identifier(n)) for n in names),
                sql.Identifier("exchange", f"{register.noun}_claim"),
            )
            row = self._conn.execute(query, (department,)).fetchone() or ()
            self._filled[key] = frozenset(name for name, filled in zip(names, row, strict=True) if filled)
        return self._filled[key]


def _column(register: Deliverable, field: str) -> str:
    """The column of claims that holds a field of the intake: an address in words ends in the code that it gave."""
    written = {i.written.name: name for name, i in register.items.items() if i.written is not None}
    return written.get(field, field)
