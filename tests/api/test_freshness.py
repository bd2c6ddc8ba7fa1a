"""No tile is older than what was committed when it was asked for, whichever of several servers answers."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.tile_server import TileServer
from gis.catalog import Catalogue
from gis.query.statement import Statement
from gis.store.cluster import Cluster
from layers import LAYERS
from tests.conftest import copied_database
from tests.freshness_trial import Get, Tile, Trial

#: Places in tiles of their own at zoom 14, and these tiles; the last holds all of them.
PLACES = [(116.10, 31.10), (116.40, 31.50), (116.80, 31.90)]
PATHS = ["14/6701/13475", "14/6680/13489", "14/6658/13507"]
PREFIX = "/collections/base.pois/tiles/WebMercatorQuad/"
TILES = [Tile(f"{PREFIX}{path}", "base.pois", "name", (fid,)) for fid, path in enumerate(PATHS, 1)]
BOTH = Tile("/tiles/WebMercatorQuad/14/6680/13489?collections=base.roads,base.pois", "base.pois", "name", (2,))

INSERT = (
    "INSERT INTO base.pois (fid, rec_from, digest, load, code, name, geom, geom_3857) VALUES (%s, 1, 0, 1, %s, '0',"
    " ST_SetSRID(ST_Point(%s, %s), 4326), ST_Transform(ST_SetSRID(ST_Point(%s, %s), 4326), 3857))"
)
UPDATE = "UPDATE base.pois SET name = %s WHERE fid = %s"
SERVERS, READERS, WRITES = 3, 8, 200
#: Between two commits of a writer, so that readers come between them.
PAUSE_S = 0.004


@pytest.fixture(scope="module")
def database(cluster: Cluster, template: str) -> Iterator[str]:
    with copied_database(cluster, template, "fresh") as copy:
        yield copy


@pytest.fixture
def url(database: str) -> str:
    """A database with a row at each place, whose counter is 0."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("TRUNCATE base.pois, base.pois_id CASCADE")
        for fid, (lon, lat) in enumerate(PLACES, 1):
            conn.execute(INSERT, (fid, str(fid), lon, lat, lon, lat))
    return database


class Server:
    """One application with tiles of its own in memory."""

    def __init__(self, app: Any, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client

    @property
    def tiles(self) -> TileServer:
        app = self.app
        while not hasattr(app, "server"):
            app = app.inner
        found: TileServer = app.server
        return found

    async def get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        return await self.client.get(path, headers=headers)


@asynccontextmanager
async def serving(url: str, folder: Path, number: int) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        servers = []
        for _ in range(number):
            app: Any = create_app(url, Catalogue(LAYERS), folder)
            framework = app
            while hasattr(framework, "inner"):
                framework = framework.inner
            await stack.enter_async_context(framework.router.lifespan_context(framework))
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t")
            servers.append(Server(app, await stack.enter_async_context(client)))
        yield servers


def write(url: str, trial: Trial, first: int, step: int, writes: int) -> None:
    """Count rows of one's own up, every third time two of them at once, every seventh time for nothing."""
    own = list(range(first, len(PLACES) + 1, step))
    try:
        with psycopg.connect(url) as conn:
            for number in range(1, writes + 1):
                changed = own if number % 3 == 0 else own[number % len(own) :][:1]
                for fid in changed:
                    conn.execute(UPDATE, (str(number), fid))
                if number % 7 == 0:
                    conn.rollback()
                    continue
                conn.commit()
                for fid in changed:
                    trial.wrote(fid, number)
                time.sleep(PAUSE_S)
    finally:
        trial.stop = True


def tried(url: str, folder: Path, writes: int) -> Trial:
    """A trial with two writers, several servers and readers that go from one to the other."""
    trial = Trial()

    async def run() -> None:
        async with serving(url, folder, SERVERS) as servers:
            gets: Sequence[Get] = [server.get for server in servers]
            writers = [threading.Thread(target=write, args=(url, trial, n, 2, writes)) for n in (1, 2)]
            for writer in writers:
                writer.start()
            await asyncio.gather(*(trial.read(gets, [*TILES, BOTH], seed) for seed in range(READERS)))
            await asyncio.to_thread(lambda: [writer.join() for writer in writers])
            for tile in [*TILES, BOTH]:
                for get in gets:
                    await trial.ask(get, tile, with_copy=True)

    asyncio.run(run())
    return trial


def test_no_answer_is_older_than_what_was_committed(url: str, tmp_path: Path) -> None:
    trial = tried(url, tmp_path, WRITES)
    assert trial.faults == []
    assert trial.answers > READERS
    assert trial.not_modified > 0
    assert trial.unseen_s == {}


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_no_answer_is_older_for_long(url: str, tmp_path: Path, torture_scale: float) -> None:
    trial = tried(url, tmp_path, max(WRITES, int(50_000 * torture_scale)))
    assert trial.faults == []
    assert trial.unseen_s == {}


def test_the_trial_notices_servers_that_look_seldom(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that learns of changes now and then, as most caches do, is caught."""
    token, kept = TileServer.token, {}

    def seldom(self: TileServer, asked: Any) -> Any:
        number, old = kept.get((self, asked.key), (0, None))
        kept[self, asked.key] = (number + 1, old if number % 20 else token(self, asked))
        return kept[self, asked.key][1]

    monkeypatch.setattr(TileServer, "token", seldom)
    assert tried(url, tmp_path, WRITES).faults


def test_a_tag_never_names_two_tiles(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed between learning the state of the data and reading them is in the tile, but not in its state.

    Another server made the same tile of the same state without it. Nobody may be told that the one is the other.
    """
    tile, trial = TILES[0], Trial()

    async def run() -> None:
        async with serving(url, tmp_path, 2) as (one, other):
            old = await other.get(tile.path, {})
            trial.committed[1] = 0
            rows = one.tiles._rows

            async def late(statements: Sequence[Statement]) -> list[tuple[Any, ...]]:
                with psycopg.connect(url, autocommit=True) as conn:
                    conn.execute(UPDATE, ("1", 1))
                trial.wrote(1, 1)
                monkeypatch.undo()
                return await rows(statements)

            monkeypatch.setattr(one.tiles, "_rows", late)
            new = await one.get(tile.path, {})
            assert (tile.counters(old.content), tile.counters(new.content)) == ({1: 0}, {1: 1})
            assert old.headers["etag"] != new.headers["etag"]
            again = await one.get(tile.path, {"if-none-match": old.headers["etag"]})
            assert (again.status_code, tile.counters(again.content)) == (200, {1: 1})
            assert (await one.get(tile.path, {"if-none-match": new.headers["etag"]})).status_code == 304
            assert (await other.get(tile.path, {"if-none-match": old.headers["etag"]})).status_code == 200

    asyncio.run(run())


def test_the_places_lie_in_their_tiles(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(url, tmp_path, 1) as (server,):
            for tile in (*TILES, BOTH):
                answer = await server.get(tile.path, {})
                assert tile.counters(answer.content) == dict.fromkeys(tile.fids, 0)

    asyncio.run(run())


def test_a_feature_that_psql_changed_is_not_taken_for_the_copy_at_hand(url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(url, tmp_path, 1) as (server,):
            path = "/collections/base.pois/items/1"
            held = {"if-none-match": (await server.get(path, {})).headers["etag"]}
            assert (await server.get(path, held)).status_code == 304
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute(UPDATE, ("renamed", 1))
            assert (await server.get(path, held)).json()["properties"]["name"] == "renamed"

    asyncio.run(run())
