"""Every request is counted, timed and logged here, whoever answers it; what is known of each is noted on the way."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asker import asker_of
from api.metrics import HUNG_UP, TILE_ROUTE, Metrics
from api.noted import NOTED, Noted
from api.request_log import Answered, RequestLog

_ASSETS = "/map/assets"


class Observed:
    """Between what is answered first and everything else."""

    def __init__(self, inner: ASGIApp, metrics: Metrics, state: Any) -> None:
        self.inner, self.metrics, self.state = inner, metrics, state
        self._log = RequestLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        noted, before = Noted(asker=asker_of(scope)), NOTED.get()
        seen = _Seen(send, noted)
        NOTED.set(noted)
        begun_s = time.perf_counter()
        try:
            await self.inner(scope, receive, seen.send)
        finally:
            NOTED.set(before)
            # what goes on for as long as somebody listens is not slow
            ended_s = seen.begun_s if seen.is_endless else time.perf_counter()
            answered = Answered(scope["method"], noted.route or "none", seen.status, ended_s - begun_s, seen.size)
            self.metrics.answered(answered.route, answered.method, answered.status, answered.seconds)
            self._write(noted, answered)

    @property
    def explained(self) -> bool:
        """Whether all that is to be said of the requests so far has been said."""
        return self._log.explaining is None or self._log.explaining.done()

    def tile(self, method: str, status: int, seconds: float, size: int, noted: Noted) -> None:
        """Time and log a tile that was not at hand; it has been counted."""
        self.metrics.timed(seconds)
        self._write(noted, Answered(method, TILE_ROUTE, status, seconds, size))

    def tile_at_hand(self, method: str, status: int, size: int) -> None:
        """Log a tile from memory, where all requests are logged."""
        self._write(Noted(cache="memory"), Answered(method, TILE_ROUTE, status, 0.0, size))

    def _write(self, noted: Noted, answered: Answered) -> None:
        served = getattr(self.state, "served", None)
        if served is not None:
            self._log.write(served, noted, answered)


class _Seen:
    """What goes out in answer to one request."""

    __slots__ = ("_noted", "_outer", "begun_s", "is_endless", "size", "status")

    def __init__(self, outer: Send, noted: Noted) -> None:
        self._outer, self._noted = outer, noted
        self.status, self.size, self.begun_s, self.is_endless = HUNG_UP, 0, 0.0, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.begun_s = message["status"], time.perf_counter()
            for name, value in message["headers"]:
                if name == b"onemap-request-id":
                    self._noted.request_id = value.decode()
                elif name == b"content-type":
                    self.is_endless = value.startswith(b"text/event-stream")
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._outer(message)


class RouteNoted:
    """Inside the framework: notes which of its routes was taken, as the template of its address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self.app(scope, receive, send)
        finally:
            noted = NOTED.get()
            if noted is not None and scope["type"] == "http":
                noted.route = _template(scope)


def _template(scope: Scope) -> str:
    if scope["path"].startswith(f"{_ASSETS}/"):
        return _ASSETS
    return str(getattr(scope.get("route"), "path", ""))
