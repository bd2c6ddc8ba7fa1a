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

async def app(scope, receive, send):
    if scope["type"] == "http":
        if scope["path"] == "/endless":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b".", "more_body": True})
                await asyncio.sleep(0.1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"well"})
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
serving.WebServer(Settings(home=sys.argv[1], port=int(sys.argv[2]))).run()
"""


@pytest.fixture
def server(tmp_path: Path) -> WebServer:
    (tmp_path / "toy.py").write_text(APPLICATION)
    return WebServer(Settings(home=tmp_path, port=free_port()))


@pytest.fixture
def started(server: WebServer) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", RUN, str(server.settings.home), str(server.settings.port)]
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
