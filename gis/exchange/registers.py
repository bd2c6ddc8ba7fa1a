"""What can be delivered: for each register, how its rows are read, checked and weighed between departments.

A register's declaration (the collection) says what a row holds. What stands here says how departments' words about
it are weighed: who may bring an entity into being, whose word on an item prevails, and what becomes of the others'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from gis.base.buildings import BUILDINGS
from gis.base.dwellings import DWELLINGS
from gis.base.entities import ENTITIES
from gis.base.persons import IDENTIFIERS, PERSONS
from gis.catalog import Collection, Field, FieldType
from gis.catalog.field import text
from gis.errors import UnknownName

#: What is read of an item beyond its type; `gis.exchange.delivery.checks` holds one function for each.
Check = Literal[
    "", "citizen_id", "credit_code", "division", "past_date", "birth_date", "sex", "reference", "person", "industry"
]


@dataclass(frozen=True, kw_only=True)
class Item:
    """How departments' words on one field are weighed.

    `authority` lists departments, the prevailing first (empty: the register's); those not named only add evidence.
    A word of a named department that differs from the prevailing one is returned to it ("return") or gives way in
    silence ("override"). `refers` is the collection whose code the item holds. `written` is the column of addresses
    from which the code is found where the file has no code.
    """

    authority: tuple[str, ...] = ()
    disagreement: Literal["return", "override"] = "return"
    check: Check = ""
    refers: str | None = None
    written: Field | None = None


@dataclass(frozen=True, kw_only=True)
class Deliverable:
    """A register that departments deliver to.

    `presence` lists the departments whose word makes or ends an entity, the prevailing first. `identifiers` are kept
    apart from the register, the first of them being its key. `identity` is the item that must agree for a row to be
    about the same entity at all. `placed_by` tells which items hold the code of the place where a row is, in order of
    preference.
    """

    collection: Collection
    presence: tuple[str, ...]
    items: Mapping[str, Item] = field(default_factory=dict)
    identifiers: tuple[Field, ...] = ()
    identity: str | None = None
    placed_by: tuple[str, ...] = ()

    @cached_property
    def intake(self) -> Collection:
        """The collection as its files show it: with identifiers, links as written numbers, addresses in words."""
        fields = tuple(
            replace(f, type=FieldType.TEXT) if self.item(f.name).check == "person" else f
            for f in self.collection.fields
        )
        written = tuple(i.written for i in self.items.values() if i.written is not None)
        key = (self.identifiers[0].name,) if self.identifiers else self.collection.key
        return replace(self.collection, fields=(*self.identifiers, *fields, *written), key=key, derive=None)

    @cached_property
    def claim_columns(self) -> tuple[tuple[str, str], ...]:
        """(name, SQL type) of what a claim says; digests stand for direct identifiers other than the key."""
        digests = tuple((f.name, FieldType.INTEGER.sql) for f in self.identifiers[1:])
        return (*digests, *((f.name, f.type.sql) for f in self.collection.fields))

    @cached_property
    def noun(self) -> str:
        """The register's name among the tables of the exchange."""
        return self.collection.id.replace(".", "_")

    @property
    def claims(self) -> str:
        """The quoted name of the table of claims."""
        return f'"exchange"."{self.noun}_claim"'

    @cached_property
    def key(self) -> str:
        """The field that identifies an entity."""
        return self.intake.key[0]

    def item(self, name: str) -> Item:
        """The rules of a field; those of an undeclared one are the plain ones."""
        return self.items.get(name) or _PLAIN

    def authority(self, name: str) -> tuple[str, ...]:
        """The departments whose word on a field counts, the prevailing first."""
        return self.item(name).authority or self.presence


_PLAIN = Item()

POLICE, CIVIL, ESTATE, MARKET = "police", "civil_affairs", "real_estate", "market"

PERSONS_DELIVERED = Deliverable(
    collection=PERSONS,
    identifiers=IDENTIFIERS,
    identity="name",
    presence=(POLICE, CIVIL),
    placed_by=("dwelling",),
    items={
        "citizen_id": Item(check="citizen_id"),
        "telephone": Item(authority=(POLICE, CIVIL), disagreement="override"),
        "sex": Item(check="sex"),
        "birth_date": Item(check="birth_date"),
        "marital_status": Item(authority=(CIVIL, POLICE)),
        "registered_division": Item(authority=(POLICE,), check="division"),
        "dwelling": Item(
            check="reference",
            refers="base.dwellings",
            written=text("dwelling_address", "居住地址", "Address", "居住地址", "现住址", "住址", "家庭住址"),
        ),
        "guardian": Item(authority=(CIVIL, POLICE), check="person", refers="base.persons"),
    },
)

ENTITIES_DELIVERED = Deliverable(
    collection=ENTITIES,
    identity="name",
    presence=(MARKET, CIVIL),
    placed_by=("operating_site", "site"),
    items={
        "credit_code": Item(check="credit_code"),
        "industry": Item(check="industry"),
        "capital_wan": Item(disagreement="override"),
        "founded": Item(check="past_date"),
        "site": Item(
            check="reference",
            refers="base.addresses",
            written=text("site_address", "住所", "Registered address", "住所", "地址", "注册地址", "登记住所"),
        ),
        "operating_site": Item(
            check="reference",
            refers="base.addresses",
            written=text("operating_address", "经营场所", "Operating address", "经营地址", "经营场所地址"),
        ),
        "representative": Item(check="person", refers="base.persons"),
    },
)

DWELLINGS_DELIVERED = Deliverable(
    collection=DWELLINGS,
    presence=(ESTATE, POLICE),
    placed_by=("building",),
    items={
        "building": Item(check="reference", refers=BUILDINGS.id),
        "village": Item(check="division"),
        "address": Item(authority=(POLICE, ESTATE), disagreement="override"),
    },
)

DELIVERABLES: Mapping[str, Deliverable] = {
    d.collection.id: d for d in (PERSONS_DELIVERED, ENTITIES_DELIVERED, DWELLINGS_DELIVERED)
}


def deliverable(register: str) -> Deliverable:
    """The register of that id. Raises UnknownName."""
    found = DELIVERABLES.get(register)
    if found is None:
        raise UnknownName(
            f"nothing can be delivered to {register!r}; there are {', '.join(DELIVERABLES)}",
            f"{register!r} 不接收部门数据;可选:{'、'.join(DELIVERABLES)}",
            subject=register,
        )
    return found
