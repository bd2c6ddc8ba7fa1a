"""The web server as a process: run in the foreground or behind, found again, stopped."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gis.errors import Conflict, SetupError
from gis.settings import CHECKOUT, Settings

_START_PATIENCE_S = 60
_STOP_PATIENCE_S = 10
#: What a worker has not ended by itself after so long is cut off; before the patience of whoever stops the server is.
_WORKER_PATIENCE_S = 6


class WebServer:
    """The one web server of a home folder; whoever serves holds a lock there, which the system frees at its end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = settings.home / "web.log"
        self._record = settings.home / "web.json"
        self._lock = settings.home / "web.lock"

    @property
    def url(self) -> str:
        """Where this server answers, or would."""
        host = self.settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port}"

    def running(self) -> tuple[int, str] | None:
        """The process number and the URL of the server that runs, or None."""
        if not self._lock.exists():
            return None
        with self._lock.open("a") as lock:
            if _taken(lock):
                return None
            facts = json.loads(self._record.read_text())
            return int(facts["pid"]), str(facts["url"])

    def run(self) -> None:
        """Serve until interrupted. Raises Conflict when the port is taken or another server of this home runs."""
        with self._held():
            self.check_port()
            self._record.write_text(json.dumps({"pid": os.getpid(), "url": self.url}))
            Granian(
                "api.app:app",
                address=self.settings.host,
                port=self.settings.port,
                interface=Interfaces.ASGI,
                workers=self.settings.processes,
                respawn_failed_workers=True,
                log_level=LogLevels(self.settings.log),
                working_dir=CHECKOUT,
                workers_kill_timeout=_WORKER_PATIENCE_S,
            ).serve()

    def run_behind(self) -> None:
        """Start the server as a process of its own and wait until it answers. Raises as `run`, or SetupError."""
        self.check_port()
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "api.cli",
                    "serve",
                    "--host",
                    self.settings.host,
                    "--port",
                    str(self.settings.port),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=CHECKOUT,
                start_new_session=True,
            )
        deadline_s = time.monotonic() + _START_PATIENCE_S
        while not self.healthy():
            if started.poll() is not None or time.monotonic() > deadline_s:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started.pid, signal.SIGTERM)
                raise self._not_started()
            time.sleep(0.1)

    def stop(self) -> bool:
        """End the server, waiting a few seconds for requests under way. False when none runs."""
        found = self.running()
        if found is None:
            return False
        self._signal(signal.SIGTERM, found[0])
        deadline_s = time.monotonic() + _STOP_PATIENCE_S
        while self.running() is not None:
            # A worker whose main process was killed goes on serving; it has the lock from there.
            if time.monotonic() > deadline_s or not Path(f"/proc/{found[0]}").exists():
                self._signal(signal.SIGKILL, *_open_in(self._lock))
            time.sleep(0.05)
        return True

    @staticmethod
    def _signal(number: signal.Signals, *pids: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def healthy(self) -> bool:
        """Whether the server answers on /health."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with contextlib.suppress(OSError), direct.open(f"{self.url}/health", timeout=5) as response:
            return int(response.status) == 200
        return False

    def check_port(self) -> None:
        """Raises Conflict, naming who holds it where the system tells, when the port is taken."""
        host, port = self.settings.host, self.settings.port
        try:
            with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            holder = _holder(port)
            raise Conflict(
                f"Cannot listen on {host}:{port} ({error.strerror}{f'; held by {holder}' if holder else ''}): "
                f"stop that program, or choose another port with ONEMAP_PORT={port + 1}",
                f"无法监听 {host}:{port}（{error.strerror}{f'；占用者：{holder}' if holder else ''}）："
                f"请停止该程序，或用 ONEMAP_PORT={port + 1} 改用其他端口",
                subject=f"port {port}",
            ) from error

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as lock:
            if not _taken(lock):
                facts = json.loads(self._record.read_text())
                raise Conflict(
                    f"The web server runs already at {facts['url']} (process {facts['pid']}): run “onemap stop” first",
                    f"服务已在 {facts['url']} 运行（进程 {facts['pid']}）：请先执行 onemap stop",
                    subject=str(facts["url"]),
                )
            yield

    def _not_started(self) -> SetupError:
        tail = " ".join(" ".join(self.log.read_text(errors="replace").splitlines()[-6:]).split())[-600:]
        return SetupError(
            f"The web server did not start: {tail} (log: {self.log})",
            f"服务未能启动：{tail}（日志：{self.log}）",
            subject=str(self.log),
        )


def _taken(lock: IO[str]) -> bool:
    """Take a lock, which worker processes forked from here share; False when another server holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _descriptors() -> Iterator[tuple[int, str]]:
    """What every process that we may look into has open: its number and the file or socket."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                yield int(process.name), os.readlink(descriptor)


def _open_in(path: Path) -> set[int]:
    """The processes, other than this one, that have a file open."""
    return {pid for pid, target in _descriptors() if target == str(path.resolve())} - {os.getpid()}


def _holder(port: int) -> str | None:
    """The program that listens on a port, as far as the system lets us see: its name and number."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for row in Path(table).read_text().splitlines()[1:]:
                words = row.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{words[9]}]")
    for pid, target in _descriptors() if sockets else ():
        if target in sockets:
            return f"{Path(f'/proc/{pid}/comm').read_text().strip()} ({pid})"
    return None
