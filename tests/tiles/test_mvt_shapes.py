"""Tiles against the register: which features are there, where they lie, how neighbours agree, on both grids."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import mapbox_vector_tile
import numpy as np
import psycopg
import pytest
import shapely
import shapely.affinity
from shapely.geometry import shape

from gis.access import PUBLIC
from gis.catalog import Catalogue
from gis.geo.mercator import HALF_WIDTH_M, to_mercator
from gis.query.plan import Plan
from gis.query.query import Query
from gis.store.cluster import Cluster
from layers import LAYERS
from tests.conftest import copied_database
from tests.tiles.made import made
from tiles.grid import CGCS2000, EXTENT, MARGIN, WEB_MERCATOR, Grid, Tile

CATALOGUE = Catalogue(LAYERS)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: Points are drawn as such from here on.
FIRST_ZOOM = {"base.pois": 16, "base.roads": 0, "base.water": 0}
#: Half the diagonal of a unit.
ROUNDING = 0.71
CLASSES = ("motorway", "primary", "tertiary", "service", None)


@dataclass(frozen=True)
class Given:
    """A connection to a register of random shapes, and the shapes by collection and number, in degrees."""

    conn: psycopg.Connection
    shapes: dict[str, dict[int, shapely.Geometry]]


@pytest.fixture(scope="module")
def given(cluster: Cluster, template: str) -> Iterator[Given]:
    draw = np.random.default_rng(7)
    shapes = {c: {i + 1: make(draw, x, y) for i, (x, y) in enumerate(_places(draw))} for c, make in MAKERS.items()}
    with copied_database(cluster, template, "mvt_shapes") as url, psycopg.connect(url, autocommit=True) as conn:
        for collection, found in shapes.items():
            more = {"base.roads": "class", "base.water": "kind", "base.pois": "name"}[collection]
            conn.cursor().executemany(
                f"INSERT INTO {collection} (fid, rec_from, digest, load, geom, geom_3857, code, {more})"
                " VALUES (%s, 1, 1, 1, ST_SetSRID(%s::geometry, 4326), ST_SetSRID(%s::geometry, 3857), %s, %s)",
                [
                    (fid, shapely.to_wkb(s), shapely.to_wkb(_mercator(s)), str(fid), CLASSES[fid % len(CLASSES)])
                    for fid, s in found.items()
                ],
            )
            conn.execute(f"ANALYZE {collection}")
        yield Given(conn, shapes)


def _places(draw: np.random.Generator) -> list[tuple[float, float]]:
    """A city, the antimeridian, and the edges of the square that web maps show."""
    city = zip(116.5 + draw.normal(0, 0.05, 400), 31.7 + draw.normal(0, 0.05, 400), strict=True)
    east = zip(180 - np.abs(draw.normal(0, 0.01, 60)), draw.normal(0, 20, 60), strict=True)
    west = zip(-180 + np.abs(draw.normal(0, 0.01, 60)), draw.normal(0, 20, 60), strict=True)
    poles = zip(draw.uniform(-180, 180, 60), draw.choice([-1, 1], 60) * draw.uniform(84.9, 85.05, 60), strict=True)
    return [(float(x), float(y)) for x, y in (*city, *east, *west, *poles)]


def _inside(points: np.ndarray) -> np.ndarray:
    return np.clip(points, (-180, -85.05), (180, 85.05))


def _line(draw: np.random.Generator, x: float, y: float) -> shapely.Geometry:
    turns = draw.normal(0, 0.5, int(draw.integers(2, 40)))
    headings = draw.uniform(0, 2 * np.pi) + np.cumsum(turns)
    steps = np.c_[np.cos(headings), np.sin(headings)] * 10 ** draw.uniform(-6, -3)
    return shapely.linestrings(_inside(np.array([x, y]) + np.cumsum(steps, axis=0)))


def _polygon(draw: np.random.Generator, x: float, y: float) -> shapely.Geometry:
    angles = np.sort(draw.uniform(0, 2 * np.pi, int(draw.integers(5, 40))))
    far = 10 ** draw.uniform(-5.5, -1.5) * draw.uniform(0.7, 1, len(angles))
    ring = _inside(np.array([x, y]) + np.c_[np.cos(angles) * far, np.sin(angles) * far])
    return shapely.make_valid(shapely.convex_hull(shapely.multipoints(ring)))


def _point(draw: np.random.Generator, x: float, y: float) -> shapely.Geometry:
    return shapely.Point(x, y)


MAKERS = {"base.roads": _line, "base.water": _polygon, "base.pois": _point}


def _mercator(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda xy: np.c_[to_mercator(xy[:, 0], xy[:, 1])])


def _units(geometry: shapely.Geometry, tile: Tile, shift: float) -> shapely.Geometry:
    """In the tile's units, y up; lengths are those of the grid's CRS."""
    flat = _mercator(geometry) if tile.grid is WEB_MERCATOR else geometry
    west, south, _, _ = tile.envelope
    return shapely.transform(flat, lambda xy: (xy - (west - shift, south)) / tile.side * EXTENT)


def _at(draw: random.Random, point: shapely.Point, zoom: int, grid: Grid) -> Tile:
    """The tile at a point, or one beside it."""
    x, y = to_mercator(point.x, point.y) if grid is WEB_MERCATOR else (point.x, point.y)
    side, across = grid.side / (1 << zoom), grid.columns << zoom
    column = int((float(x) - grid.west) / side) + draw.choice((0, 0, 0, 1, -1))
    row = int((grid.north - float(y)) / side)
    return Tile(zoom, min(max(column, 0), across - 1), min(max(row, 0), (grid.rows << zoom) - 1), grid)


def drawn(given: Given, collection: str, tile: Tile, **more: Any) -> tuple[dict[str, Any], bool]:
    plan = Plan(Query(collection=collection, **more), CATALOGUE, PUBLIC, NOW)
    content, left_out, sufficed = made(given.conn, plan, tile)
    layers = mapbox_vector_tile.decode(content)
    assert ("onemap" in layers) == left_out and sufficed
    return layers, left_out


def features(layers: dict[str, Any], collection: str) -> list[tuple[int, shapely.Geometry]]:
    found = layers.get(collection, {"features": []})["features"]
    return [(f["id"], shape(f["geometry"])) for f in found]


def compare(given: Given, collection: str, tile: Tile) -> int:
    """Every feature that reaches the tile is in it, no other, and each within one unit of where it is."""
    layers, left_out = drawn(given, collection, tile)
    seen = features(layers, collection)
    copies = {shift: {i: _units(s, tile, shift) for i, s in given.shapes[collection].items()} for shift in tile.shifts}
    inner, outer = (shapely.box(-m, -m, EXTENT + m, EXTENT + m) for m in (MARGIN - 1.01, MARGIN + 1.01))
    must = [i for found in copies.values() for i, s in found.items() if s.intersects(inner)]
    may = [i for found in copies.values() for i, s in found.items() if s.intersects(outer)]
    ids = [fid for fid, _ in seen]
    assert set(ids) <= set(may) and len(ids) == len(set(ids)) + len(set(ids) & _twice(copies, outer))
    assert left_out or set(must) <= set(ids), (tile.text, set(must) - set(ids))
    for fid, got in seen:
        near = [found[fid] for found in copies.values() if shapely.dwithin(found[fid], got, 1.01)]
        assert near, (tile.text, fid)
        assert any(_near(got, true, inner) for true in near), (tile.text, fid, got.wkt)
    return len(seen)


def _twice(copies: dict[float, dict[int, shapely.Geometry]], outer: shapely.Geometry) -> set[int]:
    """What may be seen at both ends of the world."""
    seen = [{i for i, s in found.items() if s.intersects(outer)} for found in copies.values()]
    return seen[0] & set().union(*seen[1:])


def _near(got: shapely.Geometry, true: shapely.Geometry, inner: shapely.Geometry) -> bool:
    """Whether each lies within a unit of the other, besides what rounding to whole units moves a vertex."""
    if any(true.distance(p) > 1 + ROUNDING for p in shapely.points(shapely.get_coordinates(got))):
        return False
    cut = shapely.points(shapely.get_coordinates(true.intersection(inner)))
    return all(got.distance(p) <= 1 + ROUNDING for p in cut)


@pytest.mark.parametrize("collection", sorted(MAKERS))
def test_random_tiles_hold_what_the_register_holds(given: Given, collection: str, torture_scale: float) -> None:
    draw, seen = random.Random(collection), 0
    places = [s.centroid for s in given.shapes[collection].values()]
    for _ in range(max(12, round(500 * torture_scale))):
        grid = draw.choice((WEB_MERCATOR, CGCS2000))
        zoom = draw.randint(FIRST_ZOOM[collection], 18) - (grid is CGCS2000)
        seen += compare(given, collection, _at(draw, draw.choice(places), max(zoom, 0), grid))
    assert seen > 5


def test_the_antimeridian_and_the_edges_of_the_world(given: Given) -> None:
    last = (1 << 9) - 1
    for collection in ("base.roads", "base.water"):
        for tile in (Tile(9, 0, 256), Tile(9, last, 255), Tile(9, 100, 0), Tile(9, 100, last), Tile(0, 0, 0)):
            compare(given, collection, tile)
        for column in (0, (2 << 8) - 1):
            compare(given, collection, Tile(8, column, 128, CGCS2000))
    # what lies west of the antimeridian is also in the margin of the tile east of it
    east = [
        shape
        for y in range(26, 38)
        for _, shape in features(drawn(given, "base.water", Tile(6, 0, y))[0], "base.water")
    ]
    assert any(s.bounds[2] < 0 for s in east)


@pytest.mark.parametrize("collection", ["base.roads", "base.water"])
def test_neighbours_hold_the_same_features_where_they_meet(given: Given, collection: str) -> None:
    strip, met = shapely.box(EXTENT - MARGIN + 2, -MARGIN, EXTENT + MARGIN - 2, EXTENT + MARGIN), 0
    for zoom in (10, 12, 13, 14, 15):
        tile = _at(random.Random(1), shapely.Point(116.5, 31.7), zoom, WEB_MERCATOR)
        here = features(drawn(given, collection, tile)[0], collection)
        beside = features(drawn(given, collection, Tile(zoom, tile.x + 1, tile.y))[0], collection)
        there = [(i, shapely.affinity.translate(s, EXTENT)) for i, s in beside]
        both = [{i for i, s in found if s.intersects(strip)} for found in (here, there)]
        assert both[0] == both[1]
        met += len(both[0])
    assert met > 10


def test_what_a_band_leaves_out_is_said_and_only_then(given: Given) -> None:
    place = shapely.Point(116.5, 31.7)
    far, near = (_at(random.Random(1), place, zoom, WEB_MERCATOR) for zoom in (6, 13))
    assert drawn(given, "base.water", far)[1]
    assert not drawn(given, "base.water", near)[1]
    seen = {i for i, _ in features(drawn(given, "base.roads", far)[0], "base.roads")}
    assert seen and all(CLASSES[i % len(CLASSES)] == "motorway" for i in seen)


def test_what_is_thinner_than_a_unit_is_drawn_all_the_same(given: Given) -> None:
    sliver = shapely.box(116.9, 31.9, 116.9000001, 31.901)
    dot = shapely.linestrings([(116.9, 31.9), (116.9000001, 31.9)])
    with given.conn.transaction(force_rollback=True):
        for collection, thin in (("base.water", sliver), ("base.roads", dot)):
            given.conn.execute(
                f"INSERT INTO {collection} (fid, rec_from, digest, load, geom, geom_3857, code)"
                " VALUES (999999, 1, 1, 1, ST_SetSRID(%s::geometry, 4326), ST_SetSRID(%s::geometry, 3857), 'x')",
                (shapely.to_wkb(thin), shapely.to_wkb(_mercator(thin))),
            )
            tile = _at(random.Random(1), shapely.Point(116.9, 31.9), 14, WEB_MERCATOR)
            seen = dict(features(drawn(given, collection, tile)[0], collection))
            assert 999999 in seen and not seen[999999].is_empty


def test_past_knowledge_is_drawn_from_exact_shapes(given: Given) -> None:
    place = _at(random.Random(1), shapely.Point(116.5, 31.7), 10, WEB_MERCATOR)
    layers, _ = drawn(given, "base.water", place, as_of=datetime(2026, 1, 1, tzinfo=UTC))
    assert features(layers, "base.water") == []


def test_the_edge_of_the_square_is_the_half_width() -> None:
    assert Tile(0, 0, 0).envelope == (-HALF_WIDTH_M, -HALF_WIDTH_M, HALF_WIDTH_M, HALF_WIDTH_M)
