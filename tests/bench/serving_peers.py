"""Servers side by side on the same database, each a process of one worker: ours, tipg, and an app that does nothing."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from gis.settings import CHECKOUT, Settings
from gis.store.cluster import Cluster

PEERS = CHECKOUT / ".onemap" / "peers" / "bin"
_PATIENCE_S = 60.0


@contextlib.contextmanager
def ours(url: str, home: Path, **settings: str) -> Iterator[str]:
    """OneMap as it is served, for a database; `settings` are environment variables."""
    given = {"ONEMAP_BENCH_URL": url, "ONEMAP_HOME": str(home), **settings}
    with _granian([sys.executable, "-m", "granian"], "tests.bench.serving_apps:onemap", given, "/health") as base:
        yield base


@contextlib.contextmanager
def bare(body: Path) -> Iterator[str]:
    """An application that returns the bytes of a file, whatever it is asked."""
    given = {"ONEMAP_BENCH_BODY": str(body)}
    with _granian([sys.executable, "-m", "granian"], "tests.bench.serving_apps:bare", given, "/") as base:
        yield base


@contextlib.contextmanager
def tipg(url: str) -> Iterator[str]:
    """tipg on granian, in its own environment, for the schema `peer`."""
    given = {"DATABASE_URL": _over_the_port(url), "TIPG_DB_SCHEMAS": '["peer"]', "TIPG_DB_SPATIAL_EXTENT": "False",
             "TIPG_CATALOG_TTL": "86400"}  # fmt: skip
    with _granian([str(PEERS / "granian")], "tipg.main:app", given, "/healthz") as base:
        yield base


def _over_the_port(url: str) -> str:
    """The same database by host name, since tipg reads no socket folder; an outside server's URL stays."""
    if "?host=" not in url:
        return url
    database = url.partition("?")[0].rpartition("/")[2]
    return Cluster.at(Settings().home).url(database, tcp=True)


@contextlib.contextmanager
def _granian(command: list[str], app: str, variables: dict[str, str], ready: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [*command, "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
             "--log-level", "warning", "--no-access-log", app]  # fmt: skip
    process = subprocess.Popen(words, cwd=CHECKOUT, env=os.environ | variables, stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(base + ready, process)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(map(str, process.args))} did not start")  # type: ignore[arg-type]
        time.sleep(0.2)
