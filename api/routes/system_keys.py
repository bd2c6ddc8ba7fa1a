"""Keys of systems and departments, for the security administrator, who gives rights."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api import parameters
from api.caller import Signed
from api.doorway import Doorway, administrator, doorway
from api.posted import Form, Moment, posted
from api.routes.exchange import private_reply
from api.routes.users import codes_of, ranges_of
from api.served import Ask, City, Served
from api.tracing import traced_as
from gis.access import keys
from gis.access.keys import Key, Scope
from gis.access.roles import INSIDE
from gis.exchange.directory import departments

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]
_SYSTEM, _SECURITY = "system_admin", "security_admin"


class NewKey(Form):
    """A key to be made: for what, with which role, where, for which collections, and how much."""

    name: str = Field(default="", max_length=100)
    department: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    role: str = Field(default="staff", max_length=40)
    divisions: list[Annotated[str, Field(max_length=12)]] | None = Field(default=None, max_length=1000)
    collections: list[Annotated[str, Field(max_length=120)]] | None = Field(default=None, max_length=1000)
    writes: bool = False
    per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    expires_at: Moment | None = None


@router.get("/keys")
async def system_keys(ask: Ask, door: Door) -> Response:
    """Every key that was ever made, without the keys themselves."""
    ask.only()
    administrator(_SYSTEM, _SECURITY)
    found = await door.threads.run(_listed, door)
    return private_reply({"keys": [described(one) for one in found], "roles": INSIDE}, ask.language)


@router.post("/keys", status_code=201)
async def issue(request: Request, city: City, ask: Ask, door: Door) -> Response:
    """A new key; it is shown this once."""
    ask.only()
    by, sent = administrator(_SECURITY), await posted(request, NewKey)
    made, key = await door.done(_issue, door, city, by, sent)
    traced_as(request.scope, key=made.id, act="add", role=made.scope.role, department=made.department)
    return private_reply({**described(made), "key": key}, ask.language, 201)


@router.delete("/keys/{number}")
async def revoke(number: str, request: Request, ask: Ask, door: Door) -> Response:
    """End a key now."""
    ask.only()
    administrator(_SECURITY)
    id_ = parameters.number_in_path(number)
    traced_as(request.scope, key=id_, act="revoke")
    return private_reply(described(await door.done(_revoke, door, id_)), ask.language)


def described(key: Key) -> dict[str, Any]:
    """What is on record of a key, as JSON carries it."""
    return {**key.as_dict(), "divisions": codes_of(key.scope.divisions)}


def _listed(door: Doorway) -> list[Key]:
    with door.database.connection() as conn:
        return keys.listed(conn)


def _issue(door: Doorway, city: Served, by: Signed, sent: NewKey) -> tuple[Key, str]:
    if sent.department is not None:
        keys.check_department(sent.department, departments(city.threads))
    collections = None if sent.collections is None else tuple(city.catalogue[name].id for name in sent.collections)
    scope = Scope(sent.role, ranges_of(sent.divisions), collections, sent.writes, sent.per_minute)
    with door.database.connection() as conn:
        return keys.issue(
            conn, scope, department=sent.department, name=sent.name, expires_at=sent.expires_at, by=by.identity.name
        )


def _revoke(door: Doorway, number: int) -> Key:
    with door.database.connection() as conn:
        return keys.revoke(conn, number)
