"""Later pages see what the first one saw, whether or not anything was recorded in between; nothing is read in vain."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from gis.catalog import Catalogue
from gis.query.statement import Statement
from gis.store.cluster import Cluster
from gis.store.database import AsyncDatabase
from layers import LAYERS
from tests.api.conftest import served
from tests.api.served_city import fill
from tests.conftest import copied_database

POIS = "/collections/base.pois/items?limit=40"
COLUMNS = (
    "fid, scenario, valid_from, valid_to, digest, load, src_row, cell, division, geom, geom_3857, code, name, kind"
)
Get = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def url(cluster: Cluster, template: str) -> Iterator[str]:
    with copied_database(cluster, template, "item_pages") as copy:
        fill(copy)
        with psycopg.connect(copy, autocommit=True) as conn:
            conn.execute("CREATE TABLE base.pois_past_now PARTITION OF base.pois_past DEFAULT")
        yield copy


@pytest.fixture(scope="module")
def get(url: str, web_folder: Path) -> Iterator[Get]:
    with served(create_app(url, Catalogue(LAYERS), web_folder)) as request:
        yield request


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the server asks from now on."""
    found: list[str] = []
    rows = AsyncDatabase.rows

    async def noted(self: AsyncDatabase, statement: Statement) -> list[tuple[Any, ...]]:
        found.append(statement.sql)
        return await rows(self, statement)

    monkeypatch.setattr(AsyncDatabase, "rows", noted)
    return found


def _walk(get: Get, between: Callable[[int], None] = lambda page: None) -> list[tuple[int, str]]:
    """Every feature's number and name, page by page; `between` is called before each page but the first."""
    found, address, page = [], POIS, 0
    while address:
        answer = get(address).json()
        found += [(f["id"], f["properties"]["name"]) for f in answer["features"]]
        address = next((link["href"] for link in answer["links"] if link["rel"] == "next"), "")
        page += 1
        if address:
            between(page)
    return found


def _record(url: str, epoch: int, fids: range) -> None:
    """Rename features, as a delivery does: what was is closed, what is was recorded later."""
    renamed = COLUMNS.replace("name", "'renamed'")
    with psycopg.connect(url) as conn:
        conn.execute(
            f"WITH closed AS (DELETE FROM base.pois WHERE fid = ANY(%s) RETURNING rec_from, {COLUMNS}), past AS"
            f" (INSERT INTO base.pois_past (rec_from, {COLUMNS}, rec_to, closed_on)"
            " SELECT closed.*, %s, current_date FROM closed)"
            f" INSERT INTO base.pois (rec_from, {COLUMNS}) SELECT %s, {renamed} FROM closed",
            (list(fids), epoch, epoch),
        )
        conn.execute("INSERT INTO core.epoch VALUES ('base.pois', %s, now())", (epoch,))


def test_pages_of_what_stands_read_open_rows_alone(get: Get, asked: list[str]) -> None:
    walked = _walk(get)
    assert len(walked) > 300 and len(set(walked)) == len(walked)
    assert len(asked) > len(walked) / 40 and not any("pois_past" in statement for statement in asked)


def test_changes_between_pages_are_not_seen(url: str, get: Get, asked: list[str]) -> None:
    before = _walk(get)

    def change(page: int) -> None:
        if page % 3 == 1:
            _record(url, 1 + page, range(60 * page, 60 * page + 300, 7))

    assert _walk(get, change) == before
    pages = [statement for statement in asked if "pois_past" in statement]
    # once it is known that something was recorded, what stands now is not asked in vain
    assert pages and len([s for s in asked if "array_to_string" in s]) <= 2 * len(before) / 40 + 6
    assert _walk(get) != before


def test_few_in_an_area_are_counted_with_the_page(get: Get, asked: list[str]) -> None:
    for box, limit in (("116.45,31.7,116.55,31.8", 7), ("116.47,31.7,116.5,31.75", 3)):
        everything = get(f"/collections/base.pois/items?bbox={box}&limit=10000").json()
        asked.clear()
        first = get(f"/collections/base.pois/items?bbox={box}&limit={limit}").json()
        assert len(asked) == 1 and not first.get("onemap:numberMatchedIsEstimate")
        assert first["numberMatched"] == len(everything["features"]) > first["numberReturned"] == limit
        following = next(link["href"] for link in first["links"] if link["rel"] == "next")
        assert get(following).json()["numberMatched"] == first["numberMatched"] and len(asked) == 2


def test_links_are_those_of_the_scheme_that_was_asked_by(web_folder: Path, url: str) -> None:
    app = create_app(url, Catalogue(LAYERS), web_folder)
    with served(app) as get:
        for scheme in ("http", "https"):
            answer = get(POIS.replace("/collections", f"{scheme}://city.test/collections"))
            assert all(link["href"].startswith(f"{scheme}://city.test/") for link in answer.json()["links"])


def test_what_is_declared_otherwise_is_another_page(url: str, get: Get, web_folder: Path) -> None:
    address = f"{POIS}&datetime=2026-01-01T00:00:00Z"
    before = get(address).headers["etag"]
    plain = [
        replace(
            layer, collections=tuple(replace(c, style=None) if c.id == "base.pois" else c for c in layer.collections)
        )
        for layer in LAYERS
    ]
    for layers, is_same in ((plain, False), (LAYERS, True)):
        with served(create_app(url, Catalogue(layers), web_folder)) as again:
            assert (again(address).headers["etag"] == before) is is_same
