"""A register declared as data: what a directory file says of it, as the declaration that code would have made."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gis.catalog import Collection, Field, FieldType, Geometry, Sensitivity, Style
from gis.errors import BadInput, UnknownName
from gis.exchange.registers import Check, Deliverable, Item
from gis.text import Text

#: Schemas that are not a register's.
_RESERVED = frozenset({"core", "exchange", "public", "information_schema", "pg_catalog", "pg_toast"})
_GROUP = Text("目录登记库", "Registers of the directory")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """A text in both languages."""

    zh: str
    en: str

    @property
    def text(self) -> Text:
        """As the rest of the platform has it."""
        return Text(self.zh, self.en)


class FieldPart(_Part):
    """One field; see `gis.catalog.Field`."""

    name: str
    type: FieldType
    title: Words
    unit: str = ""
    description: Words | None = None
    values: dict[str, Words] = {}
    aliases: tuple[str, ...] = ()
    sortable: bool = False
    required: bool = False

    @property
    def field(self) -> Field:
        """The declared field."""
        return Field(
            name=self.name, type=self.type, title=self.title.text, unit=self.unit,
            description=self.description.text if self.description else None,
            values={value: words.text for value, words in self.values.items()},
            aliases=self.aliases or (self.title.zh,), sortable=self.sortable, required=self.required,
        )  # fmt: skip


class ItemPart(_Part):
    """How departments' words on a field are weighed; see `gis.exchange.registers.Item`."""

    authority: tuple[str, ...] = ()
    disagreement: Literal["return", "override"] = "return"
    check: Check = ""
    refers: str | None = None
    written: FieldPart | None = None

    @property
    def item(self) -> Item:
        """The declared rules."""
        return Item(
            authority=self.authority, disagreement=self.disagreement, check=self.check, refers=self.refers,
            written=self.written.field if self.written else None,
        )  # fmt: skip


class Look(_Part):
    """The colours of a register's points, `#rrggbb`, on a light and on a dark map."""

    color: str
    dark: str


class RegisterPart(_Part):
    """A register; see `gis.catalog.Collection` and `gis.exchange.registers.Deliverable`.

    Rows of one that is `placed_by` items are points where those places are; it is drawn on the map when it has a
    `look`.
    """

    id: str
    title: Words
    description: Words
    group: Words | None = None
    sensitivity: Sensitivity = Sensitivity.INTERNAL
    key: tuple[str, ...] = ()
    fields: tuple[FieldPart, ...]
    identifiers: tuple[FieldPart, ...] = ()
    identity: str | None = None
    presence: tuple[str, ...]
    placed_by: tuple[str, ...] = ()
    items: dict[str, ItemPart] = {}
    look: Look | None = None

    @property
    def collection(self) -> Collection:
        """The declared collection. Raises ValueError, UnknownName for names that cannot be."""
        return Collection(
            id=self.id, title=self.title.text, description=self.description.text,
            geometry=Geometry.POINT if self.placed_by else None,
            division="placed" if self.placed_by else None,
            fields=tuple(part.field for part in self.fields),
            style=Style(color=self.look.color, dark=self.look.dark, order=86) if self.look else None,
            tiled=self.look is not None, min_zoom=12, key=self.key, sensitivity=self.sensitivity,
            group=self.group.text if self.group else _GROUP,
        )  # fmt: skip

    @property
    def deliverable(self) -> Deliverable:
        """The register as departments deliver to it."""
        return Deliverable(
            collection=self.collection, presence=self.presence, identity=self.identity, placed_by=self.placed_by,
            items={name: part.item for name, part in self.items.items()},
            identifiers=tuple(part.field for part in self.identifiers),
        )  # fmt: skip


def read_declaration(declaration: Mapping[str, Any]) -> Deliverable:
    """The register that a declaration describes. Raises BadInput that names the register and the part at fault."""
    name = str(declaration.get("id", "?")) if isinstance(declaration, Mapping) else "?"
    try:
        part = RegisterPart.model_validate(declaration)
        register = part.deliverable
        _check(part, register)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        zh = _FAULTS.get(first["type"], "取值不合规定")
        raise _wrong(name, where, f"{where}: {first['msg']}", f"{where}:{zh}") from error
    except UnknownName as error:
        raise _wrong(name, error.subject, error.text.en, error.text.zh) from error
    except ValueError as error:
        raise _wrong(name, "fields", str(error), f"名称不合规定:{error}") from error
    return register


_FAULTS = {"missing": "缺失", "extra_forbidden": "不应有此项"}


def _check(part: RegisterPart, register: Deliverable) -> None:
    """Refuse what would make tables that nobody could use. Raises ValueError, UnknownName."""
    if register.collection.layer in _RESERVED or register.collection.layer.startswith("pg_"):
        raise ValueError(f"{part.id!r}: the layer's name is taken")
    if not part.presence:
        raise ValueError("presence names no department")
    if bool(part.key) == bool(part.identifiers):
        raise ValueError("either a key or identifiers tell rows apart, not both")
    if len(part.key) > 1:
        raise ValueError("the key of a register that is delivered is one field")
    intake = register.intake
    for name in (*part.items, *([part.identity] if part.identity else []), *part.placed_by):
        intake.field(name)
    for name, item in part.items.items():
        if item.check in ("reference", "person") and item.refers is None:
            raise ValueError(f"{name} refers to a collection that it does not name")


def _wrong(register: str, where: str, en: str, zh: str) -> BadInput:
    return BadInput(f"register {register}: {en}", f"登记库 {register}:{zh}", subject=f"{register} {where}")
