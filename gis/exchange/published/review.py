"""The review: somebody else than the proposer publishes, or refuses with a reason that is kept."""

from typing import Any

import psycopg

from gis.access import Identity
from gis.catalog import Catalogue
from gis.errors import BadQuery, Conflict, Forbidden
from gis.exchange.published.copies import REVIEWERS, drop, fill, make, source_epoch, told
from gis.exchange.published.declared import declared
from gis.exchange.published.records import Publication, changed, one, publication
from gis.query.span import now
from gis.store.bulk import wait_for_readers
from gis.store.database import Database, connect, translated
from gis.store.tables import Register


def refuse(database: Database, number: int, by: Identity, reason: str) -> Publication:
    """Refuse a proposal. Raises NotFound, Forbidden, Conflict, and BadQuery without a reason."""
    if not reason.strip():
        raise BadQuery("a refusal says why", "驳回须说明理由", subject="reason")
    with translated(), connect(database.url, autocommit=True) as conn:
        _check(one(conn, number), by)
        return changed(conn, number, state="refused", reviewed_by=by.name, reviewed_at=now(), reason=reason.strip())


def publish(database: Database, catalogue: Catalogue, number: int, by: Identity, reason: str = "") -> Publication:
    """Publish what was proposed: from then on anyone sees the copy. One that stood under its name is replaced.

    All of it is one transaction, in which the rows are put in place: where the copy cannot be made, or the program
    dies, what stood before stands. Raises NotFound, Forbidden, Conflict.
    """
    with translated(), connect(database.url, autocommit=True) as conn:
        found = one(conn, number)
        _check(found, by)
        epoch, copy = source_epoch(conn, found.source), declared(catalogue, found)
        conn.execute(f'CREATE SCHEMA IF NOT EXISTS "{copy.layer}"'.encode())
    rows = told(database, catalogue, found)

    def instead(conn: psycopg.Connection[Any]) -> None:
        # it may have been decided meanwhile
        _check(one(conn, number), by)
        _replace(conn, found)
        if conn.execute("SELECT to_regclass(%s)", (Register.of(copy).table("_all"),)).fetchone() != (None,):
            wait_for_readers(conn, copy)
        drop(conn, copy)
        make(conn, copy)
        changed(
            conn, number, state="published", reviewed_by=by.name, reviewed_at=now(), reason=reason.strip(),
            refreshed_at=now(), source_epoch=epoch, rows=len(rows),
        )  # fmt: skip

    fill(database, catalogue, found, rows, within=instead, anew=True)
    return publication(database, number)


def _replace(conn: psycopg.Connection[Any], found: Publication) -> None:
    standing = conn.execute(
        "SELECT id FROM base.publication WHERE name = %s AND state = 'published'", (found.name,)
    ).fetchone()
    if standing is not None:
        changed(conn, int(standing[0]), state="replaced")


def _check(found: Publication, by: Identity) -> None:
    if by.role not in REVIEWERS:
        raise Forbidden("only the security administrator reviews what is published", "公开申请由安全管理员审核")
    if by.name == found.proposed_by:
        raise Forbidden("who proposed it cannot review it", "申请人不能审核自己的申请", subject="reviewed_by")
    if found.state != "proposed":
        raise Conflict(f"publication {found.id} is {found.state} already", f"公开申请 {found.id} 已是 {found.state}",
                       subject=str(found.id))  # fmt: skip
