"""Items by a path before the framework: a page costs one statement and little else, an export flows through."""

import asyncio
import gzip
import re
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answer_crs import answer_crs, content_crs
from api.exporting import Exports
from api.html import items_page
from api.item_pages import ItemPages, Page
from api.item_question import Question, Questions
from api.noted import note, told
from api.paging import check_order
from api.reply import GEOJSON, REVALIDATE, Conditions
from api.served import Asked, Served
from gis.export import Export

_PATH = re.compile(r"/collections/([^/]+)/items\Z")
_RETURNED = re.compile(rb'"numberReturned":(\d+)')
_WORTH_PACKING_BYTES = 1_400
_ASIDE_BYTES = 64_000


class ItemsFirst:
    """Answers pages and exports of items itself, and hands on everything else."""

    def __init__(self, inner: ASGIApp, state: Any) -> None:
        self.inner, self.state = inner, state
        self._server: _Items | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = _PATH.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self.inner(scope, receive, send)
            return
        if self._server is None or self._server.served is not self.state.served:
            self._server = _Items(self.state.served)
        question = self._server.questions.read(scope, dict(scope["headers"]), found[1])
        note(question.query, "/collections/{collection_id}/items")
        ask = question.ask
        crs = await answer_crs(self._server.served, ask)
        conditions = Conditions.of(scope["headers"])
        if question.streamed:
            only_head = bool(scope.get("onemap.head"))
            export = self._server.export(question, crs)
            if not (only_head or export.plan.query.grouped):
                await check_order(self._server.served, export.plan)
            exports: Exports = self.state.exports
            await exports.send(send, export, ask, conditions, only_head=only_head)
            return
        if ask.wants_html:
            page = await self._server.pages.page(question, crs, Conditions())
            told(question.query.collection, rows_of(page))
            answer = items_page(ask, self._server.served.collection(found[1]), orjson.loads(page.content))
            await answer(scope, receive, send)
            return
        page = await self._server.pages.page(question, crs, conditions)
        told(question.query.collection, rows_of(page))
        await _send(send, page, ask, crs, conditions)


class _Items:
    """What answers for one city."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.questions, self.pages = Questions(served), ItemPages(served)

    def export(self, question: Question, crs: str) -> Export:
        """The question's answer as a stream. Raises Forbidden, BadQuery."""
        plan = self.served.plan(question.query)
        return Export(plan, self.served.readers, question.format, crs, self.served.settings.home,
                      mark=self.served.export_mark())  # fmt: skip


async def _send(send: Send, page: Page, ask: Asked, crs: str, conditions: Conditions) -> None:
    """The page, or that the caller holds it."""
    content, packed = page.content, conditions.takes_gzip and len(page.content) >= _WORTH_PACKING_BYTES
    headers = {
        "content-language": ask.language,
        "vary": "Accept, Accept-Encoding, Accept-Language",
        "cache-control": REVALIDATE,
        "etag": f'"{page.etag}{"-gz" if packed else ""}"',
        **content_crs(crs),
    }
    if content:
        headers["content-type"] = GEOJSON
        if packed:
            headers["content-encoding"] = "gzip"
            content = await asyncio.to_thread(_gzip, content) if len(content) >= _ASIDE_BYTES else _gzip(content)
        headers["content-length"] = str(len(content))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200 if content else 304, "headers": raw})
    await send({"type": "http.response.body", "body": content})


def rows_of(page: Page) -> int:
    """How many features a page tells, as its head says; none where the caller's copy is it."""
    found = _RETURNED.search(page.content)
    return int(found[1]) if found else 0


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 4, mtime=0)
