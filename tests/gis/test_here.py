"""What is here: one statement, held to plain SQL over the same registers, to the rights, and to its indexes."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
import shapely

from gis.access import OWNER, PUBLIC, Identity
from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.registers import DELIVERABLES
from gis.geo import cells
from gis.geo.area import Box, Cells, Circle, Division, Shape, Within
from gis.query import here as question
from gis.query.ask import Ask
from gis.query.here import Here
from gis.query.span import Span
from gis.query.surroundings import Held, Surroundings
from gis.store.cluster import Cluster
from gis.store.database import Database
from layers import LAYERS
from tests.bench.here_city import SIZE, SOUTH, WEST, Sizes, fill
from tests.conftest import copied_database
from tests.policies import by_duty

CATALOGUE = by_duty(Catalogue(LAYERS))
LARGE = ("buildings", "dwellings", "persons", "addresses", "entities", "pois")
LON, LAT = WEST + SIZE / 2, SOUTH + SIZE / 2


@pytest.fixture(scope="module")
def here_url(cluster: Cluster, template: str) -> Iterator[str]:
    """A city of registers in small, for reading only."""
    with copied_database(cluster, template, "here") as url:
        with psycopg.connect(url) as conn:
            fill(conn, Sizes.of(0.02))
        yield url


@pytest.fixture(scope="module")
def city(here_url: str) -> Iterator[City]:
    with City(Database(here_url), CATALOGUE) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain(here_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(here_url, autocommit=True) as conn:
        yield conn


def _held(found: Surroundings) -> dict[str, Held]:
    return {h.collection.id: h for h in found.held}


_DISTANCE = "ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography)"


@pytest.mark.parametrize("seed", range(4))
def test_counts_and_the_nearest_are_those_of_plain_sql(city: City, plain: psycopg.Connection, seed: int) -> None:
    rng = random.Random(seed)
    lon, lat, radius_m = WEST + rng.random() * SIZE, SOUTH + rng.random() * SIZE, rng.choice([150, 700, 3_000])
    held = _held(city.here(Circle(lon, lat, radius_m), nearest=5))
    for noun in LARGE:
        rows = plain.execute(
            f"SELECT m, fid FROM (SELECT fid, {_DISTANCE} AS m FROM base.{noun}) d WHERE m <= %s ORDER BY m",
            (lon, lat, radius_m),
        ).fetchall()
        found = held[f"base.{noun}"]
        assert (found.count, found.count_is) == (len(rows), "exact"), noun
        if noun == "persons":
            assert found.nearest == ()
            continue
        assert [one["distance_m"] for one in found.nearest] == pytest.approx([m for m, _ in rows[:5]], abs=0.06), noun


def test_each_kind_has_its_count_and_its_nearest(city: City, plain: psycopg.Connection) -> None:
    found = _held(city.here(Circle(LON, LAT, 3_000)))["base.pois"].kinds
    rows = plain.execute(
        f"SELECT kind, count(*), min(m) FROM (SELECT kind, {_DISTANCE} m FROM base.pois) d WHERE m <= 3000 GROUP BY 1",
        (LON, LAT),
    ).fetchall()
    assert {(k["value"], k["count"]) for k in found} == {(kind, count) for kind, count, _ in rows}
    nearest = {kind: m for kind, _, m in rows}
    assert all(k["nearest"]["distance_m"] == pytest.approx(nearest[k["value"]], abs=0.06) for k in found)


def test_the_bearing_points_to_the_feature(city: City, plain: psycopg.Connection) -> None:
    for one in _held(city.here(Circle(LON, LAT, 3_000), nearest=10))["base.addresses"].nearest:
        (expected,) = plain.execute(
            "SELECT degrees(ST_Azimuth(ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography, geom::geography))"
            " FROM base.addresses WHERE fid = %s",
            (LON, LAT, one["fid"]),
        ).fetchone() or (None,)
        assert one["bearing_deg"] == pytest.approx(expected, abs=0.06)


def test_a_building_tells_its_dwellings_and_who_lives_there(city: City, plain: psycopg.Connection) -> None:
    lon, lat, code = plain.execute(
        "SELECT ST_X(ST_Centroid(geom)), ST_Y(ST_Centroid(geom)), code FROM base.buildings WHERE fid = 7"
    ).fetchone() or (0, 0, "")
    nearest = _held(city.here(Circle(lon, lat, 50)))["base.buildings"].nearest
    related = next(one["related"] for one in nearest if one["properties"]["code"] == code)
    homes = "SELECT code FROM base.dwellings WHERE building = %s"
    expected = {
        "base.dwellings.building": f"SELECT count(*) FROM ({homes}) h",
        "base.persons.dwelling": f"SELECT count(*) FROM base.persons WHERE dwelling IN ({homes})",
    }
    assert related == {name: (plain.execute(sql, (code,)).fetchone() or (None,))[0] for name, sql in expected.items()}
    assert all(count > 0 for count in related.values())


def test_an_address_tells_its_legal_entities(city: City, plain: psycopg.Connection) -> None:
    one = _held(city.here(Circle(LON, LAT, 3_000)))["base.addresses"].nearest[0]
    counted = plain.execute(
        "SELECT count(*) FROM base.entities WHERE site = %s", (one["properties"]["code"],)
    ).fetchone()
    assert counted == (one["related"]["base.entities.site"],)


def test_the_public_is_told_of_open_collections_alone(here_url: str) -> None:
    with City(Database(here_url), CATALOGUE, PUBLIC) as city:
        found = city.here(Circle(LON, LAT, 3_000))
    assert {"base.persons", "base.entities", "base.dwellings"}.isdisjoint(_held(found))
    assert all(one["related"] in (None, {"base.addresses.main": 0}) for h in found.held for one in h.nearest)
    text = str(found.document(CATALOGUE, "en"))
    assert "base.persons" not in text
    assert "base.entities" not in text


def test_rights_by_division_cut_counts_and_what_refers(here_url: str) -> None:
    clerk = Identity("clerk", "staff", ((341502001000, 341502001999),))
    with City(Database(here_url), CATALOGUE, clerk) as city:
        held = _held(city.here(Box(WEST, SOUTH, WEST + SIZE, SOUTH + SIZE)))
        own = _held(city.here(Division(341502001000)))
    assert held["base.entities"].count == own["base.entities"].count > 0


def test_more_than_is_counted_is_an_estimate_that_says_so(city: City, plain: psycopg.Connection) -> None:
    found = city.here(Box(WEST, SOUTH, WEST + SIZE, SOUTH + SIZE), nearest=1)
    persons = _held(found)["base.persons"]
    (rows,) = plain.execute("SELECT count(*) FROM base.persons").fetchone() or (0,)
    assert rows > question.COUNTED
    assert persons.count_is == "estimate"
    assert persons.count == pytest.approx(rows, rel=0.3)


AREAS = [
    ("circle", Circle(LON, LAT, 300)),
    ("box", Box(LON, LAT, LON + 0.01, LAT + 0.01)),
    ("shape", Shape.of(shapely.box(LON, LAT, LON + 0.004, LAT + 0.004))),
    ("cell", Cells((int(cells.cells([LON], [LAT], 9)[0]),))),
    ("feature", Within("base.buildings", 7)),
]


@pytest.mark.parametrize("keeps_plan", [False, True], ids=["planned anew", "plan kept"])
@pytest.mark.parametrize("area", [a for _, a in AREAS], ids=[n for n, _ in AREAS])
def test_no_large_register_is_read_from_end_to_end(here_url: str, area: Circle, keeps_plan: bool) -> None:
    asked = Here(area=area, lon=LON, lat=LAT)
    plans = asked.plans(CATALOGUE, lambda query: Ask(query=query, identity=OWNER).plan(CATALOGUE))
    statement = question.statement(asked, plans)
    with psycopg.connect(here_url) as conn:
        conn.execute("SET max_parallel_workers_per_gather = 0")
        conn.execute(f"SET plan_cache_mode = force_{'generic' if keeps_plan else 'custom'}_plan")
        explained = "\n".join(row[0] for row in conn.execute(f"EXPLAIN {statement.sql}", statement.args, prepare=True))
    for noun in LARGE:
        assert f"Seq Scan on {noun}" not in explained


def test_a_time_before_the_city_finds_nothing_that_began(city: City, conn: psycopg.Connection) -> None:
    asked = Here(area=Circle(LON, LAT, 300), time=Span.parse("1999-01-01"), as_of=datetime(2020, 1, 1, tzinfo=UTC))
    plans = asked.plans(CATALOGUE, lambda query: Ask(query=query).plan(CATALOGUE))
    assert all(plan.query.as_of == asked.as_of for plan in plans)
    found = Surroundings.read(asked, plans, city.database.rows(question.statement(asked, plans)))
    assert {h.count for h in found.held} == {0}


@pytest.mark.parametrize("area", [Division(341502003000), Within("base.divisions", 3)], ids=["division", "feature"])
def test_distances_in_a_division_are_told_from_a_point_in_it(city: City, area: Division | Within) -> None:
    found = city.here(area)
    assert found.lon is not None
    assert WEST + 2 * SIZE / 10 <= found.lon <= WEST + 3 * SIZE / 10
    assert all(one["distance_m"] is not None for h in found.held for one in h.nearest)


@pytest.mark.parametrize(("language", "words"), [("zh", "学校"), ("en", "school")])
def test_the_document_speaks_both_languages(city: City, language: str, words: str) -> None:
    found = city.here(Circle(LON, LAT, 3_000)).document(CATALOGUE, language, "http://city.test")
    collections = {c["id"]: c for layer in found["layers"] for c in layer["collections"]}
    assert words in {kind["title"] for kind in collections["base.pois"]["kinds"]}
    assert collections["base.pois"]["links"][0]["href"].startswith("http://city.test/collections/base.pois/items?near=")
    assert collections["base.persons"]["links"] == [
        {"href": "http://city.test/collections/base.persons", "rel": "collection", "type": "application/json"}
    ]


def test_what_a_delivery_checks_as_a_reference_is_declared_as_one() -> None:
    for register in DELIVERABLES.values():
        for name, item in register.items.items():
            if item.refers:
                assert register.collection.field(name).refers == item.refers


def test_what_is_declared_as_a_reference_names_a_collection() -> None:
    for collection in CATALOGUE:
        for field in collection.fields:
            assert not field.refers or len(CATALOGUE[field.refers].key) <= 1
