"""The lock of a register that loads and single changes share: they run one after another, and wait briefly for it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors

from gis.errors import Conflict

#: A single change takes milliseconds: whoever comes meanwhile waits for it, and not for a load.
_PATIENCE = "3s"
_KEY = "core.lock_key('load', %s)"


@contextmanager
def held(conn: psycopg.Connection[Any], collection: str) -> Iterator[None]:
    """Hold the lock over several transactions of a connection. Raises Conflict where somebody else keeps it."""
    with conn.transaction():
        _wait(conn, collection, f"SELECT pg_advisory_lock({_KEY})")
    try:
        yield
    finally:
        # a connection that is lost, or only closed, gives it back when the server notices
        with suppress(psycopg.Error):
            conn.rollback()
            conn.execute(f"SELECT pg_advisory_unlock({_KEY})", (collection,))
            conn.rollback()


def take(conn: psycopg.Connection[Any], collection: str) -> None:
    """Take the lock until the end of the transaction. Raises Conflict where somebody else keeps it."""
    _wait(conn, collection, f"SELECT pg_advisory_xact_lock({_KEY})")


def _wait(conn: psycopg.Connection[Any], collection: str, statement: str) -> None:
    conn.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
    try:
        conn.execute(statement, (collection,))
    except errors.LockNotAvailable:
        raise Conflict(
            f"{collection} is being loaded by someone else; try again when that is done",
            f"数据集 {collection} 正在被其他任务加载,请稍后重试",
            subject=collection,
        ) from None
