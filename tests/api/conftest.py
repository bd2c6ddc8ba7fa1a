"""A small city that every test of the web reads, made once a run."""

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import argon2
import httpx
import psycopg
import pytest
from psycopg import sql

from api.app import create_app
from gis.access import passwords
from gis.catalog import Catalogue
from gis.store.cluster import Cluster
from layers import LAYERS
from tests.api.account_city import AccountCity
from tests.api.exchange_city import ExchangeCity
from tests.api.served_city import Row, SampleCity, fill


@pytest.fixture(scope="session")
def sample_url(cluster: Cluster, template: str) -> Iterator[tuple[str, dict[str, list[Row]]]]:
    """The database of the sample city, and its rows."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield cluster.url(name), fill(cluster.url(name))
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built web map in small."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "exchange.html").write_text("<!doctype html><title>exchange</title>")
    (folder / "index.html").write_text("<!doctype html><title>map</title>")
    (folder / "assets" / "app-1a2b.js").write_text("export {}")
    return folder


@pytest.fixture(scope="session")
def city(sample_url: tuple[str, dict[str, list[Row]]], web_folder: Path) -> Iterator[SampleCity]:
    """The sample city, served in this process."""
    url, rows = sample_url
    with served(create_app(url, Catalogue(LAYERS), web_folder)) as request:
        yield SampleCity(url, rows, request)


@pytest.fixture(scope="module")
def exchange(
    cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory, web_folder: Path
) -> Iterator[ExchangeCity]:
    """An empty city of a module's own that takes deliveries, served in this process."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    home = tmp_path_factory.mktemp("home")
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(home))
        patch.setenv("ONEMAP_MAX_UPLOAD_MB", "3")
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        url = cluster.url(name)
        try:
            with served(create_app(url, Catalogue(LAYERS), web_folder)) as request:
                yield ExchangeCity(url, home, request)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def served(app: Any) -> Iterator[Callable[..., httpx.Response]]:
    """An application started in this process, and a way to ask it."""
    runner, stack = asyncio.Runner(), AsyncExitStack()

    async def start() -> httpx.AsyncClient:
        framework = app
        while not hasattr(framework, "router"):
            framework = framework.inner
        await stack.enter_async_context(framework.router.lifespan_context(framework))
        transport = httpx.ASGITransport(app=app)
        return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://city.test"))

    client = runner.run(start())

    def request(path: str, method: str = "GET", **more: Any) -> httpx.Response:
        # who asks is what each request says
        client.cookies.clear()
        return runner.run(client.request(method, path, **more))

    try:
        yield request
    finally:
        runner.run(stack.aclose())
        runner.close()


@pytest.fixture(scope="module")
def accounted(exchange: ExchangeCity) -> Iterator[AccountCity]:
    """A city with hashes that cost little."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        passwords._nobodys.cache_clear()
        yield AccountCity(exchange.url, exchange.request)
    passwords._nobodys.cache_clear()
