"""When things go wrong behind the door: honest statuses, words for people, nothing of the inside."""

import asyncio
import logging
import time
from typing import Any

import httpx
import psycopg
import pytest
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.errors import STATUS, problem
from api.front import Front
from gis import errors
from gis.catalog import Catalogue
from gis.query.statement import Statement
from gis.store.database import AsyncDatabase
from layers import LAYERS
from tests.api.served_city import SampleCity


@pytest.mark.parametrize(
    "kind", [e for e in vars(errors).values() if isinstance(e, type) and e.__module__ == "gis.errors"]
)
def test_every_kind_of_error_has_a_status(kind: Any) -> None:
    error = kind("in English", "中文", subject="x")
    status, headers, body = problem(error, "zh", "/here")
    listed = any(issubclass(kind, known) for known, _ in STATUS)
    assert (status < 500 or status == 503) is listed
    assert "中文".encode() in body and headers["content-type"] == "application/problem+json"
    assert ("retry-after" in headers) is (status == 503)


async def _asked(app: Any, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t") as client:
        return await client.request(method, "/x?lang=en")


def test_the_unforeseen_tells_nothing_but_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("the password is 'secret'")

    with caplog.at_level(logging.ERROR):
        answer = asyncio.run(_asked(Front(broken)))
    assert answer.status_code == 500 and "secret" not in answer.text and "RuntimeError" not in answer.text
    assert answer.headers["onemap-request-id"] in caplog.text and "secret" in caplog.text


def test_the_unforeseen_in_a_route(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(AsyncDatabase, "rows", broken)
    for path in (
        "/collections",
        "/collections/base.pois/items?limit=4321",  # that nobody has asked for, so that it is not in memory
        "/collections/base.roads/tiles/WebMercatorQuad/10/416/843?properties=lanes",  # not in memory
    ):
        answer = city.get(path)
        assert answer.status_code == 500 and "secret" not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_database(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_: AsyncDatabase, __: Statement) -> Any:
        raise errors.Unavailable("the database does not answer", "数据库无响应")

    monkeypatch.setattr(AsyncDatabase, "rows", gone)
    for path in (
        "/collections",
        "/collections/base.pois/items?limit=4321",  # that nobody has asked for, so that it is not in memory
        "/collections/base.roads/tiles/WebMercatorQuad/10/416/843?properties=code",  # not in memory
    ):
        answer = city.get(path)
        assert answer.status_code == 503 and answer.headers["retry-after"] == "2"
        assert answer.json()["detail"] == "数据库无响应"
    health = city.get("/health")
    assert health.status_code == 503 and health.json()["status"] == "alive"


def test_a_caller_who_hangs_up_is_not_worked_for() -> None:
    cancelled = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def run() -> None:
        messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(_: Any) -> None:
            raise AssertionError("nobody listens")

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        async with asyncio.timeout(5):
            await Front(slow)(scope, receive, send)

    asyncio.run(run())
    assert cancelled.is_set()


async def _through_front(messages: list[Any], application: Any, method: str = "POST") -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": []}
    async with asyncio.timeout(5):
        await Front(application)(scope, receive, send)
    return sent


def test_what_a_request_brings_comes_through_in_order() -> None:
    parts = [{"type": "http.request", "body": bytes([n]), "more_body": n < 9} for n in range(10)]

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    sent = asyncio.run(_through_front(list(parts), echo))
    assert sent[-1]["body"] == bytes(range(10))


def test_what_nobody_reads_is_dropped_once_the_answer_has_begun() -> None:
    parts = [{"type": "http.request", "body": b"x", "more_body": n < 9} for n in range(10)]

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"no"})

    sent = asyncio.run(_through_front(parts, refuse))
    assert sent[0]["status"] == 413 and parts == []


def test_a_caller_who_hangs_up_amid_a_body_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from starlette.requests import Request

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        async for _ in Request(scope, receive).stream():
            pass

    parts = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    with caplog.at_level(logging.ERROR):
        assert asyncio.run(_through_front(parts, reads)) == []
    assert caplog.text == ""


def test_a_start_that_fails_leaves_nothing_open(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEMAP_ORIGINS", "no origin")
    framework: Any = create_app(city.url, Catalogue(LAYERS))
    while not hasattr(framework, "router"):
        framework = framework.inner

    async def start() -> None:
        async with framework.router.lifespan_context(framework):
            raise AssertionError("it should not have started")

    found = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(city.url, autocommit=True) as conn:
        before = set(conn.execute(found).fetchall())
        with pytest.raises(errors.SetupError, match="ONEMAP_ORIGINS"):
            asyncio.run(start())
        deadline_s = time.monotonic() + 10
        while (left := set(conn.execute(found).fetchall()) - before) and time.monotonic() < deadline_s:
            time.sleep(0.05)  # the server takes note of who hung up
    assert not left
