"""The chain of the trace in the database: one for a city, lengthened by a batch of entries in one transaction.

One chain rather than one a process: whoever takes a whole chain away would take its name with it, and of one the order
of all that happened can be read. Processes lengthen it in turn, under an advisory lock that is held for a batch.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from typing import Any

import psycopg

from gis.access.trace import Entry, Event
from gis.store.trace_key import TraceKey

#: The columns of an entry, as the function takes them; when it was recorded is the same for a batch.
COLUMNS = tuple(f.name for f in fields(Entry) if f.name != "recorded_at")
_TYPES = {"number": "bigint", "at": "timestamptz", "rows": "bigint"}
# the function's parameters are named, so that their order is nobody's business
_APPEND = "SELECT access.trace_append(%s, %s, {}, the_seal => %s::bytea[])".format(
    ", ".join(f"the_{name} => %s::{_TYPES.get(name, 'text')}[]" for name in COLUMNS)
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a chain: how many there were, and the seal that the next one stands on.

    `database` is the name of the database that holds it.
    """

    chain: uuid.UUID
    number: int
    seal: bytes
    database: str = ""


def beginning(chain: uuid.UUID) -> bytes:
    """What the first entry of a chain stands on."""
    return hashlib.sha256(b"chain of the trace" + chain.bytes).digest()


def append(conn: psycopg.Connection[Any], events: Sequence[Event], key: TraceKey) -> Head:
    """Lengthen the chain by events, in a transaction that is the caller's; returns the new head.

    Nobody else lengthens it until that transaction ends, so it should be short.
    """
    newest, recorded_at = head(conn)
    entries = entries_of(events, newest.number, recorded_at, key)
    seals = sealed(entries, newest.seal, key)
    columns = [list(column) for column in zip(*map(_told, entries), strict=True)]
    conn.execute(_APPEND, (recorded_at, key.id, *columns, seals))
    return replace(newest, number=newest.number + len(entries), seal=seals[-1])


def head(conn: psycopg.Connection[Any]) -> tuple[Head, datetime]:
    """The newest entry, and when the next one would be recorded; nobody adds any until the transaction ends."""
    row = conn.execute("SELECT chain, number, seal, recorded_at FROM access.trace_head()").fetchone()
    assert row is not None
    chain, number, seal, recorded_at = row
    return Head(chain, number, bytes(seal) if seal else beginning(chain), conn.info.dbname), recorded_at


def entries_of(events: Sequence[Event], number: int, recorded_at: datetime, key: TraceKey) -> list[Entry]:
    """The entries that follow the one of a number."""
    pseudonyms = key.pseudonyms
    return [Entry.of(event, number + 1 + at, recorded_at, pseudonyms) for at, event in enumerate(events)]


def sealed(entries: Sequence[Entry], before: bytes, key: TraceKey) -> list[bytes]:
    """The seal of each entry, the first standing on the seal `before`."""
    seals = []
    for entry in entries:
        before = entry.seal(before, key.secret)
        seals.append(before)
    return seals


def _told(entry: Entry) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    number, _, *rest = astuple(entry)
    return (number, *rest)
