"""`python -m api.worker`: takes up deliveries, two registers at a time, until its standard input ends.

Now and then it brings copies that are published up to date. What it does stands in the trace.

Those of one register go in the order in which they came. What a worker that died was at is found again, since only a
whole delivery is ever recorded.
"""

import logging
import os
import signal
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from api.logs import configure
from api.worker_trace import renewed, tell
from gis.catalog import Catalogue, registered_layers
from gis.errors import OneMapError
from gis.exchange.delivery import work
from gis.exchange.delivery.records import put_back
from gis.exchange.directory import with_declared
from gis.exchange.published import due, refresh
from gis.exchange.readers.confined import ConfinedReader
from gis.exchange.readers.confinement import Limits
from gis.query.span import now
from gis.query.statement import Statement
from gis.settings import Settings
from gis.store.cluster import ensure_database
from gis.store.database import Database
from gis.store.policies import with_policies
from gis.store.trace import Trace

_LOG = logging.getLogger("onemap.deliveries")

REGISTERS_AT_A_TIME = 2
_LOOK_EVERY_S = 1.0
#: A delivery that could be neither taken nor failed, for want of a database say, waits so long.
_AGAIN_AFTER_S = 5.0
#: How often it is looked which copies are due.
RENEW_EVERY_S = 60.0
_RENEWAL = "copies that are published"
_WAITING = (
    "SELECT DISTINCT ON (register) register, id FROM exchange.delivery"
    " WHERE state IN ('received', 'working') ORDER BY register, id"
)


class Worker:
    """What is under way, by register."""

    def __init__(self, database: Database, catalogue: Catalogue, reader: ConfinedReader, trace: Trace) -> None:
        self.database, self.catalogue, self.reader, self.trace = database, catalogue, reader, trace
        self._renews_at_s = 0.0
        self.bell = threading.Event()
        self._under_way: dict[str, Future[None]] = {}
        self._numbers: dict[str, int] = {}
        self._not_before_s: dict[int, float] = {}
        self._pool = ThreadPoolExecutor(REGISTERS_AT_A_TIME, thread_name_prefix="register")
        self._renewing = ThreadPoolExecutor(1, thread_name_prefix="published")

    def run(self) -> None:
        """Look whenever the bell rings, and each second."""
        while True:
            try:
                self.look()
            except OneMapError as error:
                _LOG.warning("deliveries wait: %s", error)
            except Exception:
                # without this thread no delivery would ever be taken up again
                _LOG.exception("deliveries wait")
            self.bell.wait(_LOOK_EVERY_S)
            self.bell.clear()

    def look(self) -> None:
        """Begin the next delivery of each register that is free, and what is published when it is time."""
        # what cannot be traced is not begun
        self.trace.check()
        tell(self.database, self.trace)
        self._under_way = {name: one for name, one in self._under_way.items() if not one.done()}
        for register, number in self.database.rows(Statement(_WAITING)):
            if len(self._under_way) >= REGISTERS_AT_A_TIME:
                return
            if register not in self._under_way and self._not_before_s.get(number, 0.0) <= time.monotonic():
                self._not_before_s.pop(number, None)
                self._numbers[register] = number
                self._under_way[register] = self._pool.submit(self._work, number)
        if self._renews_at_s <= time.monotonic() and _RENEWAL not in self._under_way:
            self._renews_at_s = time.monotonic() + RENEW_EVERY_S
            self._under_way[_RENEWAL] = self._renewing.submit(self._renew)

    def stop(self) -> None:
        """Say what is cut off: the delivery is not to blame. What is done the next worker tells."""
        cut_off = [name for name, one in self._under_way.items() if not one.done() and name != _RENEWAL]
        put_back(self.database.url, [self._numbers[name] for name in cut_off])
        self.trace.close()

    def _renew(self) -> None:
        catalogue = with_policies(with_declared(self.catalogue, self.database), self.database)
        for one in due(self.database, now()):
            try:
                made = refresh(self.database, catalogue, one.id)
            except OneMapError as error:
                _LOG.warning("%s stays as it was: %s", one.collection, error)
            except Exception:
                _LOG.exception("%s stays as it was", one.collection)
            else:
                if made.refreshed_at != one.refreshed_at:
                    self.trace.keep(renewed(made))

    def _work(self, number: int) -> None:
        try:
            catalogue = with_declared(self.catalogue, self.database)
            done = work(self.database, catalogue, number, opened=self.reader.open_source)
            _LOG.info("delivery %s of %s is done: %s", number, done.department, done.rows)
        except OneMapError as error:
            _LOG.warning("delivery %s was not taken: %s", number, type(error).__name__)
            self._not_before_s[number] = time.monotonic() + _AGAIN_AFTER_S
        except Exception:
            _LOG.exception("delivery %s failed", number)
            self._not_before_s[number] = time.monotonic() + _AGAIN_AFTER_S
        self.bell.set()


def main() -> None:
    """Work until the server that started this process is gone."""
    # an interrupt at the terminal is the server's to answer, which then ends this
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = Settings()
    configure(settings)
    limits = Limits(settings.reading_memory_mb, settings.reading_cpu_s)
    url = ensure_database(settings)
    trace = Trace.of(url, settings.home)
    worker = Worker(Database(url), Catalogue(registered_layers()), ConfinedReader(limits), trace)
    threading.Thread(target=worker.run, name="look", daemon=True).start()
    while sys.stdin.buffer.readline():
        worker.bell.set()
    worker.stop()
    # threads under way are cut off: the database rolls back what is not whole
    os._exit(0)


if __name__ == "__main__":
    main()
