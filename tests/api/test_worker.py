"""The process beside the server that works on deliveries: woken, killed, ended; nothing that was received is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.worker import Worker
from api.working import DeliveryWorker
from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.delivery import DeliveryOptions, receive, work
from gis.exchange.published import publication
from gis.exchange.readers.confined import ConfinedReader
from gis.settings import CHECKOUT
from gis.store.database import Database
from gis.store.trace import Trace
from layers import LAYERS
from tests.api.exchange_city import PERSONS, person, table
from tests.gis.test_published import PLACES, internal, public, published, put

_PATIENCE_S = 60


@pytest.fixture
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    monkeypatch.setenv("ONEMAP_DATABASE_URL", database_url)
    yield tmp_path


def _receive(url: str, folder: Path, register: str, rows: bytes, department: str) -> int:
    path = folder / f"{register}.csv"
    path.write_bytes(rows)
    database = Database(url)
    try:
        options = DeliveryOptions(mode="incremental", received_by="key of the police")
        return receive(database, Catalogue(LAYERS), register, path, department, options)
    finally:
        database.close()


def _await(what: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def _states(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [state for (state,) in conn.execute("SELECT state FROM exchange.delivery ORDER BY id")]


def _alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_waits_is_worked_on_and_a_killed_worker_is_replaced(database_url: str, installation: Path) -> None:
    people = table([person(n) for n in range(50)])
    homes = table([{"房屋编码": f"H{n}", "建筑编码": "B1"} for n in range(5)])
    _receive(database_url, installation, PERSONS, people, "police")
    _receive(database_url, installation, "base.dwellings", homes, "real_estate")
    worker = DeliveryWorker(database_url)
    try:
        _await(lambda: _states(database_url) == ["done", "done"])
        killed = worker.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        _receive(database_url, installation, PERSONS, table([person(n, 婚姻状况="已婚") for n in range(9)]), "police")
        _await(lambda: _states(database_url) == ["done", "done", "done"])
        worker.wake()
        last = worker.pid
        assert last is not None and last != killed
    finally:
        worker.stop()
    assert worker.pid is None and not _alive(last)


def test_a_delivery_whose_worker_is_killed_under_way_is_taken_up_again(database_url: str, installation: Path) -> None:
    number = _receive(database_url, installation, PERSONS, table([person(n) for n in range(300)]), "police")
    worker = DeliveryWorker(database_url)
    try:
        with psycopg.connect(database_url) as conn:
            # held up at its last step, after everything else of the delivery has been done
            conn.execute("LOCK TABLE exchange.repeated, base.persons_identifier IN ACCESS EXCLUSIVE MODE")
            conn.execute("SELECT FROM exchange.delivery")
            _await(lambda: _states(database_url) == ["working"])
            time.sleep(0.3)
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            conn.rollback()
        _await(lambda: _states(database_url) == ["done"])
    finally:
        worker.stop()
    with psycopg.connect(database_url) as conn:
        row = conn.execute("SELECT rows_delivered, rows_accepted FROM exchange.delivery WHERE id = %s", [number])
        assert row.fetchone() == (300, 300)


def test_a_worker_whose_server_is_killed_ends(database_url: str, installation: Path) -> None:
    program = "import sys, time; from api.working import DeliveryWorker as W; w = W(sys.argv[1])\n" \
              "while not w.pid: time.sleep(0.05)\nprint(w.pid, flush=True); time.sleep(600)"  # fmt: skip
    command = [sys.executable, "-c", program, database_url]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        server.kill()
        server.wait()
        _await(lambda: not _alive(pid))


def test_a_delivery_that_fails_does_not_stop_the_others(database_url: str, installation: Path) -> None:
    _receive(database_url, installation, PERSONS, b"a,b\n1,2\n", "police")
    _receive(database_url, installation, PERSONS, table([person(1)]), "police")
    worker = DeliveryWorker(database_url)
    try:
        _await(lambda: _states(database_url) == ["failed", "done"])
        _await(lambda: len(_taken_in(database_url)) == 2)
    finally:
        worker.stop()
    failed, done = _taken_in(database_url)
    assert failed[:4] == ("key of the police", "worker", PERSONS, "failed")
    assert done[:5] == ("key of the police", "worker", PERSONS, "success", 1)
    account = {name: done[5][name] for name in ("department", "accepted", "unchanged", "returned")}
    assert account == {"department": "police", "accepted": 1, "unchanged": 0, "returned": 0}


def test_what_a_worker_that_died_left_untold_the_next_one_tells(
    database_url: str, installation: Path, tmp_path: Path
) -> None:
    number = _receive(database_url, installation, PERSONS, table([person(1)]), "police")
    database = Database(database_url)
    work(database, Catalogue(LAYERS), number)
    assert not _taken_in(database_url)
    trace = Trace.of(database_url, tmp_path)
    worker = Worker(database, Catalogue(LAYERS), ConfinedReader(), trace)
    for _ in range(2):
        worker.look()
    worker.stop()
    ((who, _, register, outcome, rows, detail),) = _taken_in(database_url)
    assert (who, register, outcome, rows) == ("key of the police", PERSONS, "success", 1)
    assert detail["delivery"] == number


def _taken_in(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(
            "SELECT who, origin, collection, outcome, rows, detail::jsonb FROM access.trace WHERE event = 'taken_in'"
            " ORDER BY detail::jsonb -> 'delivery'"
        ).fetchall()


def test_an_error_that_nobody_foresaw_does_not_end_the_looking(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trace = Trace.of(database_url, tmp_path)
    worker = Worker(Database(database_url), Catalogue(LAYERS), ConfinedReader(), trace)
    outcomes = iter([RuntimeError("cats"), SystemExit()])

    def look() -> None:
        worker.bell.set()
        raise next(outcomes)

    monkeypatch.setattr(worker, "look", look)
    with pytest.raises(SystemExit), caplog.at_level("ERROR", "onemap.deliveries"):
        worker.run()
    worker.database.close()
    assert "cats" in caplog.text


def test_the_processes_of_one_home_have_one_worker(database_url: str, tmp_path: Path) -> None:
    first = DeliveryWorker.of_home(database_url, tmp_path)
    assert first is not None
    try:
        assert DeliveryWorker.of_home(database_url, tmp_path) is None
    finally:
        first.stop()
    after = DeliveryWorker.of_home(database_url, tmp_path)
    assert after is not None
    after.stop()


def test_copies_that_are_due_are_made_anew_and_traced(database_url: str, installation: Path) -> None:
    with City(Database(database_url), internal()) as city:
        put(city, installation, PLACES)
        number = published(city)
        put(city, installation, {"A": PLACES["A"]})
        with psycopg.connect(database_url) as conn:
            conn.execute("UPDATE base.publication SET refreshed_at = refreshed_at - interval '1 day'")
        trace = Trace.of(database_url, installation)
        worker = Worker(Database(database_url), internal(), ConfinedReader(), trace)
        try:
            worker.look()
            _await(lambda: _published(database_url) != [])
        finally:
            worker.stop()
            worker.database.close()
        assert [feature["properties"]["name"] for feature in public(city, "open.schools")] == ["第一中学"]
        assert publication(city.database, number).rows == 1
        assert _published(database_url) == [("worker", "base.pois", 1, "refreshed")]


def _published(url: str) -> list[tuple[object, ...]]:
    told = "SELECT who, collection, rows, detail::jsonb ->> 'state' FROM access.trace WHERE event = 'published'"
    with psycopg.connect(url) as conn:
        return conn.execute(told).fetchall()
