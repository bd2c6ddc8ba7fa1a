"""Files become versions: nothing twice, nothing lost, and what was known once stays known."""

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.catalog import Catalogue
from gis.city import City
from gis.errors import BadInput, Conflict, UnknownName
from gis.query.ask import Ask
from gis.query.query import Query
from gis.store.database import Database
from layers import LAYERS

Edition = dict[str, tuple[str, float, float]]
KEYS = st.sampled_from([f"P{i}" for i in range(8)])
PLACES = st.tuples(st.sampled_from(["学校", "医院", "'; drop", 'a\\b"\nc']), st.floats(116, 117), st.floats(31, 32))


@pytest.fixture
def city(database_url: str) -> Any:
    with City(Database(database_url), Catalogue(LAYERS)) as opened:
        yield opened


def pois_file(folder: Path, edition: Edition, name: str = "pois.geojson") -> Path:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"编码": code, "名称": title},
        }
        for code, (title, lon, lat) in edition.items()
    ]
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8")
    return path


def state(city: City, as_of: datetime | None = None) -> Edition:
    """What the city says of the points, by code."""
    found = city.ask(Query(collection="base.pois", as_of=as_of)).geojson()["features"]
    assert len({f["id"] for f in found}) == len(found)
    return {f["properties"]["code"]: (f["properties"]["name"], *f["geometry"]["coordinates"]) for f in found}


ONE: Edition = {"A": ("甲", 116.5, 31.7), "B": ("乙", 116.6, 31.8), "C": ("丙", 116.7, 31.9)}


def test_the_same_file_again_changes_nothing(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, ONE)
    first = city.load(path, "base.pois")
    fids = {f["id"] for f in city.ask("base.pois").geojson()["features"]}
    again = city.load(path, "base.pois")
    assert (first.changes.new, again.changes.new, again.changes.unchanged) == (3, 0, 3)
    assert {f["id"] for f in city.ask("base.pois").geojson()["features"]} == fids
    with psycopg.connect(city.database.url) as conn:
        assert conn.execute("SELECT count(*) FROM core.epoch").fetchone() == (1,)
        assert conn.execute("SELECT count(*) FROM base.pois_past").fetchone() == (0,)


def test_what_is_near_on_the_map_is_near_on_the_disk(city: City, tmp_path: Path) -> None:
    """In the order of their cells, whatever that of the file is; the row's number tells that one."""
    places = {f"P{i:02d}": ("甲", 116.0 + (i * 7 % 20) / 20, 31.0 + (i * 13 % 20) / 20) for i in range(20)}
    city.load(pois_file(tmp_path, places), "base.pois")
    with psycopg.connect(city.database.url) as conn:
        rows = conn.execute("SELECT cell, src_row, code FROM base.pois ORDER BY ctid").fetchall()
    assert [cell for cell, *_ in rows] == sorted(cell for cell, *_ in rows)
    by_row = [code for _, code in sorted((number, code) for _, number, code in rows)]
    assert by_row == list(places) != [code for *_, code in rows]


def test_a_changed_file_makes_versions(city: City, tmp_path: Path) -> None:
    city.load(pois_file(tmp_path, ONE), "base.pois")
    before = datetime.now(UTC)
    two = {"A": ("甲", 116.5, 31.7), "B": ("乙二", 116.6, 31.8), "D": ("丁", 116.8, 31.9)}
    report = city.load(pois_file(tmp_path, two), "base.pois")
    assert (report.changes.new, report.changes.changed, report.changes.unchanged, report.changes.closed) == (1, 1, 1, 1)
    assert state(city) == two
    assert state(city, before) == ONE


def test_a_partial_edition_closes_nothing(city: City, tmp_path: Path) -> None:
    city.load(pois_file(tmp_path, ONE), "base.pois")
    city.load(pois_file(tmp_path, {"A": ("改", 116.5, 31.7)}), "base.pois", partial=True)
    assert state(city) == ONE | {"A": ("改", 116.5, 31.7)}


def test_an_edition_without_a_usable_row_closes_nothing(city: City, tmp_path: Path) -> None:
    city.load(pois_file(tmp_path, ONE), "base.pois")
    path = pois_file(tmp_path, {"": ("甲", 116.5, 31.7)})
    report = city.load(path, "base.pois", read=_wgs84())
    assert (report.rejected, report.changes.closed) == (1, 0)
    assert [d.value for d in report.findings.decisions if d.about == "edition"] == ["empty"]
    assert state(city) == ONE


def test_another_dataset_leaves_the_first_alone(city: City, tmp_path: Path) -> None:
    city.load(pois_file(tmp_path, ONE, "police.geojson"), "base.pois")
    city.load(pois_file(tmp_path, {"Z": ("另", 116.1, 31.1)}, "health.geojson"), "base.pois")
    assert state(city).keys() == {"A", "B", "C", "Z"}


def test_rows_given_twice_are_listed_and_the_first_is_kept(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, ONE)
    data = json.loads(path.read_text("utf-8"))
    data["features"].insert(1, data["features"][0] | {"properties": {"编码": "A", "名称": "再"}})
    path.write_text(json.dumps(data), "utf-8")
    for expected_new in (3, 0):
        report = city.load(path, "base.pois")
        assert (report.rows, report.rejected, report.changes.new) == (4, 1, expected_new)
        assert [(r.row, r.reason) for r in report.findings.rejects] == [(2, "duplicate")]
    assert state(city) == ONE
    with psycopg.connect(city.database.url) as conn:
        rejects = conn.execute("SELECT src_row, reason, text_en FROM core.load_reject ORDER BY load").fetchall()
    assert rejects == [(2, "duplicate", "the same feature as row 1, which was kept")] * 2


def test_overlapping_validity_of_one_feature_is_refused(city: City, tmp_path: Path) -> None:
    rows = [("A", "2000-01-01", "2010-01-01"), ("A", "2009-01-01", ""), ("A", "2010-01-01", "2012-01-01")]
    lines = [f"{code},名,116.5,31.7,{start},{end}" for code, start, end in rows]
    path = tmp_path / "pois.csv"
    path.write_text("\n".join(["编码,名称,经度,纬度,启用日期,停用日期", *lines]), "utf-8")
    report = city.load(path, "base.pois", read=_wgs84())
    assert [(r.row, r.reason) for r in report.findings.rejects] == [(3, "overlap")]
    assert report.changes.new == 2


def test_a_scenario_replaces_and_leaves_the_city_as_it_is(city: City, tmp_path: Path) -> None:
    city.load(pois_file(tmp_path, ONE), "base.pois")
    plan = {"A": ("规划学校", 116.5, 31.7), "N": ("新建", 116.55, 31.75)}
    city.load(pois_file(tmp_path, plan, "plan.geojson"), "base.pois", scenario="new-town")
    assert state(city) == ONE
    found = city.ask(Query(collection="base.pois", scenario="new-town")).geojson()["features"]
    assert {f["properties"]["name"] for f in found} == {"规划学校", "乙", "丙", "新建"}


def test_an_unknown_collection_and_a_missing_column_are_named(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, ONE)
    with pytest.raises(UnknownName, match=r"base\.pubs"):
        city.load(path, "base.pubs")
    with pytest.raises(BadInput, match="text"):
        city.load(path, "base.addresses")
    assert city.ask("base.addresses").arrow().num_rows == 0


def test_two_loads_of_one_collection_do_not_run_at_once(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, ONE)
    with psycopg.connect(city.database.url) as conn:
        conn.execute("SELECT pg_advisory_lock(core.lock_key('load', 'base.pois'))")
        with pytest.raises(Conflict, match=r"base\.pois"):
            city.load(path, "base.pois")
    city.load(path, "base.pois")
    assert state(city) == ONE


def test_a_load_waits_for_one_that_is_about_to_end(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, ONE)
    with psycopg.connect(city.database.url, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(core.lock_key('load', 'base.pois'))")
        ending = threading.Timer(0.5, conn.execute, ("SELECT pg_advisory_unlock_all()",))
        ending.start()
        city.load(path, "base.pois")
        ending.join()
    assert state(city) == ONE


def test_the_lock_is_given_back_with_the_answer(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, ONE)
    with psycopg.connect(city.database.url, autocommit=True) as conn:
        for _ in range(3):
            city.load(path, "base.pois")
            assert conn.execute("SELECT pg_try_advisory_lock(core.lock_key('load', 'base.pois'))").fetchone() == (True,)
            conn.execute("SELECT pg_advisory_unlock_all()")


def test_a_load_that_dies_leaves_nothing(city: City, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    path = pois_file(tmp_path, ONE)
    with pytest.raises(KeyboardInterrupt):
        city.load(path, "base.pois", progress=stop)
    assert state(city) == {}
    city.load(path, "base.pois")
    with pytest.raises(KeyboardInterrupt):
        city.load(pois_file(tmp_path, {"Q": ("新", 116.2, 31.2)}), "base.pois", progress=stop)
    assert state(city) == ONE


def test_readers_are_not_blocked_by_a_first_load(city: City, tmp_path: Path) -> None:
    path = pois_file(tmp_path, {f"K{i}": ("名", 116.5, 31.7) for i in range(2_000)})
    seen: list[int] = []
    waits_s: list[float] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            start = time.perf_counter()
            seen.append(city.ask("base.pois?limit=5000").arrow().num_rows)
            waits_s.append(time.perf_counter() - start)

    reader = threading.Thread(target=read)
    reader.start()

    def slowly(count: int, total: int | None) -> None:
        time.sleep(0.5)

    city.load(path, "base.pois", progress=slowly)
    done.set()
    reader.join()
    assert set(seen) <= {0, 2_000}
    assert len(seen) > 5


def test_a_load_right_behind_another_is_not_planned_by_old_statistics(city: City, tmp_path: Path) -> None:
    """The planner then takes the rows of the load before for none; comparing them one by one would take minutes."""
    city.load(pois_file(tmp_path, ONE), "base.pois")
    path = pois_file(tmp_path, {f"K{i}": ("名", 116.5, 31.7) for i in range(20_000)}, "other.geojson")
    took_s = []
    for _ in range(2):
        start = time.perf_counter()
        city.load(path, "base.pois")
        took_s.append(time.perf_counter() - start)
    assert took_s[1] < 4 * took_s[0]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(editions=st.lists(st.dictionaries(KEYS, PLACES, min_size=1, max_size=8), min_size=1, max_size=5))
def test_every_edition_can_be_asked_for_again(city: City, tmp_path: Path, editions: list[Edition]) -> None:
    """Against a model that keeps a copy of each edition."""
    with psycopg.connect(city.database.url, autocommit=True) as conn:
        conn.execute("TRUNCATE base.pois, base.pois_past, base.pois_id, core.epoch, core.load_reject")
    known: list[tuple[datetime, Edition]] = []
    for edition in editions:
        report = city.load(pois_file(tmp_path, edition), "base.pois")
        changes = report.changes
        assert report.rows == changes.new + changes.changed + changes.unchanged + report.rejected == len(edition)
        known.append((datetime.now(UTC), edition))
        for when, then in known:
            assert state(city, when) == then
    assert state(city) == editions[-1]


def _wgs84() -> Any:
    from gis.exchange.readers.source import ReadOptions

    return ReadOptions(crs="EPSG:4326")


def test_an_answer_comes_in_the_crs_that_is_asked_for(city: City, tmp_path: Path) -> None:
    city.load(pois_file(tmp_path, {"A": ("甲", 116.5167665, 31.7357571)}), "base.pois")
    frame = city.ask(Ask(query=Query(collection="base.pois"), crs="EPSG:4548")).frame()
    assert frame.crs.to_epsg() == 4548
    assert (frame.geometry.x.iloc[0], frame.geometry.y.iloc[0]) == pytest.approx((454207.0338, 3512653.5696), abs=1e-3)
