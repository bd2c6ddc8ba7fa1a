"""Tables had for oneself without holding readers up."""

from typing import Any

import psycopg
from psycopg import errors

#: For how long readers may be made to wait at once, and how long they are then left alone.
_BRIEFLY_MS = 50
PAUSE_S = 0.2


def is_taken_briefly(conn: psycopg.Connection[Any], names: str) -> bool:
    """Try to have tables (quoted names with commas) for oneself until the transaction ends; whether that was possible.

    Whoever waits for such a lock makes every later reader wait behind it, so it is asked for briefly.
    """
    try:
        with conn.transaction():
            conn.execute(f"SET LOCAL lock_timeout = '{_BRIEFLY_MS}ms'")
            conn.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            conn.execute("SET LOCAL lock_timeout TO DEFAULT")
    except errors.LockNotAvailable:
        return False
    return True
