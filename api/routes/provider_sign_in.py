"""Signing in at the provider of identities: there and back, which ends with a session's cookie of our own.

Nothing of a request says where somebody comes to in the end but the name of a page of ours.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api import parameters
from api.asker import address_of
from api.doorway import Doorway, doorway, give_cookie
from api.served import Ask, Asked, City, Served
from api.tracing import event_of
from gis.access.code_flow import Attempt, CodeFlow
from gis.access.identity import Identity
from gis.errors import Forbidden, NotFound, NotSignedIn, OneMapError
from gis.store import sessions
from gis.text import Text

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]

PLACE = "/sign-in/provider"
#: The pages to which somebody comes back.
_PAGES = {"account": "/account", "map": "/map", "exchange": "/exchange"}
#: Keeps an attempt in the browser; shown when the provider sends it back, which pages of others may cause.
_COOKIE, _SECURE_COOKIE = "onemap_attempt", "__Host-onemap_attempt"
_PATIENCE_S = 600
_LONGEST = 4_096

#: Why somebody was not let in, as the page to which they come back is told.
REASONS = {
    "refused": Text("身份提供方未确认此次登录,请重试或使用本站账号登录。",
                    "The provider did not confirm this sign-in; try again, or use an account of this site."),
    "expired": Text("此次登录已过期,或始于另一浏览器,请重新登录。",
                    "This sign-in took too long, or began in another browser; begin again."),
    "no_role": Text("身份提供方未授予您本站的角色,请联系其管理员。",
                    "The provider gives you no role here; ask its administrator for one."),
    "unavailable": Text("身份提供方暂无响应,请稍后再试,或使用本站账号登录。",
                        "The provider does not answer; try again later, or use an account of this site."),
}  # fmt: skip


@router.get(PLACE)
async def begin(request: Request, city: City, ask: Ask, door: Door) -> Response:
    """To the provider's page; `back` names the page of ours to which somebody comes from there."""
    back = parameters.choice(ask.only("back"), "back", _PAGES) or "account"
    flow, attempt = _flow(door), Attempt.begin()
    try:
        place = await door.outside.run(flow.address, attempt, _callback(ask))
    except OneMapError as error:
        return _failed(city, request, error, back)
    answer = _to(place)
    is_secure = request.url.scheme == "https"
    answer.set_cookie(_name(request), f"{attempt.secret}.{back}", max_age=_PATIENCE_S, path="/", secure=is_secure,
                      httponly=True, samesite="lax")  # fmt: skip
    return answer


@router.get(f"{PLACE}/callback")
async def come_back(request: Request, city: City, ask: Ask, door: Door) -> Response:
    """Back from the provider with a code: a session begins, and the page is shown from which somebody went."""
    flow, said = _flow(door), dict(ask.parameters)
    secret, _, back = request.cookies.get(_name(request), "").partition(".")
    attempt = Attempt(secret)
    try:
        _check(said, attempt, flow)
        identity = await door.outside.run(flow.identity, attempt, said["code"], _callback(ask))
        # nobody works here whose sign-in is in no trace
        who = {"who": identity.name, "role": identity.role, "detail": {"route": PLACE}}
        await city.trace.written(event_of(city, request.scope, "signed_in", **who))
        token = await door.done(_begin, door, flow, identity, address_of(request.scope))
    except OneMapError as error:
        return _forgetting(request, _failed(city, request, error, back))
    answer = _forgetting(request, _to(_page(back)))
    give_cookie(answer, token, secure=request.url.scheme == "https",
                lasts_s=int(door.door.lifetime.longest.total_seconds()))  # fmt: skip
    return answer


async def sign_out_address(door: Doorway, ask: Asked) -> str | None:
    """Where somebody signs out of the provider too; None where it has no such page, or does not answer."""
    if door.provider is None:
        return None
    try:
        return await door.outside.run(door.provider.sign_out_address, f"{ask.base}/account")
    except OneMapError:
        return None


def _flow(door: Doorway) -> CodeFlow:
    if door.provider is None:
        raise NotFound("nobody signs in at a provider here", "本站未启用身份提供方登录", subject="provider")
    return door.provider


def _check(said: dict[str, str], attempt: Attempt, flow: CodeFlow) -> None:
    """That a code came, in answer to what this very browser began. Raises NotSignedIn."""
    if not attempt.secret or not attempt.is_answered_by(said.get("state", "")):
        raise NotSignedIn(REASONS["expired"].en, REASONS["expired"].zh, subject="state")
    # RFC 9207: the answer of another provider is none of this one's
    is_ours = said.get("iss", flow.provider.issuer) == flow.provider.issuer
    if not is_ours or "error" in said or not 0 < len(said.get("code", "")) <= _LONGEST:
        raise NotSignedIn(REASONS["refused"].en, REASONS["refused"].zh, subject="code")


def _begin(door: Doorway, flow: CodeFlow, identity: Identity, origin: str) -> str:
    with door.database.connection() as conn:
        sessions.prune(conn, door.door.lifetime)
        return sessions.begin_outside(conn, identity, flow.provider.issuer, origin)


def _failed(city: Served, request: Request, error: OneMapError, back: str) -> Response:
    """Back to the page, which is told why; the trace too."""
    reason = _reason(error)
    outcome = "failed" if reason == "unavailable" else "refused"
    city.trace.keep(event_of(city, request.scope, "signed_in", outcome=outcome, who="unknown",
                             detail={"route": PLACE, "why": reason}))  # fmt: skip
    return _to(f"{_page(back)}#{urlencode({'sign-in': reason})}")


def _reason(error: OneMapError) -> str:
    if isinstance(error, Forbidden):
        return "no_role"
    if isinstance(error, NotSignedIn):
        return "expired" if error.subject == "state" else "refused"
    return "unavailable"


def _page(back: str) -> str:
    return _PAGES.get(back, _PAGES["account"])


def _callback(ask: Asked) -> str:
    return f"{ask.base}{PLACE}/callback"


def _name(request: Request) -> str:
    return _SECURE_COOKIE if request.url.scheme == "https" else _COOKIE


def _to(place: str) -> Response:
    return RedirectResponse(place, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _forgetting(request: Request, answer: Response) -> Response:
    """An attempt is ended once, whatever came of it."""
    answer.delete_cookie(_name(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")
    return answer
