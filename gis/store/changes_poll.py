"""Asking the log of changes what became visible since a position; many times a second, so next to the wire.

A position is a snapshot (`xmin:xmax:xip,…`, pg_snapshot): what was visible then is known, whatever the order in which
transactions commit. On a standby, whose snapshots do not tell what is under way, it is the lower bound alone, and what
is found between the two is found again.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from gis.errors import Unavailable

_PATIENCE_S = 5.0
#: One plan, by the key of the log, however the statistics stand.
_OPTIONS = (
    "-c statement_timeout=5000 -c jit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    " -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c max_parallel_workers_per_gather=0"
)

POSITION = """CASE WHEN pg_is_in_recovery()
    THEN format('%1$s:%1$s:', pg_snapshot_xmin(pg_current_snapshot())) ELSE pg_current_snapshot()::text END"""
_POLL = f"""
PREPARE poll (pg_snapshot) AS
SELECT p.position, i.pruned >= pg_snapshot_xmin($1), pg_is_in_recovery(),
    c.register, c.key, c.xid, core.change_hash(c.key, c.xid)
FROM (SELECT {POSITION} AS position OFFSET 0) AS p CROSS JOIN core.incarnation AS i
LEFT JOIN core.change AS c ON c.xid >= pg_snapshot_xmin($1) AND NOT pg_visible_in_snapshot(c.xid, $1)
"""
#: On a primary, the position alone: where it is the one that is known, nothing became visible since.
_POSITION = "PREPARE position AS SELECT pg_current_snapshot()::text"
_SUMS = """
WITH p AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin)
SELECT p.xmin::text, s.register, s.key, mod(sum(s.digest), 18446744073709551616)::text
FROM p LEFT JOIN LATERAL (
    SELECT register, key, digest FROM core.change_digest
    UNION ALL SELECT register, key, core.change_hash(key, xid) FROM core.change WHERE xid < p.xmin
) AS s ON true GROUP BY 1, 2, 3
"""
_INCARNATION = """
SELECT s.system_identifier, core.timeline(), d.oid::bigint, i.mark::text, pg_is_in_recovery()
FROM core.incarnation AS i, pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Change:
    """That a transaction wrote to a register in the square `key`; 1 is all of it."""

    register: str
    key: int
    xid: int


@dataclass(frozen=True, slots=True)
class News:
    """What one poll found: changes with their hashes, and where the next one goes on.

    `lost`: what came before was pruned in part, so that sums must be read anew.
    """

    position: bytes
    lost: bool
    is_standby: bool
    changes: list[tuple[Change, int]]


class Line:
    """One connection, kept for this alone: a poll never waits for a question that takes long."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._wire = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[None] | None = None
        #: Whether the last poll, of a primary, found nothing new: then the next one is likely to as well.
        self._is_still = False
        self._socket = self._wire.socket
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, url: str) -> "Line":
        """Connect. Raises psycopg.Error."""
        connection = await psycopg.AsyncConnection.connect(
            url, autocommit=True, options=_OPTIONS, connect_timeout=int(_PATIENCE_S), application_name="onemap-changes"
        )
        try:
            await connection.execute(_POLL)
            await connection.execute(_POSITION)
        except BaseException:
            # whoever waited has gone, or the log cannot be asked
            await connection.close()
            raise
        return cls(connection)

    async def close(self) -> None:
        """Hang up."""
        with suppress(ValueError, OSError):
            self._loop.remove_reader(self._socket)
        await self._connection.close()

    async def poll(self, position: bytes) -> News:
        """What became visible since a position. Raises psycopg.Error, Unavailable."""
        # equal snapshots see the same, and to compare them costs a fraction of looking into the log
        if self._is_still and (await self._asked(b"position")).get_value(0, 0) == position:
            return News(position, lost=False, is_standby=False, changes=[])
        news = _news(await self._asked(b"poll", position))
        self._is_still = news.position == position and not news.is_standby
        return news

    async def _asked(self, prepared: bytes, *values: bytes) -> PGresult:
        """What a prepared statement brings: at least one row. Raises psycopg.Error, Unavailable."""
        self._answer = self._loop.create_future()
        late = self._loop.call_later(_PATIENCE_S, self._give_up)
        try:
            self._wire.send_query_prepared(prepared, values)
            while self._wire.flush():
                await asyncio.sleep(0)
            await self._answer
        finally:
            late.cancel()
            self._answer = None
        result = self._wire.get_result()
        while self._wire.get_result() is not None:
            pass
        if result is None or result.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError("the log of changes cannot be read")
        return result

    def _read(self) -> None:
        """Something came; between polls it can only be the end."""
        answer = self._answer
        try:
            self._wire.consume_input()
            done = not self._wire.is_busy()
        except psycopg.Error as error:
            self._loop.remove_reader(self._socket)
            if answer and not answer.done():
                answer.set_exception(error)
            return
        if done and answer and not answer.done():
            answer.set_result(None)

    def _give_up(self) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(Unavailable("the database does not answer in time", "数据库未及时响应"))


def _news(result: PGresult) -> News:
    rows = range(result.ntuples if result.get_value(0, 3) is not None else 0)
    found = [[_text(result.get_value(row, column)) for column in (3, 4, 5, 6)] for row in rows]
    changes = [(Change(register, int(key), int(xid)), int(hashed)) for register, key, xid, hashed in found]
    position = result.get_value(0, 0)
    assert position is not None
    return News(position, result.get_value(0, 1) == b"t", result.get_value(0, 2) == b"t", changes)


async def read_incarnation(url: str) -> tuple[str, bool]:
    """Names the life of the database, another after a restore, a promotion, and in a copy; and whether it is a standby.

    Raises psycopg.Error.
    """
    async with await _connected(url) as connection:
        row = await (await connection.execute(_INCARNATION)).fetchone()
    assert row is not None
    return blake2b(repr(row[:-1]).encode(), digest_size=6).hexdigest(), bool(row[-1])


async def read_sums(url: str) -> tuple[bytes, list[tuple[str, int, int]]]:
    """All changes so far as (register, key, sum of hashes), and the position to go on from. Raises psycopg.Error."""
    async with await _connected(url) as connection:
        rows = await (await connection.execute(_SUMS)).fetchall()
    sums = [(register, key, int(total)) for _, register, key, total in rows if register is not None]
    return f"{rows[0][0]}:{rows[0][0]}:".encode(), sums


async def _connected(url: str) -> psycopg.AsyncConnection[Any]:
    options = "-c statement_timeout=60000 -c jit=off"
    return await psycopg.AsyncConnection.connect(
        url, autocommit=True, options=options, connect_timeout=int(_PATIENCE_S), application_name="onemap-changes"
    )


def _text(value: bytes | None) -> str:
    return value.decode() if value is not None else ""
