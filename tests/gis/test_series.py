"""Measured collections: the newest value of each feature by the register's key, values over a time, figures by bin."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean

import psycopg
import pytest

from gis.access import OWNER
from gis.catalog import Collection, Measured
from gis.city import City
from gis.errors import BadQuery, UnknownName
from gis.exchange.readers import ReadOptions
from gis.geo.area import Box, Circle
from gis.query import coverage
from gis.query import series as question
from gis.query.ask import Ask
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.series import FIGURES, Series
from gis.query.span import Span
from gis.store.cluster import Cluster
from gis.store.database import Database
from tests.conftest import copied_database
from tests.measured_city import (
    CATALOGUE,
    HOURS,
    PATCHY,
    SILENT,
    START,
    STATIONS,
    STOPPED,
    Sizes,
    fid_of,
    fill,
    place_of,
    value_of,
)  # fmt: skip

SIZES = Sizes()
CODES = [f"S{s}" for s in range(SIZES.stations)]


@pytest.fixture(scope="module")
def url(cluster: Cluster, template: str) -> Iterator[str]:
    with copied_database(cluster, template, "series") as made:
        with psycopg.connect(made) as conn:
            fill(conn, SIZES)
        yield made


@pytest.fixture(scope="module")
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def _plan(query: Query) -> Plan:
    return Ask(query=query, identity=OWNER).plan(CATALOGUE)


def _series(time: Span | None = None, names: tuple[str, ...] = (), **more: object) -> Series:
    return Series.of(HOURS, Query(collection=HOURS.id, time=time, **more), _plan, names)  # type: ignore[arg-type]


def _hour(n: int) -> datetime:
    return START + timedelta(hours=n)


def test_the_newest_value_of_each_station_is_its_last_row(database: Database) -> None:
    rows = {row[2]: row[5:] for row in database.rows(question.latest(_series(), 100))}
    assert set(rows) == set(CODES)
    start, end, pm25, temperature, *beside = rows["S1"]
    assert (start, end) == (_hour(47), _hour(48))
    assert (pm25, temperature) == value_of(1, 47)
    assert beside == [0.5, 60, "good"]
    assert rows[f"S{STOPPED}"][0] == _hour(23)
    assert set(rows[f"S{SILENT}"]) == {None}


def test_hours_in_which_what_is_asked_was_not_measured_are_passed_over(database: Database) -> None:
    rows = {row[2]: row[5:] for row in database.rows(question.latest(_series(names=("pm25_ugm3",)), 100))}
    assert rows[f"S{PATCHY}"] == (_hour(43), _hour(44), value_of(PATCHY, 43)[0])  # type: ignore[index]


def test_the_newest_value_is_that_of_the_time_asked_for(database: Database) -> None:
    rows = {row[2]: row[5:] for row in database.rows(question.latest(_series(Span.at(_hour(10))), 100))}
    assert rows["S2"][0] == _hour(10)
    before = database.rows(question.latest(_series(Span.at(_hour(-1))), 100))
    assert {row[5] for row in before} == {None}


def test_an_area_narrows_the_stations(database: Database) -> None:
    lon, lat = place_of(4)
    rows = database.rows(question.latest(_series(area=Circle(lon, lat, 1_200)), 100))
    assert {row[2] for row in rows} == {"S3", "S4", "S5"}


def test_values_over_a_time_are_the_rows_that_hold_in_it(database: Database) -> None:
    span = Span(_hour(5), _hour(9))
    found = coverage.read(_series(span), database.rows(question.over_time(_series(span), 100, 1_000)))
    assert {one.told["code"] for one in found} == set(CODES) - {f"S{SILENT}"}
    one = next(one for one in found if one.told["code"] == "S2")
    assert one.times == [_hour(n) for n in range(5, 9)]
    assert one.values["pm25_ugm3"] == [value_of(2, n)[0] for n in range(5, 9)]  # type: ignore[index]
    assert (one.fid, (one.lon, one.lat)) == (fid_of("S2"), pytest.approx(place_of(2)))


BINS = [("hour", 1, 48), ("day", 24, 2), ("week", 48, 2), ("month", 48, 1)]


@pytest.mark.parametrize(("by", "hours", "count"), BINS, ids=[b for b, *_ in BINS])
def test_figures_by_bin_are_those_of_the_values_that_began_in_it(
    database: Database, by: question.Bin, hours: int, count: int
) -> None:
    series = _series(names=("pm25_ugm3",))
    rows = [r for r in database.rows(question.bins(series, by, Span(_hour(0), _hour(48)), 100)) if r[1] == "S2"]
    assert len(rows) == count
    for *_, start, end, number, average, least, most in rows:
        values = [value_of(2, n)[0] for n in range(48) if start <= _hour(n) < end]  # type: ignore[index]
        assert (number, average, least, most) == (len(values), pytest.approx(mean(values)), min(values), max(values))  # type: ignore[type-var, arg-type]
    assert sum(row[-4] for row in rows) == 48


def test_a_bin_without_values_is_told_as_one(database: Database) -> None:
    rows = database.rows(question.bins(_series(names=("pm25_ugm3",)), "hour", Span(_hour(40), _hour(50)), 100))
    by_code = {code: [r[-len(FIGURES) :] for r in rows if r[1] == code] for code in CODES}
    assert all(len(bins) == 10 for bins in by_code.values())
    assert by_code[f"S{SILENT}"] == [(0, None, None, None)] * 10
    assert [bins[0] for bins in by_code["S1"]] == [1] * 8 + [0] * 2


def test_days_are_those_of_shanghai(database: Database) -> None:
    rows = database.rows(question.bins(_series(), "day", Span.parse("2026-03-01/2026-03-02"), 100))
    starts = {row[4] for row in rows}
    assert starts == {datetime(2026, 2, 28, 16, tzinfo=UTC), datetime(2026, 3, 1, 16, tzinfo=UTC)}


def test_the_newest_values_cost_by_the_feature_not_by_the_length_of_the_series(database_url: str) -> None:
    def buffers(hours: int) -> int:
        with psycopg.connect(database_url) as conn:
            conn.execute("DROP SCHEMA IF EXISTS trial CASCADE")
            fill(conn, Sizes(30, hours))
            conn.execute("SET max_parallel_workers_per_gather = 0")
            asked = question.latest(_series(), 100)
            (found,) = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked.sql}", asked.args).fetchone() or (
                [],
            )
            plan = found[0]["Plan"]
            assert "Index Scan" in str(plan)
            return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    assert buffers(2_000) <= 1.6 * buffers(100)


def test_a_feature_and_its_measurements_have_one_number(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url) as conn:
        fill(conn, Sizes(0, 0))
    (tmp_path / "stations.csv").write_text(
        "code,name,height_m,lon,lat\nA1,甲,3,116.5,31.7\nA2,乙,4,116.6,31.7\n", "utf-8"
    )
    (tmp_path / "hours.csv").write_text(
        "code,pm25_ugm3,valid_from,valid_to\nA1,12,2026-03-01T00:00:00+08:00,2026-03-01T01:00:00+08:00\n"
        "A1,15,2026-03-01T01:00:00+08:00,2026-03-01T02:00:00+08:00\n",
        "utf-8",
    )
    with City(Database(database_url), CATALOGUE) as city:
        city.load(tmp_path / "stations.csv", STATIONS.id, read=ReadOptions(crs="EPSG:4326"))
        city.load(tmp_path / "hours.csv", HOURS.id)
        rows = {row[2]: row[7] for row in city.database.rows(question.latest(_series(), 10))}
        held = {h.collection.id: h for h in city.here(Box(116.4, 31.6, 116.55, 31.8), lon=116.5, lat=31.7).held}
    assert rows == {"A1": 15.0, "A2": None}
    (one,) = held[STATIONS.id].nearest
    assert one["measured"][HOURS.id]["pm25_ugm3"] == 15.0


def test_another_parameter_is_refused_by_name() -> None:
    with pytest.raises(UnknownName) as refused:
        _series(names=("ozone_ugm3",))
    assert refused.value.subject == "parameter-name"


def test_what_is_not_measured_has_no_series() -> None:
    with pytest.raises(BadQuery):
        Series.of(STATIONS, Query(collection=STATIONS.id), _plan)


BROKEN = [
    ("no parameter", {"measured": Measured(of="trial.stations", parameters=())}),
    ("a parameter that is no number", {"measured": Measured(of="trial.stations", parameters=("quality",))}),
    ("no key", {"key": ()}),
    ("no time", {"timed": False}),
]


@pytest.mark.parametrize("changed", [c for _, c in BROKEN], ids=[n for n, _ in BROKEN])
def test_a_declaration_under_which_no_series_could_be_found_is_refused(changed: dict[str, object]) -> None:
    declared = {name: getattr(HOURS, name) for name in ("id", "title", "description", "geometry", "fields", "style")}
    whole = {**declared, "key": HOURS.key, "measured": HOURS.measured, **changed}
    with pytest.raises(ValueError, match="measured collection"):
        Collection(**whole)
