"""What the worker puts into the trace: what became of a delivery, whose it was; copies that it made anew."""

from gis.access.roles import OWNER_ROLE
from gis.access.trace import Event, Outcome
from gis.exchange.delivery.ledger import Record, record
from gis.exchange.published import Publication
from gis.query.statement import Statement
from gis.store.database import Database, connect
from gis.store.trace import Trace

_ORIGIN = "worker"
_OUTCOMES: dict[str, Outcome] = {"done": "success", "failed": "failed", "withdrawn": "success"}
_UNTOLD = Statement(
    "SELECT id FROM exchange.delivery WHERE traced_at IS NULL AND state NOT IN ('received', 'working')"
    " ORDER BY id LIMIT 100"
)


def tell(database: Database, trace: Trace) -> None:
    """Put into the trace what became of deliveries that have ended since, whoever worked on them, and mark them told.

    A worker that dies in between tells it again: better twice than never. Raises Unavailable.
    """
    numbers = [int(number) for (number,) in database.rows(_UNTOLD)]
    if not numbers:
        return
    trace.write(*(_delivered(record(database, number)) for number in numbers))
    with connect(database.url, autocommit=True) as conn:
        conn.execute("UPDATE exchange.delivery SET traced_at = clock_timestamp() WHERE id = ANY(%s)", (numbers,))


def _delivered(found: Record) -> Event:
    """That a delivery is done or has failed, in the name of whoever handed it over."""
    counts = {part: found.values[f"rows_{part}"] for part in ("accepted", "unchanged", "returned")}
    return Event(
        event="taken_in", who=str(found.values["received_by"]), role=OWNER_ROLE, origin=_ORIGIN,
        collection=found.register, rows=found.values["rows_delivered"], outcome=_OUTCOMES[str(found.values["state"])],
        detail={"delivery": found.id, "department": found.department, "mode": str(found.values["mode"]), **counts},
    )  # fmt: skip


def renewed(copy: Publication) -> Event:
    """That a copy was made anew, since its source had changed."""
    return Event(
        event="published", who=_ORIGIN, role=OWNER_ROLE, origin=_ORIGIN, collection=copy.source, rows=copy.rows,
        detail={"publication": copy.id, "state": "refreshed"},
    )  # fmt: skip
