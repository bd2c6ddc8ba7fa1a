"""The outermost layer: finds out who asks, before anything is answered. Requests without credentials pay nothing."""

import time
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from api.caller import CALLER
from api.credentials import Credentials, credential_of
from api.front import refusal, request_id
from api.metrics import Metrics
from api.purpose import with_purpose
from gis.access.identity import Identity

#: Places that have keys of their own.
_APART = frozenset({"/metrics"})


class SignedIn:
    """Sets `CALLER` for each request; refuses those whose credentials are nobody's."""

    def __init__(self, inner: ASGIApp, state: Any, counted: Metrics) -> None:
        self.inner, self.state, self.counted = inner, state, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in _APART:
            await self.inner(scope, receive, send)
            return
        begun_s = time.perf_counter()
        try:
            identity = await self._identity(scope)
        except Exception as error:
            answer = refusal(error, scope, request_id())
            self.counted.answered("none", scope["method"], answer[0]["status"], time.perf_counter() - begun_s)
            for message in answer:
                await send(message)
            return
        if identity is None:
            await self.inner(scope, receive, send)
            return
        before = CALLER.set(identity)
        try:
            await self.inner(scope, receive, send)
        finally:
            CALLER.reset(before)

    async def _identity(self, scope: Scope) -> Identity | None:
        token = credential_of(scope["headers"])
        if token is None:
            return None
        credentials: Credentials = self.state.credentials
        return with_purpose(await credentials.holder(token), scope["headers"])
