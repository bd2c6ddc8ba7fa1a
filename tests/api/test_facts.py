"""What is known of a collection as a whole follows every change that is recorded of it."""

import asyncio
import random

import psycopg
import pytest

from api.facts import Facts
from gis.access import PUBLIC, Identity
from gis.base.pois import POIS
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import now
from gis.store.database import AsyncDatabase
from gis.store.reading import Reading
from tests.api.served_city import MAKERS, _insert
from tests.gis.walled_city import CATALOGUE, CLERK, walled


def test_what_is_taken_back_counts_no_longer(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        _insert(conn, "base.pois", MAKERS["base.pois"](random.Random(1)))

        async def counts() -> list[int]:
            database = AsyncDatabase(database_url, size=1)
            await database.open()
            facts = Facts(database, database)
            found = [(await facts.of([POIS]))[POIS.id].count]
            # as a delivery is taken back: a change on record, and no load
            conn.execute("DELETE FROM base.pois")
            conn.execute("SELECT core.stamp('base.pois', 2, NULL)")
            found.append((await facts.of([POIS]))[POIS.id].count)
            await database.close()
            return found

        before, after = asyncio.run(counts())
    assert before > 0 and after == 0


@pytest.mark.parametrize(("who", "count"), [(CLERK, 10), (PUBLIC, 0)], ids=["the caller", "another"])
def test_what_is_known_of_a_part_is_read_behind_the_wall(database_url: str, who: Identity, count: int) -> None:
    """The plan is the clerk's, whose duty ends in one division; the scope is that of who asks."""
    city = walled(database_url)

    async def found() -> int | None:
        own = AsyncDatabase(city.url, size=1)
        asked = AsyncDatabase(city.reader.url, size=1, wall=Reading.of(city.reader, who, CATALOGUE))
        await own.open()
        await asked.open()
        try:
            plan = Plan(Query(collection="base.persons"), CATALOGUE, CLERK, now())
            return (await Facts(own, asked).seen([plan]))["base.persons"].count
        finally:
            await own.close()
            await asked.close()

    assert asyncio.run(found()) == count
