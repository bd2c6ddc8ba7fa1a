"""The real server: clients of others read it, and a caller who hangs up stops the database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from api.app import create_app
from gis.catalog import Catalogue
from gis.settings import CHECKOUT
from layers import LAYERS
from tests.api.conftest import served
from tests.api.served_city import Row


@pytest.fixture(scope="module")
def server(sample_url: tuple[str, dict[str, list[Row]]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of granian serving the sample city."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("server") / "log").open("wb")
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--port",
        str(port),
        "--workers",
        "1",
        "api.app:app",
    ]
    environment = {**os.environ, "ONEMAP_DATABASE_URL": sample_url[0]}
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log) as process:
        try:
            _await(f"http://127.0.0.1:{port}/health", Path(log.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)
            log.close()


def _await(url: str, log: Path) -> None:
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def test_it_answers_over_a_socket(server: str) -> None:
    with httpx.Client(base_url=server) as client:
        tile = "/collections/base.pois/tiles/WebMercatorQuad/10/416/843"
        got, head = client.get(tile), client.head(tile)
        assert (got.status_code, head.status_code) == (200, 200) and got.content and not head.content
        assert got.headers["etag"] == head.headers["etag"]
        assert client.get(tile, headers={"if-none-match": got.headers["etag"]}).status_code == 304
        assert client.head("/collections/base.pois/items").headers["content-type"] == "application/geo+json"
    # the unread body of a refused request ends its connection, so it has one of its own
    assert httpx.post(f"{server}/collections", content=b"x" * 100_000).status_code == 405
    with httpx.Client(base_url=server) as client:
        assert client.get("/collections").status_code == 200


def test_hanging_up_stops_the_database(server: str, sample_url: tuple[str, dict[str, list[Row]]]) -> None:
    """A question that waits for a lock is gone from the database soon after its caller."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(sample_url[0]) as holder, psycopg.connect(sample_url[0], autocommit=True) as watcher:
        holder.execute("LOCK TABLE base.roads IN ACCESS EXCLUSIVE MODE")
        for path in ("/collections/base.roads/items", "/collections/base.roads/tiles/WebMercatorQuad/10/416/843"):
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(server + path, timeout=httpx.Timeout(5, read=1.0))
            deadline_s = time.monotonic() + 8
            while (count := watcher.execute(waiting).fetchone()) != (0,) and time.monotonic() < deadline_s:
                time.sleep(0.05)
            assert count == (0,), path
        holder.rollback()
    assert httpx.get(f"{server}/collections/base.roads/items").status_code == 200


def test_questions_are_counted_by_collection(web_folder: Path, database_url: str) -> None:
    with served(create_app(database_url, Catalogue(LAYERS), web_folder)) as request:
        for path in (
            "/collections/base.pois/items",
            "/collections/base.pois/tiles/WebMercatorQuad/3/1/1",
            "/exchange/me",
        ):
            request(path)
    with psycopg.connect(database_url) as conn:
        counted = conn.execute("SELECT consumer, collection, questions FROM exchange.use").fetchall()
    assert counted == [("public", "base.pois", 2)]
