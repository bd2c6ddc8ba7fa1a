"""Returned rows over HTTP: as tasks with both values, and as the department's own table in Excel."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from api import parameters
from api.caller import Caller, Clerk
from api.noted import touched
from api.routes.exchange import private_reply
from api.routes.exchange_deliveries import own
from api.served import Ask, Asked, City, Served
from gis.exchange.delivery.ledger import Page, Record
from gis.exchange.delivery.tasks import REASONS, STATES, Task, Wanted, task, tasks
from gis.exchange.delivery.workbook import write_workbook

router = APIRouter()

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PIECE_BYTES = 1 << 16
_FILTER = ("register", "department", "state", "reason", "overdue", "limit", "offset")


@router.get("/exchange/returned")
async def returned(city: City, ask: Ask, clerk: Clerk) -> Response:
    """The department's tasks, the most urgent first; the data centre sees all."""
    values = ask.only(*_FILTER)
    return await _listed(city, ask, clerk, _wanted(values, clerk))


@router.get("/exchange/returned/{number}")
async def one_returned(number: str, city: City, ask: Ask, clerk: Clerk) -> Response:
    """One task, with the row as it was handed over."""
    ask.only()
    found = await asyncio.to_thread(task, city.threads, parameters.number_in_path(number), clerk.department)
    clerk.check(found.department)
    clerk.check_register(found.register)
    touched(found.register, rows=1)
    return private_reply(described(found, ask), ask.language)


@router.get("/exchange/deliveries/{number}/returned")
async def returned_of(number: str, city: City, ask: Ask, clerk: Clerk) -> Response:
    """The tasks of one delivery by row; `f=xlsx` is the open ones as a table to correct and hand over again."""
    values = ask.only(*_FILTER, forms=("json", "xlsx"))
    found = await asyncio.to_thread(own, city.threads, number, clerk)
    touched(found.register)
    if values.get("f") == "xlsx":
        return await _workbook(city, found, clerk)
    return await _listed(city, ask, clerk, _wanted(values, clerk, found.id))


def described(one: Task, ask: Asked) -> dict[str, Any]:
    """A task as JSON carries it, with links."""
    links = [
        ask.link(f"/exchange/returned/{one.id}", "self", "application/json"),
        ask.link(f"/exchange/deliveries/{one.delivery}", "delivery", "application/json"),
    ]
    return {**one.as_dict(ask.language), "links": links}


def _wanted(values: dict[str, str], clerk: Caller, delivery: int | None = None) -> tuple[Wanted, Page]:
    wanted = Wanted(
        register=values.get("register") if delivery is not None else clerk.register(values.get("register")),
        department=clerk.only(values.get("department")),
        delivery=delivery,
        state=parameters.choice(values, "state", STATES),
        reason=parameters.choice(values, "reason", tuple(REASONS)),
        overdue=parameters.yes(values, "overdue"),
    )
    return wanted, parameters.page(values)


async def _listed(city: Served, ask: Asked, clerk: Caller, asked: tuple[Wanted, Page]) -> Response:
    found, matched = await asyncio.to_thread(tasks, city.threads, *asked, clerk.department)
    for one in found:
        touched(one.register, rows=1)
    links = [ask.link(ask.path, "self", "application/json")]
    listed = {"tasks": [described(one, ask) for one in found], "numberMatched": matched, "links": links}
    return private_reply(listed, ask.language)


async def _workbook(city: Served, delivery: Record, clerk: Caller) -> Response:
    file, size = await city.slowly(_written, city, delivery, clerk.department)
    name = quote(f"{Path(str(delivery.values['file'])).stem}-退回-{delivery.id}.xlsx")
    headers = {
        "content-length": str(size),
        "content-disposition": f"attachment; filename=\"returned-{delivery.id}.xlsx\"; filename*=UTF-8''{name}",
        "cache-control": "no-store",
        "vary": "Authorization",
    }
    return StreamingResponse(_pieces(file), media_type=XLSX, headers=headers)


def _written(city: Served, delivery: Record, department: str) -> tuple[IO[bytes], int]:
    """The workbook in a file without a name, of which nothing is left when it is closed; and its size in bytes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed when it has been sent
    try:
        write_workbook(city.threads, delivery, file, department)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, size


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
