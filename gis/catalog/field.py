"""A field: one typed, named, measured thing that a collection's rows can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gis.text import Text


class FieldType(StrEnum):
    """What a field's values are; everything downstream (SQL, JSON schema, forms, checks) follows from it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"

    @property
    def sql(self) -> str:
        """The PostgreSQL column type."""
        return _SQL[self]


_SQL = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "bigint",
    FieldType.NUMBER: "double precision",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.INSTANT: "timestamptz",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One declared column.

    `unit` is a UCUM symbol ("m", "m2", "km/h"; "" when the value has none); `values` are the words of a coded
    field; `aliases` are the column names under which bureaus hand it over (compared without case and width);
    `sortable` fields carry an index; a row without a `required` field is not taken; `refers` is the id of the
    collection whose key the value is (its fid where it declares no key), "" where it refers to nothing.
    """

    name: str
    type: FieldType
    title: Text
    unit: str = ""
    description: Text | None = None
    values: Mapping[str, Text] = field(default_factory=dict, hash=False)
    aliases: tuple[str, ...] = ()
    sortable: bool = False
    required: bool = False
    refers: str = ""


def text(name: str, zh: str, en: str, *aliases: str, **more: object) -> Field:
    """A text field, in one line of a declaration."""
    return _field(FieldType.TEXT, name, Text(zh, en), aliases, more)


def integer(name: str, zh: str, en: str, *aliases: str, **more: object) -> Field:
    """A whole-number field, in one line of a declaration."""
    return _field(FieldType.INTEGER, name, Text(zh, en), aliases, more)


def number(name: str, zh: str, en: str, *aliases: str, **more: object) -> Field:
    """A measured field, in one line of a declaration; give its `unit`."""
    return _field(FieldType.NUMBER, name, Text(zh, en), aliases, more)


def day(name: str, zh: str, en: str, *aliases: str, **more: object) -> Field:
    """A calendar-day field, in one line of a declaration."""
    return _field(FieldType.DATE, name, Text(zh, en), aliases, more)


def _field(kind: FieldType, name: str, title: Text, aliases: tuple[str, ...], more: dict[str, object]) -> Field:
    return Field(name=name, type=kind, title=title, aliases=aliases, **more)  # type: ignore[arg-type]
