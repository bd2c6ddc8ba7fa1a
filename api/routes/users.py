"""Accounts, for administrators: the system administrator keeps them, the security administrator gives rights."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api.caller import Signed
from api.doorway import Doorway, administrator, doorway
from api.posted import Form, Moment, posted
from api.routes.exchange import private_reply
from api.served import Ask, Asked, City
from api.tracing import traced_as
from gis.access import keys
from gis.access.roles import ROLES
from gis.codes.division import Division
from gis.exchange.directory import departments
from gis.store import accounts, failures
from gis.store.accounts import Account, Divisions

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]
_Short = Annotated[str, Field(min_length=1, max_length=256)]
_SYSTEM, _SECURITY = "system_admin", "security_admin"


class NewUser(Form):
    """An account to be made."""

    name: _Short
    person: _Short
    expires_at: Moment | None = None


class Standing(Form):
    """Whether an account is shut, and when it ends by itself."""

    disabled: bool
    expires_at: Moment | None = None


class Office(Form):
    """A role and where it holds: codes of divisions, null for everywhere."""

    role: _Short
    divisions: list[Annotated[str, Field(max_length=12)]] | None = Field(default=[], max_length=1000)
    department: Annotated[str, Field(min_length=1, max_length=63)] | None = None


@router.get("/users")
async def users(ask: Ask, door: Door) -> Response:
    """Every account, without secrets."""
    ask.only()
    administrator(_SYSTEM, _SECURITY)
    found = await door.threads.run(_listed, door)
    return private_reply({"users": [described(one, ask) for one in found], "roles": ROLES}, ask.language)


@router.post("/users", status_code=201)
async def add(request: Request, ask: Ask, door: Door) -> Response:
    """A new account without rights; its one-time password is shown this once."""
    ask.only()
    by, sent = administrator(_SYSTEM), await posted(request, NewUser)
    traced_as(request.scope, account=sent.name[:63], act="add")
    account, once = await door.done(_add, door, by, sent)
    return private_reply({**described(account, ask), "one_time_password": once}, ask.language, 201)


@router.get("/users/{name}")
async def user(name: str, ask: Ask, door: Door) -> Response:
    """One account."""
    ask.only()
    administrator(_SYSTEM, _SECURITY)
    return private_reply(described(await door.threads.run(_find, door, name), ask), ask.language)


@router.patch("/users/{name}")
async def stand(name: str, request: Request, ask: Ask, door: Door) -> Response:
    """Shut an account or open it again."""
    ask.only()
    by, sent = administrator(_SYSTEM), await posted(request, Standing)
    traced_as(request.scope, account=name[:63], act="disable" if sent.disabled else "enable")
    return private_reply(described(await door.done(_stand, door, by, name, sent), ask), ask.language)


@router.put("/users/{name}/role")
async def grant(name: str, request: Request, city: City, ask: Ask, door: Door) -> Response:
    """Give an account its one role, and where it holds."""
    ask.only()
    by, sent = administrator(_SECURITY), await posted(request, Office)
    traced_as(request.scope, account=name[:63], act="role", role=sent.role[:40])
    if sent.department is not None:
        keys.check_department(sent.department, await asyncio.to_thread(departments, city.threads))
    return private_reply(described(await door.done(_grant, door, by, name, sent), ask), ask.language)


@router.post("/users/{name}/reset")
async def reset(name: str, request: Request, ask: Ask, door: Door) -> Response:
    """A one-time password in the place of the account's own; shown this once."""
    ask.only()
    by = administrator(_SYSTEM)
    traced_as(request.scope, account=name[:63], act="reset")
    account, once = await door.done(_reset, door, by, name)
    return private_reply({**described(account, ask), "one_time_password": once}, ask.language)


@router.post("/users/{name}/unlock", status_code=204)
async def unlock(name: str, request: Request, ask: Ask, door: Door) -> Response:
    """Whoever has failed too often need not wait any longer."""
    ask.only()
    administrator(_SYSTEM)
    traced_as(request.scope, account=name[:63], act="unlock")
    await door.done(_unlock, door, name)
    return Response(status_code=204)


@router.delete("/users/{name}/second-factor")
async def take_factor(name: str, request: Request, ask: Ask, door: Door) -> Response:
    """Take a second factor away, whose phone is lost."""
    ask.only()
    by = administrator(_SECURITY)
    traced_as(request.scope, account=name[:63], act="take_factor")
    return private_reply(described(await door.done(_take_factor, door, by, name), ask), ask.language)


def described(account: Account, ask: Asked) -> dict[str, Any]:
    """An account as JSON carries it."""
    found = {**account.as_dict(), "title": ROLES[account.role], "divisions": codes_of(account.divisions)}
    found["links"] = [ask.link(f"/users/{account.name}", "self", "application/json")]
    return found


def codes_of(ranges: Divisions) -> list[str] | None:
    """Ranges as the codes that they are of; one that is no division's is told by both its ends."""
    return None if ranges is None else [_code(low, high) for low, high in ranges]


def ranges_of(codes: list[str] | None) -> Divisions:
    """The ranges of division codes of 2 to 12 digits; None is everywhere. Raises BadInput."""
    return None if codes is None else tuple(Division.parse(code).range_ for code in codes)


def _code(low: int, high: int) -> str:
    found = f"{low:012d}"
    return found if Division(found).range_ == (low, high) else f"{found}-{high:012d}"


def _actor(by: Signed) -> str:
    return str(by.account)


def _listed(door: Doorway) -> list[Account]:
    with door.database.connection() as conn:
        return accounts.listed(conn)


def _find(door: Doorway, name: str) -> Account:
    with door.database.connection() as conn:
        return accounts.find(conn, name)


def _add(door: Doorway, by: Signed, sent: NewUser) -> tuple[Account, str]:
    with door.database.connection() as conn:
        return accounts.add(
            conn, sent.name, sent.person, actor=_actor(by), by=by.identity.name, expires_at=sent.expires_at
        )


def _stand(door: Doorway, by: Signed, name: str, sent: Standing) -> Account:
    with door.database.connection() as conn:
        if sent.disabled:
            return accounts.disable(conn, name, actor=_actor(by))
        until: datetime | None = sent.expires_at
        return accounts.enable(conn, name, actor=_actor(by), expires_at=until)


def _grant(door: Doorway, by: Signed, name: str, sent: Office) -> Account:
    with door.database.connection() as conn:
        return accounts.grant(
            conn, name, sent.role, actor=_actor(by), divisions=ranges_of(sent.divisions), department=sent.department
        )


def _reset(door: Doorway, by: Signed, name: str) -> tuple[Account, str]:
    with door.database.connection() as conn:
        return accounts.reset(conn, name, actor=_actor(by))


def _unlock(door: Doorway, name: str) -> None:
    with door.database.connection() as conn:
        failures.forget(conn, "name", accounts.find(conn, name).name)


def _take_factor(door: Doorway, by: Signed, name: str) -> Account:
    with door.database.connection() as conn:
        return accounts.take_factor(conn, name, actor=_actor(by))
