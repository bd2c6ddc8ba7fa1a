"""The writer of the trace: events wait in memory for a moment and are written by one thread, a batch a transaction.

`note` costs a queue's place; `written` comes back when the entry is on disk, together with all that waited before it.
What cannot be written is not done: both refuse as long as the trace does not take entries.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import psycopg

from gis.access.trace import Event
from gis.errors import OneMapError, Unavailable
from gis.store.database import connect, translated
from gis.store.trace_anchor import Anchors
from gis.store.trace_chain import Head, append
from gis.store.trace_key import TraceKey, trace_key

_LOG = logging.getLogger("onemap.trace")

#: An entry for which nobody waits is written so long after its event at the latest, when the database takes it.
LAG_S = 0.5
_MOST_A_BATCH, _MOST_WAITING = 2_000, 100_000
_AGAIN_S, _PATIENCE_S, _LAST_PATIENCE_S = 0.5, 10.0, 10.0
_OPTIONS = "-c timezone=UTC -c synchronous_commit=on -c statement_timeout=10000 -c lock_timeout=8000"


@dataclass(slots=True)
class _Waiting:
    """An event on its way; whoever must know that it is written waits for `done`."""

    event: Event
    done: Future[None] | None = None


class Trace:
    """The trace of one city, as one process writes it; for any thread. Close it, which writes what waits."""

    def __init__(self, url: str, key: TraceKey, anchors: Anchors) -> None:
        self._url, self._key, self._anchors = url, key, anchors
        self._waiting: deque[_Waiting] = deque()
        self._batch: list[_Waiting] = []
        self._doubtful: Head | None = None
        self._wake = threading.Condition()
        self._hurry = self._closing = False
        self._failure: OneMapError | None = None
        self._conn: psycopg.Connection[Any] | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, url: str, home: Path) -> Self:
        """The trace of the city in a database, sealed with the key of an installation. Raises SetupError."""
        key = trace_key(home)
        return cls(url, key, Anchors(home, key))

    @property
    def key(self) -> TraceKey:
        """What seals the entries, and makes pseudonyms."""
        return self._key

    @property
    def waiting(self) -> int:
        """How many events are not yet written."""
        return len(self._waiting) + len(self._batch)

    def note(self, *events: Event) -> None:
        """Events to be written within `LAG_S`. Raises Unavailable as long as the trace cannot be written."""
        self._put([_Waiting(event) for event in events], hurry=False)

    def keep(self, *events: Event) -> None:
        """Events of what is done already: they wait for the trace as long as it takes, and the log has them as well."""
        waiting = [_Waiting(event) for event in events]
        try:
            self._put(waiting, hurry=False)
        except Unavailable:
            for event in events:
                _LOG.warning("waits for the trace: %s by %s of %s", event.event, event.who, event.collection)
            with self._wake:
                if len(self._waiting) < 2 * _MOST_WAITING:
                    self._waiting.extend(waiting)

    def check(self) -> None:
        """Raises Unavailable as long as the trace cannot be written: what must be traced is not begun then."""
        if self._failure is not None:
            raise _refusal(self._failure)

    def write(self, *events: Event) -> None:
        """Events that are written when this returns. Raises Unavailable; then what they tell of must not be done."""
        future = self._written(events)
        with suppress(TimeoutError):
            future.result(_PATIENCE_S)
            return
        raise _refusal()

    async def written(self, *events: Event) -> None:
        """The same as `write`, for the event loop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._written(events))), _PATIENCE_S)
            return
        raise _refusal()

    def close(self) -> None:
        """Write what waits, and end; what cannot be written now is told to the log."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(_LAST_PATIENCE_S + _PATIENCE_S)
        left = [waiting.event for waiting in (*self._batch, *self._waiting)]
        for event in left:
            _LOG.error("not in the trace: %s by %s of %s, %s", event.event, event.who, event.collection, event.outcome)

    def _written(self, events: Sequence[Event]) -> "Future[None]":
        done: Future[None] = Future()
        *before, last = events
        self._put([*(_Waiting(event) for event in before), _Waiting(last, done)], hurry=True)
        return done

    def _put(self, waiting: list[_Waiting], *, hurry: bool) -> None:
        with self._wake:
            if self._failure is not None or self._closing or len(self._waiting) >= _MOST_WAITING:
                raise _refusal(self._failure)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="onemap-trace", daemon=True)
                self._thread.start()
            wakes = hurry or not self._waiting
            self._waiting.extend(waiting)
            self._hurry |= hurry
            if wakes:
                self._wake.notify_all()

    def _run(self) -> None:
        tries_left = int(_LAST_PATIENCE_S / _AGAIN_S)
        while self._take():
            try:
                self._append()
            except OneMapError as error:
                tries_left -= self._closing
                self._failed(error)
                if tries_left <= 0:
                    break
                threading.Event().wait(_AGAIN_S)
            except Exception as error:
                _LOG.exception("the trace cannot be written")
                self._failed(Unavailable(str(error), str(error)))
                threading.Event().wait(_AGAIN_S)
                tries_left -= self._closing
                if tries_left <= 0:
                    break
        self._disconnect()

    def _take(self) -> bool:
        """Wait for a batch; false when nothing is left and nothing comes any more. One that failed comes first."""
        with self._wake:
            while not (self._batch or self._waiting or self._closing):
                self._wake.wait()
            if not self._batch:
                if not (self._hurry or self._closing):
                    self._wake.wait_for(lambda: self._hurry or self._closing, LAG_S)
                self._hurry = False
                self._batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_A_BATCH))]
                # those that wait may be behind others
                self._hurry = any(waiting.done for waiting in self._waiting)
            return bool(self._batch)

    def _append(self) -> None:
        """Write the batch. Raises Unavailable, and leaves the batch as it is."""
        with translated():
            conn = self._connected()
            if not self._is_there(conn):
                with conn.transaction():
                    self._doubtful = append(conn, [waiting.event for waiting in self._batch], self._key)
        head, self._doubtful = self._doubtful, None
        if head is not None:
            self._anchored(head)
        with self._wake:
            done, self._batch, self._failure = self._batch, [], None
        for waiting in done:
            if waiting.done is not None:
                waiting.done.set_result(None)

    def _is_there(self, conn: psycopg.Connection[Any]) -> bool:
        """Whether a batch whose commit was not answered was written after all."""
        if self._doubtful is None:
            return False
        found = conn.execute(
            "SELECT access.trace_holds(%s, %s)", (self._doubtful.number, self._doubtful.seal)
        ).fetchone()
        return found is not None and bool(found[0])

    def _anchored(self, head: Head) -> None:
        try:
            self._anchors.advance(head)
        except OSError as error:
            _LOG.error("the trace's anchor cannot be kept: %s", error)

    def _failed(self, error: OneMapError) -> None:
        """Refuse whoever waits: what they asked for is not done, and is kept as what failed."""
        self._disconnect()
        refused = []
        with self._wake:
            if self._failure is None:
                _LOG.error("the trace cannot be written: %s", error)
            self._failure = error
            for waiting in (*self._batch, *self._waiting):
                if waiting.done is not None:
                    refused.append(waiting.done)
                    waiting.done, waiting.event = None, replace(waiting.event, outcome="failed")
        for done in refused:
            done.set_exception(_refusal(error))

    def _connected(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = connect(self._url, autocommit=True, options=_OPTIONS)
        return self._conn

    def _disconnect(self) -> None:
        if self._conn is not None:
            with suppress(psycopg.Error):
                self._conn.close()
            self._conn = None


def write_once(url: str, home: Path, *events: Event) -> None:
    """Write events without keeping a connection: for commands and notebooks. Raises Unavailable, SetupError."""
    key = trace_key(home)
    try:
        with connect(url, options=_OPTIONS) as conn:
            head = append(conn, events, key)
    except (OneMapError, psycopg.Error) as error:
        raise _refusal(error) from error
    Anchors(home, key).advance(head)


def _refusal(error: Exception | None = None) -> Unavailable:
    return Unavailable(
        "what is done here must be traced, and the trace cannot be written now; try again",
        "此操作须留有审计记录,而审计日志暂时无法写入,请稍后重试",
        inside=str(error) if error else "",
    )
