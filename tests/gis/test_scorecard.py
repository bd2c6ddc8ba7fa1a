"""The scorecard: each score by its definition, the published numbers, the use that is counted, the map by division."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.access import PUBLIC
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import OneMapError, Unavailable
from gis.exchange.directory import apply
from gis.exchange.directory.overdue import today
from gis.exchange.directory.words import Period
from gis.exchange.scorecard import (
    SCORES,
    Scorecard,
    Tally,
    page,
    publish,
    record_use,
    record_uses,
    scorecard,
)
from gis.exchange.scorecard import scores as score
from gis.exchange.scorecard.use import Asked, used
from gis.store.database import Database
from layers import LAYERS
from tests.gis.directory_files import deliver, written

CATALOGUE = Catalogue(LAYERS)
UNTIL = date(2026, 6, 30)
SINCE = UNTIL - timedelta(days=364)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A city with a small directory."""
    held = Database(database_url)
    apply(held, CATALOGUE, written(tmp_path))
    yield held
    held.close()


def of(card: Scorecard, code: str) -> dict[str, Any]:
    """The line of a class or department, as JSON."""
    lines = [*card.departments, *card.classes]
    return next(line.as_dict() for line in lines if code in (line.information_class, line.department))


def values(line: dict[str, Any]) -> dict[str, float | None]:
    return {name: line[name]["value"] for name in SCORES}


@pytest.mark.parametrize(
    ("rows", "facts", "items", "expected"),
    [(0, 0, 5, 0.0), (0, 0, 0, None), (10, 50, 5, 100.0), (10, 25, 5, 50.0), (10, 99, 5, 100.0)],
)
def test_quantity(rows: int, facts: int, items: int, expected: float | None) -> None:
    assert score.quantity(rows, facts, items) == expected


@pytest.mark.parametrize(
    ("rows", "returned", "reasons", "expected"),
    [
        (0, 0, {}, None),
        (100, 0, {}, 100.0),
        (100, 10, {"form": 10}, 90.0),
        (100, 10, {"conflict": 10}, 95.0),
        (100, 10, {"address_coarse": 8, "duplicate": 2}, 96.0),
        (100, 10, {"of_another_time": 10}, 90.0),
        (100, 10, {}, 90.0),
        (10, 10, {"missing": 10, "form": 10}, 0.0),
    ],
)
def test_quality(rows: int, returned: int, reasons: dict[str, int], expected: float | None) -> None:
    assert score.quality(rows, returned, reasons) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("period", "begins", "delivered", "expected"),
    [
        (Period.DAILY, SINCE, [], 0.0),
        (Period.IRREGULAR, SINCE, [], None),
        (Period.YEARLY, SINCE, [SINCE], 100.0),
        (Period.YEARLY, SINCE, [SINCE - timedelta(days=300)], 100 * 66 / 365),
        (Period.ONCE, SINCE, [SINCE - timedelta(days=3000)], 100.0),
        (Period.DAILY, UNTIL - timedelta(days=3), [UNTIL - timedelta(days=1)], 50.0),
        (Period.WEEKLY, SINCE, [UNTIL + timedelta(days=1)], 0.0),
        (Period.WEEKLY, UNTIL + timedelta(days=1), [], None),
        (Period.WEEKLY, SINCE, [SINCE, SINCE, SINCE + timedelta(days=3)], 100 * 11 / 365),
    ],
)
def test_timeliness(period: Period, begins: date, delivered: list[date], expected: float | None) -> None:
    assert score.timeliness(period, begins, delivered, SINCE, UNTIL) == pytest.approx(expected)


DAYS = st.dates(SINCE - timedelta(days=400), UNTIL + timedelta(days=30))


@given(st.sampled_from(list(Period)), st.lists(DAYS, max_size=12), DAYS)
def test_timeliness_is_what_counting_day_by_day_gives(period: Period, delivered: list[date], begins: date) -> None:
    first = max(SINCE, begins)
    days = [first + timedelta(days=n) for n in range((UNTIL - first).days + 1)]
    expected = None
    if days and period is not Period.IRREGULAR:
        fresh = [d for d in days if any(one <= d <= (period.due_after(one) or d) for one in delivered)]
        expected = 100 * len(fresh) / len(days)
    assert score.timeliness(period, begins, delivered, SINCE, UNTIL) == pytest.approx(expected)


@given(
    st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 100),
    st.dictionaries(st.sampled_from([*score.WEIGHTS, "new"]), st.integers(0, 10**9)),
)  # fmt: skip
def test_no_score_leaves_its_range(rows: int, facts: int, items: int, reasons: dict[str, int]) -> None:
    for value in (score.quantity(rows, facts, items), score.quality(rows, facts, reasons)):
        assert value is None or 0 <= value <= 100


def test_without_deliveries_there_is_nothing_but_what_is_owed(database: Database) -> None:
    card = scorecard(database, on=UNTIL)
    assert values(of(card, "GA001")) == {"quantity": 0.0, "quality": None, "timeliness": 0.0, "use": 0.0}
    assert values(of(card, "market")) == dict.fromkeys(SCORES)
    assert of(card, "market")["quality"]["n"] == 0


def test_a_class_is_scored_by_its_own_departments_deliveries(database: Database, conn: psycopg.Connection) -> None:
    deliver(conn, "base.persons", "police", "2026-06-20", rows=100, facts=150, returned=10,
            reasons={"check_digit": 6, "conflict": 4})  # fmt: skip
    deliver(conn, "base.persons", "police", "2024-02-01", rows=9)
    deliver(conn, "base.persons", "police", "2026-06-25", state="failed")
    deliver(conn, "base.persons", "police", "2026-07-01")
    deliver(conn, "base.persons", "market", "2026-06-20")
    line = of(scorecard(database, on=UNTIL), "GA001")
    assert line["rows"] == {"delivered": 100, "accepted": 90, "unchanged": 0, "returned": 10}
    assert (line["deliveries"], line["accepted_share"]) == (1, 0.9)
    # three items, 11 of 365 days, 6 rows wrong and 4 in dispute
    assert values(line) == {"quantity": 50.0, "quality": 92.0, "timeliness": 3.0, "use": 0.0}
    assert line["quality"] | {"inputs": ""} == {
        "value": 92.0, "unit": "1", "range": [0, 100], "precision": 0.1, "n": 100, "counted": "rows", "inputs": "",
        "standard": "onemap.scorecard/1", "privacy": "aggregate", "since": "2025-07-01", "until": "2026-06-30",
    }  # fmt: skip


def test_equal_inputs_have_equal_digests_and_others_do_not(database: Database, conn: psycopg.Connection) -> None:
    deliver(conn, "base.persons", "police", "2026-06-20")
    first, again = (of(scorecard(database, on=UNTIL), "GA001") for _ in range(2))
    assert first == again
    deliver(conn, "base.persons", "police", "2026-06-21")
    assert of(scorecard(database, on=UNTIL), "GA001")["quality"]["inputs"] != first["quality"]["inputs"]


def test_a_department_is_the_mean_of_its_classes_and_counts_a_shared_delivery_once(
    database: Database, conn: psycopg.Connection
) -> None:
    deliver(conn, "base.persons", "civil_affairs", "2026-06-20", rows=50, facts=25)
    deliver(conn, "WJ001", "health", "2026-06-29", rows=10, facts=0)
    card = scorecard(database, on=UNTIL)
    assert of(card, "civil_affairs")["rows"]["delivered"] == 50
    for department, own in (("civil_affairs", "MZ001"), ("health", "WJ001")):
        assert values(of(card, department)) == values(of(card, own))
        assert of(card, department)["quality"]["counted"] == "classes"


def test_use_is_by_those_who_want_it(database: Database) -> None:
    day = UNTIL - timedelta(days=3)
    asked = {("police", "base.persons"): Asked(7, 70), ("planner", "base.persons"): Asked(2, 20)}
    record_uses(database, asked, day=day)
    record_uses(database, {("planner", "base.persons"): Asked(1, 5)}, day=day)
    record_uses(database, {("health", "base.persons"): Asked(9, 9)}, day=SINCE - timedelta(days=1))
    line = of(scorecard(database, on=UNTIL), "GA001")
    assert line["use"]["value"] == 50.0  # the planner asked; health requested an item and did not ask
    assert line["asked"] == {"planner": {"questions": 3, "rows": 25}}
    # to civil affairs, the police is a consumer like others
    assert of(scorecard(database, on=UNTIL), "MZ001")["asked"].keys() == {"planner", "police"}


def test_use_of_several_writers_adds_up(database: Database) -> None:
    tally = Tally()
    with ThreadPoolExecutor(4) as pool:
        for n in range(200):
            pool.submit(tally.count, f"c{n % 3}", "base.pois", 2)
            if n % 20 == 0:
                pool.submit(tally.write, database)
    tally.write(database)
    tally.write(database)
    record_use(database, "c0", "base.pois")
    found = used(database, today(), today())["base.pois"]
    assert sum((one for one in found.values()), Asked()) == Asked(201, 400)


def test_what_could_not_be_written_is_kept(database: Database) -> None:
    tally, away = Tally(), Database("postgresql://nobody@127.0.0.1:1/none")
    tally.count("c", "base.pois", 3)
    with pytest.raises(Unavailable):
        tally.write(away)
    tally.write(database)
    assert used(database, today(), today()) == {"base.pois": {"c": Asked(1, 3)}}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_has_a_row_for_each_department_and_class(database: Database, language: Any) -> None:
    content = page(scorecard(database, on=UNTIL), language)
    assert [r["code"] for r in content["rows"]] == [
        "civil_affairs", "MZ001", "health", "WJ001", "market", "police", "GA001", "real_estate",
    ]  # fmt: skip
    assert {column["name"] for column in content["columns"]} <= {"department", *content["rows"][0]}
    assert {d["name"] for d in content["definitions"]} == set(SCORES)


# the map

TOWNS = {
    "341502001000": ("中市街道", 116.0),
    "341502002000": ("东市街道", 116.1),
    "341502003000": ("三里桥街道", 116.2),
}


@pytest.fixture
def city(database: Database, conn: psycopg.Connection, tmp_path: Path) -> City:
    """Three streets; dwellings in two of them and in none."""
    city = City(database, CATALOGUE)
    frame = gpd.GeoDataFrame(
        {"code": list(TOWNS), "name": [name for name, _ in TOWNS.values()]},
        geometry=[shapely.box(west, 31.0, west + 0.1, 31.1) for _, west in TOWNS.values()],
        crs="EPSG:4326",
    )
    frame.to_parquet(tmp_path / "divisions.parquet")
    city.load(tmp_path / "divisions.parquet", "base.divisions")
    for fid, division in enumerate([341502001003] * 40 + [341502002001] * 20 + [341502003001] * 3 + [None] * 5):
        conn.execute(
            "INSERT INTO base.dwellings (fid, rec_from, digest, load, division, code, building)"
            " VALUES (%s, 1, 1, 1, %s, %s, 'b')",
            (fid, division, f"d{fid}"),
        )
    conn.commit()
    return city


def test_publish_counts_rows_and_returned_rows_by_street(city: City, conn: psycopg.Connection) -> None:
    number = deliver(conn, "base.dwellings", "real_estate", "2026-06-20")
    for fid, item in ((0, "area_m2"), (0, "use"), (1, "use"), (45, "use"), (66, "use"), (999, "")):
        raise_task(conn, number, fid, item)
    raise_task(conn, number, 2, "use", state="answered")
    done = publish(city.database, city.catalogue)
    assert done.as_dict() == {
        "divisions": 2, "rows": 60, "returned": 3, "unplaced": 5, "unplaced_returned": 2, "withheld": 3, "shapeless": 0,
    }  # fmt: skip
    frame = city.ask("exchange.scorecard").frame().sort_values("code")
    assert frame["code"].tolist() == ["341502001000", "341502002000"]
    assert frame[["rows", "returned", "quality"]].values.tolist() == [[40, 2, 95.0], [20, 1, 95.0]]
    assert set(frame["grade"]) == {"fair"}
    assert frame.geometry.iloc[0].equals(shapely.box(116.0, 31.0, 116.1, 31.1))


def raise_task(conn: psycopg.Connection, delivery: int, fid: int, item: str, state: str = "open") -> None:
    conn.execute(
        "INSERT INTO exchange.returned (register, department, delivery, src_row, fid, item, reason, text_zh, text_en,"
        " raised_by, due_on, state) VALUES ('base.dwellings', 'real_estate', %s, 1, %s, %s, 'conflict', '退回',"
        " 'returned', %s, '2030-01-01', %s)",
        (delivery, fid, item, delivery, state),
    )
    conn.commit()


def test_publishing_again_keeps_what_was(city: City, conn: psycopg.Connection) -> None:
    publish(city.database, city.catalogue)
    (before,) = conn.execute("SELECT clock_timestamp()").fetchone() or (None,)
    conn.execute("DELETE FROM base.dwellings WHERE fid BETWEEN 5 AND 34")
    conn.commit()
    publish(city.database, city.catalogue)
    now = city.ask("exchange.scorecard?filter=name='中市街道'").frame()
    then = city.ask(f"exchange.scorecard?filter=name='中市街道'&as-of={before.isoformat().replace('+', '%2B')}").frame()
    assert (now["rows"].tolist(), then["rows"].tolist()) == ([10], [40])


def test_nothing_to_publish(database: Database) -> None:
    assert set(publish(database, CATALOGUE).as_dict().values()) == {0}


def test_anyone_may_see_the_map_of_scores_and_nobody_the_persons_behind_it(city: City) -> None:
    publish(city.database, city.catalogue)
    public = City(city.database, city.catalogue, PUBLIC)
    assert len(public.ask("exchange.scorecard").frame()) == 2
    with pytest.raises(OneMapError):
        public.ask("base.dwellings").frame()
