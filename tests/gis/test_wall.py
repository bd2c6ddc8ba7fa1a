"""The second wall: what the reader's role is told, the plan set aside."""

from dataclasses import replace
from pathlib import Path

import h3
import psycopg
import pytest
from psycopg import errors

from gis.access import PUBLIC, Identity
from gis.access.policy_document import policy_document
from gis.catalog import Grant, Policy, Rows
from gis.city import City
from gis.errors import Unavailable
from gis.exchange.readers import ReadOptions
from gis.query.statement import Statement
from gis.store.database import Database
from gis.store.derived import derive, ensure
from gis.store.generalised import band_table
from gis.store.policies import put
from gis.store.reading import Reading
from gis.store.wall_roles import reader
from tests.gis.walled_city import CATALOGUE, CLERK, EVERYONE, HERE, THERE, Walled, walled
from tests.policies import with_policies


@pytest.fixture
def city(database_url: str) -> Walled:
    return walled(database_url)


def test_the_wall_is_row_level_security_where_boxes_are_leakproof(city: Walled) -> None:
    assert city.reader.mode == "rows"


@pytest.mark.parametrize(("identity", "count"), [(EVERYONE, 16), (CLERK, 10), (PUBLIC, 0)])
def test_persons_are_told_by_the_divisions_of_the_duty(city: Walled, identity: object, count: int) -> None:
    assert city.rows(identity, 'SELECT count(*) FROM "base"."persons"') == [(count,)]  # type: ignore[arg-type]


def test_what_is_open_is_told_to_everybody(city: Walled) -> None:
    assert city.rows(PUBLIC, 'SELECT count(*) FROM "base"."pois"') == [(16,)]


@pytest.mark.parametrize(
    "table", ["persons_exact", "pois", "persons_all_exact", "pois_all", "pois_past", "pois_rollup_delta"]
)
def test_without_a_scope_nothing_is_told(city: Walled, table: str) -> None:
    with city.connected() as conn:
        assert conn.execute(f"SELECT count(*) FROM base.{table}").fetchone() == (0,)


MASKED = Policy((
    Grant(roles=("duty",)),
    Grant(roles=("command",), masked={"name": "name", "telephone": "telephone"}, hidden=("address",)),
    Grant(roles=("staff",), hidden=("name", "telephone"), precision=7),
    Grant(roles=("analyst",), precision="division"),
))  # fmt: skip


@pytest.fixture
def masked(city: Walled) -> Walled:
    """Places whose names and telephones are told to few."""
    pois = replace(CATALOGUE["base.pois"], policy=MASKED)
    with psycopg.connect(city.url, autocommit=True) as conn:
        conn.execute("UPDATE base.pois SET name = '欧阳娜娜', telephone = '13812348000', address = '人民路88号'")
        assert ensure(conn, pois) == ["base.pois:wall"]
    return replace(city, catalogue=with_policies(CATALOGUE, {"base.pois": MASKED}))


SEEN = 'SELECT DISTINCT name, telephone, address FROM "base"."pois"'


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("duty", [("欧阳娜娜", "13812348000", "人民路88号")]),
        ("command", [("欧阳**", "138****8000", None)]),
        ("staff", [(None, None, "人民路88号")]),
        ("public", []),
    ],
)
def test_fields_are_told_as_the_scope_says(masked: Walled, role: str, told: list[object]) -> None:
    assert masked.rows(Identity("someone", role), SEEN) == told


def test_who_is_told_in_part_cannot_read_another_way(masked: Walled) -> None:
    _, text = masked.prepared(Identity("someone", "command"), SEEN)
    with masked.connected(text) as conn:
        assert conn.execute("SELECT count(*) FROM base.pois_exact").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM base.pois_blurred7").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM base.pois_seen WHERE name = '欧阳娜娜'").fetchone() == (0,)
        for table in ("pois", "pois_past", "pois_all", "pois_rollup"):
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(f"TABLE base.{table}")


def test_places_are_told_as_their_cells(masked: Walled) -> None:
    asked = 'SELECT DISTINCT cell, division, ST_AsText(geom, 5), ST_AsText(geom_3857, 0) FROM "base"."pois"'
    rows = masked.rows(Identity("someone", "staff"), asked)
    cell = rows[0][0]
    assert {(row[0] >> 52) & 15 for row in rows} == {7}
    lat, lon = h3.cell_to_latlng(f"{cell:x}")
    assert {row[2] for row in rows} == {f"POINT({round(lon, 5)} {round(lat, 5)})"}
    assert {row[1] for row in rows} <= {None, HERE // 1000 * 1000, THERE // 1000 * 1000}
    nowhere = masked.rows(Identity("someone", "analyst"), 'SELECT DISTINCT cell, geom, geom_3857 FROM "base"."pois"')
    assert nowhere == [(None, None, None)]


def test_sums_leave_out_what_is_hidden(masked: Walled) -> None:
    """Kinds are told to everybody, so that sums by them are too; who is not told places is told no sums of them."""
    asked = 'SELECT sum(_n) FROM "base"."pois_rollup_delta"'
    assert masked.rows(Identity("someone", "command"), asked) == [(16,)]
    assert masked.rows(Identity("someone", "staff"), asked) == [(None,)]


def test_the_wall_comes_along_when_a_register_is_swapped_in(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "pois.csv"
    path.write_text("code,name,lon,lat\n1,a,116.5,31.7\n2,b,116.6,31.8\n")
    with City.open(database_url) as city:
        city.load(path, "base.pois", read=ReadOptions(crs="EPSG:4326"))
    found = Walled(database_url, reader(database_url))
    assert found.rows(PUBLIC, 'SELECT count(*) FROM "base"."pois"') == [(2,)]
    with found.connected() as conn:
        for table in ("pois", "pois_all", "pois_rollup", "pois_rollup_cell"):
            assert conn.execute(f"SELECT count(*) FROM base.{table}").fetchone() == (0,)


def test_blurred_places_are_indexed_when_a_register_is_swapped_in(
    database_url: str, tmp_path: Path, masked: Walled
) -> None:
    path = tmp_path / "pois.csv"
    path.write_text("code,name,lon,lat\n1,a,116.5,31.7\n2,b,116.6,31.8\n")
    sql = "SELECT count(*) FROM pg_indexes WHERE indexname = 'pois_told7' AND tablename = 'pois'"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("TRUNCATE base.pois, base.pois_id")
        with City.open(database_url, catalogue=masked.catalogue) as city:
            city.load(path, "base.pois", read=ReadOptions(crs="EPSG:4326"))
        assert conn.execute(sql).fetchone() == (1,)
    found = masked.rows(Identity("someone", "staff"), 'SELECT count(*) FROM "base"."pois"')
    assert found == [(2,)]


def test_a_policy_that_is_adjusted_walls_in_anew(city: Walled) -> None:
    pois = CATALOGUE["base.pois"]
    with psycopg.connect(city.url, autocommit=True) as conn:
        put(conn, pois, policy_document(MASKED), "somebody", "a trial")
        assert derive(city.url, [pois]) == ["base.pois:wall"]
        assert derive(city.url, [pois]) == []
    adjusted = replace(city, catalogue=with_policies(CATALOGUE, {"base.pois": MASKED}))
    assert adjusted.rows(Identity("someone", "command"), 'SELECT count(name) FROM "base"."pois"') == [(16,)]


def test_who_asks_by_a_policy_that_has_just_gone_is_told_to_ask_again(masked: Walled) -> None:
    with psycopg.connect(masked.url, autocommit=True) as conn:
        ensure(conn, CATALOGUE["base.pois"])
    reading = Reading(masked.reader, lambda: masked.catalogue, lambda: Identity("someone", "command"))
    database = Database(masked.reader.url, wall=reading)
    with pytest.raises(Unavailable, match="has just changed"):
        database.rows(Statement(SEEN))
    database.close()


def test_generalised_shapes_are_told_by_division(database_url: str) -> None:
    roads = replace(CATALOGUE["base.roads"], policy=Policy((Grant(roles=("duty",), rows=Rows.DUTY),)))
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO base.roads (fid, rec_from, digest, load, division, class, geom, geom_3857)"
            " SELECT i, 1, 0, 0, CASE WHEN i < 4 THEN %s ELSE %s END, 'motorway', g, ST_Transform(g, 3857)"
            " FROM generate_series(1, 6) i, ST_GeomFromText('LINESTRING(116 31, 117 32)', 4326) g",
            (HERE, THERE),
        )
        ensure(conn, roads)
    city = Walled(database_url, reader(database_url), with_policies(CATALOGUE, {"base.roads": roads.policy}))
    band = band_table(roads, roads.bands[0])
    assert city.rows(CLERK, f"SELECT _fid FROM {band} ORDER BY 1") == [(1,), (2,), (3,)]
    assert city.rows(PUBLIC, f"SELECT _fid FROM {band}") == []
