"""What somebody may see and by which rule, in sentences: for oneself, and of others for the security administrator."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.caller import SIGNED
from api.doorway import Doorway, administrator, doorway
from api.purpose import checked_purpose
from api.routes.exchange import private_reply
from api.routes.users import codes_of
from api.served import Ask, Asked, City, Served
from gis.access.explanation import explained
from gis.access.identity import Identity
from gis.access.roles import ROLES
from gis.access.rules import may_see
from gis.errors import NotSignedIn
from gis.store import accounts
from gis.store.emergencies import InForce

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]


@router.get("/me/access")
async def own(city: City, ask: Ask) -> Response:
    """What the caller may see of each collection, or of one; refusals are told with what they lack."""
    if SIGNED.get() is None:
        raise NotSignedIn("sign in first", "请先登录", subject="session")
    return _told(city.identity, city, ask)


@router.get("/users/{name}/access")
async def of_another(name: str, request: Request, city: City, ask: Ask, door: Door) -> Response:
    """What an account may see of each collection, or of one, with the emergencies in force."""
    administrator("security_admin")
    identity = await door.threads.run(_of_account, door, name)
    raised: InForce = request.app.state.emergencies
    return _told(await raised.of(identity, city.catalogue), city, ask)


def _told(identity: Identity, city: Served, ask: Asked) -> Response:
    values = ask.only("collection", "purpose")
    if "purpose" in values:
        identity = replace(identity, purpose=checked_purpose(values["purpose"]))
    asked = [city.catalogue[values["collection"]]] if "collection" in values else list(city.catalogue)
    told: dict[str, Any] = {
        "name": identity.name,
        "role": identity.role,
        "title": ROLES[identity.role],
        "department": identity.department,
        "divisions": codes_of(identity.divisions),
        "purpose": identity.purpose,
        "collections": [
            {"id": c.id, "title": c.title, "sensitivity": c.sensitivity.value, "sees": may_see(identity, c),
             "rights": explained(identity, c)}
            for c in asked
        ],
    }  # fmt: skip
    return private_reply(told, ask.language)


def _of_account(door: Doorway, name: str) -> Identity:
    with door.database.connection() as conn:
        return accounts.find(conn, name).identity
