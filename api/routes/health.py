"""Whether the server is alive, and whether it is ready to be asked."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.errors import RETRY_AFTER_S
from api.health import Health
from api.reply import json_reply
from api.served import Ask
from gis.text import Language

router = APIRouter()


@router.get("/health")
async def health(request: Request, ask: Ask) -> Response:
    """Everything: 200 with `ready` when questions can be answered, 503 with `alive` when only this process lives."""
    ask.only()
    found: Health = request.app.state.health
    checks = await found.checks()
    return _reply({**checks, **found.details()}, ask.language, is_ready=_all_ok(checks))


@router.get("/health/live")
async def live(ask: Ask) -> Response:
    """200 as long as this process answers at all: whoever gets nothing starts it anew."""
    ask.only()
    return _no_store(json_reply({"status": "alive"}, ask.language))


@router.get("/health/ready")
async def ready(request: Request, ask: Ask) -> Response:
    """200 when questions can be answered, else 503: whoever shares out requests sends them elsewhere."""
    ask.only()
    found: Health = request.app.state.health
    checks = await found.checks()
    return _reply(checks, ask.language, is_ready=_all_ok(checks))


def _all_ok(checks: dict[str, str]) -> bool:
    return all(state == "ok" for state in checks.values())


def _reply(facts: dict[str, Any], language: Language, *, is_ready: bool) -> Response:
    reply = json_reply({"status": "ready" if is_ready else "alive", **facts}, language)
    if not is_ready:
        reply.status_code, reply.headers["retry-after"] = 503, str(RETRY_AFTER_S)
    return _no_store(reply)


def _no_store(reply: Response) -> Response:
    reply.headers["cache-control"] = "no-store"
    return reply
