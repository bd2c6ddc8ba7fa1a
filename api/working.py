"""The process beside the web server that works on what departments hand over; started, woken, restarted, ended here.

It is a process of its own so that reading a million rows never holds up a tile. Its standard input is both bell and
lifeline: a line wakes it, the end of the pipe ends it, however the server went.
"""

import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from gis.settings import CHECKOUT

_LOG = logging.getLogger("onemap.deliveries")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 30.0
#: A worker that ran for so long had a reason of its own to die, and is started again at once.
_STEADY_S = 60.0
_STOP_PATIENCE_S = 5.0


class DeliveryWorker:
    """The worker of one home folder, which runs from now until `stop`."""

    def __init__(self, url: str, lock: IO[bytes] | None = None) -> None:
        self._url, self._lock = url, lock
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="deliveries", daemon=True)
        self._thread.start()

    @classmethod
    def of_home(cls, url: str, home: Path) -> "DeliveryWorker | None":
        """The worker, where none of this home's server processes has it yet; it sees within a second what they take."""
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "worker.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return cls(url, lock)

    @property
    def pid(self) -> int | None:
        """The process number, while one runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def wake(self) -> None:
        """Say that something has come; that nobody listens just now is no harm, since a new worker looks by itself."""
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError, ValueError):
                process.stdin.write(b"\n")
                process.stdin.flush()

    def stop(self) -> None:
        """End it; what it was at is rolled back, and taken up by the next worker."""
        self._ended.set()
        process = self._process
        if process is not None:
            _hang_up(process)
            try:
                process.wait(_STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join()
        if self._lock is not None:
            self._lock.close()

    def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._ended.is_set():
            begun_s = time.monotonic()
            process = self._process = self._start()
            if self._ended.is_set():
                _hang_up(process)
            code = process.wait()
            _hang_up(process)
            if self._ended.is_set():
                return
            pause_s = _FIRST_PAUSE_S if time.monotonic() - begun_s > _STEADY_S else min(2 * pause_s, _LONGEST_PAUSE_S)
            _LOG.warning("the worker of deliveries ended with %s; another starts in %.1f s", code, pause_s)
            self._ended.wait(pause_s)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "api.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=CHECKOUT,
            # the address may hold a password, which must not stand in the list of processes
            env={**os.environ, "ONEMAP_DATABASE_URL": self._url},
        )


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
