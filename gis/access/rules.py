"""What an identity may see of a collection: decided once, then carried by every plan."""

from dataclasses import dataclass

from gis.access.identity import Identity
from gis.catalog import Collection, Sensitivity
from gis.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force: which fields by name, and which division ranges (None: every row, placed or not)."""

    fields: frozenset[str]
    divisions: tuple[tuple[int, int], ...] | None = None


def rules_for(identity: Identity, collection: Collection) -> Rules:
    """The rules under which `identity` may ask `collection`. Raises Forbidden where it may not at all."""
    allowed = {
        Sensitivity.OPEN: ("public", "staff", "owner"),
        Sensitivity.INTERNAL: ("staff", "owner"),
        Sensitivity.PERSONAL: ("owner",),
    }[collection.sensitivity]
    if identity.role not in allowed:
        raise Forbidden(
            f"{collection.id} is {collection.sensitivity.value}; {identity.name} may not see it",
            f"数据集“{collection.title.zh}”({collection.id})不对 {identity.name} 开放",
            subject=collection.id,
        )
    return Rules(frozenset(collection.by_name), identity.divisions)
