"""What an identity may see of a collection: decided once, then carried by every plan."""

from collections.abc import Iterable
from dataclasses import dataclass

from gis.access.identity import Identity
from gis.catalog import Collection, Raster, Sensitivity
from gis.errors import Forbidden, NotSignedIn


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force: which fields by name, and which division ranges (None: every row, placed or not)."""

    fields: frozenset[str]
    divisions: tuple[tuple[int, int], ...] | None = None


def rules_for(identity: Identity, collection: Collection) -> Rules:
    """The rules under which `identity` may ask `collection`. Raises Forbidden where it may not at all."""
    check_reader(identity, collection)
    return Rules(frozenset(collection.by_name), identity.divisions)


def check_reader(identity: Identity, asked: Collection | Raster) -> None:
    """That an identity may see something at all. Raises Forbidden."""
    allowed = {
        Sensitivity.OPEN: ("public", "staff", "owner"),
        Sensitivity.INTERNAL: ("staff", "owner"),
        Sensitivity.PERSONAL: ("owner",),
    }[asked.sensitivity]
    if identity.role not in allowed:
        raise Forbidden(
            f"{asked.id} is {asked.sensitivity.value}; {identity.name} may not see it",
            f"数据集“{asked.title.zh}”({asked.id})不对 {identity.name} 开放",
            subject=asked.id,
        )


def may_see(identity: Identity, asked: Collection | Raster) -> bool:
    """Whether an identity may see anything of it."""
    try:
        check_reader(identity, asked)
    except Forbidden:
        return False
    return True


def check_editor(identity: Identity, collection: Collection, divisions: Iterable[int | None] = ()) -> None:
    """Whether an identity may change features of an editable collection that lie in these divisions.

    Raises NotSignedIn, and Forbidden where its duty ends elsewhere or the collection changes by deliveries only.
    """
    if identity.role == "public":
        raise NotSignedIn("sign in with a key to change features", "修改要素须先用密钥登录")
    rules = rules_for(identity, collection)
    if not collection.editable:
        raise Forbidden(
            f"{collection.id} changes by loads and deliveries only",
            f"数据集 {collection.id} 只能通过加载或报送更新",
            subject=collection.id,
        )
    for code in divisions:
        if rules.divisions is not None and not any(low <= (code or 0) <= high for low, high in rules.divisions):
            raise Forbidden(
                f"{identity.name} may not change features there",
                f"{identity.name} 无权修改该区域的要素",
                subject=collection.id,
            )
