"""What an identity may see of a collection: decided once, then carried by every plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gis.access.identity import Identity
from gis.access.roles import CLERKS, INSIDE, OWNER_ROLE, PUBLIC_ROLE, ROLES
from gis.catalog import Anonymous, Collection, Grant, Policy, Precision, Raster, Rows, Sensitivity
from gis.errors import Forbidden, NotSignedIn

#: Who may change features one at a time, in the divisions of the duty.
_EDITORS = (*CLERKS, OWNER_ROLE)

#: What holds where a collection declares no policy of its own. What is open is so to everybody alike, city-wide; how
#: many persons there are is told to all, to the public more coarsely.
USUAL: Mapping[Sensitivity, Policy] = {
    Sensitivity.OPEN: Policy((Grant(roles=tuple(role for role in ROLES if role != OWNER_ROLE)),)),
    Sensitivity.INTERNAL: Policy((Grant(roles=INSIDE, rows=Rows.DUTY),)),
    Sensitivity.PERSONAL: Policy((
        Grant(roles=("command",), rows=Rows.EMERGENCY),
        Grant(roles=("duty",), rows=Rows.DUTY),
        Grant(roles=("staff", "analyst", "command"), anonymous=Anonymous(9, 5, 2)),
        Grant(roles=(PUBLIC_ROLE,), anonymous=Anonymous(7, 10, 2)),
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

    @property
    def is_partial(self) -> bool:
        """Whether a row is told otherwise than it is recorded: a field in part or not at all, or a blurred place."""
        return bool(self.masked) or self.precision != "exact" or self.anonymous is not None

    @property
    def told(self) -> frozenset[str]:
        """The fields that are told at all, exactly or in part."""
        return self.fields | self.masked.keys()

    @property
    def text(self) -> str:
        """Everything by which an answer differs between callers, as one text for digests."""
        masked = sorted(self.masked.items())
        return f"{sorted(self.fields)}|{self.divisions}|{masked}|{self.precision}|{self.anonymous}"


def policy_of(asked: Collection | Raster) -> Policy:
    """The policy in force: the declared one, else what is usual."""
    declared = asked.policy if isinstance(asked, Collection) else None
    return USUAL[asked.sensitivity] if declared is None else declared


def rules_for(identity: Identity, collection: Collection) -> Rules:
    """The rules under which `identity` may ask `collection`. Raises Forbidden where it may not at all."""
    if identity.role == OWNER_ROLE:
        return Rules(frozenset(collection.by_name), identity.divisions)
    number = check_reader(identity, collection)
    grant = policy_of(collection).grants[number]
    told = frozenset(n for n in collection.by_name if n not in grant.hidden and n not in grant.masked)
    if grant.anonymous is not None:
        # counts are told apart by these alone
        return Rules(
            told & set(coarse_fields(collection)), _ranges(identity, grant), anonymous=grant.anonymous, grant=number
        )
    return Rules(told, _ranges(identity, grant), grant.masked, grant.precision, grant.anonymous, number)


def coarse_fields(collection: Collection) -> tuple[str, ...]:
    """The fields by which anonymous figures may be told apart and filtered: few values, the same everywhere."""
    return collection.rollup.dimensions if collection.rollup else ()


def check_reader(identity: Identity, asked: Collection | Raster) -> int:
    """That an identity may see something at all; returns the number of the grant that holds. Raises Forbidden."""
    if identity.role == OWNER_ROLE:
        return -1
    for number, grant in enumerate(policy_of(asked).grants):
        if _fits(identity, grant) and (identity.collections is None or asked.id in identity.collections):
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
    if identity.role not in _EDITORS or rules.is_partial or rules.fields != collection.by_name.keys():
        raise Forbidden(
            f"{identity.name} may not change {collection.id}: that takes a duty, and the right to see all of it",
            f"{identity.name} 无权修改 {collection.id}:须有相应职责并可查看全部内容",
            subject=collection.id,
        )
    for code in divisions:
        if not all(_within(code, ranges) for ranges in (identity.divisions, rules.divisions)):
            raise Forbidden(
                f"{identity.name} may not change features there",
                f"{identity.name} 无权修改该区域的要素",
                subject=collection.id,
            )


def _within(code: int | None, ranges: tuple[tuple[int, int], ...] | None) -> bool:
    return ranges is None or any(low <= (code or 0) <= high for low, high in ranges)
