"""Who asks: a greedy caller waits for itself, and nobody can pass for another."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.asker import address_of, asker, asker_of
from api.caller import CALLER
from gis.access import Identity
from gis.catalog import Catalogue
from layers import LAYERS
from tests.api.served_city import SampleCity

ADDRESSES = [
    ("203.0.113.7", "203.0.113.7"),
    ("127.0.0.1", "127.0.0.1"),
    # a subscriber has a whole network
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
    ("2001:db8:1:3::1", "2001:db8:1:3::"),
    ("", "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("peer", "address"), ADDRESSES)
def test_the_address_is_that_of_the_caller(peer: str | None, address: str) -> None:
    # what headers say of it was settled before, or is not believed
    headers = [(b"x-forwarded-for", b"198.51.100.1")]
    assert address_of({"client": None if peer is None else (peer, 1), "headers": headers}) == address


def test_what_the_server_asks_by_itself_is_nobodys() -> None:
    assert asker() == ""


async def _ask(app: Any, address: str, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://city.test") as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["items?limit={}", "tiles/WebMercatorQuad/12/1667/{}"], ids=["items", "tiles"])
def test_a_modest_caller_is_answered_while_a_greedy_one_waits(
    city: SampleCity, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("ONEMAP_MAX_WAITING", "12")

    async def visit(app: Any, holder: psycopg.AsyncConnection[Any]) -> list[int]:
        greedy = [
            asyncio.create_task(_ask(app, "203.0.113.7", f"/collections/base.roads/{path.format(3300 + n)}"))
            for n in range(40)
        ]
        # seven connections are the greedy caller's, six of its questions wait, the others are sent away
        await asyncio.wait(greedy[:], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        for number in range(5):
            modest = await _ask(app, "203.0.113.8", f"/collections/base.pois/items?limit={number + 50}&ids=1,2,3")
            assert modest.status_code == 200
        assert not all(task.done() for task in greedy)
        await holder.rollback()
        answers = await asyncio.gather(*greedy)
        assert all(int(a.headers["retry-after"]) > 0 for a in answers if a.status_code == 503)
        return [a.status_code for a in answers]

    async def run() -> list[int]:
        app: Any = create_app(city.url, Catalogue(LAYERS))
        framework = app
        while not hasattr(framework, "router"):
            framework = framework.inner
        async with (
            framework.router.lifespan_context(framework),
            await psycopg.AsyncConnection.connect(city.url) as holder,
        ):
            await holder.execute("LOCK TABLE base.roads IN ACCESS EXCLUSIVE MODE")
            return await visit(app, holder)

    found = Counter(asyncio.run(run()))
    # on a busy machine those that wait may lose patience as well
    assert 40 - 7 - 6 <= found[503] <= 40 - 7
    assert set(found) <= {503, 200, 204}


def test_whoever_is_signed_in_has_turns_of_its_own() -> None:
    scope = {"client": ("203.0.113.7", 1), "headers": []}
    assert asker_of(scope) == "203.0.113.7"
    before = CALLER.set(Identity("key 7", "staff", department="water"))
    try:
        assert asker_of(scope) == "water/key 7"
    finally:
        CALLER.reset(before)
