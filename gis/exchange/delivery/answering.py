"""Rows returned for their form: answered by what their department delivers next, in the order of editions.

A full delivery answers all that its department was asked before; any delivery answers the rows about entities that it
has sound rows of, and those whose numbers its rows give. That holds whichever of the two comes first, and no longer
when the delivery that answers is taken back.
"""

from typing import Any

import numpy as np
import psycopg

from gis.exchange.delivery import repeated
from gis.exchange.delivery.claims import Place
from gis.exchange.delivery.tasking import COMPARED
from gis.exchange.delivery.words import Ints
from gis.exchange.registers import Deliverable

_CLOSE = (
    "UPDATE exchange.returned o SET state = 'answered', closed_by = %(delivery)s, closed_at = clock_timestamp()"
    " WHERE o.register = %(register)s AND o.department = %(department)s AND o.state = 'open'"
    " AND NOT o.reason = ANY(%(compared)s)"
)
#: The row came in an earlier edition than the delivery that may answer it.
_BEFORE = "(SELECT (v.edition, v.id) < (%(edition)s, %(delivery)s) FROM exchange.delivery v WHERE v.id = o.delivery)"


def answer(conn: psycopg.Connection[Any], register: Deliverable, place: Place, mode: str, tasks: list[int]) -> None:
    """Close what this delivery answers; `tasks` are the numbers that its rows give."""
    conn.execute(
        f"{_CLOSE} AND o.raised_by <> %(delivery)s AND (o.id = ANY(%(tasks)s)"
        f" OR {_BEFORE} AND (%(full)s OR o.fid IN (SELECT fid FROM touched)))",
        {**_args(register, place), "full": mode == "full", "tasks": tasks},
    )


def answer_from_later(conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> None:
    """Close what came in this delivery, or opened again, and what later deliveries of the department answer."""
    for delivery, edition, mode in _later(conn, register, place):
        asked = [fid for (fid,) in conn.execute(_ASKED, _args(register, place)).fetchall()]
        if not asked:
            return
        about = np.array([fid for fid in asked if fid is not None], np.int64)
        told = set() if mode == "full" else _told(conn, register, delivery, about)
        at = Place(delivery, place.department, edition)
        conn.execute(
            f"{_CLOSE} AND {_BEFORE} AND (%(full)s OR o.fid = ANY(%(told)s))",
            {**_args(register, at), "full": mode == "full", "told": sorted(told)},
        )


_ASKED = (
    "SELECT DISTINCT fid FROM exchange.returned WHERE register = %(register)s AND department = %(department)s"
    " AND state = 'open' AND NOT reason = ANY(%(compared)s)"
)


def reopen(conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> None:
    """Open what a delivery that is taken back had answered, unless another answers it."""
    opened = conn.execute(
        """
        UPDATE exchange.returned o SET state = 'open', closed_by = NULL, closed_at = NULL
        FROM exchange.delivery d WHERE d.id = o.delivery AND d.state = 'done' AND d.id <> %(delivery)s
          AND o.closed_by = %(delivery)s AND o.state = 'answered' AND NOT o.reason = ANY(%(compared)s)
        RETURNING d.edition, d.id
        """,
        _args(register, place),
    ).fetchall()
    if opened:
        edition, delivery = min(opened)
        answer_from_later(conn, register, Place(delivery, place.department, edition))


def _args(register: Deliverable, place: Place) -> dict[str, Any]:
    return {**place.args, "register": register.collection.id, "compared": list(COMPARED)}


def _later(conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> list[tuple[int, Any, str]]:
    """The department's later deliveries that stand."""
    return conn.execute(
        "SELECT id, edition, mode FROM exchange.delivery WHERE register = %(register)s"
        " AND department = %(department)s AND state = 'done' AND (edition, id) > (%(edition)s, %(delivery)s)"
        " ORDER BY edition, id",
        _args(register, place),
    ).fetchall()


def _told(conn: psycopg.Connection[Any], register: Deliverable, delivery: int, fids: Ints) -> set[int]:
    """Of which of the entities a delivery has sound rows."""
    said = conn.execute(
        f"SELECT fid FROM {register.claims} WHERE delivery = %s AND fid = ANY(%s)", (delivery, fids.tolist())
    ).fetchall()
    return {fid for (fid,) in said} | set(repeated.among(conn, delivery, fids)[0].tolist())
