"""The real server on a small loaded city, and a browser that watches what the page does."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from gis.settings import CHECKOUT
from tests.browser.visits import Visit

DIST = CHECKOUT / "api" / "web" / "dist"
START_PATIENCE_S = 60
SOFTWARE_WEBGL = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server with the sample city; ONEMAP_TEST_URL names one that runs already."""
    standing = os.environ.get("ONEMAP_TEST_URL")
    if standing:
        yield standing.rstrip("/")
        return
    if not (DIST / "index.html").exists():
        pytest.fail("the web map is not built: run “make setup”")
    database_url: str = request.getfixturevalue("sample_city")
    port = _free_port()
    home = tmp_path_factory.mktemp("served")
    environment = os.environ | {
        "ONEMAP_DATABASE_URL": database_url,
        "ONEMAP_HOME": str(home),
        "ONEMAP_PORT": str(port),
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright brought; WebGL is drawn in software."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SOFTWARE_WEBGL)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(served: str, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens visits: `visit(width, height, locale)`. At the end none may have complained or asked another host."""
    visits: list[Visit] = []
    contexts: list[BrowserContext] = []

    def begin(width: int = 1024, height: int = 720, locale: str = "zh-CN", **more: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, **more)
        context.set_default_timeout(20_000)
        contexts.append(context)
        opened = Visit(context.new_page(), served)
        opened.watch()
        visits.append(opened)
        return opened

    yield begin
    for context in contexts:
        context.close()
    for one in visits:
        assert one.outside == []
        assert one.complaints == []
