"""The exchange between departments: the clerks' page, whose key it is, and what can be delivered."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from api.caller import Clerk
from api.reply import json_reply
from api.routes.web_map import page
from api.served import Ask, City
from gis.access.keys import EVERY
from gis.exchange.directory import departments, known_deliverables
from gis.exchange.registers import Deliverable
from gis.store.database import Database
from gis.text import Language, Text

router = APIRouter()

_CENTRE = Text("数据中心", "Data centre")


def private_reply(content: Any, language: Language, status: int = 200) -> Response:
    """An answer that no browser and no proxy keeps."""
    reply = json_reply(content, language)
    reply.status_code = status
    reply.headers["cache-control"], reply.headers["vary"] = "no-store", "Accept-Language, Authorization"
    return reply


@router.get("/exchange")
@router.get("/exchange/")
async def clerks_page(city: City, ask: Ask) -> Response:
    """The page on which clerks deliver and look into what was returned; it shows nothing before a key is given."""
    return page(city.web / "exchange.html", ask)


@router.get("/exchange/me")
async def me(city: City, ask: Ask, clerk: Clerk) -> Response:
    """The department for which somebody acts, and the largest file that it may send, in MB."""
    ask.only()
    titles = {EVERY: _CENTRE, **await asyncio.to_thread(departments, city.threads)}
    title = titles.get(clerk.department, Text(clerk.department, clerk.department))
    found = {"department": clerk.department, "title": title, "max_upload_mb": city.settings.max_upload_mb}
    return private_reply(found, ask.language)


@router.get("/exchange/registers")
async def registers(city: City, ask: Ask, clerk: Clerk) -> Response:
    """The registers that take deliveries: the items that a file may hold and whose word on each counts."""
    ask.only()
    found = await asyncio.to_thread(_registers, city.threads)
    reached = clerk.identity.collections
    return private_reply([one for one in found if reached is None or one["id"] in reached], ask.language)


def _registers(database: Database) -> list[dict[str, Any]]:
    titles = departments(database)
    return [_register(one, titles) for one in known_deliverables(database).values()]


def _register(declared: Deliverable, titles: Mapping[str, Text]) -> dict[str, Any]:
    identifiers = {f.name for f in declared.identifiers}
    codes = dict.fromkeys([*declared.presence, *(d for i in declared.items.values() for d in i.authority)])
    return {
        "id": declared.collection.id,
        "title": declared.collection.title,
        "fields": [
            {
                "name": f.name,
                "title": f.title,
                "type": f.type.value,
                "required": f.required or f.name in declared.intake.key,
                "identifier": f.name in identifiers,
                "aliases": list(f.aliases),
                "authority": list(declared.authority(f.name)),
                "values": {value: title.as_dict() for value, title in f.values.items()},
                "written": written.name if (written := declared.item(f.name).written) else None,
            }
            for f in declared.intake.fields
        ],
        "departments": [{"code": code, "title": titles.get(code, Text(code, code))} for code in codes],
    }
