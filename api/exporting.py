"""An answer on its way out, piece by piece: the next piece is made when the caller has taken the one before."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from api.asker import asker
from api.noted import told
from api.reply import REVALIDATE, Conditions
from api.served import Asked
from gis.errors import OneMapError, Unavailable
from gis.export import Export
from gis.query.crs import uri
from gis.store.turns import Turns

#: So many at once: each holds a connection and a core for as long as it takes.
AT_ONCE, _MOST_WAITING = 4, 32
_PATIENCE_S = 10.0
#: Whoever takes nothing for so long makes room for others.
_IDLE_S = 60.0
_END = object()
_NO_MORE: Mapping[str, str] = {}


class Exports:
    """What goes out of one city at a time, for one event loop."""

    def __init__(self) -> None:
        self._turns = Turns(AT_ONCE, _MOST_WAITING, _PATIENCE_S)

    async def send(
        self,
        send: Send,
        export: Export,
        ask: Asked,
        conditions: Conditions,
        *,
        only_head: bool,
        more: Mapping[str, str] = _NO_MORE,
    ) -> None:
        """Answer a request, with `more` headers. When the caller hangs up, the statement is cancelled as well.

        Raises Unavailable, BadQuery, before anything was sent; what fails later ends the answer before its end.
        """
        packed = conditions.takes_gzip and export.format.name in ("geojson", "geojsonseq", "csv") and not only_head
        start = _start(export, ask, more, packed=packed)
        if only_head:
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        async with self._turns.turn(asker()), self._pieces(export, packed) as pieces:
            first = await anext(pieces, b"")
            await send(start)
            try:
                await _taken(send, first)
                async for piece in pieces:
                    await _taken(send, piece)
                await send({"type": "http.response.body", "body": b""})
            finally:
                told(export.plan.query.collection, export.rows)

    @asynccontextmanager
    async def _pieces(self, export: Export, packed: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        """The export's pieces, made on a thread of its own; at the end, or when nobody wants them, it is closed there.

        One thread, since each that takes part keeps memory of its own.
        """
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "onemap-export")
        # who asks is known there as well
        run = copy_context().run
        chunks = _packed(export.chunks()) if packed else export.chunks()

        def following() -> Any:
            return run(next, chunks, _END)

        async def each() -> AsyncIterator[bytes]:
            while (piece := await loop.run_in_executor(thread, following)) is not _END:
                if piece:
                    yield piece

        try:
            yield each()
        finally:
            export.cancel()
            # the thread may still wait for the database, which has been told; nobody else may have the place till then
            await asyncio.shield(loop.run_in_executor(thread, run, _close, chunks))
            thread.shutdown(wait=False)


class Streamed(Response):
    """An export as the answer of a route, with `more` headers."""

    def __init__(
        self, exports: Exports, export: Export, ask: Asked, conditions: Conditions, more: Mapping[str, str] = _NO_MORE
    ) -> None:
        super().__init__()
        self._exports, self._export, self._ask, self._conditions, self._more = exports, export, ask, conditions, more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises as `Exports.send`."""
        only_head = bool(scope.get("onemap.head"))
        await self._exports.send(send, self._export, self._ask, self._conditions, only_head=only_head, more=self._more)


async def _taken(send: Send, piece: bytes) -> None:
    """Send a piece, as soon as the caller takes it. Raises Unavailable when it does not for long."""
    try:
        async with asyncio.timeout(_IDLE_S):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except TimeoutError:
        raise Unavailable(
            f"nothing was taken of the answer for {_IDLE_S:g} s", f"调用方 {_IDLE_S:g} 秒内未接收数据"
        ) from None


def _close(chunks: Any) -> None:
    with suppress(OneMapError):
        chunks.close()


def _packed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """As gzip, lightly: text of this kind is a fifth then, and a core packs it as fast as the database writes it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for chunk in chunks:
        if part := packer.compress(chunk):
            yield part
    yield packer.flush()


def _start(export: Export, ask: Asked, more: Mapping[str, str], *, packed: bool) -> Message:
    form, plan = export.format, export.plan
    headers = {
        "content-type": form.media_type,
        "content-disposition": f'attachment; filename="{plan.collection.id}{form.suffix}"',
        "content-language": ask.language,
        "vary": "Accept, Accept-Encoding, Accept-Language",
        "cache-control": REVALIDATE,
        **({"onemap-export": export.mark} if export.mark else {}),
        **({"content-encoding": "gzip"} if packed else {}),
        **({} if plan.query.grouped else {"content-crs": f"<{uri(export.crs)}>"}),
        **more,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": raw}
