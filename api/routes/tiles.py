"""Vector tiles by a path before the framework: a tile at hand costs a few look-ups and nothing else."""

import time
from collections.abc import Awaitable, Mapping
from functools import lru_cache
from typing import Any

from starlette.types import Receive, Scope, Send

from api.asker import asker_of
from api.front import check_length, refusal, request_id
from api.metrics import HUNG_UP, TILE_ROUTE
from api.noted import NOTED, Noted
from api.observed import Observed
from api.reply import Conditions
from api.tile_question import Asked, Token
from api.tile_reply import EMPTY, Answer, TileReply, copies_of, copy_in_state, not_changed, state_of
from api.tile_server import CallerGoneError, TileServer
from api.tracing import trace_refused_tile, trace_tile

_METHODS = frozenset({"GET", "HEAD"})


class TilesFirst:
    """Answers tiles itself and hands everything else on; a warm tile must not pay for a framework."""

    def __init__(self, inner: Observed, state: Any) -> None:
        self.inner, self.state = inner, state
        self._count = inner.metrics.tiles.count
        self._server: TileServer | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["type"] != "http" or "/tiles/" not in scope["path"] or scope["method"] not in _METHODS:
            return self.inner(scope, receive, send)
        return self._tile(scope, receive, send)

    async def _tile(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun_s = time.perf_counter()
        try:
            server = self.server
            asked = server.at(scope["path"], scope["query_string"]) or _read(server, scope)
            answer = None if asked is None else await self._answer(server, asked, scope, receive, begun_s)
        except CallerGoneError:
            return
        except Exception as error:
            number = request_id()
            answer = refusal(error, scope, number)
            trace_refused_tile(self.state.served, {**scope, "onemap.request": number}, error)
            self.inner.metrics.answered(TILE_ROUTE, scope["method"], answer[0]["status"], time.perf_counter() - begun_s)
        if answer is None:
            await self.inner(scope, receive, send)
            return
        await send(answer[0])
        await send(answer[1] if scope["method"] == "GET" else EMPTY)

    @property
    def server(self) -> TileServer:
        """The tiles of the city that is served."""
        if self._server is None or self._server.served is not self.state.served:
            self._server = TileServer(self.state.served)
        return self._server

    async def _answer(self, server: TileServer, asked: Asked, scope: Scope, receive: Receive, begun_s: float) -> Answer:
        server.count(asked)
        if asked.is_watched:
            await trace_tile(server.served, scope, asked)
        await server.changes.reading()
        token, given = server.token(asked), dict(scope["headers"])
        reply, source = server.kept(asked, token), "memory"
        if reply is not None:
            packed = reply.worth_packing() and _takes_gzip(given.get(b"accept-encoding", b""))
            if packed and reply.packed is None:
                await server.pack(asked, reply)
            answer = _told(reply, packed, given)
        else:
            held = _held(given, state_of(asked.key, token)) if b"if-none-match" in given else None
            if held is None:
                return await self._made(asked, token, scope, receive, begun_s)
            answer, source = not_changed(held), "caller"
        status, size = answer[0]["status"], len(answer[1]["body"])
        self._count(asked.zoom, source, scope["method"], status, size)
        if server.logs_all:
            self.inner.tile_at_hand(scope["method"], status, size)
        return answer

    async def _made(self, asked: Asked, token: Token, scope: Scope, receive: Receive, begun_s: float) -> Answer:
        """The answer with a tile that has to be read, or with why it cannot be; counted, timed and logged."""
        noted, before, status, size = Noted(request_id(), asker_of(scope), cache="missed"), NOTED.get(), HUNG_UP, 0
        NOTED.set(noted)
        try:
            answer = await self._read(asked, token, scope, receive)
            status, size = answer[0]["status"], len(answer[1]["body"])
        except CallerGoneError:
            raise
        except Exception as error:
            answer = refusal(error, scope, noted.request_id)
            status, size = answer[0]["status"], len(answer[1]["body"])
        finally:
            NOTED.set(before)
            self._count(asked.zoom, "database", scope["method"], status, size)
            self.inner.tile(scope["method"], status, time.perf_counter() - begun_s, size, noted)
        return answer

    async def _read(self, asked: Asked, token: Token, scope: Scope, receive: Receive) -> Answer:
        server, given = self.server, dict(scope["headers"])
        reply = await server.made(asked, token, receive)
        packed = reply.worth_packing() and _takes_gzip(given.get(b"accept-encoding", b""))
        if packed and reply.packed is None:
            await server.pack(asked, reply)
        return _told(reply, packed, given)


def _read(server: TileServer, scope: Scope) -> Asked | None:
    """The tile of an address that was not asked for lately. Raises TooLong, and as `TileServer.read` does."""
    check_length(scope)
    return server.read(scope["path"], scope["query_string"])


def _told(reply: TileReply, packed: bool, given: Mapping[bytes, bytes]) -> Answer:
    if not reply.content:
        return reply.answer(204, False)
    copies = given.get(b"if-none-match")
    if copies is not None:
        tag = reply.packed_tag if packed else reply.plain_tag
        if copies == tag or reply.is_held(copies_of(copies), packed=packed):
            return reply.answer(304, packed)
    return reply.answer(200, packed)


def _held(given: Mapping[bytes, bytes], state: str) -> str | None:
    """The tag of a caller's copy of a tile whose newest state is known, though not its content.

    A star means whatever there is, which is only known when there is something.
    """
    packed = _takes_gzip(given.get(b"accept-encoding", b""))
    return copy_in_state(copies_of(given[b"if-none-match"]), state, packed=packed)


@lru_cache(maxsize=256)
def _takes_gzip(accepted: bytes) -> bool:
    return Conditions.of([(b"accept-encoding", accepted)]).takes_gzip
