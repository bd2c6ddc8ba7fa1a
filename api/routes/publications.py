"""Open data: what is published for anyone, what is proposed, and what reviewers decide."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.caller import CALLER
from api.doorway import administrator
from api.posted import Form, posted
from api.routes.exchange import private_reply
from api.served import Ask, Asked, City
from api.tracing import traced_as
from gis.access import PUBLIC
from gis.access.roles import INSIDE
from gis.errors import NotSignedIn
from gis.exchange.published import (
    EVERY_H,
    Proposal,
    Publication,
    propose,
    publications,
    publish,
    refresh,
    refuse,
    withdraw,
)

router = APIRouter()

_Word = Annotated[str, Field(max_length=200)]
_Words = Annotated[str, Field(max_length=4_000)]
_Reason = Annotated[str, Field(min_length=1, max_length=4_000)]


class NewProposal(Form):
    """What is to be published, as `gis.exchange.published.Proposal` has it."""

    name: _Word
    source: _Word
    query: _Words = ""
    fields: list[_Word] = Field(default=[], max_length=200)
    masked: dict[str, _Word] = Field(default={}, max_length=200)
    precision: _Word | int = "exact"
    title: dict[Literal["zh", "en"], _Word] = Field(default={})
    description: dict[Literal["zh", "en"], _Words] = Field(default={})
    terms: _Words = ""
    scope: _Words = ""
    licence: _Word = ""
    by: _Word = ""
    every_h: int = Field(default=EVERY_H, ge=0)


class Verdict(Form):
    """What a reviewer decides, and why; a refusal needs a reason."""

    verdict: Literal["publish", "refuse"]
    reason: _Words = ""


class Withdrawal(Form):
    """Why a copy is taken away."""

    reason: _Reason


@router.get("/publications")
async def listed(city: City, ask: Ask) -> Response:
    """What is published, for anyone; for those who work here and for reviewers also proposals and refusals."""
    ask.only()
    found = await city.slowly(publications, city.threads)
    if CALLER.get().role in (*INSIDE, "security_admin"):
        return private_reply({"publications": [one.as_dict() for one in found]}, ask.language)
    published = [one.public() for one in found if one.state == "published"]
    return private_reply({"publications": published}, ask.language)


@router.post("/publications", status_code=201)
async def proposed(request: Request, city: City, ask: Ask) -> Response:
    """Propose a copy. Raises NotSignedIn, Forbidden, BadQuery, Conflict."""
    ask.only()
    by = CALLER.get()
    if by is PUBLIC:
        raise NotSignedIn("sign in to propose what is published", "提出公开申请须先登录")
    given = (await posted(request, NewProposal)).model_dump()
    made = await city.slowly(propose, city.threads, city.catalogue, Proposal.of(given), by)
    return _reply(request, made, ask, 201)


@router.post("/publications/{number}/review")
async def reviewed(number: int, request: Request, city: City, ask: Ask) -> Response:
    """Publish or refuse. Raises NotSignedIn, Forbidden, NotFound, Conflict, BadQuery."""
    ask.only()
    by = administrator("security_admin").identity
    given = await posted(request, Verdict)
    if given.verdict == "refuse":
        found = await city.slowly(refuse, city.threads, number, by, given.reason)
    else:
        found = await city.slowly(publish, city.threads, city.catalogue, number, by, given.reason)
    return _reply(request, found, ask)


@router.post("/publications/{number}/refresh")
async def refreshed(number: int, request: Request, city: City, ask: Ask) -> Response:
    """Make a copy anew where its source has changed. Raises NotSignedIn, Forbidden, NotFound, Conflict."""
    ask.only()
    administrator("security_admin")
    found = await city.slowly(refresh, city.threads, city.catalogue, number)
    return _reply(request, found, ask)


@router.post("/publications/{number}/withdraw")
async def withdrawn(number: int, request: Request, city: City, ask: Ask) -> Response:
    """Take a copy away. Raises NotSignedIn, Forbidden, NotFound, Conflict."""
    ask.only()
    by = administrator("security_admin").identity
    given = await posted(request, Withdrawal)
    found = await city.slowly(withdraw, city.threads, city.catalogue, number, by, given.reason)
    return _reply(request, found, ask)


def _reply(request: Request, found: Publication, ask: Asked, status: int = 200) -> Response:
    """What became of a publication; the trace has it too."""
    traced_as(request.scope, collection=found.source, publication=found.id, state=found.state, rows=found.rows)
    return private_reply(found.as_dict(), ask.language, status)
