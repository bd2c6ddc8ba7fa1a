"""An answer on its way out, piece by piece: the next piece is made when the caller has taken the one before."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.types import Message, Send

from api.reply import REVALIDATE, Conditions
from api.served import Asked, Served
from gis.errors import OneMapError, Unavailable
from gis.export import Export, Format
from gis.query.crs import uri
from gis.query.plan import Plan

#: So many at once: each holds a connection and a core for as long as it takes.
AT_ONCE = 4
_PATIENCE_S = 10.0
#: Whoever takes nothing for so long makes room for others.
_IDLE_S = 60.0
_END = object()


class Exports:
    """What goes out of one city at a time, for one event loop."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._places = asyncio.Semaphore(AT_ONCE)

    async def send(self, send: Send, export: Export, ask: Asked, conditions: Conditions, *, only_head: bool) -> None:
        """Answer a request. When the caller hangs up, which cancels this task, the statement is cancelled as well.

        Raises Unavailable, BadQuery, before anything was sent; what fails later ends the answer before its end.
        """
        packed = conditions.takes_gzip and export.format.name in ("geojson", "geojsonseq", "csv") and not only_head
        start = _start(export.format, export.plan, export.crs, ask, packed=packed)
        if only_head:
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        async with self._place(), self._pieces(export, packed) as pieces:
            first = await anext(pieces, b"")
            await send(start)
            await _taken(send, first)
            async for piece in pieces:
                await _taken(send, piece)
            await send({"type": "http.response.body", "body": b""})

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._places.acquire()
        except TimeoutError:
            raise Unavailable(
                f"{AT_ONCE} large answers are on their way; ask again when one of them is done",
                f"已有 {AT_ONCE} 个大型导出正在进行,请稍后再试",
            ) from None
        try:
            yield
        finally:
            self._places.release()

    @asynccontextmanager
    async def _pieces(self, export: Export, packed: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        """The export's pieces, made on a thread of its own; at the end, or when nobody wants them, it is closed there.

        One thread, since each that takes part keeps memory of its own.
        """
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "onemap-export")
        chunks = _packed(export.chunks()) if packed else export.chunks()

        async def each() -> AsyncIterator[bytes]:
            while (piece := await loop.run_in_executor(thread, next, chunks, _END)) is not _END:
                if piece:
                    yield piece  # type: ignore[misc]

        try:
            yield each()
        finally:
            export.cancel()
            # the thread may still wait for the database, which has been told; nobody else may have the place till then
            await asyncio.shield(loop.run_in_executor(thread, _close, chunks))
            thread.shutdown(wait=False)


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


def _start(form: Format, plan: Plan, crs: str, ask: Asked, *, packed: bool) -> Message:
    headers = {
        "content-type": form.media_type,
        "content-disposition": f'attachment; filename="{plan.collection.id}{form.suffix}"',
        "content-language": ask.language,
        "vary": "Accept, Accept-Encoding, Accept-Language",
        "cache-control": REVALIDATE,
        **({"content-encoding": "gzip"} if packed else {}),
        **({} if plan.query.grouped else {"content-crs": f"<{uri(crs)}>"}),
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": raw}
