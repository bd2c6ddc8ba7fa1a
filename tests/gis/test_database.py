"""Connections: a city that was closed can be asked again; what is said where none can be made."""

import asyncio
from typing import Any

import pytest

from gis.errors import BadQuery, Unavailable
from gis.query.statement import Statement
from gis.store.database import AsyncDatabase, Database, connect


def test_who_was_closed_is_opened_again_by_the_next_question(database_url: str) -> None:
    database = Database(database_url, size=2)
    for _ in range(3):
        assert database.rows(Statement("SELECT 1", ())) == [(1,)]
        database.close()
    database.close()


def test_who_asks_is_not_told_where_the_database_is() -> None:
    with pytest.raises(Unavailable) as caught:
        connect("postgresql://clerk@127.0.0.1:1/registers")
    told = f"{caught.value.text.zh} {caught.value.text.en}"
    assert "127.0.0.1" not in told and "clerk" not in told
    # logs and commands say it
    assert "127.0.0.1" in str(caught.value) and "127.0.0.1" in caught.value.inside


def test_what_is_planned_once_is_planned_for_any_values_and_leaves_nothing_behind(database_url: str) -> None:
    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%planned once%%'"
    statement = "SELECT /* planned once */ 100 / %s"

    async def run() -> list[Any]:
        database = AsyncDatabase(database_url, size=1)
        await database.open()
        try:
            found = [await database.rows(Statement(statement, (n,)), planned_once=True) for n in (1, 2, 5)]
            with pytest.raises(BadQuery, match="division by zero"):
                await database.rows(Statement(statement, (0,)), planned_once=True)
            with pytest.raises(BadQuery, match="nothing"):
                await database.rows(Statement("SELECT nothing()"), planned_once=True)
            found.append(await database.rows(Statement(statement, (10,)), planned_once=True))
            found.append(await database.rows(Statement(plans)))
            found.append(await database.rows(Statement("SHOW plan_cache_mode")))
            return found
        finally:
            await database.close()

    *answers, counted, mode = asyncio.run(run())
    assert answers == [[(100,)], [(50,)], [(20,)], [(10,)]]
    assert counted == [(5, 0)]
    assert mode == [("auto",)]


def test_a_question_planned_once_can_be_broken_off(database_url: str) -> None:
    async def run() -> Any:
        database = AsyncDatabase(database_url, size=1)
        await database.open()
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await database.rows(Statement("SELECT pg_sleep(%s)", (60,)), planned_once=True)
            return await database.rows(Statement("SHOW plan_cache_mode"))
        finally:
            await database.close()

    assert asyncio.run(run()) == [("auto",)]
