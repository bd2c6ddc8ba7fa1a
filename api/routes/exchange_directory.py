"""The directory of what departments collect, open to everybody: its entries, and what is late, double or missing."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import parameters
from api.reply import JSON, Conditions, conditional
from api.served import Ask, Asked, City, Served
from gis.exchange.directory import Directory, absent, directory, double, overdue
from gis.exchange.directory.entries import DataItem, InformationClass
from gis.exchange.directory.words import title
from gis.store.database import Database
from gis.text import Language

router = APIRouter()

_PLACE = "/exchange/directory"
_LISTS = ("departments", "classes", "items", "overdue", "double", "absent")


@router.get(_PLACE)
async def overview(request: Request, city: City, ask: Ask) -> Response:
    """How much it holds, counted now, and where the lists are."""
    ask.only()
    held = await asyncio.to_thread(directory, city.threads)
    links = [ask.link(_PLACE, "self", JSON), *(ask.link(f"{_PLACE}/{name}", name, JSON) for name in _LISTS)]
    return await _reply(request, {"version": held.version, **held.counts, "links": links}, ask.language)


@router.get(f"{_PLACE}/departments")
async def departments(request: Request, city: City, ask: Ask) -> Response:
    """The departments, with how many classes and items are theirs."""
    return await _listed(request, city, ask, "departments", _departments)


@router.get(f"{_PLACE}/classes")
async def classes(request: Request, city: City, ask: Ask) -> Response:
    """The information classes, all or those of one department."""
    return await _listed(request, city, ask, "classes", _classes)


@router.get(f"{_PLACE}/items")
async def items(request: Request, city: City, ask: Ask) -> Response:
    """The data items, all or those of one department or class."""
    return await _listed(request, city, ask, "items", _items)


@router.get(f"{_PLACE}/overdue")
async def late(request: Request, city: City, ask: Ask) -> Response:
    """The classes whose delivery is late, the longest first."""
    return await _found(request, city, ask, "overdue", overdue)


@router.get(f"{_PLACE}/double")
async def doubles(request: Request, city: City, ask: Ask) -> Response:
    """What is collected more than once."""
    return await _found(request, city, ask, "double", double)


@router.get(f"{_PLACE}/absent")
async def missing(request: Request, city: City, ask: Ask) -> Response:
    """The items that were asked for and never delivered, the longest awaited first."""
    return await _found(request, city, ask, "absent", absent)


async def _listed(
    request: Request, city: Served, ask: Asked, name: str, entries: Callable[[Directory, dict[str, str]], list[Any]]
) -> Response:
    values = ask.only("department", "class", "limit", "offset")
    found = entries(await asyncio.to_thread(directory, city.threads), values)
    return await _paged(request, ask, name, found)


async def _found(
    request: Request, city: Served, ask: Asked, name: str, question: Callable[[Database], Iterable[Any]]
) -> Response:
    ask.only("limit", "offset")
    found = [one.as_dict() for one in await asyncio.to_thread(question, city.threads)]
    return await _paged(request, ask, name, found)


async def _paged(request: Request, ask: Asked, name: str, found: list[Any]) -> Response:
    page = parameters.page(dict(ask.parameters), 50)
    links = [ask.link(f"{_PLACE}/{name}", "self", JSON), ask.link(_PLACE, "up", JSON)]
    shown = found[page.offset : page.offset + page.limit]
    return await _reply(request, {name: shown, "numberMatched": len(found), "links": links}, ask.language)


async def _reply(request: Request, content: Any, language: Language) -> Response:
    body = await conditional(orjson.dumps(content), JSON, Conditions.of(request.scope["headers"]))
    return Response(body.content, body.status, {**body.headers, "content-language": language})


def _departments(held: Directory, _: dict[str, str]) -> list[dict[str, Any]]:
    classes = [one.department for one in held.classes.values()]
    items = [held.owner(one) for one in held.items.values()]
    return [
        {"code": one.code, "title": one.title.as_dict(), "classes": classes.count(code), "items": items.count(code)}
        for code, one in held.departments.items()
    ]


def _classes(held: Directory, values: dict[str, str]) -> list[dict[str, Any]]:
    return [_class(held, one) for one in held.classes.values() if values.get("department") in (None, one.department)]


def _class(held: Directory, one: InformationClass) -> dict[str, Any]:
    return {
        "code": one.code,
        "title": one.title.as_dict(),
        "department": one.department,
        "subject": one.subject.value,
        "subject_title": title(one.subject).as_dict(),
        "period": one.period.value,
        "period_title": title(one.period).as_dict(),
        "begins": one.begins.isoformat(),
        "register": one.register or None,
        "items": len(held.items_of.get(one.code, ())),
    }


def _items(held: Directory, values: dict[str, str]) -> list[dict[str, Any]]:
    return [
        _item(held, one)
        for one in held.items.values()
        if values.get("department") in (None, held.owner(one)) and values.get("class") in (None, one.information_class)
    ]


def _item(held: Directory, one: DataItem) -> dict[str, Any]:
    return {
        "code": one.code,
        "title": one.title.as_dict(),
        "class": one.information_class,
        "department": held.owner(one),
        "type": one.type.value,
        "type_title": title(one.type).as_dict(),
        "meaning": one.meaning.as_dict(),
        "unit": one.unit or None,
        "sensitivity": one.sensitivity.value,
        "share": one.share.value,
        "share_title": title(one.share).as_dict(),
        "terms": one.terms or None,
        "period": held.period(one).value,
        "identifying": one.identifying,
        "element": one.element or None,
        "field": one.field or None,
    }
