"""Vector tiles by a path before the framework: a tile at hand costs a few look-ups and nothing else."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from api.front import check_length, refusal, request_id
from api.reply import Conditions
from api.tile_reply import EMPTY, Answer, TileReply, not_changed, tag_of
from api.tile_server import CallerGoneError, TileServer

_METHODS = frozenset({"GET", "HEAD"})


class TilesFirst:
    """Answers tiles itself and hands everything else on; a warm tile must not pay for a framework."""

    def __init__(self, inner: ASGIApp, state: Any) -> None:
        self.inner, self.state = inner, state
        self._server: TileServer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or "/tiles/" not in scope["path"] or scope["method"] not in _METHODS:
            await self.inner(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
        except CallerGoneError:
            return
        except Exception as error:
            answer = refusal(error, scope, request_id())
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

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """The answer, or None where the address is no tile's."""
        server = self.server
        asked = server.at(scope["path"], scope["query_string"])
        if asked is None:
            check_length(scope)
            asked = server.read(scope["path"], scope["query_string"])
            if asked is None:
                return None
        server.count(asked)
        token = await server.token(asked)
        given = dict(scope["headers"])
        reply = server.kept(asked, token)
        if reply is None:
            held = _held(given, tag_of(asked.key, token)) if b"if-none-match" in given else None
            if held is not None:
                return not_changed(held)
            reply = await server.made(asked, token, receive)
        packed = reply.worth_packing() and _takes_gzip(given.get(b"accept-encoding", b""))
        if packed and reply.packed is None:
            await server.pack(asked, reply)
        return _told(reply, packed, given)


def _told(reply: TileReply, packed: bool, given: Mapping[bytes, bytes]) -> Answer:
    if not reply.content:
        return reply.answer(204, False)
    copies = given.get(b"if-none-match")
    if copies is not None:
        tag = reply.packed_tag if packed else reply.plain_tag
        if copies == tag or Conditions(copies.decode("latin-1")).hold(tag.decode()):
            return reply.answer(304, packed)
    return reply.answer(200, packed)


def _held(given: Mapping[bytes, bytes], tag: str) -> bytes | None:
    """The tag of a caller's copy of a tile whose newest tag is known, though not its content."""
    conditions = Conditions(given[b"if-none-match"].decode("latin-1"))
    forms = [f'"{tag}"', *([f'"{tag}-gz"'] if _takes_gzip(given.get(b"accept-encoding", b"")) else [])]
    # a star means whatever there is, which is only known when there is something
    named = "*" not in conditions.if_none_match
    return next((form.encode() for form in forms if named and conditions.hold(form)), None)


@lru_cache(maxsize=256)
def _takes_gzip(accepted: bytes) -> bool:
    return Conditions.of([(b"accept-encoding", accepted)]).takes_gzip
