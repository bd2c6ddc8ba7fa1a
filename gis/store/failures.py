"""Failures to sign in, counted by name and by address: from a few on, whoever tries again waits longer and longer.

An attempt is counted before the password is looked at, and taken back when it is right: however many try at once, no
more are let through than may fail. A name is counted whether there is such an account or not.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

Connection = psycopg.Connection[Any]
Of = Literal["name", "address"]

#: So many may fail before anybody waits; behind one address there may be a whole office.
FREE: dict[Of, int] = {"name": 5, "address": 30}
_FIRST_WAIT_S, _LONGEST_WAIT_S = 60, 900
#: What failed so long ago is forgotten.
_REMEMBERED = "1 day"

_COUNT = f"""
    INSERT INTO access.failure AS f (subject, failures, last_at, locked_until)
    VALUES (%(subject)s, 1, clock_timestamp(), clock_timestamp())
    ON CONFLICT (subject) DO UPDATE SET last_at = clock_timestamp(),
        failures = CASE WHEN f.last_at < clock_timestamp() - interval '{_REMEMBERED}' THEN 1 ELSE f.failures + 1 END,
        locked_until = CASE
            WHEN f.last_at >= clock_timestamp() - interval '{_REMEMBERED}' AND f.failures + 1 >= %(free)s THEN
                clock_timestamp() + least({_FIRST_WAIT_S} * 2.0 ^ least(f.failures + 1 - %(free)s, 20),
                    {_LONGEST_WAIT_S}) * interval '1 s'
            ELSE clock_timestamp() END
    WHERE f.locked_until <= clock_timestamp()
    RETURNING true
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """A name or an address that waits."""

    until: datetime
    failures: int


def subject_of(of: Of, text: str) -> bytes:
    """What stands for a name or an address: somebody may have typed a password where the name belongs."""
    return hashlib.sha256(f"{of}:{text}".encode("utf-8", "surrogatepass")).digest()


def count(conn: Connection, of: Of, text: str) -> bool:
    """Count an attempt; False where it must wait, and is not counted."""
    values = {"subject": subject_of(of, text), "free": FREE[of]}
    return conn.execute(_COUNT, values).fetchone() is not None


def take_back(conn: Connection, of: Of, text: str) -> None:
    """The attempt was no failure."""
    conn.execute(
        "UPDATE access.failure SET failures = greatest(failures - 1, 0), locked_until = clock_timestamp()"
        " WHERE subject = %s",
        (subject_of(of, text),),
    )


def forget(conn: Connection, of: Of, text: str) -> bool:
    """Forget all failures: nobody waits any more. Whether there were any."""
    return conn.execute("DELETE FROM access.failure WHERE subject = %s", (subject_of(of, text),)).rowcount > 0


def locked(conn: Connection, of: Of, text: str) -> Locked | None:
    """Until when a name or an address waits; None where it does not."""
    row = conn.execute(
        "SELECT locked_until, failures FROM access.failure WHERE subject = %s AND locked_until > clock_timestamp()",
        (subject_of(of, text),),
    ).fetchone()
    return None if row is None else Locked(*row)


def prune(conn: Connection) -> None:
    """Forget what is too old to count."""
    conn.execute(f"DELETE FROM access.failure WHERE last_at < clock_timestamp() - interval '{_REMEMBERED}'")
