"""The log of changes: those who read it know the same, whenever they began."""

import asyncio
import random
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gis.errors import Unavailable
from gis.store.backup import backup, restore
from gis.store.changes import Change, Changes
from gis.store.changes_keys import DEEPEST
from gis.store.changes_poll import Line, News
from gis.store.changes_prune import prune
from gis.store.cluster_binaries import installed
from gis.store.database import AsyncDatabase
from tests.gis.change_log import HERE, INSERT, POIS, THERE, column_row, emptied, keys_of


@pytest.fixture
def url(module_url: str) -> str:
    return emptied(module_url)


def served(url: str, visit: Callable[[AsyncDatabase, Changes], Awaitable[None]]) -> None:
    """Run with the changes of a database, opened."""

    async def run() -> None:
        database = AsyncDatabase(url, size=2)
        await database.open()
        changes = Changes(database)
        await changes.open()
        try:
            await visit(database, changes)
        finally:
            await changes.close()
            await database.close()

    asyncio.run(run())


def at(changes: Changes, lon: float, lat: float, z: int = 14) -> int:
    column, row = column_row(lon, lat)
    up = z - DEEPEST
    return changes.digest(POIS, z, column << up if up > 0 else column >> -up, row << up if up > 0 else row >> -up)


def psql(url: str, statement: str) -> None:
    program = next(one["psql"] for one in reversed(installed()) if (one.folder / "psql").exists())
    subprocess.run([program, "-X", "-q", "-c", statement, url], check=True, timeout=30)


def test_digests_change_where_something_was_written_and_only_there(url: str) -> None:
    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        here, there, other = at(changes, 116.5, 31.7), at(changes, 116.9, 31.9), changes.of("base.roads")
        wide, whole = at(changes, 116.5, 31.7, 3), changes.of(POIS)
        psql(url, (INSERT % (1, f"'{HERE}'")))
        await changes.settled()
        assert at(changes, 116.5, 31.7) != here
        assert at(changes, 116.5, 31.7, 3) != wide
        assert changes.digest_of_box(POIS, 116.4, 31.6, 116.6, 31.8) != 0
        assert changes.of(POIS) != whole
        assert at(changes, 116.9, 31.9) == there
        assert changes.of("base.roads") == other
        psql(url, "TRUNCATE base.pois")
        await changes.settled()
        assert at(changes, 116.9, 31.9) != there

    served(url, visit)


def test_what_is_rolled_back_changes_nothing(url: str) -> None:
    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        before = changes.of(POIS), at(changes, 116.5, 31.7)
        with psycopg.connect(url) as conn:
            conn.execute(INSERT, (1, HERE))
            await changes.settled()
            assert (changes.of(POIS), at(changes, 116.5, 31.7)) == before
            conn.rollback()
            conn.execute(INSERT, (2, THERE))
            conn.execute("SAVEPOINT a")
            conn.execute(INSERT, (1, HERE))
            conn.execute("ROLLBACK TO SAVEPOINT a")
        await changes.settled()
        assert at(changes, 116.5, 31.7) == before[1]
        assert changes.of(POIS) != before[0]

    served(url, visit)


async def pruned(database: AsyncDatabase, rows: int = 1, **how: int) -> int:
    """Prune until so many rows are gone: a transaction of any database of the server holds pruning up."""
    done, until_s = 0, time.monotonic() + 60
    while done < rows and time.monotonic() < until_s:
        done += await prune(database, **how)
        await asyncio.sleep(0.01)
    return done


def write(conn: psycopg.Connection, rng: random.Random, first: int = 0) -> None:
    place = f"POINT({rng.uniform(116, 118)} {rng.uniform(31, 32)})"
    conn.execute(INSERT + " ON CONFLICT (fid, scenario, valid_from) DO UPDATE SET geom = excluded.geom",
                 (first + rng.randrange(40), place))  # fmt: skip


def test_whoever_began_when_agrees_on_every_digest_though_the_log_was_pruned(url: str) -> None:
    rng = random.Random(7)

    async def visit(database: AsyncDatabase, early: Changes) -> None:
        with psycopg.connect(url, autocommit=True) as conn, psycopg.connect(url) as slow:
            all_of_them = [early]
            for turn in range(4):
                write(slow, rng, first=100)  # open while the log is pruned, and visible afterwards only
                for _ in range(20):
                    write(conn, rng)
                await prune(database, days=0)
                slow.commit()
                later = Changes(database)
                await later.open()
                all_of_them.append(later)
                write(conn, rng)
                if turn % 2:
                    assert await pruned(database, days=0) > 0
                for one in all_of_them[turn % 2 :]:  # the early one misses a turn, and what was pruned in it
                    await one.settled()
            await early.settled()
            places = [(rng.uniform(116, 118), rng.uniform(31, 32), rng.randrange(4, 15)) for _ in range(60)]
            said = [[at(one, *place) for place in places] + [one.of(POIS)] for one in all_of_them]
            assert said.count(said[0]) == len(said)
            assert len({one.incarnation for one in all_of_them}) == 1
            for later in all_of_them[1:]:
                await later.close()

    served(url, visit)


def test_a_log_is_pruned_of_what_is_old_or_too_much_alone(url: str) -> None:
    async def visit(database: AsyncDatabase, changes: Changes) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            for fid in range(10):
                conn.execute(INSERT, (fid, HERE))
            await changes.settled()
            before = changes.of(POIS)
            assert await prune(database) == 0
            assert await pruned(database, 6, most_rows=4) == 6
            assert conn.execute("SELECT count(*) FROM core.change").fetchone() == (4,)
            conn.execute("UPDATE core.change SET at = at - interval '4 days'")
            assert await pruned(database, 4) == 4
        await changes.settled()
        assert changes.of(POIS) == before

    served(url, visit)


def test_those_who_follow_are_told_each_change_once(url: str) -> None:
    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        told: list[Change] = []

        async def follow() -> None:
            async for found in changes.follow():
                told.extend(found.changes)

        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        with psycopg.connect(url, autocommit=True) as conn, psycopg.connect(url) as slow:
            slow.execute(INSERT, (100, THERE))
            for fid in range(5):
                conn.execute(INSERT, (fid, HERE))
                await changes.settled()
            slow.commit()
            await changes.settled()
        await asyncio.sleep(0)
        await changes.close()
        await asyncio.wait_for(following, 5)
        assert len(told) == len(set(told)) == 6
        assert {change.key for change in told} == keys_of(116.5, 31.7, 116.5, 31.7) | keys_of(116.9, 31.9, 116.9, 31.9)

    served(url, visit)


def test_a_restored_database_is_another_life(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(INSERT, (1, HERE))
    backup(database_url, tmp_path / "city.dump", lambda *_: None)

    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        first = changes.incarnation
        following = asyncio.create_task(anext(aiter(changes.follow()), None))
        await asyncio.sleep(0)
        await asyncio.to_thread(
            restore, database_url, tmp_path / "city.dump", lambda *_: None, replace=True, finish=lambda _: None
        )
        await changes.settled()
        assert changes.incarnation not in ("", first)
        assert await asyncio.wait_for(following, 5) is None
        assert changes.of(POIS) == 0
        psql(database_url, "UPDATE base.pois SET name = 'a'")
        await changes.settled()
        assert changes.of(POIS) != 0

    served(database_url, visit)


def test_a_lost_connection_is_made_again_and_nothing_is_missed(url: str) -> None:
    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        life, before = changes.incarnation, changes.of(POIS)
        psql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'onemap-changes'"
            " AND datname = current_database()",
        )
        psql(url, (INSERT % (1, f"'{HERE}'")))
        await changes.settled()
        assert changes.incarnation == life
        assert changes.of(POIS) != before

    served(url, visit)


def test_without_a_database_it_says_so_and_goes_on_later(url: str) -> None:
    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        with psycopg.connect(url, autocommit=True, dbname="postgres") as server:
            name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
            with pytest.raises(Unavailable):
                await changes.settled()
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await changes.settled()

    served(url, visit)


def test_a_connection_that_is_given_up_while_it_is_made_is_closed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server stops, or the statement fails, between the connection and what is prepared on it."""
    made: list[psycopg.AsyncConnection[Any]] = []
    execute = psycopg.AsyncConnection.execute

    async def late(self: psycopg.AsyncConnection[Any], *given: Any, **more: Any) -> Any:
        made.append(self)
        await asyncio.sleep(60)
        return await execute(self, *given, **more)

    async def run() -> None:
        opening = asyncio.create_task(Line.open(url))
        while not made:
            await asyncio.sleep(0.01)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        monkeypatch.setattr("gis.store.changes_poll._POLL", "PREPARE nothing AS SELECT * FROM no_such_table")
        monkeypatch.setattr(psycopg.AsyncConnection, "execute", noted)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await Line.open(url)

    async def noted(self: psycopg.AsyncConnection[Any], *given: Any, **more: Any) -> Any:
        made.append(self)
        return await execute(self, *given, **more)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", late)
    asyncio.run(run())
    assert len(made) == 2 and all(connection.closed for connection in made)


def test_on_a_standby_what_is_found_again_counts_once() -> None:
    from gis.store.changes import _State

    state = _State("life", b"10:10:", is_standby=True)
    one, two = (Change(POIS, 1, 12), 5), (Change(POIS, 1, 11), 7)
    assert state.take(News(b"11:11:", False, True, [one])) == [one[0]]
    assert state.take(News(b"11:11:", False, True, [one, two])) == [two[0]]
    assert state.take(News(b"13:13:", False, True, [one, two])) == []
    assert state.digests.of(POIS) == 12
    assert state.seen == set()


def test_those_who_ask_at_once_share_one_poll_that_begins_after_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = 0
    read_on = Changes._read_on

    async def counted(self: Changes) -> None:
        nonlocal polls
        polls += 1
        await read_on(self)

    monkeypatch.setattr(Changes, "_read_on", counted)

    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        before = polls
        first = asyncio.create_task(changes.settled())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.gather(*(changes.settled() for _ in range(100)))
        assert first.done()
        assert polls - before == 2
        gone = asyncio.create_task(changes.settled())
        await asyncio.sleep(0)
        gone.cancel()
        await changes.settled()

    served(url, visit)


def test_the_log_is_looked_into_only_where_something_happened(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    ask = Line._asked

    async def noted(self: Line, prepared: bytes, *values: bytes) -> Any:
        asked.append(prepared)
        return await ask(self, prepared, *values)

    monkeypatch.setattr(Line, "_asked", noted)

    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        # whatever else the server is doing is a reason to look
        while asked[-2:] != [b"position", b"position"]:
            await changes.settled()
        before = changes.of(POIS)
        psql(url, (INSERT % (1, f"'{HERE}'")))
        await changes.settled()
        assert asked[-1] == b"poll" and changes.of(POIS) != before

    served(url, visit)


def test_who_waits_for_a_database_that_is_away_is_told_each(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Changes) -> None:
        raise Unavailable("away", "不在")

    async def visit(_: AsyncDatabase, changes: Changes) -> None:
        monkeypatch.setattr(Changes, "_poll", away)
        told = await asyncio.gather(*(changes.settled() for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in told] == [Unavailable] * 3
        monkeypatch.undo()
        await changes.settled()

    served(url, visit)
