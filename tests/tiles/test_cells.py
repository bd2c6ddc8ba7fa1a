"""Cells as tiles: decoded, and compared with the points that they stand for."""

import math
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import h3
import mapbox_vector_tile
import psycopg
import pytest
import shapely
from psycopg import sql

from gis.access import OWNER, Identity
from gis.catalog import Catalogue, Layer
from gis.errors import BadQuery
from gis.geo.area import Box
from gis.query import rollup_bounds
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import Span
from gis.store.cluster import Cluster
from gis.store.database import translated
from gis.store.rollups import fold
from layers import LAYERS
from tests.policies import by_duty
from tests.tiles.made import made
from tiles import cells, mvt
from tiles.grid import CGCS2000, EXTENT, WEB_MERCATOR, Grid, Tile
from tiles.tilejson import vector_layers

CATALOGUE = by_duty(Catalogue(LAYERS))
POIS = CATALOGUE["base.pois"]
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
LAYER = "base.pois:cells"
ALWAYS = ("-infinity", "infinity")
VALIDITY = [*[ALWAYS] * 8, (NOW - timedelta(days=9), NOW - timedelta(days=1)), (NOW - timedelta(hours=9), "infinity")]
KINDS = ("school", "shop", None)


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str) -> Iterator[psycopg.Connection[Any]]:
    """Three thousand points about a city, a few round the antimeridian; some folded, some not, some not valid now."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)))  # fmt: skip
        with psycopg.connect(cluster.url(name), autocommit=True) as conn:
            _fill(conn)
            yield conn
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _fill(conn: psycopg.Connection[Any]) -> None:
    chance = random.Random(5)
    rows = []
    for fid in range(1, 3001):
        lon, lat = chance.gauss(116.5, 0.08), chance.gauss(31.75, 0.06)
        if fid % 50 == 0:
            lon, lat = (180 - chance.random() / 50) * chance.choice((-1, 1)), chance.gauss(-17, 0.2)
        start, end = chance.choice(VALIDITY)
        cell = int(h3.latlng_to_cell(lat, lon, 11), 16)
        division = 341502001001 + fid % 4
        rows.append((fid, start, end, cell, division, lon, lat, lon, lat, chance.choice(KINDS), f"name {fid % 10}"))
    point = "ST_SetSRID(ST_MakePoint(%s, %s), 4326)"
    insert = (
        "INSERT INTO base.pois (fid, valid_from, valid_to, cell, division, geom, geom_3857, kind, name, code, rec_from,"
        f" digest, load) VALUES (%s, %s, %s, %s, %s, {point}, ST_Transform({point}, 3857), %s, %s, '', 1, 1, 1)"
    )
    with conn.cursor() as cursor:
        cursor.executemany(insert, rows[:2500])
        fold(conn, POIS)
        cursor.executemany(insert, rows[2500:])
        cursor.execute("DELETE FROM base.pois WHERE fid % 97 = 0")


def _plan(query: Query | None = None, caller: Identity = OWNER) -> Plan:
    return Plan(query or Query(collection=POIS.id), CATALOGUE, caller, NOW)


def _at(z: int, lon: float, lat: float, grid: Grid = WEB_MERCATOR) -> Tile:
    if grid is CGCS2000:
        return Tile(z, int((lon + 180) / 180 * 2**z), int((90 - lat) / 180 * 2**z), grid)
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return Tile(z, int((lon + 180) / 360 * 2**z), int(y * 2**z))


def _drawn(conn: psycopg.Connection[Any], plan: Plan, tile: Tile) -> dict[str, Any]:
    with translated():
        content, left_out, sufficed = made(conn, plan, tile)
    layers = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True}) if content else {}
    assert not left_out and not (sufficed and LAYER in layers)
    return layers


def _counts(drawn: dict[str, Any]) -> dict[int, int]:
    found = {f["id"]: f["properties"]["n"] for f in drawn.get(LAYER, {}).get("features", [])}
    assert not drawn or len(found) <= len(drawn[LAYER]["features"])
    return found


def _wanted(conn: psycopg.Connection[Any], plan: Plan, tile: Tile) -> dict[int, int]:
    """From the rows: every cell whose hexagon touches the tile, with all of its points."""
    res = cells.resolution_at(POIS, tile.mercator_zoom)
    where = plan.conditions()
    rows = conn.execute(f"SELECT cell FROM base.pois r WHERE {where.sql}", where.args)
    counted = Counter(h3.cell_to_parent(f"{cell:x}", res) for (cell,) in rows)
    west, south, east, north = tile.bounds
    found = {}
    for cell, n in counted.items():
        ring = [(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]
        if max(x for x, _ in ring) - min(x for x, _ in ring) > 180:
            ring = [(lon + 360 if lon < 0 else lon, lat) for lon, lat in ring]
        shapes = [shapely.Polygon([(lon + turn, lat) for lon, lat in ring]) for turn in (-360, 0, 360)]
        if any(shape.intersects(shapely.box(west, south, east, north)) for shape in shapes):
            found[int(cell, 16) & ((1 << 53) - 1)] = n
    return found


QUERIES = {
    "all": _plan(),
    "one kind": _plan(Query(collection=POIS.id, where=Filter.parse("kind = 'school'"))),
    "one division": _plan(caller=Identity("clerk", "staff", ((341502001002, 341502001002),))),
    "by name, from the rows": _plan(Query(collection=POIS.id, where=Filter.parse("name = 'name 3'"))),
    "in the past, from the rows": _plan(Query(collection=POIS.id, time=Span.at(NOW - timedelta(days=3)))),
}


@pytest.mark.parametrize("grid", [WEB_MERCATOR, CGCS2000], ids=lambda grid: grid.id)
@pytest.mark.parametrize("plan", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("z", [0, 1, 3, 5, 7, 8])
@pytest.mark.parametrize("place", [(116.5, 31.75), (116.4, 31.8), (179.99, -17.0), (-179.99, -17.1)], ids=str)
def test_a_tile_holds_the_cells_that_touch_it_with_all_of_their_points(
    city: psycopg.Connection[Any], grid: Grid, plan: Plan, z: int, place: tuple[float, float]
) -> None:
    tile = _at(z, *place, grid)
    found, wanted = _counts(_drawn(city, plan, tile)), _wanted(city, plan, tile)
    # corners that touch the tile within its margin are drawn as well
    assert found.items() >= wanted.items()
    margin = {cell: n for cell, n in found.items() if cell not in wanted}
    assert len(margin) <= 0.4 * len(found) + 6
    if z < 4 and abs(place[0]) < 170:
        rows = city.execute(f"SELECT count(*) FROM base.pois r WHERE {plan.conditions().sql}", plan.conditions().args)
        assert sum(found.values()) <= rows.fetchone()[0]  # type: ignore[index]


def test_hexagons_are_polygons_in_the_tiles_units_turned_as_the_encoding_wants(city: psycopg.Connection[Any]) -> None:
    tile = _at(9, 116.5, 31.75)
    drawn = _drawn(city, _plan(), tile)[LAYER]
    assert drawn["extent"] == EXTENT
    west = tile.envelope[0]
    for feature in drawn["features"]:
        ring = shapely.Polygon(feature["geometry"]["coordinates"][0])
        assert ring.is_valid and len(feature["geometry"]["coordinates"][0]) in (7, 8, 9)
        # the y axis points down, so that what turns clockwise on the screen has a positive area
        assert ring.exterior.is_ccw
        n, density = feature["properties"]["n"], feature["properties"]["per_km2"]
        cell = next(c for c in _cells_of(city, 7) if c & ((1 << 53) - 1) == feature["id"])
        assert n / density == pytest.approx(h3.cell_area(f"{cell:x}", "km^2"), rel=0.01)
        lon = h3.cell_to_latlng(f"{cell:x}")[1]
        x = (lon / 180 * 20037508.342789244 - west) / tile.side * EXTENT
        assert abs(ring.centroid.x - x) < 2


def _cells_of(conn: psycopg.Connection[Any], res: int) -> set[int]:
    rows = conn.execute("SELECT cell FROM base.pois")
    return {int(h3.cell_to_parent(f"{cell:x}", res), 16) for (cell,) in rows}


def test_neighbours_and_repeated_requests_choose_alike(city: psycopg.Connection[Any]) -> None:
    middle = _at(10, 116.5, 31.75)
    around = [replace(middle, x=middle.x + dx, y=middle.y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    for clear_zoom, layer in ((10, "base.pois"), (11, LAYER)):
        city.execute("UPDATE core.rollup SET clear_zoom = %s WHERE register = 'base.pois'", (clear_zoom,))
        for _ in range(2):
            layers = {name for tile in around for name in _drawn(city, _plan(), tile)}
            assert layers == {layer}
    city.execute("UPDATE core.rollup SET clear_zoom = 10 WHERE register = 'base.pois'")


def test_the_zoom_from_which_points_show_follows_from_the_densest_place(
    city: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gis.store import rollup_folding

    def zoom_with(most: int) -> int:
        monkeypatch.setattr(rollup_folding, "MOST_POINTS", most)
        city.execute("DELETE FROM core.change")
        city.execute("UPDATE base.pois SET kind = 'x' WHERE fid < 20")
        city.execute("UPDATE base.pois SET kind = NULL WHERE fid < 20")
        assert fold(city, POIS) > 0
        found = city.execute("SELECT clear_zoom FROM core.rollup WHERE register = 'base.pois'").fetchone()
        assert found is not None
        return int(found[0])

    zooms = [zoom_with(most) for most in (100_000, 500, 50, 1)]
    assert zooms == sorted(zooms) and zooms[0] == 10 and zooms[-1] == 16
    told = city.execute("SELECT key FROM core.change WHERE register = 'base.pois' AND key = 1").fetchall()
    assert told, "every tile may be another"
    # with a little play, so that it does not swing to and fro
    city.execute("DELETE FROM core.change")
    assert zoom_with(1) == 16
    assert zoom_with(100_000) == 10


@pytest.mark.parametrize("z", [16, 18])
def test_closest_tiles_are_points_always(city: psycopg.Connection[Any], z: int) -> None:
    tile = _at(z, 116.5, 31.75)
    points = mvt.statement(_plan(), tile)
    assert points is not None and LAYER not in points.sql


def test_cells_are_about_as_large_on_the_screen_at_any_zoom() -> None:
    """In the latitudes of China, in pixels of tiles 512 of them wide; so a tile of any zoom has few of them."""
    for zoom in range(4, 14):
        edge_km = h3.average_hexagon_edge_length(cells.resolution_at(POIS, zoom), "km")
        pixel_km = 34_350 / 2**zoom / 512
        assert 10 <= 2 * edge_km / pixel_km <= 36, zoom


def test_cells_are_never_wider_than_what_a_change_is_told_to_reach() -> None:
    for collection in (c for c in CATALOGUE if c.rollup and cells.has_cells(c)):
        for zoom in range(3, cells.last_zoom(collection.rollup) + 1):  # type: ignore[arg-type]
            edge_km = h3.average_hexagon_edge_length(cells.resolution_at(collection, zoom), "km")
            assert 2 * edge_km <= 0.25 * 34_350 / 2**zoom, (collection.id, zoom)


def test_too_much_to_count_from_rows_is_refused(city: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup_bounds, "MOST_ROWS", 1000)
    by_name = QUERIES["by name, from the rows"]
    with pytest.raises(BadQuery, match="zoom in"):
        _drawn(city, by_name, _at(5, 116.5, 31.75))
    assert _drawn(city, _plan(), _at(5, 116.5, 31.75))
    assert _drawn(city, by_name, _at(5, 179.99, -17.0)) is not None
    box = Box(179.9, -18.0, 180.0, -16.0)
    assert _drawn(city, _plan(Query(collection=POIS.id, area=box)), _at(5, 179.99, -17.0))


def test_measures_are_told_of_each_cell(city: psycopg.Connection[Any]) -> None:
    entities = CATALOGUE["base.entities"]
    cell = int(h3.latlng_to_cell(31.75, 116.5, 11), 16)
    city.execute(
        "INSERT INTO base.entities (fid, cell, capital_wan, credit_code, name, rec_from, digest, load)"
        " SELECT i, %s, nullif(i, 3) * 10, '', '', 1, 1, 1 FROM generate_series(1, 4) i",
        (cell,),
    )
    plan = Plan(Query(collection=entities.id), CATALOGUE, OWNER, NOW)
    (feature,) = _drawn(city, plan, _at(6, 116.5, 31.75))["base.entities:cells"]["features"]
    assert feature["properties"]["n"] == 4
    assert feature["properties"]["sum_capital_wan"] == 70
    assert feature["properties"]["mean_capital_wan"] == pytest.approx(70 / 3)


def test_what_is_not_folded_yet_is_added_to_what_is(city: psycopg.Connection[Any]) -> None:
    """To a kept cell, to none, and so that nothing is left of one; the very figures that folding leaves."""
    entities = CATALOGUE["base.entities"]
    kept, new, emptied = (int(h3.latlng_to_cell(40.0, 100.0 + lon, 11), 16) for lon in (0.0, 0.6, 1.2))
    plan, tile = Plan(Query(collection=entities.id), CATALOGUE, OWNER, NOW), _at(6, 100.6, 40.0)
    insert = (
        "INSERT INTO base.entities (fid, cell, capital_wan, credit_code, name, rec_from, digest, load)"
        " VALUES (%s, %s, %s, '', '', 1, 1, 1)"
    )

    def told() -> dict[int, tuple[Any, ...]]:
        found = _drawn(city, plan, tile)["base.entities:cells"]["features"]
        names = ("n", "sum_capital_wan", "mean_capital_wan")
        return {f["id"]: tuple(f["properties"].get(name) for name in names) for f in found}

    with city.cursor() as cursor:
        cursor.executemany(insert, [(901, kept, 10), (902, kept, None), (903, emptied, 5)])
        fold(city, entities)
        before = told()
        cursor.executemany(insert, [(904, kept, 40), (905, new, None)])
        cursor.execute("DELETE FROM base.entities WHERE fid = 903")
    resolution = cells.resolution_at(entities, 6)
    ids = [int(h3.cell_to_parent(f"{c:x}", resolution), 16) & ((1 << 53) - 1) for c in (kept, new, emptied)]
    assert before == {ids[0]: (2, 10, 10), ids[2]: (1, 5, 5)}
    opened = told()
    assert opened == {ids[0]: (3, 50, 25), ids[1]: (1, 0, None)}
    fold(city, entities)
    assert told() == opened
    city.execute("DELETE FROM base.entities WHERE fid > 900")
    fold(city, entities)


@pytest.mark.parametrize(("rows", "drawn"), [(1_400, "base.pois"), (2_900, LAYER)])
def test_so_many_points_that_none_is_told_apart_are_cells(city: psycopg.Connection[Any], rows: int, drawn: str) -> None:
    """Of a cell about as large as a tile; the same everywhere."""
    place = h3.cell_to_children(h3.latlng_to_cell(45.0, 90.0, 8), 11)
    insert = (
        "INSERT INTO base.pois (fid, cell, geom, geom_3857, kind, name, code, rec_from, digest, load)"
        " SELECT 10000 + i, c, p, ST_Transform(p, 3857), 'shop', '', '', 1, 1, 1 FROM generate_series(1, %s) i,"
        " LATERAL (SELECT (%s::bigint[])[1 + i %% %s] c) d, ST_SetSRID(ST_MakePoint(90.0, 45.0), 4326) p"
    )
    city.execute(insert, (rows, [int(cell, 16) for cell in place], len(place)))
    fold(city, POIS)
    try:
        assert set(_drawn(city, _plan(), _at(15, 90.0, 45.0))) == {drawn}
    finally:
        city.execute("DELETE FROM base.pois WHERE fid > 10000")
        fold(city, POIS)


def test_tilejson_tells_of_the_cells() -> None:
    told = {layer["id"]: layer for layer in vector_layers([POIS, CATALOGUE["base.roads"]], "zh")}
    assert set(told[LAYER]["fields"]) == {"n", "per_km2"}
    assert "base.roads:cells" not in told


def test_a_collection_without_a_rollup_has_none() -> None:
    bare = replace(POIS, rollup=None)
    catalogue = Catalogue([Layer(name="base", title=POIS.title, collections=(bare,))])
    plan = Plan(Query(collection=POIS.id), catalogue, OWNER, NOW)
    points = mvt.statement(plan, _at(5, 116.5, 31.75))
    assert points is not None and LAYER not in points.sql
