"""The server folds rollups behind those who write."""

import asyncio

import psycopg
import pytest

from api import folding
from gis.catalog import Catalogue
from gis.store.database import Database
from layers import LAYERS

ROW = (
    "INSERT INTO base.addresses (fid, rec_from, digest, load, cell, code, text)"
    " VALUES (%s, 1, 1, 1, 626855098320596991, 'a', 'a')"
)


def test_what_is_written_is_folded_soon(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_EVERY_S", 0.01)
    threads = Database(database_url)

    async def folded(conn: psycopg.Connection) -> None:
        for fid in range(3):
            conn.execute(ROW, (fid,))
            async with asyncio.timeout(30):
                while conn.execute("SELECT count(*) FROM base.addresses_rollup_delta").fetchone() != (0,):
                    await asyncio.sleep(0.01)
            counted = conn.execute("SELECT DISTINCT _n FROM base.addresses_rollup_cell").fetchall()
            assert counted == [(fid + 1,)]

    async def serve(conn: psycopg.Connection) -> None:
        async with folding.folding(lambda: Catalogue(LAYERS), threads):
            await folded(conn)

    with psycopg.connect(database_url, autocommit=True) as conn:
        asyncio.run(serve(conn))
    threads.close()
