"""A first load: into a copy of the register beside the empty one, indexed on two connections, swapped in at the end.

Readers see the empty register until the swap and are never blocked by the load. A table made in the transaction that
fills it needs no write-ahead log on a server with wal_level=minimal. A load that dies leaves only a copy under another
name, which the next one drops.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from gis.catalog import Collection
from gis.store import derived
from gis.store.copy import stream
from gis.store.database import connect
from gis.store.table_lock import PAUSE_S, is_taken_briefly
from gis.store.tables import Register
from gis.store.versions import Doubles, Rows, drop_doubles

_SUFFIX = "__new"
_LOG = logging.getLogger("onemap.load")

#: Waiting so long for readers is told, with who they are.
_SILENT_S = 10.0


@dataclass(frozen=True, slots=True)
class Bulk:
    """A collection's register in the making, as a copy.

    `key` is the SQL expression of a row's natural key; `dated` says that a feature may have several rows, one a
    period of validity.
    """

    collection: Collection
    url: str
    key: str
    dated: bool

    @property
    def register(self) -> Register:
        """The tables that readers know."""
        return Register.of(self.collection)

    @property
    def copy(self) -> Register:
        """The copy's tables."""
        return Register.of(self.collection, _SUFFIX)

    @contextmanager
    def cleared(self, conn: psycopg.Connection[Any]) -> Iterator["Bulk"]:
        """Without the copy that an earlier load may have left; nor does this one leave one when it fails."""
        self._drop(conn)
        try:
            yield self
        except BaseException:
            with suppress(psycopg.Error):
                self._drop(conn)
            raise

    def fill(self, conn: psycopg.Connection[Any], rows: Rows) -> int:
        """Make the copy and COPY all rows into it, in one transaction; returns how many the server took."""
        with conn.transaction(), conn.cursor() as cursor:
            for statement in self.copy.create_open():
                cursor.execute(statement)
            return stream(
                cursor,
                f"COPY {self.copy.table()} ({rows.columns}) FROM STDIN (FORMAT binary, FREEZE)",
                rows.batches,
            )

    def index(self, conn: psycopg.Connection[Any], epoch: int, refused: Callable[[Doubles], None]) -> None:
        """Build the indexes and derive what follows from the rows, half of it on a connection of its own.

        Rows given twice are taken out and told. The connection is in autocommit mode.
        """
        spatial, *others = self.copy.index_open()
        left = deque(others)
        prepare_indexing(conn)
        with ThreadPoolExecutor(1, "onemap-index") as second:
            named, building = self._begin(second, epoch, left)
            # first of all: later it would wait for the indexes that the other connection builds
            conn.execute(f"ANALYZE {self.copy.table()}")
            conn.execute(spatial)
            try:
                named.result()
            except errors.UniqueViolation:
                refused(drop_doubles(conn, self.copy.table()))
                named, building = self._begin(second, epoch, left)
            named.result()
            with conn.transaction():
                derived.copy(conn, self.collection, _SUFFIX)
            for statement in _taken(left):
                conn.execute(statement)
            building.result()
            for statement in self.copy.constrain_open():
                conn.execute(statement)

    def _begin(
        self, second: ThreadPoolExecutor, epoch: int, left: "deque[str]"
    ) -> tuple["Future[None]", "Future[None]"]:
        """On the second connection: the identities, which tell whether a row was given twice; then what is left."""
        named = second.submit(self._alone, [self._identities(epoch)])

        def build() -> None:
            if named.exception() is None:
                self._alone(_taken(left))

        return named, second.submit(build)

    @contextmanager
    def beside(self, fill: Callable[[psycopg.Connection[Any]], object], epoch: int) -> Iterator["Future[None]"]:
        """Fill and index the copy on connections of their own while the caller goes on; the result says it is done."""

        def build() -> None:
            with connect(self.url) as conn:
                with conn.transaction():
                    fill(conn)
                conn.autocommit = True
                self.index(conn, epoch, lambda doubles: None)

        with ThreadPoolExecutor(1, "onemap-bulk") as beside:
            yield beside.submit(build)

    def swap(self, conn: psycopg.Connection[Any], more: Sequence[str] = ()) -> None:
        """Put the copy in the register's place; to be called in the transaction that records the load.

        `more` are tables that the caller is about to replace as well.
        """
        wait_for_readers(conn, self.collection, more)
        for statement in self.register.replace_by(self.copy):
            conn.execute(statement)
        derived.swap(conn, self.collection, _SUFFIX)

    def _drop(self, conn: psycopg.Connection[Any]) -> None:
        with conn.transaction():
            derived.drop_copy(conn, self.collection, _SUFFIX)
            for statement in self.copy.drop():
                conn.execute(statement)

    def _identities(self, epoch: int) -> str:
        """In one transaction: rows of a table that was emptied in it need no write-ahead log either."""
        once = "DISTINCT ON (fid)" if self.dated else ""
        insert = (
            f"INSERT INTO {self.copy.table('_id')} (fid, key, since)"
            f" SELECT {once} fid, {self.key}, {int(epoch)} FROM {self.copy.table()}"
        )
        return "; ".join([f"TRUNCATE {self.copy.table('_id')}", insert, *self.copy.index_identity()])

    def _alone(self, statements: Iterable[str]) -> None:
        with connect(self.url, autocommit=True) as conn:
            prepare_indexing(conn)
            for statement in statements:
                conn.execute(statement)


def _taken(left: "deque[str]") -> Iterator[str]:
    """What is left to be done, by whoever comes for it: two connections draw from it."""
    with suppress(IndexError):
        while True:
            yield left.popleft()


def prepare_indexing(conn: psycopg.Connection[Any]) -> None:
    """Room to sort in memory; no helpers, since two builds at once keep two cores busy."""
    conn.execute("SET maintenance_work_mem = '256MB'")
    conn.execute("SET max_parallel_maintenance_workers = 0")


def wait_for_readers(conn: psycopg.Connection[Any], collection: Collection, more: Sequence[str] = ()) -> None:
    """Take the register's tables, what is derived from them, and more tables (quoted names) for oneself.

    To be called in a transaction that is about to put others in their place.

    Whoever waits for such a lock makes every later reader wait behind it, and one that reads for minutes would stop
    all of them. So it is asked for briefly, again and again, until nobody happens to read.
    """
    # a view is locked with all that it shows
    names = ", ".join([Register.of(collection).table("_all"), *derived.read_tables(conn, collection), *more])
    told_s = time.monotonic() + _SILENT_S
    while not is_taken_briefly(conn, names):
        if time.monotonic() >= told_s:
            told_s = math.inf
            _LOG.warning("%s waits for sessions that read it: %s", collection.id, _readers(conn, collection))
        time.sleep(PAUSE_S)


def _readers(conn: psycopg.Connection[Any], collection: Collection) -> str:
    """The sessions that hold a register's tables, each with its state and since when: who may have forgotten one."""
    found = conn.execute(
        "SELECT DISTINCT pid, a.state, date_trunc('second', a.xact_start)::text FROM pg_locks l"
        " JOIN pg_stat_activity a USING (pid) WHERE l.granted AND pid <> pg_backend_pid() AND l.relation IN"
        " (SELECT c.oid FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND starts_with(c.relname, %s))",
        (f'"{collection.layer}"', collection.noun),
    ).fetchall()
    return "; ".join(f"{pid} {state} since {since}" for pid, state, since in found) or "nobody now"


def may_swap(conn: psycopg.Connection[Any], register: Register) -> bool:
    """Whether a first load may take this way: no row was ever here, and nothing else refers to the tables."""
    found = conn.execute(
        f"SELECT NOT EXISTS (SELECT FROM {register.table('_id')}) AND NOT EXISTS (SELECT FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid IN (%s::regclass, %s::regclass))",
        (register.table(), register.table("_id")),
    ).fetchone()
    return bool(found and found[0])
