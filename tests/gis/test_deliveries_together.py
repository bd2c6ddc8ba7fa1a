"""Deliveries beside one another and beside readers: registers do not wait for each other, readers for nobody."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gis.exchange.delivery import Delivered
from gis.store import bulk
from tests.gis.deliveries import Desk, day, line, write_csv

PATIENCE_S = 60
#: How long somebody keeps reading while a delivery comes to its end.
HOLDS_S = 3
SEEN = "SELECT count(*), count(household) FROM base.persons"
STANDING = "SELECT count(*), min(household), max(household) FROM base.persons WHERE valid_to = 'infinity'"
#: Sessions that wait for an advisory lock named by purpose and register.
WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32 | objid::bigint) = core.lock_key(%s, %s)
"""


@pytest.fixture
def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    made = Desk(database_url, tmp_path)
    yield made
    made.city.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def persons(desk: Desk, name: str, people: range, **said: str) -> Path:
    write_csv(desk.folder / name, [line(n, {"name": "张三", **said}) for n in people], full=True)
    return desk.folder / name


def dwellings(desk: Desk) -> Path:
    path = desk.folder / "dwellings.csv"
    path.write_text("房屋编码,建筑编码\nD1,B1\n", "utf-8")
    return path


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        time.sleep(0.01)


@contextmanager
def held_before_commit(desk: Desk, register: str) -> Iterator[None]:
    """As long as this lasts no change of a register is committed: each waits for the lock under which it stamps."""
    with psycopg.connect(desk.url) as conn:
        conn.execute("SELECT pg_advisory_lock(core.lock_key('stamp', %s))", (register,))
        yield


def waits(desk: Desk, purpose: str, register: str) -> bool:
    return bool(desk.rows(WAITING, purpose, register)[0][0])


def test_readers_wait_for_no_lock_of_a_later_delivery(desk: Desk, pool: ThreadPoolExecutor) -> None:
    desk.deliver(persons(desk, "first.csv", range(50)), "police", day(0), full=True)
    later = persons(desk, "later.csv", range(45, 60), household="H")
    with psycopg.connect(desk.url, autocommit=True) as reader:
        reader.execute("SET lock_timeout = '1ms'")
        with held_before_commit(desk, desk.register):
            coming = pool.submit(desk.deliver, later, "civil_affairs", day(1), full=True)
            wait_for(lambda: waits(desk, "stamp", desk.register))
            assert reader.execute(SEEN).fetchone() == (50, 0)
        assert coming.result(PATIENCE_S).rows.accepted == 15
        assert reader.execute(SEEN).fetchone() == (60, 15)


def test_who_keeps_a_register_from_its_place_is_named(
    desk: Desk, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bulk, "_SILENT_S", 0.0)
    desk.deliver(persons(desk, "first.csv", range(1_200)), "police", day(0), full=True)
    changed = persons(desk, "later.csv", range(1_200), household="H")
    with psycopg.connect(desk.url) as forgotten:
        assert forgotten.execute(SEEN).fetchone() == (1_200, 0)
        coming = pool.submit(desk.deliver, changed, "police", day(1), full=False)
        wait_for(lambda: f"{forgotten.info.backend_pid} idle in transaction since" in caplog.text)
    assert coming.result(PATIENCE_S).rows.accepted == 1_200


@pytest.mark.parametrize("share", [0.1, 1.0], ids=["few changes", "all changed"])
def test_a_long_reader_makes_no_other_wait(desk: Desk, pool: ThreadPoolExecutor, share: float) -> None:
    people, many = 1_200, round(share * 1_200)  # from a thousand on a register may be written anew
    desk.deliver(persons(desk, "first.csv", range(people)), "police", day(0), full=True)
    changed = persons(desk, "later.csv", range(many), household="H")
    with psycopg.connect(desk.url) as long_one, psycopg.connect(desk.url, autocommit=True) as other:
        other.execute("SET lock_timeout = '1s'")
        assert long_one.execute(SEEN).fetchone() == (people, 0)
        coming = pool.submit(desk.deliver, changed, "police", day(1), full=False)
        deadline_s = time.monotonic() + HOLDS_S
        while time.monotonic() < deadline_s and not coming.done():
            assert other.execute(SEEN).fetchone() in {(people, 0), (people + many, many)}
            time.sleep(0.01)
        assert long_one.execute(SEEN).fetchone() is not None
        long_one.rollback()
    assert coming.result(PATIENCE_S).rows.accepted == many


def test_readers_see_all_of_a_delivery_or_nothing(desk: Desk, pool: ThreadPoolExecutor) -> None:
    files = [persons(desk, f"{n}.csv", range(800), household=f"H{n}") for n in range(3)]
    done = threading.Event()

    def read() -> set[Any]:
        seen = set()
        with psycopg.connect(desk.url, autocommit=True) as reader:
            reader.execute("SET lock_timeout = '2s'")
            while not done.is_set():
                seen.update(reader.execute(STANDING).fetchall())
        return seen

    readers = [pool.submit(read) for _ in range(2)]
    try:
        for number, path in enumerate(files):
            desk.deliver(path, "police", day(number), full=True)
    finally:
        done.set()
    seen = set().union(*(reader.result() for reader in readers))
    assert seen <= {(0, None, None), *((800, f"H{n}", f"H{n}") for n in range(3))}


def test_registers_do_not_wait_for_each_other(desk: Desk, pool: ThreadPoolExecutor) -> None:
    with held_before_commit(desk, desk.register):
        coming = pool.submit(desk.deliver, persons(desk, "p.csv", range(5)), "police", day(0), full=True)
        wait_for(lambda: waits(desk, "stamp", desk.register))
        other = desk.city.deliver("base.dwellings", dwellings(desk), department="real_estate", edition=day(0))
        assert (other.state, other.rows.delivered) == ("done", 1)
        assert not coming.done()
    assert coming.result(PATIENCE_S).rows.accepted == 5


def test_deliveries_of_a_register_come_one_after_another(desk: Desk, pool: ThreadPoolExecutor) -> None:
    with held_before_commit(desk, desk.register):
        first = pool.submit(desk.deliver, persons(desk, "a.csv", range(5)), "police", day(0), full=True)
        wait_for(lambda: waits(desk, "stamp", desk.register))
        rest = [
            pool.submit(desk.deliver, persons(desk, f"{n}.csv", range(n, 6)), "civil_affairs", day(n), full=True)
            for n in (1, 2)
        ]
        wait_for(lambda: waits(desk, "deliver", desk.register))
        assert not any(future.done() for future in (first, *rest))
    ended: list[Delivered] = [future.result(PATIENCE_S) for future in (first, *rest)]
    assert {d.state for d in ended} == {"done"}
    epochs = [d.epoch for d in ended if d.epoch is not None]
    assert len(epochs) == len(set(epochs))
    for delivered in ended:
        assert delivered.rows.delivered == (
            delivered.rows.accepted + delivered.rows.unchanged + delivered.rows.returned
        )
