"""A tile keeps to its budget: the least important goes first, the same every time, and it says so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest

from gis.access import PUBLIC
from gis.catalog import Catalogue
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import Query
from gis.store.cluster import Cluster
from layers import LAYERS
from tests.conftest import copied_database
from tests.tiles.made import made as made_either_way
from tiles import budget, mvt
from tiles.grid import EXTENT, Tile

CATALOGUE = Catalogue(LAYERS)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: Points are drawn as such from here on; 17 000 of them lie in one tile, thinner to the east.
DENSE, BESIDE = Tile(16, 53976, 26673), Tile(16, 53977, 26673)
FEW = 20_000


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str) -> Iterator[psycopg.Connection]:
    with copied_database(cluster, template, "budget") as url, psycopg.connect(url, autocommit=True) as conn:
        west, south, east, north = DENSE.bounds
        conn.execute("SELECT setseed(0.3)")
        conn.execute(
            "INSERT INTO base.pois (fid, rec_from, digest, load, geom, geom_3857, code, name)"
            " SELECT i * 7919, 1, i, 1, p, ST_Transform(p, 3857), 'P' || lpad(i::text, 9, '0'), 'n' || i %% 1000 FROM"
            " (SELECT i, ST_SetSRID(ST_MakePoint(%s + random() ^ 2 * %s, %s + random() * %s), 4326) AS p"
            " FROM generate_series(1, 24000) i) s",
            (west, 2 * (east - west), south, north - south),
        )
        conn.execute(
            "INSERT INTO base.roads (fid, rec_from, digest, load, geom, geom_3857, code, class)"
            " SELECT i * 104729, 1, i, 1, g, ST_Transform(g, 3857), i::text,"
            " (ARRAY['motorway', 'primary', 'residential', 'service'])[1 + i %% 4]"
            " FROM (SELECT i, ST_MakeLine(p, ST_Translate(p, exp(random() * 5) * 1e-6, 1e-5)) AS g FROM"
            " (SELECT i, ST_SetSRID(ST_MakePoint(%s + random() * %s, %s + random() * %s), 4326) AS p"
            " FROM generate_series(1, 3000) i) s) t",
            (west, 2 * (east - west), south, north - south),
        )
        conn.execute("ANALYZE base.pois")
        yield conn


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(budget, "BYTES", FEW)
    mvt._compiled.cache_clear()
    yield
    mvt._compiled.cache_clear()


def made(conn: psycopg.Connection, collection: str, tile: Tile, **more: Any) -> tuple[bytes, bool]:
    plan = Plan(Query(collection=collection, **more), CATALOGUE, PUBLIC, NOW)
    content, left_out, sufficed = made_either_way(conn, plan, tile)
    assert not (left_out and sufficed)
    return content, left_out


def decoded(content: bytes, collection: str) -> dict[int, dict[str, Any]]:
    layers = mapbox_vector_tile.decode(content)
    return {f["id"]: f for f in layers.get(collection, {"features": []})["features"]}


def test_the_densest_tile_is_full_but_not_too_large(city: psycopg.Connection) -> None:
    content, left_out = made(city, "base.pois", DENSE)
    assert left_out and 0.4 * budget.BYTES < len(content) <= budget.BYTES
    assert mapbox_vector_tile.decode(content)["onemap"]["features"][0]["properties"] == {"onemap:left_out": True}
    # fewer values a feature, and it holds them all
    whole, left_out = made(city, "base.pois", DENSE, fields=())
    assert not left_out and len(decoded(whole, "base.pois")) > 10_000
    assert "onemap" not in mapbox_vector_tile.decode(whole)


def test_a_request_repeated_has_the_same_bytes(city: psycopg.Connection, tight: None) -> None:
    for collection in ("base.pois", "base.roads"):
        first = made(city, collection, DENSE)
        with city.transaction(force_rollback=True):
            city.execute(f"UPDATE {collection} SET src_row = 1 WHERE fid % 3 = 0")
            assert first[1] and made(city, collection, DENSE) == first


def test_neighbours_choose_alike(city: psycopg.Connection, tight: None) -> None:
    """What the fuller tile shows of the features that lie in both, the other shows too."""
    shown = [decoded(made(city, "base.pois", tile)[0], "base.pois") for tile in (DENSE, BESIDE)]
    edge = DENSE.envelope[2]
    margin = DENSE.side / EXTENT * 63
    rows = city.execute(
        "SELECT fid FROM base.pois WHERE ST_X(geom_3857) BETWEEN %s AND %s", (edge - margin, edge + margin)
    ).fetchall()
    both = {fid for (fid,) in rows}
    assert both & shown[0].keys() <= shown[1].keys() and both & shown[0].keys()


def test_a_smaller_budget_shows_a_part_of_what_a_larger_one_shows(
    city: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[set[int]] = []
    for most in (400_000, 100_000, 30_000, 8_000):
        monkeypatch.setattr(budget, "BYTES", most)
        mvt._compiled.cache_clear()
        content, left_out = made(city, "base.pois", DENSE)
        assert left_out and len(content) <= most
        shown.append(set(decoded(content, "base.pois")))
    mvt._compiled.cache_clear()
    assert all(more > fewer for more, fewer in pairwise(shown)) and shown[-1]


def test_the_declared_rank_stays_to_the_last_and_larger_shapes_within_it(city: psycopg.Connection, tight: None) -> None:
    content, left_out = made(city, "base.roads", DENSE)
    classes = [f["properties"]["class"] for f in decoded(content, "base.roads").values()]
    assert left_out and len(content) <= FEW and set(classes) < {"motorway", "primary", "residential", "service"}
    assert "motorway" in classes and "service" not in classes
    # the rank decides even where it is not asked for
    bare = decoded(made(city, "base.roads", DENSE, fields=("name",))[0], "base.roads")
    assert set(bare) >= set(decoded(content, "base.roads"))


def test_of_very_many_features_a_sample_tells_about_as_much(
    city: psycopg.Connection, tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = made(city, "base.pois", DENSE)[0]
    monkeypatch.setattr(budget, "SAMPLE", 1)
    monkeypatch.setattr(budget, "SAMPLED_SQL", "true")
    mvt._compiled.cache_clear()
    whole = made(city, "base.pois", DENSE)[0]
    assert FEW / 3 < len(sampled) <= FEW and len(whole) / 2.5 < len(sampled) < len(whole) * 2.5


def test_what_fits_after_all_is_not_said_to_be_left_out(
    city: psycopg.Connection, tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More features than are encoded at once, but of few bytes: all of them are shown, whatever the sample holds."""
    monkeypatch.setattr(budget, "BYTES", 500_000)
    whole, _ = made(city, "base.pois", DENSE, fields=())
    monkeypatch.setattr(budget, "most_features", lambda fields: 1_000)
    mvt._compiled.cache_clear()
    assert made(city, "base.pois", DENSE, fields=()) == (whole, False) and len(decoded(whole, "base.pois")) > 10_000


def test_the_filter_counts_not_the_register(city: psycopg.Connection, tight: None) -> None:
    few, left_out = made(city, "base.pois", DENSE, where=Filter.parse("name = 'n7'"))
    assert not left_out and len(decoded(few, "base.pois")) > 5


def test_an_estimate_that_fails_is_corrected(
    city: psycopg.Connection, tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "weight_sql", lambda collection: "(fid %% 97) ^ 4 + 1")
    monkeypatch.setattr(budget, "AIM", 0.99)
    content, left_out = made(city, "base.pois", DENSE)
    assert left_out and decoded(content, "base.pois") and len(content) <= FEW


def test_a_shape_larger_than_the_budget_is_left_out_and_said(
    city: psycopg.Connection, tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "BYTES", 3_000)
    with city.transaction(force_rollback=True):
        city.execute(
            "INSERT INTO base.water (fid, rec_from, digest, load, geom, geom_3857, code)"
            " SELECT 1, 1, 1, 1, ST_Transform(g, 4326), g, 'x' FROM (SELECT ST_SetSRID(ST_MakePolygon(ST_MakeLine("
            " ST_MakePoint(%s + cos(radians(i / 10.0)) * (500 + 30 * (i %% 2)),"
            " %s + sin(radians(i / 10.0)) * (500 + 30 * (i %% 2))) ORDER BY i)), 3857) AS g"
            " FROM generate_series(0, 3600) i) s",
            (DENSE.envelope[0], DENSE.envelope[1]),
        )
        content, left_out = made(city, "base.water", Tile(15, DENSE.x // 2, DENSE.y // 2))
        assert left_out and decoded(content, "base.water") == {}
