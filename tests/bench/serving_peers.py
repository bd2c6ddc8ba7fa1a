"""Servers side by side on the same database, each of one worker: ours, tipg, pygeoapi, and an app that does nothing."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from gis.settings import CHECKOUT, Settings
from gis.store.cluster import Cluster

PEERS = CHECKOUT / ".onemap" / "peers" / "bin"
_PATIENCE_S = 60.0
_RUNNING: dict[str, subprocess.Popen[bytes]] = {}


@contextlib.contextmanager
def ours(url: str, home: Path, *, app: str = "onemap", processes: int = 1, **settings: str) -> Iterator[str]:
    """OneMap for a database, in one process as the peers, or in more; `settings` are environment variables, `app` one
    of `serving_apps`.
    """
    # limited as ever, but to more than one caller can ask: what the limit costs is measured
    limits = {f"ONEMAP_REQUESTS_PER_S_{who}": "1000000000" for who in ("ADDRESS", "ACCOUNT")}
    given = {"ONEMAP_BENCH_URL": url, "ONEMAP_HOME": str(home), **limits, **settings}
    command = [sys.executable, "-m", "granian", "--workers", str(processes)]
    with _granian(command, f"tests.bench.serving_apps:{app}", given, "/health") as base:
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


@contextlib.contextmanager
def pygeoapi(url: str, home: Path) -> Iterator[str]:
    """pygeoapi on granian, in the peers' environment, with the table `peer.points` as its only collection."""
    settings, openapi = home / "pygeoapi.json", home / "pygeoapi-openapi.yml"
    settings.write_text(json.dumps(_pygeoapi_settings(_over_the_port(url))))  # YAML holds JSON
    given = {"PYGEOAPI_CONFIG": str(settings), "PYGEOAPI_OPENAPI": str(openapi)}
    making = [str(PEERS / "pygeoapi"), "openapi", "generate", str(settings), "--output-file", str(openapi)]
    subprocess.run(making, env=os.environ | given, check=True, capture_output=True)
    with _granian([str(PEERS / "granian")], "pygeoapi.flask_app:APP", given, "/conformance?f=json", "wsgi") as base:
        yield base


def _pygeoapi_settings(url: str) -> dict[str, Any]:
    server = conninfo_to_dict(url)
    named = {"title": "points", "description": "points", "keywords": ["points"]}
    source = {
        "host": server["host"], "port": int(server["port"]), "dbname": server["dbname"], "user": server["user"],
        "password": server.get("password", ""), "search_path": ["peer", "public"],
    }  # fmt: skip
    provider = {"type": "feature", "name": "PostgreSQL", "data": source, "id_field": "id", "table": "points",
                "geom_field": "geom"}  # fmt: skip
    return {
        "server": {"bind": {"host": "127.0.0.1", "port": 80}, "url": "http://127.0.0.1", "languages": ["en-US"],
                   "mimetype": "application/json; charset=UTF-8", "encoding": "utf-8", "pretty_print": False,
                   "limits": {"default_items": 10, "max_items": 10_000},
                   "map": {"url": "http://127.0.0.1/{z}/{x}/{y}", "attribution": ""}},
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {**named, "terms_of_service": "", "url": "http://127.0.0.1"},
            "license": {"name": "", "url": "http://127.0.0.1"},
            "provider": {"name": "", "url": "http://127.0.0.1"},
            "contact": {"name": ""},
        },
        "resources": {"peer.points": {
            "type": "collection", **named, "providers": [provider],
            "extents": {"spatial": {"bbox": [-180, -90, 180, 90],
                                    "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
        }},
    }  # fmt: skip


def processes(base: str) -> list[int]:
    """The ids of a running server's processes, the one that starts them first."""
    found = [_RUNNING[base].pid]
    for pid in found:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        found += map(int, children.read_text().split() if children.exists() else ())
    return found


def _over_the_port(url: str) -> str:
    """The same database by host name, since tipg reads no socket folder; an outside server's URL stays."""
    if "?host=" not in url:
        return url
    database = url.partition("?")[0].rpartition("/")[2]
    return Cluster.at(Settings().home).url(database, tcp=True)


@contextlib.contextmanager
def _granian(
    command: list[str], app: str, variables: dict[str, str], ready: str, interface: str = "asgi"
) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [*command, "--interface", interface, "--host", "127.0.0.1", "--port", str(port),
             "--log-level", "warning", "--no-access-log", app]  # fmt: skip
    process = subprocess.Popen(words, cwd=CHECKOUT, env=os.environ | variables, stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(base + ready, process)
        _RUNNING[base] = process
        yield base
    finally:
        _RUNNING.pop(base, None)
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
