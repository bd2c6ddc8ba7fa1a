"""What changed where, on the web: as it happens and since a position; nobody learns of what they may not see."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from api.app import create_app
from api.stopping import when_told_to_stop
from gis.catalog import Catalogue
from gis.store.changes import tile_key
from layers import LAYERS
from tests.api.served_city import SampleCity

TOUCH = "UPDATE {} SET load = load WHERE fid = {}"


def touch(url: str, table: str = "base.pois", fid: int = 9003) -> None:
    with psycopg.connect(url) as conn:
        conn.execute(TOUCH.format(table, fid))


def changed(city: SampleCity, since: str, more: str = "") -> dict[str, Any]:
    answer = city.get(f"/changes?since={since}{more}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_changes_since_a_position_are_told_by_square_and_go_on_from_the_next(city: SampleCity) -> None:
    begin = city.get("/changes").json()
    assert begin["changes"] == []
    touch(city.url, fid=1)
    touch(city.url, fid=1)
    first = changed(city, begin["position"])
    (one,) = first["changes"]
    assert one["collection"] == "base.pois"
    assert one["transactions"] == 2
    z, x, y = one["tile"]
    assert tile_key(z, x, y) >> 20 == tile_key(2, 3, 1)
    assert changed(city, first["position"])["changes"] == []
    touch(city.url)
    assert [c["tile"] for c in changed(city, first["position"])["changes"]] == [[0, 0, 0]]
    assert len(changed(city, begin["position"])["changes"]) == 2
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    assert city.get(following.removeprefix("http://city.test")).json()["changes"] != []


def test_changes_of_some_collections(city: SampleCity) -> None:
    begin = city.get("/changes").json()["position"]
    touch(city.url, "base.roads", 1)
    touch(city.url, "base.buildings", 1)
    assert {c["collection"] for c in changed(city, begin, "&collection=base.roads")["changes"]} == {"base.roads"}
    both = changed(city, begin, "&collection=base.roads,base.buildings")["changes"]
    assert {c["collection"] for c in both} == {"base.roads", "base.buildings"}


def test_what_may_not_be_seen_is_not_told(city: SampleCity) -> None:
    begin = city.get("/changes").json()["position"]
    touch(city.url, "base.persons", 1)
    with psycopg.connect(city.url) as conn:
        conn.execute("INSERT INTO core.change (register, key) VALUES ('base.persons', 1)")
    assert changed(city, begin)["changes"] == []
    assert city.get("/changes?collection=base.persons").status_code == 403
    assert city.get("/live?collection=base.persons").status_code == 403
    assert city.get("/changes?collection=base.nothing").status_code == 404


@pytest.mark.parametrize("since", ["", "x", "1:1:", "0" * 12 + "-1:", "0" * 12 + "-a:b:c"])
def test_what_is_no_position(city: SampleCity, since: str) -> None:
    assert city.get(f"/changes?since={since}").status_code == 400


@pytest.mark.parametrize("since", ["{life}-9:1:", "{life}-1:5:9"])
def test_a_position_that_never_was(city: SampleCity, since: str) -> None:
    life = city.get("/changes").json()["position"].partition("-")[0]
    assert city.get(f"/changes?since={since.format(life=life)}").status_code == 400


def test_a_position_of_another_life_is_gone(city: SampleCity) -> None:
    answer = city.get("/changes?since=0123456789ab-5:5:")
    assert answer.status_code == 410
    assert answer.json()["subject"] == "since"


def test_a_position_before_what_was_pruned_is_gone(city: SampleCity) -> None:
    begin = city.get("/changes").json()["position"]
    touch(city.url)
    with psycopg.connect(city.url) as conn:
        conn.execute("UPDATE core.incarnation SET pruned = pg_current_xact_id()")
    try:
        assert city.get(f"/changes?since={begin}").status_code == 410
    finally:
        with psycopg.connect(city.url) as conn:
            conn.execute("UPDATE core.incarnation SET pruned = '0'")


Events = AsyncIterator[dict[str, Any]]


@asynccontextmanager
async def listening(app: Any, query: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()) -> AsyncIterator[Events]:
    """A listener to /live: its events as they come; at the end it hangs up."""
    body: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()
    asked = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await body.put(message.get("body", b""))

    async def events() -> Events:
        text = ""
        while True:
            text += (await asyncio.wait_for(body.get(), 20)).decode()
            while "\n\n" in text:
                block, text = text.split("\n\n", 1)
                found = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                if "event" in found:
                    yield found | {"data": json.loads(found["data"])}

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": "/live",
             "raw_path": b"/live", "query_string": query.encode(), "headers": list(headers), "scheme": "http",
             "server": ("city.test", 80), "client": ("127.0.0.1", 1), "root_path": ""}  # fmt: skip
    task = asyncio.create_task(app(scope, receive, send))
    try:
        yield events()
    finally:
        gone.set()
        await asyncio.wait_for(task, 10)


def live(url: str, visit: Callable[[Any], Awaitable[None]]) -> None:
    async def run() -> None:
        app = create_app(url, Catalogue(LAYERS))
        framework = app
        while not hasattr(framework, "router"):
            framework = framework.inner
        async with framework.router.lifespan_context(framework):
            await visit(app)

    asyncio.run(run())


def test_listeners_hear_what_changes_and_go_on_where_they_were(city: SampleCity) -> None:
    async def visit(app: Any) -> None:
        async with listening(app) as events:
            assert (await anext(events))["event"] == "begin"
            await asyncio.to_thread(touch, city.url, "base.persons", 1)
            await asyncio.to_thread(touch, city.url, "base.pois", 1)
            heard = await anext(events)
            assert heard["event"] == "changes"
            (one,) = heard["data"]["collections"]
            assert one["id"] == "base.pois"
            assert [len(tile) for tile in one["tiles"]] == [3]
        await asyncio.to_thread(touch, city.url, "base.roads", 1)
        async with listening(app, headers=((b"last-event-id", heard["id"].encode()),)) as events:
            missed = await anext(events)
            assert [c["id"] for c in missed["data"]["collections"]] == ["base.roads"]
        async with listening(app, f"since={missed['id']}&collection=base.pois") as events:
            assert (await anext(events))["event"] == "begin"
        async with listening(app, "since=nonsense") as events:
            assert (await anext(events))["event"] == "reset"

    live(city.url, visit)


def test_more_listeners_than_there_is_room_for_are_sent_to_changes(
    city: SampleCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.live.MAX_LISTENERS", 0)
    answer = city.get("/live?lang=en")
    assert (answer.status_code, "/changes" in answer.json()["detail"]) == (503, True)
    assert int(answer.headers["retry-after"]) > 0


def test_a_register_written_to_all_over_is_told_as_a_whole(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = city.get("/changes").json()["position"]
    touch(city.url, fid=1)
    touch(city.url, fid=9001)
    touch(city.url, "base.roads", 1)
    assert len([c for c in changed(city, begin)["changes"] if c["collection"] == "base.pois"]) == 2
    monkeypatch.setattr("gis.store.changes_since.MOST_SQUARES", 1)
    (pois,) = [c for c in changed(city, begin)["changes"] if c["collection"] == "base.pois"]
    assert (pois["tile"], pois["transactions"]) == ([0, 0, 0], 2)


def test_who_is_told_to_stop_ends_the_streams_and_then_does_what_it_did() -> None:
    done: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: done.append("server"))
        try:
            with when_told_to_stop(lambda: done.append("streams")):
                os.kill(os.getpid(), signal.SIGTERM)
                for _ in range(100):
                    await asyncio.sleep(0.01)
                    if len(done) == 2:
                        break
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    asyncio.run(run())
    assert sorted(done) == ["server", "streams"]


def test_streams_end_when_the_server_is_told_to_stop(city: SampleCity) -> None:
    async def visit(app: Any) -> None:
        framework = app
        while not hasattr(framework, "router"):
            framework = framework.inner
        async with listening(app) as events:
            await anext(events)
            framework.state.served.changes.end_following()
        # it hung up last: had the stream not ended, the listener would have had to wait
        async with listening(app) as events:
            assert (await anext(events))["event"] == "begin"

    live(city.url, visit)
