"""Policies as JSON documents, by which they are shown, adjusted and kept; every fault is told with its place."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from gis.access.roles import ROLES
from gis.catalog import Anonymous, Collection, Grant, Policy, Rows
from gis.errors import BadInput

T = TypeVar("T")

_GRANT: Final = ("roles", "rows", "departments", "purposes", "masked", "hidden", "precision", "anonymous")
_ANONYMOUS: Final = ("resolution", "k", "diversity")
_MOST_GRANTS = 50
_WORDS: Final = {"type": "array", "items": {"type": "string"}}
#: What documents look like, in JSON Schema; what of it fits a collection `read_policy` tells.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["grants"],
    "additionalProperties": False,
    "properties": {
        "grants": {
            "type": "array",
            "maxItems": _MOST_GRANTS,
            "items": {
                "type": "object",
                "required": ["roles"],
                "additionalProperties": False,
                "properties": {
                    "roles": _WORDS,
                    "rows": {"type": "string", "enum": [one.value for one in Rows]},
                    **dict.fromkeys(("departments", "purposes", "hidden"), _WORDS),
                    "masked": {"type": "object", "additionalProperties": {"type": "string"}},
                    "precision": {"oneOf": [
                        {"type": "string", "enum": ["exact", "division"]},
                        {"type": "integer", "minimum": 0, "maximum": 15},
                    ]},
                    "anonymous": {
                        "type": "object",
                        "required": ["resolution", "k"],
                        "additionalProperties": False,
                        "properties": {name: {"type": "integer"} for name in _ANONYMOUS},
                    },
                },
            },
        }
    },
}  # fmt: skip


def policy_document(policy: Policy) -> dict[str, Any]:
    """A policy as JSON carries it: its grants, the first that fits a caller holding."""
    return {"grants": [_grant_document(grant) for grant in policy.grants]}


def read_policy(document: Any, collection: Collection) -> Policy:
    """The policy that a document declares for a collection.

    Raises BadInput naming the grant and the member at fault: what is misspelt, of the wrong type, names a role, a field
    or a rule that there is not, or hides nobody.
    """
    whole = _object(document, ("grants",), "policy")
    grants = whole.get("grants")
    if not isinstance(grants, list) or len(grants) > _MOST_GRANTS:
        raise _fault("grants", f"is a list of at most {_MOST_GRANTS} grants", f"应为授权列表,最多 {_MOST_GRANTS} 项")
    read = tuple(_grant(one, f"grants[{number}]", collection) for number, one in enumerate(grants))
    policy = Policy(read)
    try:
        policy.check(collection.id, collection.by_name)
    except ValueError as error:
        raise _fault("grants", str(error), f"不适用于 {collection.id}:{error}") from None
    return policy


def _grant_document(grant: Grant) -> dict[str, Any]:
    said: dict[str, Any] = {"roles": list(grant.roles), "rows": grant.rows.value}
    for name in ("departments", "purposes", "hidden"):
        if value := getattr(grant, name):
            said[name] = list(value)
    if grant.masked:
        said["masked"] = dict(grant.masked)
    if grant.precision != "exact":
        said["precision"] = grant.precision
    if grant.anonymous is not None:
        said["anonymous"] = {name: getattr(grant.anonymous, name) for name in _ANONYMOUS}
    return said


def _grant(document: Any, place: str, collection: Collection) -> Grant:
    said = _object(document, _GRANT, place)
    roles = _texts(said.get("roles"), f"{place}.roles")
    for role in roles:
        if role not in ROLES:
            listed = ", ".join(ROLES)
            raise _fault(
                f"{place}.roles", f"names {role!r}; the roles are {listed}", f"没有角色 {role!r};可用:{listed}"
            )
    rows = said.get("rows", Rows.ALL.value)
    if rows not in {one.value for one in Rows}:
        listed = ", ".join(one.value for one in Rows)
        raise _fault(f"{place}.rows", f"is one of {listed}", f"应为 {listed} 之一")
    masked = _masked(said.get("masked", {}), f"{place}.masked", collection)
    hidden = _texts(said.get("hidden", []), f"{place}.hidden")
    for name in hidden:
        _field(name, f"{place}.hidden", collection)
    return _made(
        place,
        lambda: Grant(
            roles=roles,
            rows=Rows(rows),
            departments=_texts(said.get("departments", []), f"{place}.departments"),
            purposes=_texts(said.get("purposes", []), f"{place}.purposes"),
            masked=masked,
            hidden=hidden,
            precision=_precision(said.get("precision", "exact"), f"{place}.precision"),
            anonymous=_anonymous(said.get("anonymous"), f"{place}.anonymous", collection),
        ),
    )


def _masked(said: Any, place: str, collection: Collection) -> dict[str, str]:
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise _fault(place, "is an object of fields and the rules by which they are masked", "应为“字段: 脱敏规则”对象")
    for name in said:
        _field(name, place, collection)
    return dict(said)


def _precision(said: Any, place: str) -> Any:
    if said in ("exact", "division") or (isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= 15):
        return said
    raise _fault(place, "is exact, division, or the resolution of a cell, 0 to 15",
                 "应为 exact、division 或 0 至 15 的网格分辨率")  # fmt: skip


def _anonymous(said: Any, place: str, collection: Collection) -> Anonymous | None:
    if said is None:
        return None
    numbers = _object(said, _ANONYMOUS, place)
    for name, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise _fault(f"{place}.{name}", "is a whole number", "应为整数")
    if not {"resolution", "k"} <= numbers.keys():
        raise _fault(place, "needs resolution and k", "须有 resolution 和 k")
    found = _made(place, lambda: Anonymous(**numbers))
    if found.resolution > collection.cell_resolution:
        finest = collection.cell_resolution
        raise _fault(f"{place}.resolution", f"is finer than {finest}, the finest of {collection.id}",
                     f"细于 {collection.id} 的最细分辨率 {finest}")  # fmt: skip
    return found


def _field(name: str, place: str, collection: Collection) -> None:
    if name not in collection.by_name:
        listed = ", ".join(collection.by_name)
        raise _fault(place, f"names {name[:40]!r}; {collection.id} has the fields {listed}",
                     f"{collection.id} 没有字段 {name[:40]!r};可用字段:{listed}")  # fmt: skip


def _object(said: Any, names: tuple[str, ...], place: str) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise _fault(place, "is an object", "应为 JSON 对象")
    for name in said:
        if name not in names:
            listed = ", ".join(names)
            raise _fault(
                place, f"has no member {name[:40]!r}; it has {listed}", f"没有成员 {name[:40]!r};可用:{listed}"
            )
    return said


def _texts(said: Any, place: str) -> tuple[str, ...]:
    if not isinstance(said, list) or not all(isinstance(one, str) and one and one.isprintable() for one in said):
        raise _fault(place, "is a list of texts", "应为文本列表")
    return tuple(said)


def _made(place: str, make: Callable[[], T]) -> T:
    """What a declaration's own checks let through."""
    try:
        return make()
    except ValueError as error:
        raise _fault(place, f"cannot be: {error}", f"无效:{error}") from None


def _fault(place: str, en: str, zh: str) -> BadInput:
    return BadInput(f"the policy: {place} {en}", f"策略:{place} {zh}", subject=place)
