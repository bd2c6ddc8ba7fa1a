"""A directory file as a new version of the directory: all of it or nothing, and what it changes is recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from gis.catalog import Catalogue
from gis.exchange.directory import versions
from gis.exchange.directory.declarations import read_declaration
from gis.exchange.directory.entries import (
    DataItem,
    DeclaredRegister,
    Department,
    Directory,
    Entry,
    InformationClass,
    Request,
    directory_of,
)
from gis.exchange.directory.reading import Fault, read_entries, refuse, row_of, shown
from gis.exchange.directory.registers import ensure_tables
from gis.exchange.directory.sheets import DirectoryFile, open_directory
from gis.exchange.directory.versions import Changed
from gis.exchange.provenance import file_name, sha256
from gis.exchange.registers import DELIVERABLES, Deliverable
from gis.store.database import Database, connect, translated
from gis.text import Text

_KINDS: tuple[type[Entry], ...] = (Department, InformationClass, DataItem, Request)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a directory file did: the version that is in force now, and the changes by kind (all zero: nothing new)."""

    file: str
    version: int
    changes: dict[str, Changed]
    counts: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        changes = {
            kind: {"added": c.added, "changed": c.changed, "removed": c.removed} for kind, c in self.changes.items()
        }
        return {"file": self.file, "version": self.version, "changes": changes, "counts": self.counts}


def apply(database: Database, catalogue: Catalogue, path: Path) -> Applied:
    """Take a directory file (.json, or a workbook with the sheets 部门, 信息类, 数据项) as the new version.

    What the file holds of a kind takes the place of all of that kind; a kind that it does not hold stays as it is. A
    file that changes nothing makes no version. Registers that it declares get their tables. `catalogue` is what the
    city has without the directory's own registers. Raises BadInput that tells each fault with sheet, row and field;
    then nothing of it was applied.
    """
    file = open_directory(path)
    faults: list[Fault] = []
    given: dict[type[Entry], Any] = {kind: read_entries(file, kind, faults) for kind in _KINDS if kind in file.records}
    declared = [read_declaration(one) for one in file.registers or ()]
    if file.registers is not None:
        held = zip(declared, file.registers, strict=True)
        given[DeclaredRegister] = {(d.collection.id,): DeclaredRegister(id=d.collection.id, declaration=raw)
                                   for d, raw in held}  # fmt: skip
    with translated(), connect(database.url) as conn, conn.transaction():
        versions.lock(conn)
        before = versions.read(conn)
        entries = {kind: given.get(kind, before.entries(kind)) for kind in (*_KINDS, DeclaredRegister)}
        after = directory_of(before.version + 1, entries)
        registers = {name: read_declaration(r.declaration) for name, r in after.registers.items()}
        taken = {c.id for c in catalogue} - before.registers.keys() | DELIVERABLES.keys()
        faults += _check(file, after, registers, taken)
        refuse(file, faults)
        return _write(conn, path, before, after, registers)


def _write(
    conn: psycopg.Connection[Any], path: Path, before: Directory, after: Directory, registers: dict[str, Deliverable]
) -> Applied:
    name = file_name(path)
    kinds: tuple[type[Entry], ...] = (*_KINDS, DeclaredRegister)
    changes = {kind.table: versions.differences(kind, before, after) for kind in kinds}
    if all(change == Changed() for change in changes.values()):
        return Applied(name, before.version, changes, before.counts)
    for register, deliverable in registers.items():
        earlier = before.registers.get(register)
        ensure_tables(conn, deliverable, read_declaration(earlier.declaration) if earlier else None)
    versions.record(conn, after.version, name, sha256(path))
    versions.write(conn, before, after)
    done = Applied(name, after.version, changes, after.counts)
    versions.record_changes(conn, after.version, done.as_dict()["changes"])
    return done


def _check(file: DirectoryFile, after: Directory, registers: dict[str, Deliverable], taken: set[str]) -> list[Fault]:
    """What the entries say of one another, and of registers, must be so in the whole directory."""
    known = {**DELIVERABLES, **registers}
    return [
        *_check_classes(file, after, known),
        *_check_items(file, after, known),
        *_check_requests(file, after),
        *_check_registers(after, registers, known, taken),
    ]


def _check_classes(file: DirectoryFile, after: Directory, known: dict[str, Deliverable]) -> Iterator[Fault]:
    for one in after.classes.values():
        if one.department not in after.departments:
            yield _missing(file, one, "department", one.department, Department)
        if one.register and one.register not in known:
            text = Text(f"没有登记库 {one.register!r};现有:{'、'.join(known)}",
                        f"there is no register {one.register!r}; there are {', '.join(known)}")  # fmt: skip
            yield _fault(file, one, "register", text)


def _check_items(file: DirectoryFile, after: Directory, known: dict[str, Deliverable]) -> Iterator[Fault]:
    for item in after.items.values():
        own = after.classes.get(item.information_class)
        if own is None:
            yield _missing(file, item, "information_class", item.information_class, InformationClass)
            continue
        if item.owner and item.owner not in after.departments:
            yield _missing(file, item, "owner", item.owner, Department)
        register = known.get(own.register)
        if item.field and (register is None or item.field not in register.intake.by_name):
            text = Text(f"{own.register or own.code} 没有字段 {item.field!r}",
                        f"{own.register or own.code} has no field {item.field!r}")  # fmt: skip
            yield _fault(file, item, "field", text)


def _check_requests(file: DirectoryFile, after: Directory) -> Iterator[Fault]:
    for request in after.requests.values():
        if request.department not in after.departments:
            yield _missing(file, request, "department", request.department, Department)
        if request.item not in after.items:
            yield _missing(file, request, "item", request.item, DataItem)


def _check_registers(
    after: Directory, registers: dict[str, Deliverable], known: dict[str, Deliverable], taken: set[str]
) -> Iterator[Fault]:
    """Departments whose word counts are in the directory; no register takes the place of another collection."""
    for row, (name, register) in enumerate(known.items(), start=1 - len(DELIVERABLES)):
        weighed = [*register.presence, *(d for item in register.items.values() for d in item.authority)]
        for code in dict.fromkeys(weighed):
            if code not in after.departments:
                text = Text(f"{name} 以部门 {code!r} 的数据为准,目录中没有该部门",
                            f"{name} counts the word of {code!r}, which the directory does not have")  # fmt: skip
                yield Fault("registers", max(row, 0), "presence", text)
        if name not in registers:
            continue
        if name in taken:
            yield Fault("registers", row, "id", Text(f"{name} 已有", f"{name} is there already"))
        for refers in {item.refers for item in register.items.values() if item.refers}:
            if refers not in taken | known.keys():
                text = Text(f"没有数据集 {refers!r}", f"there is no collection {refers!r}")
                yield Fault("registers", row, "refers", text)


def _missing(file: DirectoryFile, entry: Any, field: str, code: str, kind: type[Entry]) -> Fault:
    names = {Department: ("部门", "department"), InformationClass: ("信息类", "class"), DataItem: ("数据项", "item")}
    zh, en = names[kind]
    return _fault(file, entry, field, Text(f"目录中没有{zh} {code!r}", f"the directory has no {en} {code!r}"))


def _fault(file: DirectoryFile, entry: Any, field: str, text: Text) -> Fault:
    kind = type(entry)
    return Fault(file.sheets.get(kind, kind.table), row_of(file, entry), shown(kind, field), text)
