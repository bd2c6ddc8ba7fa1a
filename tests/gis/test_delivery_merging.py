"""A register after much of it changed at once: compact, indexed as before, its past unchanged; where facts are from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gis.exchange.delivery import fold
from gis.exchange.delivery.facts import facts
from gis.exchange.registers import PERSONS_DELIVERED
from gis.store.database import connect
from tests.gis.deliveries import Desk, citizen_id, day, line, write_csv

INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'base.persons'::regclass ORDER BY 1"
PAGES = "SELECT pg_relation_size('base.persons'), (SELECT count(*) FROM base.persons)"
KNOWN = "SELECT household, count(*) FROM base.persons_all WHERE rec_from <= %s AND rec_to > %s GROUP BY 1 ORDER BY 1"
PEOPLE = range(2_500)


@pytest.fixture
def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    made = Desk(database_url, tmp_path)
    yield made
    made.city.close()


def edition(desk: Desk, number: int, household: str, **said: str) -> Path:
    path = desk.folder / f"edition_{number}.csv"
    lines = [line(n, {"name": "张三", "household": household, **said}, start=day(0)) for n in PEOPLE]
    write_csv(path, lines, full=True)
    return path


def test_five_versions_of_every_row_leave_no_holes_and_the_same_indexes(desk: Desk) -> None:
    desk.deliver(edition(desk, 0, "H0"), "police", day(1), full=True)
    indexes, once = desk.rows(INDEXES), desk.rows(PAGES)
    for number in range(1, 5):
        done = desk.deliver(edition(desk, number, f"H{number}"), "police", day(1 + number), full=True)
        assert done.rows.accepted == len(PEOPLE)
    assert desk.rows(INDEXES) == indexes
    assert desk.rows(PAGES) == once
    for epoch in range(1, 6):
        assert desk.rows(KNOWN, epoch, epoch) == [(f"H{epoch - 1}", len(PEOPLE))]


def test_a_few_changes_are_made_in_place(desk: Desk) -> None:
    desk.deliver(edition(desk, 0, "H0"), "police", day(1), full=True)
    (before,) = desk.rows("SELECT 'base.persons'::regclass::oid")
    stand = "SELECT fid, (ctid::text::point)[0] FROM base.persons ORDER BY fid"
    places, pages = desk.rows(stand), desk.rows(PAGES)
    few = desk.folder / "few.csv"
    write_csv(few, [line(n, {"name": "张三", "household": "H9"}, start=day(0)) for n in range(9)], full=False)
    assert desk.deliver(few, "police", day(2), full=False).rows.accepted == 9
    assert desk.rows("SELECT 'base.persons'::regclass::oid") == [before]
    assert desk.rows("SELECT household, count(*) FROM base.persons GROUP BY 1 ORDER BY 1") == [("H0", 2_491), ("H9", 9)]
    assert desk.rows(stand) == places, "a row stays on its page, which has room for it"
    assert desk.rows(PAGES) == pages


def test_rows_begin_end_and_change_at_once(desk: Desk) -> None:
    """In one delivery someone new, someone gone, someone who moved on a day, someone said otherwise since ever."""
    desk.deliver(edition(desk, 0, "H0"), "police", day(1), full=True)
    path = desk.folder / "mixed.csv"
    rows = [line(n, {"name": "张三", "household": "H0"}, start=day(0)) for n in range(2, len(PEOPLE))]
    rows[0] = line(2, {"name": "张三", "household": "H2"}, start=day(0))
    rows[1] = line(3, {"name": "张三", "household": "H3"}, start=day(2))
    write_csv(path, [line(9_999, {"name": "李四", "household": "H9"}, start=day(0)), *rows], full=True)
    desk.deliver(path, "police", day(3), full=True)
    found = desk.rows("SELECT household, valid_to = 'infinity', count(*) FROM base.persons GROUP BY 1, 2 ORDER BY 1, 2")
    assert found == [("H0", False, 3), ("H0", True, 2_496), ("H2", True, 1), ("H3", True, 1), ("H9", True, 1)]
    assert desk.rows("SELECT count(*) FROM base.persons_past") == [(4,)]
    assert desk.rows(KNOWN, 1, 1) == [("H0", len(PEOPLE))]


def test_what_a_few_are_told_is_read_without_reading_all_claims(desk: Desk, database_url: str) -> None:
    desk.deliver(edition(desk, 0, "H0"), "police", day(1), full=True)
    with connect(database_url) as conn:
        fold.touch(conn, "SELECT fid FROM base.persons ORDER BY fid LIMIT 200")
        spoken = next(s for s in fold._spoken(PERSONS_DELIVERED) if "spoken" in s)
        plan = "\n".join(row[0] for row in conn.execute(f"EXPLAIN (COSTS OFF) {spoken}"))
        conn.rollback()
    assert "Tid Scan on base_persons_claim" in plan
    assert "Seq Scan on base_persons_claim" not in plan


def test_each_fact_tells_its_word_its_rule_and_the_other_words(desk: Desk) -> None:
    desk.deliver(edition(desk, 0, "H0", sex="男"), "police", day(1), full=True)
    other = desk.folder / "other.csv"
    write_csv(other, [line(7, {"name": "张三", "household": "H1", "marital_status": "single"})], full=False)
    second = desk.deliver(other, "civil_affairs", day(2), full=False)
    assert second.reasons == {"conflict": 1}
    fid = desk.fids([citizen_id(7)])[citizen_id(7)]
    found = {f.item: f for f in facts(desk.city.database, "base.persons", fid) if f.valid_to is None}
    household, married = found["household"], found["marital_status"]
    assert (household.value, household.word and household.word.department) == ("H0", "police")
    assert [(w.department, w.value, w.row) for w in household.others] == [("civil_affairs", "H1", 2)]
    assert "police > civil_affairs" in household.rule.en
    assert (married.value, married.word and married.word.delivery, married.others) == ("single", second.id, ())
    assert facts(desk.city.database, "base.persons", 1) == []
