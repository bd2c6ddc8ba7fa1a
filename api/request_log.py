"""One line a request, and one with its questions for each that was slow; never a value that somebody asked for."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from api.metrics import HUNG_UP
from api.noted import Noted
from api.served import Served
from gis.errors import OneMapError
from gis.query.shape import shape
from gis.store.explained import explained

_REQUESTS = logging.getLogger("onemap.requests")
_SLOW = logging.getLogger("onemap.slow")


@dataclass(frozen=True, slots=True)
class Answered:
    """How a request ended; `route` is the template of its address."""

    method: str
    route: str
    status: int
    seconds: float
    size: int


@dataclass(slots=True)
class RequestLog:
    """Writes the lines of one application; explains one slow statement at a time."""

    explaining: asyncio.Task[None] | None = field(default=None)

    def write(self, served: Served, noted: Noted, answered: Answered) -> None:
        """Write what is wanted of a request that has been answered."""
        settings = served.settings
        is_slow = answered.seconds * 1000 >= settings.slow_ms
        if is_slow:
            self._slow(served, noted, answered)
        if settings.log_requests != "none" and _REQUESTS.isEnabledFor(logging.INFO):
            _REQUESTS.info(_words(answered), extra={"fields": _fields(served, noted, answered)})

    def _slow(self, served: Served, noted: Noted, answered: Answered) -> None:
        fields = _fields(served, noted, answered)
        if not noted.statements or (self.explaining and not self.explaining.done()):
            _SLOW.warning("slow: %s", _words(answered), extra={"fields": fields})
            return
        self.explaining = asyncio.create_task(_explain(served, noted, answered, fields))


async def _explain(served: Served, noted: Noted, answered: Answered, fields: dict[str, Any]) -> None:
    """The line of a slow request, with how the database goes about its longest statement."""
    seconds, statement = max(noted.statements, key=lambda one: one[0])
    try:
        plan = await explained(served.database, statement)
    except OneMapError as error:
        plan = f"could not be explained: {type(error).__name__}"
    more = {**fields, "statement_ms": _ms(seconds), "plan": plan}
    _SLOW.warning("slow: %s", _words(answered), extra={"fields": more})


def _words(answered: Answered) -> str:
    status = "hung up" if answered.status == HUNG_UP else answered.status
    return f"{answered.method} {answered.route} {status}"


def _fields(served: Served, noted: Noted, answered: Answered) -> dict[str, Any]:
    found: dict[str, Any] = {
        "request": noted.request_id,
        "method": answered.method,
        "route": answered.route,
        "status": answered.status,
        "ms": _ms(answered.seconds),
        "bytes": answered.size,
        "cache": noted.cache,
        "database_ms": _ms(noted.database_s),
        "waited_ms": _ms(noted.waited_s),
        "questions": [shape(query, served.catalogue[query.collection]) for query in noted.queries],
    }
    return {name: value for name, value in found.items() if value not in ("", [], 0.0) or name in ("bytes", "ms")}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
