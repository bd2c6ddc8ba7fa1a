"""The outermost shell: who is really calling, pages of other servers, how much a caller may ask, what https promises.

Neither layer is a task or a wrapper of its own where nothing is to be done: a warm tile pays for two calls.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asker import address_of
from api.caller import CALLER
from api.errors import TooMany
from api.front import refusal, request_id
from api.metrics import Metrics
from api.origins import Origins, origins_of
from api.proxies import Proxies, proxies_of
from api.rates import TILE_COST, Rates
from gis.access.identity import PUBLIC
from gis.settings import Settings

#: Whoever came once by an encrypted way comes by no other for a year (RFC 6797).
STRICT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
#: Watching over health and figures goes on while callers are held back.
_FREE = frozenset({"/health", "/metrics"})
#: Credentials of nobody's that one address may show, a second and in a row.
_REFUSED_PER_S, _REFUSED_BURST_S = 2.0, 50.0


@dataclass(frozen=True, slots=True)
class Guard:
    """What an installation's settings say of callers."""

    proxies: Proxies
    origins: Origins
    by_address: Rates
    by_account: Rates
    refused: Rates

    @classmethod
    def of(cls, settings: Settings) -> "Guard":
        """Raises SetupError naming the setting that cannot be meant."""
        return cls(
            Proxies(proxies_of(settings.proxies)),
            Origins(origins_of(settings.origins)),
            Rates(settings.requests_per_s_address),
            Rates(settings.requests_per_s_account),
            Rates(_REFUSED_PER_S if settings.requests_per_s_address else 0.0, _REFUSED_BURST_S),
        )


class Shell:
    """Around everything, and before it is known who asks."""

    def __init__(self, inner: ASGIApp, state: Any) -> None:
        self.inner, self.state = inner, state

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["type"] != "http":
            return self.inner(scope, receive, send)
        guard: Guard = self.state.guard
        guard.proxies.settle(scope)
        if scope["scheme"] != "https" and not guard.origins.named:
            for name, _ in scope["headers"]:
                if name == b"authorization":
                    break
            else:
                return self.inner(scope, receive, send)
        return self._guarded(scope, receive, send, dict(scope["headers"]))

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        guard: Guard = self.state.guard
        origin, more = headers.get(b"origin"), [STRICT] if scope["scheme"] == "https" else []
        more += guard.origins.headers(origin)
        shows = b"authorization" in headers
        address = address_of(scope) if shows else ""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                if shows and message["status"] == 401:
                    guard.refused.charge(address, 1.0)
                if more:
                    message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            answer = guard.origins.preflight(origin)
            if answer is not None:
                for message in answer:
                    await send(message)
                return
        if shows:
            try:
                guard.refused.check(address)
            except TooMany as error:
                for message in refusal(error, scope, request_id()):
                    await told(message)
                return
        await self.inner(scope, receive, told)


class Rated:
    """Holds back callers who ask too much, once it is known who they are: accounts by name, others by address."""

    def __init__(self, inner: ASGIApp, state: Any, counted: Metrics) -> None:
        self.inner, self.state, self.counted = inner, state, counted

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            return self.inner(scope, receive, send)
        guard: Guard = self.state.guard
        cost = TILE_COST if "/tiles/" in scope["path"] else 1.0
        identity = CALLER.get()
        try:
            if identity is PUBLIC:
                guard.by_address.take(address_of(scope), cost)
            else:
                guard.by_account.take(identity.name, cost)
        except TooMany as error:
            return self._refused(error, scope, send)
        return self.inner(scope, receive, send)

    async def _refused(self, error: TooMany, scope: Scope, send: Send) -> None:
        answer = refusal(error, scope, request_id())
        self.counted.answered("none", scope["method"], answer[0]["status"], 0.0)
        for message in answer:
            await send(message)
