"""Whether the server is alive, and whether it is ready to be asked."""

import asyncio
import time

from fastapi import APIRouter, Response

from api.errors import RETRY_AFTER_S
from api.reply import json_reply
from api.served import Ask, City
from gis.errors import Unavailable
from gis.query.statement import Statement

router = APIRouter()

_PATIENCE_S = 3.0


@router.get("/health")
async def health(city: City, ask: Ask) -> Response:
    """200 with `ready` when the database answers, 503 with `alive` when only this process does."""
    ask.only()
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await city.database.rows(Statement("SELECT 1"))
    except (Unavailable, TimeoutError):
        reply = json_reply({"status": "alive", "database": "unavailable"}, ask.language)
        reply.status_code, reply.headers["retry-after"] = 503, str(RETRY_AFTER_S)
    else:
        round_trip_ms = round((time.perf_counter() - begun) * 1000, 1)
        reply = json_reply({"status": "ready", "database": "ok", "round_trip_ms": round_trip_ms}, ask.language)
    reply.headers["cache-control"] = "no-store"
    return reply
