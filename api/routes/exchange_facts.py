"""Where each fact of an entity comes from, for those who speak of it: department, delivery, row, rule, other words."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response

from api.caller import Clerk
from api.routes.exchange import private_reply
from api.served import Ask, City
from gis.errors import Forbidden, NotFound
from gis.exchange.delivery.facts import Fact, Word, facts
from gis.exchange.directory.registers import known_deliverable
from gis.query.span import instant_text

router = APIRouter()

_MOST_DIGITS = 16


@router.get("/exchange/facts/{register}/{fid}")
async def facts_of(register: str, fid: str, city: City, ask: Ask, clerk: Clerk) -> Response:
    """Every item of one entity, span by span, with whose word it is and why, and what others say.

    For the data centre, and for departments whose word counts in that register. Direct identifiers are left out.
    """
    ask.only()
    clerk.check_register(register)
    declared = await asyncio.to_thread(known_deliverable, city.threads, register)
    speak = {*declared.presence, *(d for item in declared.items.values() for d in item.authority)}
    if not (clerk.is_centre or clerk.department in speak):
        raise Forbidden(
            f"{clerk.department} has no say in {register}",
            f"{clerk.department} 不是 {register} 的数据部门",
            subject=register,
        )
    number = int(fid) if fid.isascii() and fid.isdecimal() and len(fid) <= _MOST_DIGITS else -1
    found = await asyncio.to_thread(facts, city.threads, register, number) if number >= 0 else []
    if not found:
        raise NotFound(f"nobody speaks of {fid[:40]} in {register}", f"{register} 中没有关于 {fid[:40]} 的数据",
                       subject=fid[:40])  # fmt: skip
    listed = [described(fact, declared.collection.by_name[fact.item].title.as_dict()) for fact in found]
    return private_reply({"register": register, "fid": number, "facts": listed}, ask.language)


def described(fact: Fact, title: dict[str, str]) -> dict[str, Any]:
    """A fact as JSON carries it; a bound of time that is not there is null."""
    return {
        "item": fact.item,
        "title": title,
        "valid_from": fact.valid_from and instant_text(fact.valid_from),
        "valid_to": fact.valid_to and instant_text(fact.valid_to),
        "value": fact.value,
        "word": fact.word and _word(fact.word),
        "rule": fact.rule.as_dict(),
        "others": [_word(word) for word in fact.others],
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        "department": word.department,
        "delivery": word.delivery,
        "row": word.row,
        "edition": word.edition and instant_text(word.edition),
        "value": word.value,
    }
