"""The outermost shell: who is really calling, pages of other servers, what https promises; how much a caller may ask.

It is no task or wrapper of its own where nothing is to be done: a warm tile pays for one call.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asker import address_of
from api.origins import Origins, origins_of
from api.proxies import Proxies, proxies_of
from api.rates import TILE_COST, Rates
from gis.access.identity import PUBLIC, Identity
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

    def take(self, identity: Identity, scope: Scope) -> None:
        """Let a request in: accounts are counted by name, others by address. Raises TooMany."""
        path = scope["path"]
        if "/tiles/" in path:
            cost = TILE_COST
        elif path in _FREE:
            return
        else:
            cost = 1.0
        if identity is PUBLIC:
            self.by_address.take(address_of(scope), cost)
        else:
            self.by_account.take(identity.name, cost)


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
            return self.inner(scope, receive, send)
        return self._headed(guard.origins, scope, receive, send)

    async def _headed(self, origins: Origins, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers that the way here, or the page that asks, calls for."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        more = [*([STRICT] if scope["scheme"] == "https" else []), *origins.headers(origin)]

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            answer = origins.preflight(origin)
            if answer is not None:
                for message in answer:
                    await send(message)
                return
        await self.inner(scope, receive, told if more else send)
