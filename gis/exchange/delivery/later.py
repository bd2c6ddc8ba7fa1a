"""What later deliveries leaned on: written out before what they leaned on changes.

A row that repeats its department's word is kept as a number alone, and a full delivery tells an end only where the
entity was there before. Both lean on the word that stands before them. When a delivery comes late, or one is
withdrawn, that word changes; so what the later deliveries repeat is written out as claims of their own first, and what
they lack is settled anew after.
"""

from typing import Any

import numpy as np
import psycopg

from gis.exchange.delivery import repeated
from gis.exchange.delivery.claims import Place
from gis.exchange.delivery.tasking import COMPARED
from gis.exchange.delivery.traces import Meant
from gis.exchange.delivery.words import Ints
from gis.exchange.registers import Deliverable


def write_out(conn: psycopg.Connection[Any], register: Deliverable, place: Place, content: str) -> None:
    """For what is in `touched`: the first later delivery of the department that speaks of it gets its own claim.

    `content` is a relation of claims by `fid`: the word that those later deliveries repeated.
    """
    left = np.array([row[0] for row in conn.execute("SELECT fid FROM touched ORDER BY fid").fetchall()], np.int64)
    for delivery, edition, _ in _later(conn, register, place):
        if not len(left):
            return
        spoken = _spoken(conn, register, delivery, left)
        again, rows = repeated.among(conn, delivery, np.setdiff1d(left, spoken, assume_unique=True))
        at = Place(delivery, place.department, edition)
        _write(conn, register, at, (again, rows), content)
        left = np.setdiff1d(left, np.union1d(spoken, again))


def settle_absences(
    conn: psycopg.Connection[Any], register: Deliverable, place: Place, secret: bytes, taken_in: int | None = None
) -> None:
    """For what is in `touched`: what later full deliveries of the department lack has ended where it was there before.

    Not where they are silent on it: a row that they returned bears its identifier, or is evidently about it.
    `taken_in` is the delivery under way, if there is one.
    """
    touched = np.array([row[0] for row in conn.execute("SELECT fid FROM touched ORDER BY fid").fetchall()], np.int64)
    for delivery, edition, mode in _later(conn, register, place):
        if mode == "full":
            at = Place(delivery, place.department, edition)
            meant = Meant(register, secret, _traces(conn, delivery), taken_in)
            _settle_absence(conn, at, meant, touched)


def _settle_absence(conn: psycopg.Connection[Any], at: Place, meant: Meant, touched: Ints) -> None:
    register = meant.register
    own = conn.execute(
        f"SELECT fid, NOT said AND src_row IS NULL FROM {register.claims} WHERE delivery = %s AND fid = ANY(%s)",
        (at.delivery, touched.tolist()),
    ).fetchall()
    told = np.union1d(
        np.union1d(repeated.among(conn, at.delivery, touched)[0], _silent(conn, at.delivery, touched)),
        np.array([fid for fid, is_end in own if not is_end], np.int64),
    )
    ended = np.setdiff1d(np.array([fid for fid, is_end in own if is_end], np.int64), told)
    lacking = _standing(conn, register, at, np.setdiff1d(touched, told))
    lacking = np.setdiff1d(lacking, meant.among(conn, at, lacking).owners)
    _drop_ends(conn, register, at, np.setdiff1d(ended, lacking))
    _end(conn, register, at, np.setdiff1d(lacking, ended))


def _standing(conn: psycopg.Connection[Any], register: Deliverable, at: Place, fids: Ints) -> Ints:
    """Which of the entities the department held just before a delivery."""
    found = conn.execute(
        f"SELECT fid FROM (SELECT DISTINCT ON (fid) fid, said FROM {register.claims}"
        " WHERE department = %(department)s AND fid = ANY(%(fids)s) AND NOT withdrawn"
        " AND (edition, delivery) < (%(edition)s, %(delivery)s) ORDER BY fid, edition DESC, delivery DESC) c"
        " WHERE said ORDER BY fid",
        {**at.args, "fids": fids.tolist()},
    ).fetchall()
    return np.array([row[0] for row in found], np.int64)


def _traces(conn: psycopg.Connection[Any], delivery: int) -> Ints:
    """The traces of the rows that a delivery returned for their identifiers."""
    found = conn.execute(
        "SELECT DISTINCT unnest(traces) FROM exchange.returned WHERE delivery = %s AND traces IS NOT NULL", (delivery,)
    ).fetchall()
    return np.array([row[0] for row in found], np.int64)


def _drop_ends(conn: psycopg.Connection[Any], register: Deliverable, at: Place, fids: Ints) -> None:
    if len(fids):
        conn.execute(
            f"DELETE FROM {register.claims} WHERE delivery = %s AND fid = ANY(%s) AND NOT said AND src_row IS NULL",
            (at.delivery, fids.tolist()),
        )


def _later(conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> list[tuple[int, Any, str]]:
    """The department's later deliveries; without those of which no row could be taken, which are not believed."""
    return conn.execute(
        "SELECT id, edition, mode FROM exchange.delivery d WHERE register = %(register)s"
        " AND department = %(department)s AND state = 'done' AND (edition, id) > (%(edition)s, %(delivery)s)"
        " AND rows_delivered > (SELECT count(DISTINCT src_row) FROM exchange.returned r WHERE r.delivery = d.id"
        " AND r.raised_by = d.id AND NOT r.reason = ANY(%(compared)s)) ORDER BY edition, id",
        {**place.args, "register": register.collection.id, "compared": list(COMPARED)},
    ).fetchall()


def _spoken(conn: psycopg.Connection[Any], register: Deliverable, delivery: int, fids: Ints) -> Ints:
    """Which of the entities the delivery has claims of."""
    found = conn.execute(
        f"SELECT fid FROM {register.claims} WHERE delivery = %s AND fid = ANY(%s)", (delivery, fids.tolist())
    ).fetchall()
    return np.array(sorted(row[0] for row in found), np.int64)


def _silent(conn: psycopg.Connection[Any], delivery: int, fids: Ints) -> Ints:
    """Which of the entities the delivery mentioned in rows that were refused."""
    found = conn.execute(
        "SELECT DISTINCT fid FROM exchange.returned WHERE delivery = %s AND fid = ANY(%s)", (delivery, fids.tolist())
    ).fetchall()
    return np.array(sorted(row[0] for row in found), np.int64)


def _write(
    conn: psycopg.Connection[Any], register: Deliverable, at: Place, repeats: tuple[Ints, Ints], content: str
) -> None:
    fids, rows = repeats
    names = ", ".join(f'"{name}"' for name, _ in register.claim_columns)
    if len(fids):
        conn.execute(
            f"INSERT INTO {register.claims}"
            f" (fid, department, delivery, edition, src_row, said, latest, valid_from, valid_to, digest, {names})"
            f" SELECT fid, %(department)s, %(delivery)s, %(edition)s, nullif(w.row, 0), said, false, valid_from,"
            f" valid_to, digest, {names} FROM {content} c"
            f" JOIN unnest(%(fids)s::bigint[], %(rows)s::bigint[]) w(fid, row) USING (fid)",
            {**at.args, "fids": fids.tolist(), "rows": rows.tolist()},
        )


def _end(conn: psycopg.Connection[Any], register: Deliverable, at: Place, fids: Ints) -> None:
    if len(fids):
        conn.execute(
            f"INSERT INTO {register.claims} (fid, department, delivery, edition, said, latest, digest)"
            " SELECT fid, %(department)s, %(delivery)s, %(edition)s, false, false, 0"
            " FROM unnest(%(fids)s::bigint[]) fid",
            {**at.args, "fids": fids.tolist()},
        )
