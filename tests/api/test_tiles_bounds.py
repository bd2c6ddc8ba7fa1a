"""What tiles may take: memory for what was asked, waiting for what is busy, a database for who has gone."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.items_first import ItemsFirst
from gis.query.statement import Statement
from gis.store.cluster import Cluster
from tests.api.asked_tiles import ROADS, Asked, Run, runner
from tests.api.served_city import fill
from tests.conftest import copied_database
from tiles import mvt


@pytest.fixture(scope="module")
def url(cluster: Cluster, template: str) -> Iterator[str]:
    """A small city that this module's tests write to."""
    with copied_database(cluster, template, "bounds") as copy:
        fill(copy)
        yield copy


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test on the event loop of an application of its own."""
    return runner(url, tmp_path, monkeypatch)


def test_long_addresses_fill_no_memory(run: Run) -> None:
    async def test(asked: Asked) -> None:
        long, short = (f"{ROADS}?ids={','.join(map(str, range(1_000, end)))}" for end in (1_900, 1_010))
        for path in (long, short):
            assert (await asked.get(path)).status_code == 204
        assert [len(query) < 100 for *_, query in asked.server._asked] == [True]
        assert all(len(key) < 100 for key in asked.server.cache._kept)

    run(test)


def test_questions_with_long_headers_fill_no_memory(run: Run) -> None:
    async def test(asked: Asked) -> None:
        inner: Any = asked.app
        while not isinstance(inner, ItemsFirst):
            inner = inner.inner
        for accepted in ("*/*", "application/geo+json" + ", a/b" * 2_000):
            answer = await asked.get("/collections/base.roads/items?limit=1", accept=accepted)
            assert answer.status_code == 200
        assert inner._server is not None and len(inner._server.questions._read) == 1

    run(test)


def test_beyond_what_may_wait_questions_are_turned_away_at_once(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEMAP_MAX_WAITING", "3")
    statement = mvt.quick

    def slow(*given: Any) -> Statement | None:
        found = statement(*given)
        assert found is not None
        return Statement(f"SELECT q.* FROM ({found.sql}) q, pg_sleep(0.5)", found.args)

    async def test(asked: Asked) -> None:
        monkeypatch.setattr(mvt, "quick", slow)
        paths = [f"/collections/base.roads/tiles/WebMercatorQuad/14/{6660 + n}/13494" for n in range(30)]
        answers = await asyncio.gather(*(asked.get(path, accept_language="en") for path in paths))
        shed = [a for a in answers if a.status_code == 503]
        assert {a.status_code for a in answers} <= {200, 204, 503} and 0 < len(shed) < 30
        for answer in shed:
            assert answer.headers["retry-after"] == "2" and "more questions" in answer.json()["detail"]
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await asked.get(paths[0])).status_code in (200, 204)

    run(test)


def _under_way(url: str) -> int:
    with psycopg.connect(url) as conn:
        found = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
            " AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(found[0]) if found else -1


async def _until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.02)


def test_the_database_stops_when_the_last_caller_hangs_up(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    statement = mvt.quick

    def slow(*given: Any) -> Statement | None:
        found = statement(*given)
        return found and Statement(f"SELECT q.* FROM pg_sleep(30), ({found.sql}) q", found.args)

    async def test(asked: Asked) -> None:
        monkeypatch.setattr(mvt, "quick", slow)
        scope = {"type": "http", "method": "GET", "path": ROADS, "query_string": b"", "headers": []}
        hang_ups = [asyncio.Event() for _ in range(3)]

        async def call(gone: asyncio.Event) -> None:
            async def receive() -> Any:
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(_: Any) -> None:
                raise AssertionError("nobody listens")

            await asked.app(scope, receive, send)

        callers = [asyncio.create_task(call(gone)) for gone in hang_ups]
        await _until(lambda: _under_way(url) == 1)
        for gone in hang_ups[:2]:
            gone.set()
        await asyncio.wait(callers[:2])
        await asyncio.sleep(0.1)
        assert _under_way(url) == 1 and not callers[2].done()
        hang_ups[2].set()
        await asyncio.wait(callers)
        await _until(lambda: _under_way(url) == 0)
        assert len(asked.server.flights) == 0

    run(test)
