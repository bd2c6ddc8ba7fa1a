"""What plans ask the server is asked as the reader's role: behind the wall, whatever surface it is for."""

from pathlib import Path

import psycopg
import pytest

from tests.api.asked_tiles import POIS, ROADS, Asked, Run, runner
from tests.api.served_city import fill

PLACES = "/collections/base.pois"
SURFACES = [
    f"{PLACES}/items?limit=5",
    f"{PLACES}/items?bbox=116.4,31.65,116.6,31.85&limit=5",
    f"{PLACES}/items?f=csv",
    f"{PLACES}/items?f=parquet",
    f"{PLACES}/cells?res=7",
    f"{PLACES}/cells?res=7&f=csv",
    POIS,
    ROADS,
    "/tiles/WebMercatorQuad/12/1667/3373?collections=base.pois,base.roads",
    "/here?lon=116.5&lat=31.75&radius=2000",
]


@pytest.fixture
def url(database_url: str) -> str:
    """A database of a few hundred rows."""
    fill(database_url)
    return database_url


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(url, tmp_path, monkeypatch)


def _told(path: str, content: bytes) -> int:
    """How much is told, less what is told of nothing."""
    if "parquet" in path or "csv" in path:
        return len(content)
    return content.count(b'"Feature"') + content.count(b'"cell":') + len(content) // 400


def test_every_surface_tells_less_when_no_scope_is_believed(run: Run, url: str) -> None:
    """A mutant of the key: were a surface answered as the owner, it would go on telling."""

    async def test(asked: Asked) -> None:
        before = {path: await asked.get(path) for path in SURFACES}
        assert {path: answer.status_code for path, answer in before.items()} == dict.fromkeys(SURFACES, 200)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("UPDATE access.wall SET inner_block = outer_block")
            # what is in memory is made anew when something was written
            for table in ("pois", "roads"):
                conn.execute(f"UPDATE base.{table} SET digest = digest + 1")
        for path, answer in before.items():
            after = await asked.get(path)
            assert after.status_code in (200, 204), path
            assert _told(path, after.content) < _told(path, answer.content), path

    run(test)


def test_connections_are_the_readers(run: Run, url: str) -> None:
    async def test(asked: Asked) -> None:
        await asked.get(f"{PLACES}/items?limit=5")
        with psycopg.connect(url) as conn:
            found = conn.execute(
                "SELECT usename, query FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'onemap-server'"
            ).fetchall()
        readers = [name for name, query in found if '"base"."pois"' in query]
        assert readers and all(name.startswith("onemap_reader_") for name in readers)

    run(test)


@pytest.mark.parametrize("is_believed", [True, False])
def test_places_of_addresses_are_read_behind_the_wall(run: Run, url: str, is_believed: bool) -> None:
    """The index of addresses is made of what a scope opens, and of nothing where none is believed."""

    async def test(asked: Asked) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(
                "INSERT INTO base.addresses (fid, rec_from, digest, load, division, geom, code, text, street, plate)"
                " VALUES (1, 1, 0, 1, 341502000000, ST_SetSRID(ST_MakePoint(116.45, 31.75), 4326), 'A1', '皖西路88号',"
                " '皖西路', '88')"
            )
            if not is_believed:
                conn.execute("UPDATE access.wall SET inner_block = outer_block")
        found = (await asked.get("/geocode?address=皖西路88号")).json()
        assert (found["place"] is not None) is is_believed
        there = (await asked.get("/geocode?lon=116.45&lat=31.75")).json()
        assert ("皖西路" in str(there)) is is_believed

    run(test)
