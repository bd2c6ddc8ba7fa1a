"""What every answer goes through, whoever gives it: limits, request id, security headers, HEAD, errors, hanging up.

Plain ASGI, so that tiles pay for nothing else.
"""

import asyncio
import logging
import secrets
from itertools import count

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLong, problem
from api.headers import SECURITY
from api.language import language_of

_LOG = logging.getLogger("onemap.web")

MAX_ADDRESS_BYTES = 16_384
#: A request is watched for its caller hanging up once it has taken this long; most are answered before.
_UNWATCHED_S = 0.02

#: Methods whose requests may bring something.
_BRINGING = frozenset({"POST", "PUT", "PATCH"})

# A random beginning for each process and a number a request: unique, and no call to the system for each.
_PROCESS = secrets.token_hex(6)
_NUMBERS = count(1)


def request_id() -> str:
    """A new request's id, 16 hexadecimal digits or more."""
    return f"{_PROCESS}{next(_NUMBERS):04x}"


def check_length(scope: Scope) -> None:
    """Raises TooLong for an address beyond what any question needs."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
        raise TooLong(
            f"the address is longer than {MAX_ADDRESS_BYTES} bytes; simplify the filter or the area",
            f"网址超过 {MAX_ADDRESS_BYTES} 字节,请简化过滤条件或范围",
        )


def refusal(error: Exception, scope: Scope, asked_as: str) -> tuple[Message, Message]:
    """The answer to a request that failed, and a line in the log where it is our fault."""
    status, headers, body = problem(error, language_of(scope), scope["path"])
    if status == 503:
        _LOG.warning("request %s %s turned away: %s", asked_as, scope["path"], error)
    elif status >= 500:
        _LOG.error("request %s %s failed", asked_as, scope["path"], exc_info=error)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw += [(b"content-length", str(len(body)).encode()), *SECURITY, (b"onemap-request-id", asked_as.encode())]
    return (
        {"type": "http.response.start", "status": status, "headers": raw},
        {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body},
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
        self.asked_scope = scope
        # who would have to work for a body long can see that nobody wants one
        self.scope = {**scope, "method": "GET", "onemap.head": True} if self.is_head else scope
        self.request_id = self.scope["onemap.request"] = request_id()
        self.started = False
        self.gone = asyncio.Event()
        #: The inner application reads the body; whoever waits for the caller's end must not, until it is over.
        self.read = asyncio.Event()
        if scope["method"] not in _BRINGING:
            self.read.set()
        self.asked = False
        self.watching: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Answer; when the caller hangs up first, stop working for it, which cancels its query in the database."""
        work = asyncio.current_task()
        assert work is not None
        watch = asyncio.get_running_loop().call_later(_UNWATCHED_S, self._watch, work)
        try:
            await self._answer()
        except asyncio.CancelledError:
            if not self.gone.is_set() or work.uncancel():
                raise
        finally:
            watch.cancel()
            if self.watching is not None:
                self.watching.cancel()

    def _watch(self, work: "asyncio.Task[None]") -> None:
        self.watching = asyncio.ensure_future(self._hung_up(work))
        # what the server says to whoever waits for the end of a caller that has gone is no news
        self.watching.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _hung_up(self, work: "asyncio.Task[None]") -> None:
        """Questions have no body, and of others the answer may come first: what nobody wants is read and dropped."""
        await self.read.wait()
        while (await self.outer_receive())["type"] != "http.disconnect":
            pass
        self.gone.set()
        work.cancel()

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
            check_length(self.scope)
            await self.inner(self.scope, self._receive, self._send)
        except ClientDisconnect:
            return
        except Exception as error:
            if self.started:
                _LOG.error("request %s %s failed", self.request_id, self.scope["path"], exc_info=error)
                return
            self.started = True
            self.read.set()
            for message in refusal(error, self.asked_scope, self.request_id):
                await self.outer_send(message)

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.read.set()
            own = [*SECURITY, (b"onemap-request-id", self.request_id.encode())]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        elif self.is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.outer_send(message)
