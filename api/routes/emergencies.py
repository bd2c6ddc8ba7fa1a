"""Emergencies declared, listed and ended over HTTP, by the security administrator."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api import parameters
from api.doorway import Doorway, administrator, doorway
from api.posted import Form, Moment, posted
from api.routes.exchange import private_reply
from api.served import Ask
from api.tracing import traced_as
from gis.store import emergencies
from gis.store.emergencies import Emergency

router = APIRouter()

Door = Annotated[Doorway, Depends(doorway)]
_SECURITY = "security_admin"


class NewEmergency(Form):
    """An emergency: what it is called, where, from when (now, if that is not said) until when, and why."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    divisions: Annotated[list[Annotated[str, Field(max_length=12)]], Field(min_length=1, max_length=1000)]
    begins: Moment | None = None
    ends: Moment
    why: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("/emergencies")
async def listed(ask: Ask, door: Door) -> Response:
    """Every emergency that was ever declared, the newest first."""
    ask.only()
    administrator(_SECURITY)
    found = await door.threads.run(_listed, door)
    return private_reply({"emergencies": [described(one) for one in found]}, ask.language)


@router.post("/emergencies", status_code=201)
async def declare(request: Request, ask: Ask, door: Door) -> Response:
    """Declare an emergency: it raises rights where policies say so, and ends by itself."""
    ask.only()
    by, sent = administrator(_SECURITY), await posted(request, NewEmergency)
    traced_as(request.scope, act="declare")
    made = await door.done(_declare, door, sent, by.identity.name)
    traced_as(request.scope, emergency=made.id, until=made.ends.isoformat())
    request.app.state.emergencies.forget()
    return private_reply(described(made), ask.language, 201)


@router.post("/emergencies/{number}/end")
async def end(number: str, request: Request, ask: Ask, door: Door) -> Response:
    """End an emergency now."""
    ask.only()
    by, id_ = administrator(_SECURITY), parameters.number_in_path(number)
    traced_as(request.scope, act="end", emergency=id_)
    ended = await door.done(_end, door, id_, by.identity.name)
    request.app.state.emergencies.forget()
    return private_reply(described(ended), ask.language)


def described(one: Emergency) -> dict[str, Any]:
    """An emergency as JSON carries it, with whether it holds now."""
    return {**one.as_dict(), "in_force": one.in_force(datetime.now(UTC))}


def _listed(door: Doorway) -> list[Emergency]:
    with door.database.connection() as conn:
        return emergencies.listed(conn)


def _declare(door: Doorway, sent: NewEmergency, by: str) -> Emergency:
    span = sent.begins or datetime.now(UTC), sent.ends
    with door.database.connection() as conn:
        return emergencies.declare(conn, sent.name, sent.divisions, span, by, sent.why)


def _end(door: Doorway, number: int, by: str) -> Emergency:
    with door.database.connection() as conn:
        return emergencies.end(conn, number, by)
