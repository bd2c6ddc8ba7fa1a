"""The duty for which somebody asks: who is given rows of persons by duty says which duty it is (PIPL, article 6)."""

from collections.abc import Iterable

from gis.access.identity import Identity
from gis.access.rules import policy_of
from gis.catalog import Collection, Raster, Sensitivity
from gis.errors import Forbidden

#: Roles that see persons by their duty alone.
BY_DUTY = ("duty", "command")
#: So long may a purpose be; longer ones are refused.
LONGEST = 120


def is_stated(identity: Identity, asked: Collection | Raster) -> bool:
    """Whether the caller has said what must be said before being told of this collection."""
    needed = asked.sensitivity is Sensitivity.PERSONAL and identity.role in BY_DUTY
    return bool(identity.purpose) or not needed


def declared_purposes(identity: Identity, collections: Iterable[Collection]) -> tuple[str, ...]:
    """The purposes by which policies tell the caller's role and department more, in the order of the collections."""
    named = (
        purpose
        for collection in collections
        for grant in policy_of(collection).grants
        if identity.role in grant.roles and (not grant.departments or identity.department in grant.departments)
        for purpose in grant.purposes
    )
    return tuple(dict.fromkeys(named))


def check_purpose(identity: Identity, asked: Collection | Raster) -> None:
    """Raises Forbidden, which says how a purpose is stated, where one is needed and was not."""
    if not is_stated(identity, asked):
        raise Forbidden(
            f"{asked.id} is told for a stated duty only: send the header OneMap-Purpose, in Python"
            " Ask(query=…, purpose=…), with a few words on what it is for",
            f"查询“{asked.title.zh}”({asked.id})须说明用途:请发送请求头 OneMap-Purpose(在 Python 中用"
            " Ask(query=…, purpose=…)),写明办理事项",
            subject="OneMap-Purpose",
        )
