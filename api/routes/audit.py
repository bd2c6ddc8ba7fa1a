"""The trace searched over HTTP: by the audit administrator alone, and each search is an entry itself."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api import parameters
from api.doorway import administrator
from api.reply import JSON
from api.routes.exchange import private_reply
from api.routes.exchange_returned import XLSX
from api.served import Ask, Asked, City, Served, encoded
from api.tracing import event_of
from gis.access.trace import EVENTS, OUTCOMES
from gis.query.span import instant_text
from gis.store.trace_search import COLUMNS, Search, edge, entries
from gis.store.trace_tables import csv_lines, write_workbook

router = APIRouter()

ROLE = "audit_admin"
#: What narrows a search, beside the time.
EXACT = ("who", "role", "event", "outcome", "collection", "origin", "purpose", "request", "mark")
DEFAULT_LIMIT, MAX_LIMIT, MAX_ROWS = 100, 1_000, 100_000
_FORMS = ("json", "csv", "xlsx")
_PIECE_BYTES = 1 << 16


@router.get("/audit")
async def audit(city: City, ask: Ask, request: Request) -> Response:
    """Entries of the trace, the newest first; `next` goes on behind the last one. As a table all that fits."""
    administrator(ROLE)
    values = ask.only(*EXACT, "from", "to", "limit", "next", forms=_FORMS)
    form = values.get("f", "json")
    search = _search(values, table=form != "json")
    await city.trace.written(event_of(city, request.scope, "audit_searched", detail=search.said))
    if form == "json":
        return await _listed(city, ask, search)
    return await _table(city, search, form)


def _search(values: dict[str, str], *, table: bool) -> Search:
    """Raises BadQuery naming the parameter at fault."""
    parameters.choice(values, "outcome", OUTCOMES)
    least = parameters.whole(values, "limit", 1, MAX_ROWS if table else DEFAULT_LIMIT)
    return Search(
        exact=tuple((name, values[name]) for name in EXACT if name in values),
        start=edge(values["from"], "from").start if "from" in values else None,
        end=edge(values["to"], "to").end if "to" in values else None,
        before=parameters.whole(values, "next", 1, 1) if "next" in values else None,
        limit=min(least, MAX_ROWS if table else MAX_LIMIT),
    )


async def _listed(city: Served, ask: Asked, search: Search) -> Response:
    rows = await asyncio.to_thread(city.threads.rows, search.statement(city.trace.key.pseudonyms))
    shown = rows[: search.limit]
    links = [ask.link(f"{ask.path}{_with(ask.parameters)}", "self", JSON)]
    if len(rows) > len(shown):
        others = [pair for pair in ask.parameters if pair[0] != "next"]
        links.append(ask.link(f"{ask.path}{_with([*others, ('next', str(shown[-1][0]))])}", "next", JSON))
    body = {
        "entries": [_entry(row) for row in shown],
        "numberReturned": len(shown),
        "events": {name: text.in_(ask.language) for name, text in EVENTS.items()},
        "links": links,
    }
    return private_reply(body, ask.language)


def _with(pairs: list[tuple[str, str]]) -> str:
    said = encoded(pairs)
    return f"?{said}" if said else ""


def _entry(row: tuple[Any, ...]) -> dict[str, Any]:
    told = dict(zip(COLUMNS, row, strict=True))
    return {name: instant_text(v) if isinstance(v, datetime) else v for name, v in told.items() if v not in ("", None)}


async def _table(city: Served, search: Search, form: str) -> Response:
    file = await city.slowly(_written, city, search, form)
    headers = {"content-disposition": f'attachment; filename="audit.{form}"', "cache-control": "no-store",
               "vary": "Accept-Language, Authorization"}  # fmt: skip
    kind = XLSX if form == "xlsx" else "text/csv; charset=utf-8"
    return StreamingResponse(_pieces(file), media_type=kind, headers=headers)


def _written(city: Served, search: Search, form: str) -> IO[bytes]:
    """The table in a file without a name, of which nothing is left when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed when it has been sent
    try:
        rows = entries(city.threads, search, city.trace.key.pseudonyms)
        if form == "xlsx":
            write_workbook(file, rows)
        else:
            file.writelines(csv_lines(rows))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
