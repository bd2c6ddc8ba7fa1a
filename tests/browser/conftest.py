"""A browser that watches what the page of the real server does."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from tests.browser.accounts import Accounts
from tests.browser.clerks import ClerkVisit
from tests.browser.visits import Visit
from tests.conftest import copied_database
from tests.served import serving

VisitKind = TypeVar("VisitKind", bound=Visit)

SOFTWARE_WEBGL = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-first-run",
]


DEPARTMENTS = ("police", "civil_affairs", "real_estate", "market", "*")


@dataclass(frozen=True)
class Exchange:
    """A server that takes deliveries, and the key of each department; `*` is the data centre."""

    url: str
    keys: dict[str, str]


@pytest.fixture(scope="session")
def exchange(
    cluster: Cluster, sample_database: str, sample_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    """A server of its own on a sample city that may be changed, with a key for each department that delivers."""
    home = tmp_path_factory.mktemp("exchange")
    shutil.copytree(sample_home, home, dirs_exist_ok=True)
    with copied_database(cluster, sample_database, "exchange") as database_url, serving(database_url, home) as url:
        yield Exchange(url, {department: _key(database_url, department) for department in DEPARTMENTS})


def _key(database_url: str, department: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "api.cli", "keys", "add", department, "--json"],
        cwd=CHECKOUT,
        env=os.environ | {"ONEMAP_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return str(json.loads(ran.stdout)["key"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright brought; WebGL is drawn in software.

    One for each module: while Playwright is there its event loop runs in this thread, and no other test could run one.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SOFTWARE_WEBGL)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(served: str, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens visits: `visit(width, height, locale)`. At the end none may have complained or asked another host."""
    with _visits(browser, served) as begin:
        yield begin


@pytest.fixture
def clerk(exchange: Exchange, browser: Browser) -> Iterator[Callable[..., ClerkVisit]]:
    """Opens visits to the clerks' pages, as `visit` does to the map."""
    with _visits(browser, exchange.url, partial(ClerkVisit, keys=exchange.keys)) as begin:
        yield begin


@pytest.fixture(scope="module")
def accounted(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """A server of an empty city in which accounts can be made."""
    home = tmp_path_factory.mktemp("accounted")
    with copied_database(cluster, template, "accounted") as url, serving(url, home) as base:
        yield Accounts(base, url)


@pytest.fixture
def begin(accounted: Accounts, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens visits to the pages of accounts, as `visit` does to the map."""
    with _visits(browser, accounted.url) as begin:
        yield begin


@pytest.fixture(scope="module")
def peopled(
    cluster: Cluster, sample_database: str, sample_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Accounts]:
    """A server of a sample city of its own in which accounts can be made."""
    home = tmp_path_factory.mktemp("peopled")
    shutil.copytree(sample_home, home, dirs_exist_ok=True)
    with copied_database(cluster, sample_database, "peopled") as url, serving(url, home) as base:
        yield Accounts(base, url)


@pytest.fixture
def guest(peopled: Accounts, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens visits to the sample city in which accounts can be made."""
    with _visits(browser, peopled.url) as begin:
        yield begin


@contextlib.contextmanager
def _visits(browser: Browser, base: str, kind: Callable[..., VisitKind] = Visit) -> Iterator[Callable[..., VisitKind]]:
    visits: list[VisitKind] = []
    contexts: list[BrowserContext] = []

    def begin(width: int = 1024, height: int = 720, locale: str = "zh-CN", **more: Any) -> VisitKind:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, **more)
        context.set_default_timeout(20_000)
        contexts.append(context)
        opened = kind(context.new_page(), base)
        opened.watch()
        visits.append(opened)
        return opened

    yield begin
    for context in contexts:
        context.close()
    for one in visits:
        assert one.outside == []
        assert one.complaints == []
