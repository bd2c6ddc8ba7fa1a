"""What an identity may see of a collection: decided once, then carried by every plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gis.access.identity import Identity
from gis.access.roles import INSIDE, OWNER_ROLE, PUBLIC_ROLE
from gis.catalog import Anonymous, Collection, Grant, Policy, Precision, Raster, Rows, Sensitivity
from gis.errors import Forbidden, NotSignedIn

#: What holds where a collection declares no policy of its own.
USUAL: Mapping[Sensitivity, Policy] = {
    Sensitivity.OPEN: Policy((Grant(roles=(PUBLIC_ROLE,)), Grant(roles=INSIDE, rows=Rows.DUTY))),
    Sensitivity.INTERNAL: Policy((Grant(roles=INSIDE, rows=Rows.DUTY),)),
    Sensitivity.PERSONAL: Policy((
        Grant(roles=("command",), rows=Rows.EMERGENCY),
        Grant(roles=("duty",), rows=Rows.DUTY),
    )),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force for one caller and one collection.

    `fields` are those told exactly: only they can be asked about, sorted or grouped by; `masked` those told in part,
    with the rule. `divisions` are the ranges of the rows (None: every row, placed or not). With `anonymous` no row is
    told, only counts on its lattice. `grant` is the number of the grant that holds, for explanations.
    """

    fields: frozenset[str]
    divisions: tuple[tuple[int, int], ...] | None = None
    masked: Mapping[str, str] = field(default_factory=dict, hash=False)
    precision: Precision = "exact"
    anonymous: Anonymous | None = None
    grant: int | None = None


def policy_of(asked: Collection | Raster) -> Policy:
    """The policy in force: the declared one, else what is usual."""
    declared = asked.policy if isinstance(asked, Collection) else None
    return declared or USUAL[asked.sensitivity]


def rules_for(identity: Identity, collection: Collection) -> Rules:
    """The rules under which `identity` may ask `collection`. Raises Forbidden where it may not at all."""
    if identity.role == OWNER_ROLE:
        return Rules(frozenset(collection.by_name), identity.divisions)
    number = check_reader(identity, collection)
    grant = policy_of(collection).grants[number]
    told = frozenset(n for n in collection.by_name if n not in grant.hidden and n not in grant.masked)
    return Rules(told, _ranges(identity, grant), grant.masked, grant.precision, grant.anonymous, number)


def check_reader(identity: Identity, asked: Collection | Raster) -> int:
    """That an identity may see something at all; returns the number of the grant that holds. Raises Forbidden."""
    if identity.role == OWNER_ROLE:
        return -1
    for number, grant in enumerate(policy_of(asked).grants):
        if _fits(identity, grant):
            return number
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


def _fits(identity: Identity, grant: Grant) -> bool:
    return (
        identity.role in grant.roles
        and (not grant.departments or identity.department in grant.departments)
        and (not grant.purposes or identity.purpose in grant.purposes)
        and (grant.rows is not Rows.EMERGENCY or bool(identity.emergency))
    )


def _ranges(identity: Identity, grant: Grant) -> tuple[tuple[int, int], ...] | None:
    return {Rows.ALL: None, Rows.DUTY: identity.divisions, Rows.EMERGENCY: identity.emergency}[grant.rows]


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
