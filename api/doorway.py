"""Where accounts come in: signing in beside the event loop, a few at a time, and the cookie that is given for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from api.caller import SIGNED, Signed
from api.credentials import COOKIE, SECURE_COOKIE, Credentials
from api.threads import Threads
from gis.access.code_flow import CodeFlow
from gis.access.roles import ADMINISTRATORS
from gis.errors import Forbidden, NotSignedIn
from gis.store.database import Database
from gis.store.sign_in import SignIn

T = TypeVar("T")

#: A hash takes 64 MB and tens of milliseconds: so many at once for one caller, and one more for whoever comes beside.
_AT_ONCE = 1


@dataclass(slots=True)
class Doorway:
    """The door of one city, for one event loop; by `provider` people come in who have no account here, if there is one.

    What is asked of the provider holds up nobody who signs in here.
    """

    door: SignIn
    credentials: Credentials
    provider: CodeFlow | None = None
    threads: Threads = field(default_factory=lambda: Threads(_AT_ONCE, "sign-in"))
    outside: Threads = field(default_factory=lambda: Threads(_AT_ONCE, "provider"))

    @property
    def database(self) -> Database:
        """Where accounts are."""
        return self.door.database

    async def done(self, work: Callable[..., T], *args: Any) -> T:
        """What a function brings; what it changes holds for this server at once. Raises Unavailable."""
        try:
            return await self.threads.run(work, *args)
        finally:
            self.credentials.forget()

    def close(self) -> None:
        """End the threads and close the connections."""
        self.threads.close(wait=True)
        self.outside.close(wait=False)
        self.credentials.close()


def doorway(request: Request) -> Doorway:
    """The door of the city that is served."""
    found: Doorway = request.app.state.doorway
    return found


def signed_in() -> Signed:
    """The account that asks, by a session of its own. Raises NotSignedIn, and Forbidden for keys and tokens."""
    found = SIGNED.get()
    if found is None:
        raise NotSignedIn("sign in first", "请先登录", subject="session")
    if found.account is None:
        raise Forbidden(
            "this takes an account of this site that has signed in, not a key, a token or a provider's word",
            "此操作须由已登录的本站账号进行,不能使用密钥、令牌或身份提供方的登录",
            subject="session",
        )
    return found


def administrator(*roles: str) -> Signed:
    """The account that asks, which holds one of these offices. Raises NotSignedIn, Forbidden."""
    found = signed_in()
    if found.identity.role not in roles:
        listed = ", ".join(role for role in ADMINISTRATORS if role in roles)
        raise Forbidden(f"this is for {listed} alone", f"此操作仅限 {listed}", subject="role")
    return found


def give_cookie(answer: Response, token: str, *, secure: bool, lasts_s: int) -> None:
    """Let the browser keep a session's token: out of reach of scripts, and shown to no other server's pages."""
    answer.set_cookie(
        SECURE_COOKIE if secure else COOKIE, token, max_age=lasts_s, path="/", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def take_cookie(answer: Response) -> None:
    """Let the browser forget it."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    answer.delete_cookie(SECURE_COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def token_of(request: Request) -> str:
    """The token of the session whose cookie the request shows; empty where it shows none."""
    return request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE) or ""
