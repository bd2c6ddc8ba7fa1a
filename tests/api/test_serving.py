"""The web server's process: found, stopped, and not lost when its main process is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.serving import WebServer
from gis.errors import Conflict
from gis.settings import CHECKOUT, Settings
from gis.store.cluster_config import free_port

APPLICATION = """
import asyncio
import os

async def app(scope, receive, send):
    if scope["type"] == "http":
        if scope["path"] == "/endless":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b".", "more_body": True})
                await asyncio.sleep(0.1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""

RUN = """
import pathlib, sys
from gis.settings import Settings
import api.serving as serving

serving._WORKER_PATIENCE_S = 1

class Toy(serving.Granian):
    def __init__(self, target, **settings):
        super().__init__("toy:app", **{**settings, "working_dir": pathlib.Path(sys.argv[1])})

serving.Granian = Toy
serving.WebServer(Settings(home=sys.argv[1], port=int(sys.argv[2]), processes=int(sys.argv[3]))).run()
"""


@pytest.fixture
def processes() -> int:
    return 1


@pytest.fixture
def server(tmp_path: Path, processes: int) -> WebServer:
    (tmp_path / "toy.py").write_text(APPLICATION)
    return WebServer(Settings(home=tmp_path, port=free_port(), processes=processes))


@pytest.fixture
def started(server: WebServer) -> Iterator[subprocess.Popen[bytes]]:
    given = server.settings
    command = [sys.executable, "-c", RUN, str(given.home), str(given.port), str(given.processes)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline_s = time.monotonic() + 60
        while not server.healthy():
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        yield process
        server.stop()


def test_found_and_stopped(server: WebServer, started: subprocess.Popen[bytes]) -> None:
    assert server.running() == (started.pid, server.url)
    with pytest.raises(Conflict, match=f"ONEMAP_PORT={server.settings.port + 1}"):
        server.check_port()
    assert server.stop()
    assert (server.running(), server.healthy()) == (None, False)
    assert not server.stop()
    server.check_port()


def test_answers_without_end_do_not_keep_it_from_ending(
    server: WebServer, started: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends by itself: nobody has to kill it, which would cut off what its main process still has to do."""
    monkeypatch.setattr("api.serving._STOP_PATIENCE_S", 60)
    with httpx.stream("GET", f"{server.url}/endless") as answer:
        next(answer.iter_raw())
        assert server.stop()
    assert started.wait() != -signal.SIGKILL
    server.check_port()


def test_a_second_one_on_the_same_home_is_refused(server: WebServer, started: subprocess.Popen[bytes]) -> None:
    second = WebServer(Settings(home=server.settings.home, port=free_port()))
    with pytest.raises(Conflict, match=f"process {started.pid}"):
        second.run()


def test_a_worker_without_its_main_process_is_stopped_too(server: WebServer, started: subprocess.Popen[bytes]) -> None:
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    assert server.running() is not None
    assert server.stop()
    assert not server.healthy()
    server.check_port()


def test_a_record_without_a_server_counts_for_nothing(server: WebServer) -> None:
    (server.settings.home / "web.json").write_text(f'{{"pid": {os.getpid()}, "url": "{server.url}"}}')
    (server.settings.home / "web.lock").touch()
    assert server.running() is None
    assert not server.stop()


@pytest.mark.parametrize("processes", [2])
def test_a_process_that_dies_is_replaced_while_the_others_answer(
    server: WebServer, started: subprocess.Popen[bytes]
) -> None:
    first = _answering(server, 2)
    os.kill(min(first), signal.SIGKILL)
    second = _answering(server, 2, without=min(first))
    assert max(first) in second
    assert started.poll() is None
    assert server.stop()


def _answering(server: WebServer, count: int, without: int | None = None) -> set[int]:
    """The processes that answer, once so many do; a connection that the dying one had taken may be cut."""
    found: set[int] = set()
    deadline_s = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < deadline_s
        try:
            found.add(int(httpx.get(f"{server.url}/health").text))
        except httpx.TransportError:
            assert without is not None
        found.discard(without or 0)
    return found
