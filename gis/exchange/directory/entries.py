"""What a directory is made of: departments, information classes, data items, requests, declared registers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from gis.catalog import Sensitivity
from gis.errors import UnknownName
from gis.exchange.directory.words import ItemType, Period, Share, Subject
from gis.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One that hands data over, or asks for it."""

    table: ClassVar[str] = "department"
    key: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    title_zh: str
    title_en: str = ""

    @property
    def title(self) -> Text:
        """Its name; where the directory has no English one, the Chinese."""
        return Text(self.title_zh, self.title_en or self.title_zh)


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationClass:
    """One body of information that a department collects (信息类), since `begins`, once a `period`.

    `register` is the register that its rows are delivered to; empty where there is none yet, and then its deliveries
    bear its own code.
    """

    table: ClassVar[str] = "information_class"
    key: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    department: str
    title_zh: str
    title_en: str = ""
    subject: Subject
    period: Period
    begins: date
    register: str = ""

    @property
    def title(self) -> Text:
        """Its name; where the directory has no English one, the Chinese."""
        return Text(self.title_zh, self.title_en or self.title_zh)

    @property
    def delivered_as(self) -> str:
        """What its deliveries are known by."""
        return self.register or self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItem:
    """One item of a class (数据项).

    `terms` are the conditions of sharing, or the ground for not sharing. `owner` is the department that collects it,
    empty for the class's own. `identifying` items say whom or what a row is about, so that classes can be joined.
    `element` is the standard data element that it is, `field` the field of the class's register that holds it.
    """

    table: ClassVar[str] = "data_item"
    key: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    information_class: str
    title_zh: str
    title_en: str = ""
    type: ItemType
    meaning_zh: str = ""
    meaning_en: str = ""
    unit: str = ""
    sensitivity: Sensitivity
    share: Share
    terms: str = ""
    period: Period | None = None
    owner: str = ""
    identifying: bool = False
    element: str = ""
    field: str = ""

    @property
    def title(self) -> Text:
        """Its name; where the directory has no English one, the Chinese."""
        return Text(self.title_zh, self.title_en or self.title_zh)

    @property
    def meaning(self) -> Text:
        """What it means; where the directory has no English, the Chinese."""
        return Text(self.meaning_zh, self.meaning_en or self.meaning_zh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An item that a department asked for, and what for."""

    table: ClassVar[str] = "request"
    key: ClassVar[tuple[str, ...]] = ("department", "item")

    department: str
    item: str
    purpose: str = ""
    asked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRegister:
    """A register that needs no code: its declaration, as `gis.exchange.directory.registers` reads it."""

    table: ClassVar[str] = "declared_register"
    key: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    declaration: Mapping[str, Any] = field(hash=False)


Entry = Department | InformationClass | DataItem | Request | DeclaredRegister
KINDS: tuple[type[Entry], ...] = (Department, InformationClass, DataItem, Request, DeclaredRegister)


def key_of(entry: Entry) -> tuple[str, ...]:
    """What tells an entry from the others of its kind."""
    return tuple(getattr(entry, name) for name in entry.key)


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The whole directory in one version; entries by their code, requests by (department, item)."""

    version: int
    departments: Mapping[str, Department]
    classes: Mapping[str, InformationClass]
    items: Mapping[str, DataItem]
    requests: Mapping[tuple[str, str], Request]
    registers: Mapping[str, DeclaredRegister]

    @property
    def counts(self) -> dict[str, int]:
        """How many departments, classes and items there are."""
        return {"departments": len(self.departments), "classes": len(self.classes), "items": len(self.items)}

    @cached_property
    def items_of(self) -> Mapping[str, tuple[DataItem, ...]]:
        """The items of each class that has any."""
        found: dict[str, list[DataItem]] = {}
        for item in self.items.values():
            found.setdefault(item.information_class, []).append(item)
        return {code: tuple(items) for code, items in found.items()}

    def owner(self, item: DataItem) -> str:
        """The department that collects an item: its own, else its class's."""
        return item.owner or self.classes[item.information_class].department

    def period(self, item: DataItem) -> Period:
        """How often an item is collected: its own period, else its class's."""
        return item.period or self.classes[item.information_class].period

    def department(self, code: str) -> Department:
        """The department of that code. Raises UnknownName."""
        found = self.departments.get(code)
        if found is None:
            raise UnknownName(
                f"the directory has no department {code!r}; it has {', '.join(self.departments)}",
                f"目录中没有部门 {code!r};现有:{'、'.join(self.departments)}",
                subject=code,
            )
        return found

    def entries(self, kind: type[Entry]) -> Mapping[tuple[str, ...], Entry]:
        """All entries of a kind by their whole key."""
        held = {
            Department: self.departments, InformationClass: self.classes, DataItem: self.items,
            Request: self.requests, DeclaredRegister: self.registers,
        }  # fmt: skip
        return {key_of(entry): entry for entry in held[kind].values()}  # type: ignore[attr-defined]


def directory_of(version: int, entries: Mapping[type[Entry], Mapping[tuple[str, ...], Any]]) -> Directory:
    """The directory that holds these entries, by kind and whole key."""
    return Directory(
        version=version,
        departments={key[0]: e for key, e in entries[Department].items()},
        classes={key[0]: e for key, e in entries[InformationClass].items()},
        items={key[0]: e for key, e in entries[DataItem].items()},
        requests={(key[0], key[1]): e for key, e in entries[Request].items()},
        registers={key[0]: e for key, e in entries[DeclaredRegister].items()},
    )
