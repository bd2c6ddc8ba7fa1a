"""What is collected twice: the same datum taken by more than one department."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gis.exchange.column_names import normal
from gis.exchange.directory import versions
from gis.exchange.directory.entries import DataItem, Directory
from gis.exchange.directory.words import ItemType, Subject
from gis.store.database import Database
from gis.text import Text


@dataclass(frozen=True, slots=True)
class Double:
    """One datum that several departments collect.

    `by` says how it was recognised: as one standard data element ("element"), or by one name and type within one
    subject ("name"). `what` is the element's id or the name.
    """

    by: Literal["element", "name"]
    what: str
    title: Text
    subject: Subject
    type: ItemType
    departments: tuple[str, ...]
    items: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "by": self.by, "what": self.what, "title": self.title.as_dict(), "subject": self.subject.value,
            "type": self.type.value, "departments": list(self.departments), "items": list(self.items),
        }  # fmt: skip


def double(database: Database) -> list[Double]:
    """The data that more than one department collects now, those of most departments first."""
    with database.connection() as conn:
        return doubles_of(versions.read(conn))


def doubles_of(held: Directory) -> list[Double]:
    """The same, of a directory at hand.

    Items that identify whom a row is about are left out: every class has to have them. An item that another
    department owns is taken from there, not collected. Items of one name that are declared as different elements are
    different data.
    """
    items = [item for item in held.items.values() if not item.identifying]
    found = [*_by_element(held, items), *_by_name(held, items)]
    return sorted(found, key=lambda one: (-len(one.departments), one.by, one.what, one.items))


def _by_element(held: Directory, items: list[DataItem]) -> Iterator[Double]:
    groups: dict[tuple[str, Subject], list[DataItem]] = {}
    for item in items:
        if item.element:
            groups.setdefault((item.element, _subject(held, item)), []).append(item)
    for (element, _), alike in groups.items():
        yield from _double(held, "element", element, alike)


def _by_name(held: Directory, items: list[DataItem]) -> Iterator[Double]:
    groups: dict[tuple[str, ItemType, Subject], list[DataItem]] = {}
    for item in items:
        groups.setdefault((normal(item.title_zh), item.type, _subject(held, item)), []).append(item)
    for alike in groups.values():
        elements = {item.element for item in alike if item.element}
        undeclared = [item for item in alike if not item.element]
        if undeclared:
            yield from _double(held, "name", alike[0].title_zh, alike if len(elements) < 2 else undeclared)


def _double(held: Directory, by: Literal["element", "name"], what: str, alike: list[DataItem]) -> Iterator[Double]:
    departments = tuple(sorted({held.owner(item) for item in alike}))
    if len(departments) > 1:
        first = alike[0]
        codes = tuple(sorted(item.code for item in alike))
        yield Double(by, what, first.title, _subject(held, first), first.type, departments, codes)


def _subject(held: Directory, item: DataItem) -> Subject:
    return held.classes[item.information_class].subject
