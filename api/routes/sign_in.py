"""Signing in and out of accounts of this site."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api.asker import address_of
from api.caller import SIGNED
from api.doorway import Doorway, doorway, give_cookie, take_cookie, token_of
from api.posted import Form, posted
from api.routes.exchange import private_reply
from api.routes.provider_sign_in import PLACE, REASONS, sign_out_address
from api.served import Ask, City
from api.signed_in import is_from_our_page
from api.tracing import traced_as
from gis.access.roles import ROLES
from gis.errors import Forbidden, NotFound
from gis.store import sessions
from gis.store.accounts import find, tidy_name
from gis.store.sign_in import Attempt

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]
_Short = Annotated[str, Field(min_length=1, max_length=256)]


class Shown(Form):
    """What somebody shows to sign in."""

    name: _Short
    password: _Short
    code: str = Field(default="", max_length=32)
    new_password: str = Field(default="", max_length=256)


@router.post("/sign-in")
async def sign_in(request: Request, city: City, ask: Ask, door: Door) -> Response:
    """Begin a session, whose cookie is given. 401 tells by `subject` what is wrong or needed as well."""
    ask.only()
    _check_page(request)
    shown = await posted(request, Shown)
    # what is no account's name may be a password that slipped into the wrong place
    is_known = await door.threads.run(_is_account, door, shown.name)
    traced_as(request.scope, who=tidy_name(shown.name) if is_known else "unknown")
    attempt = Attempt(shown.name, shown.password, address_of(request.scope), shown.code, shown.new_password)
    found = await door.done(door.door.sign_in, attempt)
    account = found.account
    answer = private_reply(
        {"name": account.name, "role": account.role, "title": ROLES[account.role], "restricted": found.restricted},
        ask.language,
    )
    is_secure = request.url.scheme == "https"
    give_cookie(answer, found.token, secure=is_secure, lasts_s=int(door.door.lifetime.longest.total_seconds()))
    return answer


@router.get("/sign-in")
async def ways(ask: Ask, door: Door) -> Response:
    """By which ways people come in; with them why the provider may not have let somebody in."""
    ask.only()
    provider = door.provider and {"href": PLACE, "host": door.provider.host, "reasons": REASONS}
    return private_reply({"password": True, "provider": provider}, ask.language)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, ask: Ask, door: Door) -> Response:
    """End the session whose cookie is shown, everywhere; who came from a provider is told where to sign out there."""
    ask.only()
    token, signed = token_of(request), SIGNED.get()
    if token:
        await door.done(_end, door, token)
    place = await sign_out_address(door, ask) if signed is not None and signed.by == "provider" else None
    answer = private_reply({"continue_at": place}, ask.language) if place else Response(status_code=204)
    answer.headers["cache-control"] = "no-store"
    take_cookie(answer)
    return answer


def _is_account(door: Doorway, name: str) -> bool:
    with door.database.connection() as conn:
        try:
            return bool(find(conn, name))
        except NotFound:
            return False


def _end(door: Doorway, token: str) -> None:
    with door.database.connection() as conn:
        sessions.end(conn, token)


def _check_page(request: Request) -> None:
    """Nobody is signed in by a page of another server, as somebody else. Raises Forbidden; programs say no origin."""
    headers = dict(request.scope["headers"])
    if b"origin" in headers and not is_from_our_page(headers):
        raise Forbidden("sign in on a page of this server", "请在本服务的页面登录", subject="origin")
