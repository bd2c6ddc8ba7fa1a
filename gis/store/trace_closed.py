"""What is left of a month of the trace that was dropped: a signed record, so that verification goes on."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from gis.store.trace_key import TraceKey


@dataclass(frozen=True, slots=True)
class Closed:
    """A month that was dropped: its first and last entry, and the seals that stood before and at its end."""

    month: date
    first: int
    last: int
    before: bytes
    after: bytes
    closed_at: datetime
    closed_by: str
    key_id: str = ""
    seal: bytes = b""

    def sealed(self, key: TraceKey) -> bytes:
        """The seal that only the city's key makes."""
        said = [str(self.month), self.first, self.last, self.before.hex(), self.after.hex(),
                self.closed_at.astimezone(UTC).isoformat(), self.closed_by]  # fmt: skip
        return hmac.digest(key.secret, b"closing of the trace" + json.dumps(said).encode(), "sha256")

    def holds(self, key: TraceKey) -> bool:
        """Whether it is what was written."""
        return hmac.compare_digest(self.seal, self.sealed(key))


def closed_months(conn: psycopg.Connection[Any]) -> Iterator[Closed]:
    """The months that were dropped, in the chain's order."""
    for row in conn.execute(
        "SELECT month, first, last, before, after, closed_at, closed_by, key_id, seal FROM access.trace_closed"
        " ORDER BY first"
    ):
        month, first, last, before, after, closed_at, closed_by, key_id, seal = row
        yield Closed(month, first, last, bytes(before), bytes(after), closed_at, closed_by, key_id, bytes(seal))
