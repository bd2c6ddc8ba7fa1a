"""The log of changes while the database is away."""

import asyncio

import psycopg
import pytest

from gis.errors import Unavailable
from gis.store.changes import Changes
from gis.store.database import AsyncDatabase


def test_who_asks_is_not_told_where_the_database_is(module_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(self: Changes) -> None:
        raise psycopg.OperationalError("connection to server on socket /secret/place failed")

    async def run() -> None:
        database = AsyncDatabase(module_url, size=2)
        await database.open()
        changes = Changes(database)
        await changes.open()
        monkeypatch.setattr(Changes, "_read_on", away)
        try:
            with pytest.raises(Unavailable, match="/secret/place") as told:
                await changes.settled()
        finally:
            await changes.close()
            await database.close()
        assert "secret" not in told.value.text.en + told.value.text.zh

    asyncio.run(run())
