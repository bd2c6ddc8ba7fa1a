"""What every answer goes through, whoever gives it: limits, request id, security headers, HEAD, errors, hanging up.

Plain ASGI, so that tiles pay for nothing else.
"""

import asyncio
import logging
import secrets

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLong, problem
from api.language import language_of

_LOG = logging.getLogger("onemap.web")

MAX_ADDRESS_BYTES = 16_384

#: Methods whose requests may bring something.
_BRINGING = frozenset({"POST", "PUT", "PATCH"})

_SECURITY = (
    (
        b"content-security-policy",
        b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        b"worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Front:
    """The outermost application."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the server's own start and end on."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        await _Exchange(self.inner, scope, receive, send).run()


class _Exchange:
    """One request and its answer."""

    def __init__(self, inner: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.inner, self.outer_receive, self.outer_send = inner, receive, send
        self.is_head = scope["method"] == "HEAD"
        self.scope = {**scope, "method": "GET"} if self.is_head else scope
        self.request_id = secrets.token_hex(8)
        self.started = False
        self.gone = asyncio.Event()
        #: The inner application reads the body; whoever waits for the caller's end must not, until it is over.
        self.read = asyncio.Event()
        if scope["method"] not in _BRINGING:
            self.read.set()
        self.asked = False

    async def run(self) -> None:
        """Answer; when the caller hangs up first, stop working for it, which cancels its query in the database."""
        work = asyncio.ensure_future(self._answer())
        watch = asyncio.ensure_future(self._hung_up())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.gone.set()
                work.cancel()
        finally:
            watch.cancel()
            if not work.done():
                work.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)

    async def _hung_up(self) -> None:
        """Questions have no body, and of others the answer may come first: what nobody wants is read and dropped."""
        await self.read.wait()
        while (await self.outer_receive())["type"] != "http.disconnect":
            pass

    async def _receive(self) -> Message:
        if not self.read.is_set():
            message = await self.outer_receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
            if not message.get("more_body"):
                self.asked = True
                self.read.set()
            return message
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _answer(self) -> None:
        try:
            self._check_length()
            await self.inner(self.scope, self._receive, self._send)
        except ClientDisconnect:
            return
        except Exception as error:
            status, headers, body = problem(error, language_of(self.scope), self.scope["path"])
            if status >= 500:
                _LOG.error("request %s %s failed", self.request_id, self.scope["path"], exc_info=error)
            if self.started:
                return
            raw = [(name.encode(), value.encode()) for name, value in headers.items()]
            raw.append((b"content-length", str(len(body)).encode()))
            await self._send({"type": "http.response.start", "status": status, "headers": raw})
            await self._send({"type": "http.response.body", "body": body})

    def _check_length(self) -> None:
        if len(self.scope.get("raw_path") or b"") + len(self.scope["query_string"]) > MAX_ADDRESS_BYTES:
            raise TooLong(
                f"the address is longer than {MAX_ADDRESS_BYTES} bytes; simplify the filter or the area",
                f"网址超过 {MAX_ADDRESS_BYTES} 字节,请简化过滤条件或范围",
            )

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.read.set()
            own = [*_SECURITY, (b"onemap-request-id", self.request_id.encode())]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        elif self.is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.outer_send(message)
