"""What is known of a collection as a whole follows every change that is recorded of it."""

import asyncio
import random

import psycopg

from api.facts import Facts
from gis.base.pois import POIS
from gis.store.database import AsyncDatabase
from tests.api.served_city import MAKERS, _insert


def test_what_is_taken_back_counts_no_longer(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        _insert(conn, "base.pois", MAKERS["base.pois"](random.Random(1)))

        async def counts() -> list[int]:
            database = AsyncDatabase(database_url, size=1)
            await database.open()
            facts = Facts(database)
            found = [(await facts.of([POIS]))[POIS.id].count]
            # as a delivery is taken back: a change on record, and no load
            conn.execute("DELETE FROM base.pois")
            conn.execute("SELECT core.stamp('base.pois', 2, NULL)")
            found.append((await facts.of([POIS]))[POIS.id].count)
            await database.close()
            return found

        before, after = asyncio.run(counts())
    assert before > 0 and after == 0
