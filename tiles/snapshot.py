"""One state of the data, read by several connections at once: which tiles hold something in it, and what."""

import gzip
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import psycopg

from gis.query.plan import Plan
from gis.query.statement import Statement
from gis.store.changes_keys import REACH
from gis.store.changes_poll import POSITION
from gis.store.database import connect, translated
from tiles import mvt
from tiles.grid import Tile

Connection = psycopg.Connection[tuple[Any, ...]]

_OPTIONS = "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0"
_POSITION = f"SELECT pg_export_snapshot(), {POSITION}"
#: Tiles a round trip, and round trips of each connection that may be done before their turn has come.
_BATCH, _AHEAD = 16, 4
_GZIP_LEVEL = 6

_HOLDING = """
SELECT DISTINCT t.i FROM unnest(%s::int[], %s::float8[], %s::float8[], %s::float8[], %s::float8[]) AS t(i, w, s, e, n)
WHERE EXISTS (SELECT FROM ({relation}) q WHERE q.geom && ST_MakeEnvelope(t.w, t.s, t.e, t.n, 4326))
"""


class Snapshot:
    """The data as they are when it is opened, whatever is written meanwhile. Use it in a `with`; raises Unavailable."""

    def __init__(self, url: str, jobs: int) -> None:
        self._url, self._jobs = url, jobs
        self._open = ExitStack()
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        #: Where in the log of changes this state stands, as `pg_snapshot`.
        self.position = ""

    def __enter__(self) -> Self:
        """Open the connections, all of them on the same state."""
        with self._open, translated():
            first = self._begun()
            row = first.execute(_POSITION).fetchone()
            assert row is not None
            name, self.position = row
            for connection in (first, *(self._begun(name) for _ in range(self._jobs - 1))):
                self._idle.put(connection)
            self._open = self._open.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self._open.close()

    def _begun(self, name: str | None = None) -> Connection:
        connection = self._open.enter_context(connect(self._url, options=_OPTIONS, autocommit=True))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if name is not None:
            connection.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
        return connection

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """All rows of a statement. Raises Unavailable, BadQuery."""
        found: list[tuple[Any, ...]] = self._on_one(lambda c: c.execute(statement.sql, statement.args).fetchall())
        return found

    def holding(self, plan: Plan, tiles: Iterable[Tile]) -> list[Tile]:
        """Those of the tiles near which a row of the question lies."""
        relation = Plan(plan.query.but(fields=()), plan.catalogue, plan.identity, plan.now).relation()
        sql = _HOLDING.format(relation=relation.sql)

        def among(batch: Sequence[Tile]) -> list[Tile]:
            columns = zip(*((i, *box) for i, tile in enumerate(batch) for box in _near(tile)), strict=True)
            rows = self._on_one(lambda c: _by_index(c, Statement(sql, (*map(list, columns), *relation.args))))
            return [batch[i] for (i,) in sorted(rows)]

        return [tile for found in self._in_parallel(among, tiles, 1024) for tile in found]

    def made(self, plan: Plan, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
        """The tiles in the given order, each packed by gzip; empty ones as no bytes."""

        def batch_made(batch: Sequence[Tile]) -> list[tuple[Tile, bytes]]:
            return list(zip(batch, self._on_one(lambda c: _content(c, plan, batch)), strict=True))

        for made in self._in_parallel(batch_made, tiles, _BATCH):
            yield from made

    def _on_one(self, work: Callable[[Connection], Any]) -> Any:
        connection = self._idle.get()
        try:
            with translated():
                return work(connection)
        finally:
            self._idle.put(connection)

    def _in_parallel(self, work: Callable[[Sequence[Tile]], Any], tiles: Iterable[Tile], size: int) -> Iterator[Any]:
        """Work on batches of tiles with all connections, the results in order; only so many are kept waiting."""
        left, under_way = iter(tiles), deque[Future[Any]]()
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="tiles") as pool:
            try:
                while True:
                    while len(under_way) < self._jobs * _AHEAD and (batch := list(islice(left, size))):
                        under_way.append(pool.submit(work, batch))
                    if not under_way:
                        return
                    yield under_way.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _by_index(connection: Connection, statement: Statement) -> list[tuple[Any, ...]]:
    """Where to look is an array, of which the planner knows nothing."""
    connection.execute("SET LOCAL enable_seqscan = off")
    found = connection.execute(statement.sql, statement.args).fetchall()
    connection.execute("SET LOCAL enable_seqscan = on")
    return found


def _content(connection: Connection, plan: Plan, tiles: Sequence[Tile]) -> list[bytes]:
    """The contents of some tiles in one round trip."""
    statements = [mvt.statement(plan, tile) for tile in tiles]
    with connection.pipeline():
        cursors = [s and connection.execute(s.sql, s.args, binary=True) for s in statements]
        rows = [cursor.fetchone() if cursor else None for cursor in cursors]
    return [gzip.compress(bytes(row[0]), _GZIP_LEVEL, mtime=0) if row and row[0] else b"" for row in rows]


def _near(tile: Tile) -> Iterator[tuple[float, float, float, float]]:
    """The boxes in degrees in which lies what the tile may show; it goes on at the other side of the antimeridian."""
    west, south, east, north = tile.bounds
    wide, high = (east - west) * REACH, (north - south) * REACH
    for turn in (0.0, -360.0, 360.0):
        left, right = west - wide + turn, east + wide + turn
        if left < 180 and right > -180:
            yield left, south - high, right, north + high
