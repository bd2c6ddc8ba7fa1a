"""Who the caller is, what it may see, and its own password and second factor."""

from base64 import b32encode
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api.caller import SIGNED
from api.doorway import Doorway, doorway, signed_in, token_of
from api.posted import Form, posted
from api.routes.exchange import private_reply
from api.served import Ask, City, Served
from gis.access.explanation import explained
from gis.access.identity import PUBLIC, Identity
from gis.access.purpose import declared_purposes, is_stated
from gis.access.roles import ROLES
from gis.errors import NotSignedIn
from gis.store import factors, failures, sessions
from gis.store.accounts import Account, find

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]
_Short = Annotated[str, Field(min_length=1, max_length=256)]


class Passwords(Form):
    """The present password and the one that takes its place."""

    password: _Short
    new_password: _Short


class Code(Form):
    """A code of the second factor."""

    code: Annotated[str, Field(min_length=1, max_length=32)]


@router.get("/me")
async def me(city: City, ask: Ask, door: Door) -> Response:
    """The caller, and each collection of which something is told, with by which rule."""
    ask.only()
    signed, identity = SIGNED.get(), city.identity
    found: dict[str, Any] = {
        "name": None if identity is PUBLIC else identity.name,
        "role": identity.role,
        "title": ROLES[identity.role],
        "department": identity.department,
        "divisions": _divisions(identity.divisions),
        "purpose": identity.purpose,
        "purposes": _purposes(city, identity),
        "by": signed and signed.by,
        "restricted": bool(signed and signed.restricted),
        "collections": _collections(city),
    }
    if signed is not None and signed.account is not None:
        account = await door.threads.run(_account, door, identity.name)
        found |= {"person": account.person, "has_factor": account.has_factor, "role": account.role,
                  "title": ROLES[account.role]}  # fmt: skip
    return private_reply(found, ask.language)


@router.post("/me/password", status_code=204)
async def change_password(request: Request, ask: Ask, door: Door) -> Response:
    """Another password; all other sessions of the account end."""
    ask.only()
    name, sent = signed_in().identity.name, await posted(request, Passwords)
    await door.done(_change_password, door, name, sent, token_of(request))
    return Response(status_code=204)


@router.post("/me/second-factor")
async def begin_factor(ask: Ask, door: Door) -> Response:
    """A new secret for an authenticator app, to be confirmed with a code of it."""
    ask.only()
    secret, address = await door.done(_begin_factor, door, signed_in().identity.name)
    return private_reply({"secret": b32encode(secret).decode(), "address": address}, ask.language)


@router.put("/me/second-factor")
async def confirm_factor(request: Request, ask: Ask, door: Door) -> Response:
    """From now on a code is asked for; the recovery codes are shown this once."""
    ask.only()
    name, sent = signed_in().identity.name, await posted(request, Code)
    codes = await door.done(_confirm_factor, door, name, sent.code)
    return private_reply({"recovery_codes": codes}, ask.language)


@router.post("/me/second-factor/remove", status_code=204)
async def remove_factor(request: Request, ask: Ask, door: Door) -> Response:
    """No code is asked for any more."""
    ask.only()
    name, sent = signed_in().identity.name, await posted(request, Code)
    await door.done(_remove_factor, door, name, sent.code)
    return Response(status_code=204)


def _purposes(city: Served, identity: Identity) -> dict[str, Any]:
    """Whether something is told for a stated purpose only, and the purposes that policies name."""
    silent = replace(identity, purpose="")
    declared = declared_purposes(identity, city.catalogue)
    return {"needed": not all(is_stated(silent, c) for c in city.collections()), "declared": declared}


def _collections(city: Served) -> list[dict[str, Any]]:
    identity = city.identity
    return [
        {"id": c.id, "title": c.title, "sensitivity": c.sensitivity.value, "rights": explained(identity, c)}
        for c in city.collections()
    ]


def _divisions(ranges: tuple[tuple[int, int], ...] | None) -> list[list[str]] | None:
    return None if ranges is None else [[f"{low:012d}", f"{high:012d}"] for low, high in ranges]


def _account(door: Doorway, name: str) -> Account:
    with door.database.connection() as conn:
        return find(conn, name)


def _change_password(door: Doorway, name: str, sent: Passwords, token: str) -> None:
    door.door.change_password(name, sent.password, sent.new_password, keep=token)


def _begin_factor(door: Doorway, name: str) -> tuple[bytes, str]:
    with door.database.connection() as conn:
        return factors.begin(conn, find(conn, name))


def _confirm_factor(door: Doorway, name: str, code: str) -> list[str]:
    with door.database.connection() as conn:
        account = find(conn, name)
        codes = factors.confirm(conn, account, code)
        sessions.lift(conn, account.id)
    return codes


def _remove_factor(door: Doorway, name: str, code: str) -> None:
    with door.database.connection() as conn:
        # who has found a page open cannot try all codes either
        if not failures.count(conn, "name", name):
            raise NotSignedIn("too many codes failed; wait some minutes", "验证码多次错误,请等待数分钟", subject="code")
        factors.remove(conn, find(conn, name), code)
        failures.forget(conn, "name", name)
