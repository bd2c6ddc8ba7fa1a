"""What the worker puts into the trace: what became of a delivery, whose it was; copies that it made anew."""

from gis.access.roles import OWNER_ROLE
from gis.access.trace import Event, Outcome
from gis.errors import OneMapError
from gis.exchange.delivery.ledger import record
from gis.exchange.published import Publication
from gis.store.database import Database

_ORIGIN = "worker"
_OUTCOMES: dict[str, Outcome] = {"done": "success", "failed": "failed"}


def delivered(database: Database, number: int) -> list[Event]:
    """That a delivery is done or has failed, in the name of whoever handed it over; nothing while it waits.

    Where the database does not say, that is told instead: it was worked on.
    """
    try:
        found = record(database, number)
    except OneMapError:
        return [Event(event="taken_in", who=_ORIGIN, role=OWNER_ROLE, origin=_ORIGIN, outcome="failed",
                      detail={"delivery": number})]  # fmt: skip
    state = str(found.values["state"])
    if state not in _OUTCOMES:
        return []
    counts = {part: found.values[f"rows_{part}"] for part in ("accepted", "unchanged", "returned")}
    return [
        Event(
            event="taken_in", who=str(found.values["received_by"]), role=OWNER_ROLE, origin=_ORIGIN,
            collection=found.register, rows=found.values["rows_delivered"], outcome=_OUTCOMES[state],
            detail={"delivery": number, "department": found.department, "mode": str(found.values["mode"]), **counts},
        )
    ]  # fmt: skip


def renewed(copy: Publication) -> Event:
    """That a copy was made anew, since its source had changed."""
    return Event(
        event="published", who=_ORIGIN, role=OWNER_ROLE, origin=_ORIGIN, collection=copy.source, rows=copy.rows,
        detail={"publication": copy.id, "state": "refreshed"},
    )  # fmt: skip
