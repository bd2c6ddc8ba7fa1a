"""The tile's statement: one text for all inner tiles, found by the spatial index, narrowed by the caller's rules."""

from datetime import UTC, datetime, timedelta

import mapbox_vector_tile
import psycopg
import pytest

from gis.access import PUBLIC, Identity
from gis.catalog import Catalogue
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import Query
from layers import LAYERS
from tests.policies import by_duty
from tiles import mvt
from tiles.grid import Tile

CATALOGUE = by_duty(Catalogue(LAYERS))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
INNER, OTHER, EDGE = Tile(12, 3373, 1664), Tile(12, 3374, 1665), Tile(12, 0, 1664)


def plan(collection: str, identity: Identity = PUBLIC, now: datetime = NOW, **more: object) -> Plan:
    return Plan(Query(collection=collection, **more), CATALOGUE, identity, now)  # type: ignore[arg-type]


@pytest.fixture
def pois(conn: psycopg.Connection) -> psycopg.Connection:
    """20 000 points on a square degree."""
    conn.execute(
        "INSERT INTO base.pois (fid, rec_from, digest, load, division, geom, geom_3857, code, name)"
        " SELECT i, 1, i, 1, 341502000000 + i % 2 * 1000000000, p, ST_Transform(p, 3857), i::text, 'n' || i FROM"
        " (SELECT i, ST_SetSRID(ST_MakePoint(116+random(), 31+random()), 4326) p FROM generate_series(1,20000) i) s"
    )
    conn.execute("ANALYZE base.pois")
    return conn


def test_the_text_is_the_same_for_all_inner_tiles_and_minutes() -> None:
    here, there = (mvt.statement(plan("base.pois"), tile) for tile in (INNER, OTHER))
    later = mvt.statement(plan("base.pois", now=NOW + timedelta(minutes=1)), INNER)
    assert here and there and later
    assert here.sql == there.sql == later.sql and here.args != there.args
    for found in (here, mvt.statement(plan("base.pois"), EDGE), mvt.statement(plan("base.buildings"), Tile(16, 5, 9))):
        assert found and found.sql.count("%s") == len(found.args)


def test_it_is_compiled_once() -> None:
    mvt._compiled.cache_clear()
    for x in range(20):
        mvt.statement(plan("base.roads", where=Filter.parse("lanes > 2")), Tile(12, 100 + x, 100))
    assert (mvt._compiled.cache_info().misses, mvt._compiled.cache_info().hits) == (1, 19)
    # what differs by caller is never shared
    mvt.statement(plan("base.roads", Identity("a", "staff", ((1, 2),))), INNER)
    mvt.statement(plan("base.roads", Identity("a", "staff", ((1, 3),))), INNER)
    assert mvt._compiled.cache_info().misses == 3


def test_below_its_first_zoom_a_collection_is_empty() -> None:
    assert mvt.statement(plan("base.grids"), Tile(11, 0, 0)) is None
    assert mvt.statement(plan("base.grids"), Tile(12, 0, 0)) is not None


def test_a_tile_is_found_by_the_spatial_index(pois: psycopg.Connection) -> None:
    found = mvt.statement(plan("base.pois"), INNER)
    assert found
    explained = "\n".join(row[0] for row in pois.execute(f"EXPLAIN {found.sql}", found.args))
    assert "pois_geom" in explained and "Seq Scan on pois " not in explained


def test_the_rules_of_the_caller_hold_in_tiles(pois: psycopg.Connection) -> None:
    limited = Identity("east", "staff", ((342502000000, 342502999999),))
    tile = Tile(10, 843, 416)
    seen = {}
    for identity in (PUBLIC, limited):
        found = mvt.statement(plan("base.pois", identity), tile)
        assert found
        row = pois.execute(found.sql, found.args, binary=True).fetchone()
        assert row
        layer = mapbox_vector_tile.decode(bytes(row[0]))["base.pois"]
        seen[identity.name] = {f["id"] for f in layer["features"]}
    assert seen["east"] == {fid for fid in seen["public"] if fid % 2} and seen["east"]


def test_the_same_question_has_the_same_bytes(pois: psycopg.Connection) -> None:
    found = mvt.statement(plan("base.pois"), Tile(11, 1686, 832))
    assert found
    first = pois.execute(found.sql, found.args).fetchone()
    pois.execute("UPDATE base.pois SET src_row = 1 WHERE fid % 3 = 0")
    assert pois.execute(found.sql, found.args).fetchone() == first


def test_a_callers_divisions_do_not_lead_the_planner_away_from_the_box(pois: psycopg.Connection) -> None:
    """As it is once prepared, when the planner no longer sees the values, in a register of a million rows."""
    pois.execute("UPDATE pg_class SET reltuples = reltuples * 50 WHERE relname LIKE 'pois%' AND reltuples > 0")
    found = mvt.statement(plan("base.pois", Identity("east", "staff", ((342502000000, 342502999999),))), Tile(16, 5, 9))
    assert found
    numbers = iter(range(1, len(found.args) + 1))
    pois.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    text = "".join(
        part + (f"${next(numbers)}" if i < len(found.args) else "") for i, part in enumerate(found.sql.split("%s"))
    )
    with psycopg.ClientCursor(pois) as cursor:
        cursor.execute(f"PREPARE tile AS {text}")
        cursor.execute(f"EXPLAIN EXECUTE tile({', '.join(['%s'] * len(found.args))})", found.args)
        explained = "\n".join(row[0] for row in cursor)
    assert "pois_geom" in explained and "pois_division" not in explained
