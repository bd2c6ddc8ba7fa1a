"""A file that comes again: what is remembered of its rows, which row a task names, and how often it is tried."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import Conflict
from gis.exchange.delivery import records, repeated, work, work_pending
from gis.exchange.delivery.account import Account, DeliveryOptions
from gis.exchange.delivery.reading import Reading
from gis.exchange.delivery.remembered import Memories, Remembered, fingerprints
from gis.exchange.delivery.work import ATTEMPTS
from tests.gis.deliveries import REGISTER, Desk, citizen_id, day, faulty, line, write_csv
from tests.gis.delivery_histories import Batch, Chronicle

SEED = 7
TEXTS = st.lists(st.tuples(*[st.text("ab\x1e\x1f,", max_size=3)] * 2), min_size=1, max_size=30)


@pytest.fixture
def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    made = Desk(database_url, tmp_path)
    yield made
    made.city.close()


@given(TEXTS)
def test_rows_have_one_fingerprint_when_all_their_cells_are_alike(rows: list[tuple[str, str]]) -> None:
    table = pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=["a", "b"])
    found = fingerprints(table, SEED)
    if any(mark in cell for row in rows for cell in row for mark in "\x1e\x1f"):
        assert found is None
    else:
        assert found is not None
        assert len(set(found.tolist())) == len(set(rows))
        assert (found == fingerprints(table, SEED)).all()
        assert not (found == fingerprints(table, SEED + 1)).any()


@pytest.mark.parametrize(
    "column", [pa.array([1]), pa.array([None], pa.string()), pa.array([["a"]]), pa.array(["a"], pa.large_string())]
)
def test_only_texts_have_fingerprints(column: pa.Array) -> None:
    assert fingerprints(pa.table({"a": column}), SEED) is None


def test_a_memory_is_kept_for_one_layout_and_taken_over_by_the_next(tmp_path: Path) -> None:
    memories = Memories(tmp_path / "memory", REGISTER, "police")
    prints, read = np.array([30, 10, 20]), Remembered(np.array([3, 1, 2]), np.array([-3, -1, -2]), np.array([9, 7, 8]))
    first = memories.of("columns a, b")
    first.add(prints, read)
    first.keep()
    kept = memories.of("columns a, b")
    at = kept.find(np.array([20, 5, 30]))
    assert (at >= 0).tolist() == [True, False, True]
    told = kept.told(at[at >= 0])
    assert (told.fids.tolist(), told.digests.tolist(), told.facts.tolist()) == ([2, 3], [-2, -3], [8, 9])
    assert (replace(memories, idle=True).of("columns a, b").find(prints) < 0).all()
    other = memories.of("columns b, a")
    assert (other.find(prints) < 0).all()
    other.add(prints[:1], read.take(np.array([True, False, False])))
    other.keep()
    assert (memories.of("columns a, b").find(prints) < 0).all()
    assert len(list((tmp_path / "memory").iterdir())) == 1


def test_a_memory_that_is_damaged_is_none(tmp_path: Path) -> None:
    memory = Memories(tmp_path, REGISTER, "police").of("a")
    memory.add(np.array([1]), Remembered(np.array([1]), np.array([1]), np.array([1])))
    memory.keep()
    memory.path.write_bytes(memory.path.read_bytes()[:-9])
    assert Memories(tmp_path, REGISTER, "police").of("a").find(np.array([1])).tolist() == [-1]


def test_rows_whose_text_stands_are_not_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.folder / "police.csv"
    people = [line(n, {"name": f"甲{n}", "household": f"H{n}"}) for n in range(200)]
    write_csv(path, people, full=True)
    first = desk.deliver(path, "police", day(1), full=True)
    assert first.rows == Account(200, 200, 0, 0)
    read: list[int] = []
    said = Reading._said
    monkeypatch.setattr(Reading, "_said", lambda *args, **more: read.append(len(args[1])) or said(*args, **more))
    changed = [*people[:-2], line(198, {"name": "甲198", "household": "H0"}), faulty("bad_date", people[199], 199)]
    write_csv(path, [*changed, people[5]], full=True)
    again = desk.deliver(path, "police", day(2), full=True)
    # of what the file tells twice both rows are read
    assert read == [3]
    assert (again.rows.accepted, again.rows.unchanged, again.rows.returned) == (1, 197 + 1, 2)
    assert again.reasons == {"bad_date": 1, "duplicate": 1}
    assert again.ended == 0
    desk.assert_adds_up(again)


def test_without_its_memory_a_file_comes_to_the_same_end(desk: Desk) -> None:
    path = desk.folder / "police.csv"
    write_csv(path, [line(n, {"name": f"甲{n}"}) for n in range(50)], full=True)
    found = []
    for number in (1, 2, 3):
        done = desk.deliver(path, "police", day(number), full=True)
        found.append((done.rows, done.facts, desk.spans()))
        for kept in (desk.folder / "home" / "deliveries").rglob("*.npy"):
            kept.unlink()
    assert found[1] == found[2]
    assert found[1][0] == Account(50, 0, 50, 0)


def test_a_task_names_the_row_in_which_a_word_was_said_last(desk: Desk) -> None:
    chronicle = Chronicle(desk)
    both = tuple(line(n, {"name": "张三"}) for n in (0, 1))
    other = (line(2, {"name": "张三"}), *both[::-1])
    ended = tuple(line(n, {}, deletes=True) for n in (0, 1))
    steps = [
        Batch("police", 1, True, both), Batch("police", 2, False, ended[:1]),
        Batch("civil_affairs", 3, True, both), Batch("civil_affairs", 4, True, other),
        Batch("police", 5, False, ended[1:]),
    ]  # fmt: skip
    for step in steps:
        chronicle.take(step)
        chronicle.compare()
    row = {(t.delivery, t.row) for t in desk.tasks() if t.reason == "ended" and t.entity == key(desk, 1)}
    assert row == {(chronicle.ids[3], 3)}
    chronicle.withdraw(4)
    chronicle.compare()
    row = {(t.delivery, t.row) for t in desk.tasks() if t.reason == "ended" and t.entity == key(desk, 1)}
    assert row == {(chronicle.ids[2], 3)}


def key(desk: Desk, person: int) -> str:
    return str(desk.fids([citizen_id(person)])[citizen_id(person)])


def test_repeats_are_found_in_the_parts_that_may_hold_them(conn: psycopg.Connection) -> None:
    conn.execute(
        "INSERT INTO exchange.delivery (id, register, department, mode, edition, file, file_sha256, spool, received_by)"
        " VALUES (1, 'r', 'd', 'full', now(), 'f', '', '', '')"
    )
    fids = np.random.default_rng(1).permutation(20_000) * 3
    repeated.keep(conn, 1, fids, np.arange(20_000) + 2)
    wanted = np.array([59_997, 3, 4, 30_000, 70_000, -1])
    found, rows = repeated.among(conn, 1, wanted)
    place = {int(fid): row for row, fid in enumerate(fids, 2)}
    assert found.tolist() == [3, 30_000, 59_997]
    assert rows.tolist() == [place[fid] for fid in found.tolist()]
    assert not len(repeated.among(conn, 2, wanted)[0])


def test_a_delivery_that_kills_its_worker_is_given_up(desk: Desk) -> None:
    path = desk.folder / "police.csv"
    write_csv(path, [line(0, {"name": "张三"})], full=True)
    city = desk.city
    number = records.receive(city.database, REGISTER, path, "police", DeliveryOptions(edition=day(1)))
    with psycopg.connect(desk.url, autocommit=True) as conn:
        assert [records.take_up(conn, number) for _ in range(2)] == [1, 2]
        records.put_back(desk.url, [number])
        assert [records.take_up(conn, number) for _ in range(ATTEMPTS)] == [1, 2, 3]
    with pytest.raises(Conflict, match="died 3 times"):
        work(city.database, city.catalogue, number)
    (state,) = desk.rows("SELECT state, error ->> 'zh' FROM exchange.delivery")
    assert state[0] == "failed"
    assert "3 次" in state[1]
    assert list(work_pending(city.database, city.catalogue)) == []


def test_a_delivery_whose_worker_died_twice_is_taken_in(desk: Desk) -> None:
    path = desk.folder / "police.csv"
    write_csv(path, [line(0, {"name": "张三"})], full=True)
    city = desk.city
    number = records.receive(city.database, REGISTER, path, "police", DeliveryOptions(edition=day(1)))
    with psycopg.connect(desk.url, autocommit=True) as conn:
        assert [records.take_up(conn, number) for _ in range(ATTEMPTS - 1)] == [1, 2]
    (done,) = work_pending(city.database, city.catalogue)
    assert (done.state, done.rows) == ("done", Account(1, 1, 0, 0))
    assert "attempts" not in done.findings
