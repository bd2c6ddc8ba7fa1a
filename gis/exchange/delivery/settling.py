"""What was touched brought into the register: folded, compared with the open rows, tasks raised and closed."""

from typing import Any

import psycopg

from gis.exchange.delivery import fold, records, tasking
from gis.exchange.delivery.merging import Change, Merged, merge
from gis.exchange.registers import Deliverable
from gis.query.span import now
from gis.store.database import Database
from gis.store.tables import Register
from gis.store.versions import ensure_month


def next_epoch(conn: psycopg.Connection[Any], register: str) -> int:
    """The number of the register's next recorded change, for whoever has its turn."""
    found = conn.execute(
        "SELECT coalesce(max(epoch), 0) + 1 FROM core.epoch WHERE register = %s", (register,)
    ).fetchone()
    assert found is not None
    return int(found[0])


def settle(database: Database, conn: psycopg.Connection[Any], register: Deliverable, by: int, epoch: int) -> Merged:
    """Fold what was touched, bring register and tasks to it; what is left to be done comes last of all."""
    fold.fold(conn, register)
    tables = Register.of(register.collection)
    today = now().date()
    ensure_month(conn, tables, today)
    _identify(conn, register, epoch)
    merged = merge(conn, register, Change(epoch, today))
    tasking.dispute(conn, register)
    tasking.restate(conn, by)
    tasking.settle(conn, register, by, records.titles(database))
    return merged


def _identify(conn: psycopg.Connection[Any], register: Deliverable, epoch: int) -> None:
    """Every entity that anybody ever spoke of has its identity."""
    if register.identifiers:
        known = "SELECT t.fid, to_hex(t.fid) AS key FROM touched t"
    else:
        known = (
            f'SELECT DISTINCT ON (c.fid) c.fid, c."{register.key}" AS key FROM {register.claims} c'
            " JOIN touched USING (fid) WHERE c.said"
        )
    identities = Register.of(register.collection).table("_id")
    conn.execute(
        f"INSERT INTO {identities} (fid, key, since) SELECT k.fid, k.key, %s FROM ({known}) k"
        f" WHERE NOT EXISTS (SELECT FROM {identities} i WHERE i.fid = k.fid)",
        (epoch,),
    )
