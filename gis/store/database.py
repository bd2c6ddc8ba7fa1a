"""Connections to the database: one pool for threads, one for the event loop, the same settings and the same errors."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Protocol

import psycopg
from psycopg import errors
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from gis.errors import BadQuery, OneMapError, Unavailable
from gis.query.statement import Statement
from gis.store.batches import Batches, batches, written_out
from gis.store.turns import Turns

#: For short questions: compiled plans and parallel workers cost more than they bring.
_OPTIONS = (
    "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 "
    "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"
)
#: For exports, which read everything once: sequential scans may be long, and a slow client holds its statement up.
EXPORT_OPTIONS = (
    "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c extra_float_digits=1 "
    "-c statement_timeout=3600000"
)
#: The setting that holds a connection's scope, and what sets it.
SCOPE = "onemap.scope"
_STATE = f"SELECT set_config('{SCOPE}', %s, false)"
_WAIT_S = 10.0

# what the pool would say of a database that is away, our own errors say
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)

#: A question about the past is asked again when a change was being recorded at that very moment.
_ATTEMPTS = 5

_Row = tuple[Any, ...]

_QUESTION_AT_FAULT = (
    # what GEOS cannot do with a geometry of the question
    errors.InternalError_,
    psycopg.DataError,
    errors.UndefinedFunction,
    errors.DatatypeMismatch,
    errors.DataException,
    errors.InvalidParameterValue,
    errors.IndeterminateDatatype,
    errors.ProgramLimitExceeded,
)


class Watch(Protocol):
    """Who is told what the database took. Called for each use of a pooled connection, so it must be quick."""

    def took(self, waited_s: float, held_s: float, statement: Statement | None) -> None:
        """A connection was waited for and held for so long; for one statement alone, where it is known."""


class Wall(Protocol):
    """What stands between a reader's pool and the tables (see `gis.store.reading`)."""

    def prepared(self, statement: Statement) -> tuple[Statement, str]:
        """The statement as the reader's role may run it, and the scope that must stand on the connection for it."""


class ScopedConnection(psycopg.AsyncConnection[_Row]):
    """A connection that knows which scope it carries; None where that is not known."""

    scope: str | None = ""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a pool is: connections that it may have, has, has free; questions that wait for one."""

    most: int
    size: int
    available: int
    waiting: int


def connect(url: str, **more: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """One connection of its own, for long work; the caller closes it. Raises Unavailable."""
    with translated():
        return psycopg.connect(url, connect_timeout=int(_WAIT_S), application_name="onemap", **more)


class Database:
    """A pool of connections for threads (notebooks, commands)."""

    def __init__(self, url: str, *, size: int = 4, wall: Wall | None = None) -> None:
        self.url = url
        self.watch: Watch | None = None
        self._pool, self._wall = _pool(url, size), wall

    def close(self) -> None:
        """Close all connections; a question that is asked later opens them anew."""
        # a pool cannot be opened again once it was closed
        closing, self._pool = self._pool, _pool(self.url, self._pool.max_size)
        closing.close()

    @property
    def load(self) -> Load:
        """How busy the pool is."""
        return _load(self._pool.get_stats(), self._pool.max_size)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A pooled connection in autocommit mode. Raises Unavailable, BadQuery."""
        with translated():
            self._pool.open()
            begun = time.perf_counter()
            with self._pool.connection() as conn, _timed(self.watch, begun, None):
                yield conn

    def behind(self, wall: Wall | None) -> "Database":
        """The same connections, behind another wall."""
        found = copy(self)
        found._wall = wall
        return found

    def stated(self, conn: psycopg.Connection[_Row], statement: Statement) -> Statement:
        """A statement as it may run on a connection of this pool, which carries its scope from now on."""
        prepared, scope = self._prepared(statement)
        if scope is not None:
            conn.execute(_STATE, (scope,))
        return prepared

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """All rows of a statement. Raises Unavailable, BadQuery."""
        statement, scope = self._prepared(statement)
        for attempt in range(_ATTEMPTS):
            with self.connection() as conn:
                try:
                    if scope is not None:
                        conn.execute(_STATE, (scope,))
                    return conn.execute(statement.sql, statement.args, binary=True).fetchall()
                except errors.SerializationFailure:
                    if attempt == _ATTEMPTS - 1:
                        raise
        raise AssertionError

    @contextmanager
    def batches(self, statement: Statement) -> Iterator[Batches]:
        """A statement's rows as Arrow batches of at most 10 000, on a connection of their own, in flat memory.

        Raises Unavailable, BadQuery.
        """
        statement, scope = self._prepared(statement)
        options = EXPORT_OPTIONS if scope is None else f"{EXPORT_OPTIONS} -c {SCOPE}={scope}"
        with self.connection() as conn:
            sql = written_out(conn, statement)
        with translated(), batches(self.url, sql, options) as found:
            yield found

    def _prepared(self, statement: Statement) -> tuple[Statement, str | None]:
        return (statement, None) if self._wall is None else self._wall.prepared(statement)


def _pool(url: str, size: int) -> ConnectionPool:
    return ConnectionPool(
        url, min_size=0, max_size=size, open=False, timeout=_WAIT_S,
        kwargs={"options": _OPTIONS, "autocommit": True, "application_name": "onemap"},
    )  # fmt: skip


class AsyncDatabase:
    """A pool of connections for the event loop (the server).

    Callers, whom `asker` names, are given connections in turn. Beyond `max_waiting` questions that wait for one, or a
    caller's share of them, others are turned away at once: Unavailable. Behind a `wall` each statement runs as that
    prepares it, with its scope: sent along with the statement, in the same round trip, where the connection does not
    carry it already.
    """

    def __init__(
        self,
        url: str,
        *,
        size: int = 8,
        max_waiting: int = 256,
        asker: Callable[[], str] = lambda: "",
        wall: Wall | None = None,
    ) -> None:
        self.url = url
        self.watch: Watch | None = None
        self._wall = wall
        self._asker, self._turns = asker, Turns(size, max_waiting, _WAIT_S)
        self._pool = AsyncConnectionPool(
            url, min_size=1, max_size=size, open=False, timeout=_WAIT_S, connection_class=ScopedConnection,
            kwargs={"options": _OPTIONS, "autocommit": True, "application_name": "onemap-server"},
        )  # fmt: skip

    async def open(self) -> None:
        """Open the pool; connections are made in the background."""
        await self._pool.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    @property
    def load(self) -> Load:
        """How busy the pool is."""
        found = _load(self._pool.get_stats(), self._pool.max_size)
        return replace(found, waiting=found.waiting + self._turns.waiting)

    @asynccontextmanager
    async def connection(self, statement: Statement | None = None) -> AsyncIterator[ScopedConnection]:
        """A pooled connection in autocommit mode, for `statement` alone where it is given.

        Raises Unavailable, BadQuery.
        """
        with translated():
            begun = time.perf_counter()
            async with self._turns.turn(self._asker()), self._pool.connection() as conn:
                with _timed(self.watch, begun, statement):
                    yield conn

    async def rows(self, statement: Statement, *, planned_once: bool = False) -> list[tuple[Any, ...]]:
        """All rows of a statement. Raises Unavailable, BadQuery.

        With `planned_once` each connection plans it the first time only, for whatever values: for a long statement
        whose best plan does not depend on them.
        """
        prepared, scope = self._prepared(statement)
        execute = _planned_once if planned_once else _planned
        for attempt in range(_ATTEMPTS):
            async with self.connection(statement) as conn:
                try:
                    return await (await _scoped(conn, scope, lambda: execute(conn, prepared))).fetchall()
                except errors.SerializationFailure:
                    if attempt == _ATTEMPTS - 1:
                        raise
        raise AssertionError

    async def rows_of_each(self, statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
        """All rows of each of some statements of one caller, in one round trip. Raises Unavailable, BadQuery."""
        prepared = [self._prepared(statement) for statement in statements]
        async with self.connection() as conn:
            carried = conn.scope
            async with conn.pipeline():
                cursors = []
                for statement, scope in prepared:
                    if scope is not None and scope != carried:
                        await _state(conn, scope)
                        carried = scope
                    cursors.append(await _planned(conn, statement))
                found = [await cursor.fetchall() for cursor in cursors]
            conn.scope = carried
            return found

    async def stated(self, conn: ScopedConnection, statement: Statement) -> Statement:
        """A statement as it may run on a connection of this pool, which carries its scope from now on."""
        prepared, scope = self._prepared(statement)
        if scope is not None and scope != conn.scope:
            await _state(conn, scope)
        return prepared

    def _prepared(self, statement: Statement) -> tuple[Statement, str | None]:
        return (statement, None) if self._wall is None else self._wall.prepared(statement)


async def _state(conn: ScopedConnection, scope: str) -> None:
    # what fails with it is undone with it
    conn.scope = None
    await conn.execute(_STATE, (scope,))


async def _scoped(
    conn: ScopedConnection, scope: str | None, execute: Callable[[], Awaitable[psycopg.AsyncCursor[_Row]]]
) -> psycopg.AsyncCursor[_Row]:
    """Run a statement on a connection that carries a scope, in one round trip with it where it does not yet."""
    if scope is None or scope == conn.scope:
        return await execute()
    async with conn.pipeline():
        await _state(conn, scope)
        cursor = await execute()
    conn.scope = scope
    return cursor


async def _planned(conn: psycopg.AsyncConnection[_Row], statement: Statement) -> psycopg.AsyncCursor[_Row]:
    return await conn.execute(statement.sql, statement.args, binary=True)


async def _planned_once(conn: psycopg.AsyncConnection[_Row], statement: Statement) -> psycopg.AsyncCursor[_Row]:
    """In one round trip and one transaction of its own, so that the setting never outlives a failure."""
    async with conn.pipeline():
        await conn.execute("SET plan_cache_mode = force_generic_plan")
        cursor = await conn.execute(statement.sql, statement.args, binary=True, prepare=True)
        await conn.execute("RESET plan_cache_mode")
    return cursor


@contextmanager
def _timed(watch: Watch | None, begun: float, statement: Statement | None) -> Iterator[None]:
    got = time.perf_counter()
    try:
        yield
    finally:
        if watch is not None:
            watch.took(got - begun, time.perf_counter() - got, statement)


def _load(stats: Mapping[str, int], most: int) -> Load:
    return Load(most, *(stats.get(name, 0) for name in ("pool_size", "pool_available", "requests_waiting")))


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises into the platform's own errors, without a word of SQL in them."""
    try:
        yield
    except OneMapError:
        raise
    except errors.QueryCanceled:
        raise Unavailable(
            "the question took too long; ask for a smaller area or fewer rows",
            "查询超时,请缩小范围或减少数据量",
        ) from None
    except errors.UndefinedTable:
        # a policy was adjusted, or the tables are of another version of the program
        raise Unavailable(
            "what can be read has just changed; ask again in a moment, or run onemap db migrate",
            "可查询的内容刚刚发生变化,请稍后重试,或运行 onemap db migrate",
        ) from None
    except _QUESTION_AT_FAULT as error:
        why = (error.diag.message_primary or str(error)).strip().splitlines()[0]
        if isinstance(error, errors.ProgramLimitExceeded) and " / " in why:
            # our own function's words, in both languages
            en, _, zh = why.partition(" / ")
            raise BadQuery(en, zh) from None
        raise BadQuery(f"the question does not fit the data: {why}", f"查询与数据不符:{why}") from None
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise Unavailable(
            "the database does not answer; run onemap up, or check ONEMAP_DATABASE_URL",
            "数据库无响应,请运行 onemap up 或检查 ONEMAP_DATABASE_URL",
            inside=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
