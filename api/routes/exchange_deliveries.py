"""Deliveries over HTTP: handed over, followed, withdrawn."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from api import parameters
from api.caller import Caller, Clerk
from api.routes.exchange import private_reply
from api.served import Ask, Asked, City, Served
from api.tracing import traced_as
from api.upload import Upload, received
from gis.errors import BadInput, BadQuery, OneMapError, UnknownName
from gis.exchange.delivery import DeliveryOptions, receive, withdraw
from gis.exchange.delivery.ledger import MODES, STATES, Record, record, records
from gis.exchange.directory import known_deliverable
from gis.exchange.readers import ReadOptions
from gis.exchange.readers.formats import check_path, format_of
from gis.store.database import Database

router = APIRouter()

_FILTER = ("register", "department", "state", "limit", "offset")


def described(one: Record, ask: Asked) -> dict[str, Any]:
    """A delivery as JSON carries it, with links."""
    place = f"/exchange/deliveries/{one.id}"
    links = [ask.link(place, "self", "application/json"), ask.link(f"{place}/returned", "returned", "application/json")]
    return {**one.as_dict(), "links": links}


@router.get("/exchange/deliveries")
async def deliveries(city: City, ask: Ask, clerk: Clerk) -> Response:
    """The department's deliveries, the newest first; the data centre sees all."""
    values = ask.only(*_FILTER)
    wanted = {
        "register": clerk.register(values.get("register")),
        "department": clerk.only(values.get("department")),
        "state": parameters.choice(values, "state", STATES),
    }
    found, matched = await asyncio.to_thread(records, city.threads, wanted, parameters.page(values))
    listed = {"deliveries": [described(one, ask) for one in found], "numberMatched": matched}
    return private_reply({**listed, "links": [ask.link("/exchange/deliveries", "self", "application/json")]},
                         ask.language)  # fmt: skip


@router.post("/exchange/deliveries")
async def hand_over(request: Request, city: City, ask: Ask, clerk: Clerk) -> Response:
    """Take a file, or rows as JSON, to be worked on; the answer says under which number."""
    register, department, options = await asyncio.to_thread(_wish, city, ask, clerk)
    traced_as(request.scope, collection=register, department=department)
    named = dict(ask.parameters).get("file")
    upload = await received(request, named, city.settings.home, city.settings.max_upload_mb)
    number = await city.slowly(_receive, city, upload, (register, department), options)
    traced_as(request.scope, delivery=number)
    city.wake()
    reply = private_reply(described(await asyncio.to_thread(record, city.threads, number), ask), ask.language, 202)
    reply.headers["location"] = f"{ask.base}/exchange/deliveries/{number}"
    return reply


@router.get("/exchange/deliveries/{number}")
async def delivery(number: str, city: City, ask: Ask, clerk: Clerk) -> Response:
    """One delivery: how far it is, and what became of its rows."""
    ask.only()
    found = await asyncio.to_thread(own, city.threads, number, clerk)
    return private_reply(described(found, ask), ask.language)


@router.post("/exchange/deliveries/{number}/withdraw")
async def take_back(number: str, request: Request, city: City, ask: Ask, clerk: Clerk) -> Response:
    """Take a delivery back: the register is as if it had never come."""
    ask.only()
    found = await asyncio.to_thread(own, city.threads, number, clerk)
    traced_as(request.scope, collection=found.register, delivery=found.id, department=found.department)
    await city.slowly(withdraw, city.threads, city.catalogue, found.id, clerk.identity.name)
    after = await asyncio.to_thread(record, city.threads, found.id)
    return private_reply(described(after, ask), ask.language)


def own(database: Database, number: str, clerk: Caller) -> Record:
    """A delivery of the caller's department. Raises NotFound, Forbidden."""
    found = record(database, parameters.number_in_path(number))
    clerk.check(found.department)
    clerk.check_register(found.register)
    return found


def _wish(city: Served, ask: Asked, clerk: Caller) -> tuple[str, str, DeliveryOptions]:
    """For which register, in whose name and how; refused before the body is read."""
    values = ask.only("register", "department", "mode", "date", "file", "allow-ends")
    register = values.get("register", "")
    try:
        known_deliverable(city.threads, register)
    except UnknownName as error:
        raise BadQuery(error.text.en, error.text.zh, subject="register") from None
    clerk.check_register(register)
    department = clerk.only(values.get("department"))
    if department is None:
        raise BadQuery(
            "say which department hands it over: department=…", "请指明报送部门:department=…", subject="department"
        )
    options = DeliveryOptions(
        mode=parameters.choice(values, "mode", MODES) or "auto",  # type: ignore[arg-type]
        edition=parameters.edition(values, "date"),
        allow_ends=parameters.yes(values, "allow-ends"),
        received_by=clerk.identity.name,
    )
    return register, department, options


def _receive(city: Served, upload: Upload, whose: tuple[str, str], options: DeliveryOptions) -> int:
    """Hand the body over; it is gone from here afterwards, whatever happens."""
    register, department = whose
    try:
        table = upload.table()
        if upload.is_json:
            read = ReadOptions(encoding="utf-8", header_row=1)
            options = DeliveryOptions(
                mode=options.mode, edition=options.edition, read=read, allow_ends=options.allow_ends,
                received_by=options.received_by,
            )  # fmt: skip
        check_path(table)
        format_of(table)
        return receive(city.threads, city.catalogue, register, table, department, options)
    except OneMapError as error:
        raise _without_path(error, upload.path.parent) from None
    finally:
        upload.remove()


def _without_path(error: OneMapError, folder: Path) -> OneMapError:
    """The same error about the caller's file, wherever it lay for a moment; the department is a parameter here."""
    subject = error.subject
    if isinstance(error, UnknownName):
        return BadQuery(error.text.en, error.text.zh, subject="department")
    if isinstance(error, BadInput) and str(folder) in f"{subject}{error.text.en}":
        texts = [text.replace(f"{folder}/", "").replace("out/", "", 1) for text in (error.text.en, error.text.zh)]
        return BadInput(*texts, subject=Path(subject).name)
    return error
