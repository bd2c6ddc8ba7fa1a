"""A real server in a process of its own, as users start it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gis.settings import CHECKOUT

START_PATIENCE_S = 60


@contextlib.contextmanager
def serving(database_url: str, home: Path, **more: str) -> Iterator[str]:
    """The URL of a server of a database, which keeps its files in `home`; `more` goes into its environment."""
    port = _free_port()
    environment = os.environ | {
        "ONEMAP_DATABASE_URL": database_url,
        "ONEMAP_HOME": str(home),
        "ONEMAP_PORT": str(port),
        **more,
    }
    with _server(environment, home / "serve.log", f"http://127.0.0.1:{port}") as url:
        yield url


@contextlib.contextmanager
def _server(environment: dict[str, str], log: Path, url: str) -> Iterator[str]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve"],
            cwd=CHECKOUT,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"{url}/health", process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline_s = time.monotonic() + START_PATIENCE_S
    while True:
        with contextlib.suppress(OSError), direct.open(url, timeout=5):
            return
        if process.poll() is not None or time.monotonic() > deadline_s:
            pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
