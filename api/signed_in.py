"""The outermost layer but one: finds out who asks, and whether that is not too much, before anything is answered.

Who shows nothing pays for one call.
"""

import time
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asker import address_of
from api.caller import CALLER, SIGNED, Signed
from api.credentials import COOKIE, SECURE_COOKIE, Credential, Credentials, credential_of
from api.errors import TooMany
from api.front import refusal, request_id
from api.metrics import Metrics
from api.purpose import with_purpose
from api.tracing import event_of
from gis.access.identity import Identity
from gis.errors import Forbidden, NotSignedIn

#: Places with keys of their own, and those where somebody comes whose session has ended: who asks is nothing to them.
_APART = frozenset({"/metrics", "/sign-in", "/map", "/account", "/exchange", "/exchange/"})
_APART_BELOW = ("/map/", "/health", "/sign-in/")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Questions that are posted because they are long.
_ASKED = frozenset({"/geocode", "/here"})
#: All that may be done before the second factor is set up.
_BEFORE_THE_FACTOR = frozenset({"/me", "/me/second-factor", "/me/password", "/sign-out"})


class SignedIn:
    """Sets `CALLER` and `SIGNED` for each request; refuses those whose credentials are nobody's."""

    def __init__(self, inner: ASGIApp, state: Any, counted: Metrics) -> None:
        self.inner, self.state, self.counted = inner, state, counted

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["type"] != "http":
            return self.inner(scope, receive, send)
        if scope["path"] not in _APART and not scope["path"].startswith(_APART_BELOW):
            for name, value in scope["headers"]:
                if name == b"authorization" or (name == b"cookie" and b"onemap_session=" in value):
                    return self._as_shown(scope, receive, send)
        try:
            self.state.guard.take(CALLER.get(), scope)
        except TooMany as error:
            return self._refuse(error, None, scope, send, time.perf_counter())
        return self.inner(scope, receive, send)

    async def _as_shown(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whoever the credentials in the headers belong to."""
        begun_s, credential = time.perf_counter(), None
        signed, identity = None, CALLER.get()
        try:
            credential = credential_of(scope["headers"])
            if credential is not None:
                signed = await self._signed(credential, scope)
                identity = await self._identity(signed.identity, scope)
            self.state.guard.take(identity, scope)
        except Exception as error:
            await self._refuse(error, credential, scope, send, begun_s)
            return
        caller, how = CALLER.set(identity), SIGNED.set(signed)
        try:
            await self.inner(scope, receive, send)
        finally:
            CALLER.reset(caller)
            SIGNED.reset(how)

    async def _signed(self, credential: Credential, scope: Scope) -> Signed:
        """Who shows it, if that may do what is asked. Raises NotSignedIn, Forbidden, TooMany, Unavailable."""
        credentials: Credentials = self.state.doorway.credentials
        signed = credentials.at_hand(credential) if credentials.is_fresh else None
        if signed is None:
            if credential.kind == "bearer":
                # nobody finds a key by trying
                self.state.guard.refused.check(address_of(scope))
            signed = await credentials.signed(credential)
        if signed.rate is not None:
            signed.rate.take("")
        if scope["method"] not in _SAFE:
            _check_writer(signed, credential, scope)
        if signed.restricted and scope["path"] not in _BEFORE_THE_FACTOR:
            raise Forbidden(
                "set up the second factor first: administrators do nothing without it",
                "请先设置第二因素:管理员须启用后方可操作",
                subject="factor",
            )
        return signed

    async def _identity(self, identity: Identity, scope: Scope) -> Identity:
        """With the purpose that the request states, raised where an emergency is in force."""
        stated = with_purpose(identity, scope["headers"])
        raised: Identity = await self.state.emergencies.of(stated, self.state.served.catalogue)
        return raised

    async def _refuse(
        self, error: Exception, credential: Credential | None, scope: Scope, send: Send, begun_s: float
    ) -> None:
        is_session = credential is not None and credential.kind == "cookie"
        if isinstance(error, NotSignedIn) and not is_session:
            try:
                self.state.guard.refused.take(address_of(scope))
            except TooMany as held:
                error = held
        answer = refusal(error, scope, request_id())
        self.counted.answered("none", scope["method"], answer[0]["status"], time.perf_counter() - begun_s)
        if isinstance(error, Forbidden) or (isinstance(error, NotSignedIn) and not is_session):
            detail = {"route": "credentials", "status": answer[0]["status"]}
            served = self.state.served
            served.trace.keep(event_of(served, scope, "refused", outcome="refused", detail=detail))
        if isinstance(error, NotSignedIn) and is_session:
            # a browser would show the cookie of a session that has ended for ever
            answer = _without_cookie(answer[0]), answer[1]
        for message in answer:
            await send(message)


def _without_cookie(start: Message) -> Message:
    dropped = [
        (b"set-cookie", f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{secure}".encode())
        for name, secure in ((COOKIE, ""), (SECURE_COOKIE, "; Secure"))
    ]
    return {**start, "headers": [*start["headers"], *dropped]}


def _check_writer(signed: Signed, credential: Credential, scope: Scope) -> None:
    """That a change comes from the caller's own will, and from who may write. Raises Forbidden."""
    if credential.kind == "cookie" and not is_from_our_page(dict(scope["headers"])):
        raise Forbidden(
            "a change with a session's cookie must come from a page of this server (header Origin)",
            "使用登录会话的修改请求必须来自本服务的页面(请求头 Origin)",
            subject="origin",
        )
    if not signed.writes and scope["path"] not in _ASKED:
        raise Forbidden("this key is for reading alone", "此密钥仅可读取", subject="authorization")


def is_from_our_page(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser says that a page of this server sends the request; proxies may have changed the scheme."""
    origin = headers.get(b"origin")
    if origin is None:
        return headers.get(b"sec-fetch-site") == b"same-origin"
    try:
        place = urlsplit(origin.decode("latin-1").lower())
    except ValueError:
        return False
    own = headers.get(b"host", b"").decode("latin-1").lower()
    return place.scheme in ("http", "https") and bool(own) and place.netloc == own
