"""Boundaries of cells in SQL against those of the H3 library."""

import math
import random
from typing import Any

import h3
import psycopg
import pytest
import shapely

from gis.geo.cell_windows import window
from gis.geo.mercator import from_mercator
from gis.store.cell_boundaries import mercator_boundaries


def _cells(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    places = [(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180)) for _ in range(count)]
    near_the_edge = [(chance.uniform(-60, 60), 180.0 - chance.uniform(0, 1e-3)) for _ in range(count // 10)]
    found = [h3.latlng_to_cell(lat, lon, chance.randint(0, 13)) for lat, lon in (*places, *near_the_edge)]
    return [*found, *(cell for res in range(14) for cell in h3.get_pentagons(res))]


def _sphere(lat: float, lon: float) -> tuple[float, float, float]:
    a, b = math.radians(lat), math.radians(lon)
    return math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)


def test_corners_are_those_of_the_library(conn: psycopg.Connection[Any]) -> None:
    cells = _cells(1500, 7)
    made = conn.execute(
        "SELECT ST_AsBinary(core.cell_boundary(c, false)), ST_AsBinary(core.cell_boundary(c, true))"
        " FROM unnest(%s::bigint[]) c",
        ([int(cell, 16) for cell in cells],),
    )
    for cell, (degrees, metres) in zip(cells, made, strict=True):
        ring = shapely.from_wkb(degrees).exterior
        corners = list(ring.coords)[:-1]
        assert len(corners) == (5 if h3.is_pentagon(cell) else 6), cell
        assert max(x for x, _ in corners) - min(x for x, _ in corners) < 180 or abs(corners[0][1]) > 60
        wanted = [_sphere(lat, lon) for lat, lon in h3.cell_to_boundary(cell)]
        for lon, lat in corners:
            assert min(math.dist(_sphere(lat, lon), corner) for corner in wanted) * 6_371_000 < 0.01, cell
        if max(abs(lat) for _, lat in corners) < 80 and max(abs(lon) for lon, _ in corners) < 180:
            x, y = from_mercator(*shapely.get_coordinates(shapely.from_wkb(metres)).T)
            assert all(abs(a - b) < 1e-8 for pair, there in zip(zip(x, y), ring.coords) for a, b in zip(pair, there))  # noqa: B905


def test_boundaries_in_bulk_are_the_same_but_for_points_where_faces_meet(conn: psycopg.Connection[Any]) -> None:
    cells = [int(h3.latlng_to_cell(31.0 + i / 7, 116.0 + i / 3, 1 + i % 11), 16) for i in range(60)]
    cells += [int(h3.latlng_to_cell(10.0, 179.9999, res), 16) for res in range(3, 12)]
    one = conn.execute("SELECT ST_AsBinary(core.cell_boundary(c, true)) FROM unnest(%s::bigint[]) c", (cells,))
    for cell, (single,), bulk in zip(cells, one, mercator_boundaries(cells), strict=True):
        a, b = shapely.from_wkb(single), shapely.from_wkb(bulk)
        if abs(shapely.centroid(a).x - shapely.centroid(b).x) < 1e7:
            assert shapely.symmetric_difference(a, b).area < 0.03 * a.area, f"{cell:x}"


@pytest.mark.parametrize(
    "box",
    [(116.0, 31.0, 117.0, 32.0), (179.5, -1.0, 180.0, 1.0), (116.5, 31.7, 116.5, 31.7), (-180.0, 50.0, -179.0, 51.0)],
    ids=str,
)
def test_a_window_holds_all_cells_that_touch_a_box(box: tuple[float, float, float, float]) -> None:
    found = window(box, 60, tuple(range(8)))
    assert found
    coarse = found[0] >> 52 & 15
    chance = random.Random(3)
    for _ in range(300):
        lon, lat = chance.uniform(box[0], box[2]), chance.uniform(box[1], box[3])
        for fine in range(coarse, 12):
            cell = h3.latlng_to_cell(lat, lon, fine)
            for near in h3.grid_disk(cell, 0):
                assert int(h3.cell_to_parent(near, coarse), 16) in found


@pytest.mark.parametrize("box", [(-180.0, -90.0, 180.0, 90.0), (0.0, 88.0, 1.0, 90.0)], ids=str)
def test_boxes_that_are_too_large_have_no_window(box: tuple[float, float, float, float]) -> None:
    assert window(box, 60, tuple(range(8))) is None
