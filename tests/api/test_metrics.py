"""Figures: what is counted is what was asked, no label holds what somebody asked for, and who may read them."""

import asyncio
import os
import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.requests import Request

from api.routes.metrics import check_reader
from gis.errors import Forbidden, NotSignedIn
from gis.settings import Settings
from tests.api.served_city import SampleCity
from tiles.cache import Flights

TILE = "/collections/base.roads/tiles/WebMercatorQuad/12/1667/3373"
TILE_ROUTE = "tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
ITEMS_ROUTE = "/collections/{collection_id}/items"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures(get: Callable[..., httpx.Response]) -> Samples:
    answer = get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (s.name, tuple(sorted((k, v) for k, v in s.labels.items() if k != "process"))): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }


def risen(before: Samples, after: Samples, name: str, **labels: str) -> float:
    key = (name, tuple(sorted(labels.items())))
    return after.get(key, 0.0) - before.get(key, 0.0)


def test_requests_are_counted_by_route_method_and_status(city: SampleCity) -> None:
    before = figures(city.get)
    city.get("/collections/base.pois/items?limit=1&name=张三")
    city.get("/collections/base.roads/items?limit=1", "HEAD")
    city.get("/collections/base.cats/items")
    city.get("/no/such/place/张三")
    city.get("/collections", "PROPFIND")
    after = figures(city.get)
    requests = "onemap_requests_total"
    assert risen(before, after, requests, route=ITEMS_ROUTE, method="GET", status="2xx") == 1
    assert risen(before, after, requests, route=ITEMS_ROUTE, method="HEAD", status="2xx") == 1
    assert risen(before, after, requests, route="none", method="GET", status="4xx") >= 1
    assert sum(risen(before, after, n, **dict(k)) for n, k in after if n == requests and ("method", "other") in k) == 1
    assert risen(before, after, "onemap_request_seconds_count", route=ITEMS_ROUTE) >= 2
    assert risen(before, after, "onemap_database_seconds_count") >= 2
    assert risen(before, after, requests, route="/metrics", method="GET", status="2xx") == 1


def test_tiles_are_counted_by_where_they_came_from(city: SampleCity) -> None:
    before = figures(city.get)
    first = city.get(f"{TILE}?properties=code,lanes,class")
    city.get(f"{TILE}?properties=code,lanes,class", headers={"if-none-match": first.headers["etag"]})
    city.get(f"{TILE}?properties=code,lanes,class")
    city.get(f"{TILE}?colour=red")
    after = figures(city.get)
    assert risen(before, after, "onemap_tile_answers_total", zoom="12", source="database") == 1
    assert risen(before, after, "onemap_tile_answers_total", zoom="12", source="memory") == 2
    sent = int(first.headers["content-length"])
    assert risen(before, after, "onemap_tile_bytes_total", zoom="12") == 2 * sent
    requests = "onemap_requests_total"
    by_status = {s: risen(before, after, requests, route=TILE_ROUTE, method="GET", status=s)
                 for s in ("2xx", "3xx", "4xx")}  # fmt: skip
    assert by_status == {"2xx": 2, "3xx": 1, "4xx": 1}
    assert risen(before, after, "onemap_tile_reads_total", how="begun") == 1
    assert after["onemap_tile_cache_bytes", ()] >= sent


def test_who_finds_work_under_way_is_counted_as_sharing() -> None:
    async def run() -> tuple[int, int]:
        flights: Flights[str, int] = Flights()

        async def load(keys: Any) -> list[int]:
            await asyncio.sleep(0)
            return [1 for _ in keys]

        with flights.joined(["a", "b"], load), flights.joined(["b", "c"], load):
            pass
        return flights.begun, flights.shared

    assert asyncio.run(run()) == (3, 1)


def test_a_writer_that_stays_open_is_seen_to_hold_changes_back(city: SampleCity) -> None:
    with psycopg.connect(city.url) as writer:
        writer.execute("SELECT pg_current_xact_id(), pg_sleep(0.05)")
        with psycopg.connect(city.url, autocommit=True) as other:
            other.execute("SELECT pg_current_xact_id()")
        found = figures(city.get)
    assert found["onemap_changes_held_back_seconds", ()] >= 0.05
    assert found["onemap_changes_held_back_transactions", ()] >= 1


def test_what_stands(city: SampleCity) -> None:
    found = figures(city.get)
    pool = {name: found[f"onemap_pool_{name}", (("pool", "server"),)] for name in ("most", "size", "available",
                                                                                   "waiting")}  # fmt: skip
    assert pool["most"] >= pool["size"] >= 1 and pool["waiting"] == 0
    assert found["onemap_deliveries", (("state", "received"),)] == 0
    assert found["onemap_database_up", ()] == 1 and found["onemap_changes_poll_age_seconds", ()] >= 0
    assert found["process_resident_memory_bytes", ()] > 1e6


def test_labels_are_few_and_hold_nothing_that_was_asked_for(city: SampleCity) -> None:
    for n in range(20):
        city.get(f"/collections/base.pois/items?limit=1&name=王五{n}")
        city.get(f"/collections/base.pois/items/{n}")
        city.get(f"/nowhere/{n}")
    text = city.get("/metrics").text
    assert "王五" not in text and "nowhere" not in text and "base.pois" not in text
    assert text.count("\n") < 3000 and set(re.findall(r'process="(\w+)"', text)) == {f"{os.getpid()}"}


def test_without_the_database_the_rest_is_told(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*_: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr("gis.store.database.AsyncDatabase.rows", hangs)
    monkeypatch.setattr("api.gauges._PATIENCE_S", 0.05)
    found = figures(city.get)
    assert found["onemap_database_up", ()] == 0 and ("onemap_pool_size", (("pool", "server"),)) in found


@pytest.mark.parametrize(
    ("client", "key", "headers", "refused"),
    [
        ("127.0.0.1", None, {}, None),
        ("::1", None, {}, None),
        ("127.0.0.1", None, {"x-forwarded-for": "8.8.8.8"}, Forbidden),
        ("127.0.0.1", None, {"origin": "http://elsewhere.test"}, Forbidden),
        ("10.0.0.7", None, {}, Forbidden),
        ("10.0.0.7", None, {"authorization": "Bearer "}, Forbidden),
        ("unix:", None, {}, Forbidden),
        ("10.0.0.7", "s3cret-key", {"authorization": "Bearer s3cret-key"}, None),
        ("10.0.0.7", "s3cret-key", {"authorization": "bearer s3cret-key", "x-forwarded-for": "8.8.8.8"}, None),
        ("10.0.0.7", "s3cret-key", {"authorization": "Bearer other"}, NotSignedIn),
        ("127.0.0.1", "s3cret-key", {"authorization": "Bearer other"}, NotSignedIn),
        ("10.0.0.7", "s3cret-key", {}, Forbidden),
        ("127.0.0.1", "s3cret-key", {}, None),
    ],
)
def test_who_may_read(client: str, key: str | None, headers: dict[str, str], refused: Any) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "client": (client, 1), "headers": raw})
    settings = Settings(metrics_key=SecretStr(key) if key else None)
    assert "s3cret" not in repr(settings)
    with pytest.raises(refused) if refused else nullcontext():
        check_reader(request, settings)
