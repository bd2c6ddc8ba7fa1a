"""A circle's points are those within its radius on the ellipsoid, though most are told by a plane."""

import math
import random

import psycopg
import pytest

from gis.catalog import Catalogue
from gis.geo.area import Circle
from gis.query.areas import area_condition
from layers import LAYERS

POIS, ROADS = Catalogue(LAYERS)["base.pois"], Catalogue(LAYERS)["base.roads"]
#: Distances from the middle, in radii: everywhere, and about the edge.
WHERE = ((0.0, 1.4), (0.985, 1.015), (0.99999, 1.00001))


def _around(circle: Circle, draw: random.Random) -> tuple[list[float], list[float]]:
    lons, lats = [], []
    for _ in range(300):
        away_m, turn = draw.uniform(*draw.choice(WHERE)) * circle.radius_m, draw.uniform(0, 2 * math.pi)
        lons.append(circle.lon + away_m * math.sin(turn) / 111_320 / math.cos(math.radians(circle.lat)))
        lats.append(circle.lat + away_m * math.cos(turn) / 110_950)
    return lons, lats


@pytest.mark.parametrize("radius_m", [1.0, 300.0, 10_000.0])
@pytest.mark.parametrize("lat", [0.0, 31.75, -53.5, 75.0, -75.0])
@pytest.mark.parametrize("lon", [116.5, -179.99])
def test_points_in_a_circle_are_those_that_the_ellipsoid_says(
    conn: psycopg.Connection, lon: float, lat: float, radius_m: float
) -> None:
    circle = Circle(lon, lat, radius_m)
    lons, lats = _around(circle, random.Random(f"{circle}"))
    found = area_condition(circle, POIS)
    assert "width_bucket" in found.sql
    exactly = "ST_DWithin(geom::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography, %s)"
    rows = conn.execute(
        f"SELECT {found.sql}, {exactly} FROM (SELECT ST_SetSRID(ST_MakePoint(x, y), 4326) AS geom"
        " FROM unnest(%s::float8[], %s::float8[]) p (x, y) WHERE abs(x) <= 180) q",
        (*found.args, lon, lat, radius_m, lons, lats),
    ).fetchall()
    # beyond the antimeridian a circle does not reach
    assert {ours for ours, _ in rows} == {True, False}
    assert all(ours == theirs for ours, theirs in rows)


@pytest.mark.parametrize("circle", [Circle(116.5, 31.7, 0.5), Circle(116.5, 31.7, 10_001.0), Circle(116.5, 76.0, 9.0)])
def test_where_a_plane_tells_too_little_all_are_compared_exactly(circle: Circle) -> None:
    assert "width_bucket" not in area_condition(circle, POIS).sql


def test_lines_and_areas_are_compared_exactly() -> None:
    assert "width_bucket" not in area_condition(Circle(116.5, 31.7, 300.0), ROADS).sql


@pytest.mark.parametrize("wkt", ["POINT EMPTY", "MULTIPOINT (116.5 31.7, 100 20)", "MULTIPOINT (100 20, 101 21)"])
def test_empty_points_are_nowhere_and_of_several_the_nearest_counts(conn: psycopg.Connection, wkt: str) -> None:
    found = area_condition(Circle(116.5, 31.7, 300.0), POIS)
    row = conn.execute(
        f"SELECT coalesce({found.sql}, false) FROM (SELECT ST_GeomFromText(%s, 4326) AS geom) q", (*found.args, wkt)
    ).fetchone()
    assert row == ("116.5" in wkt,)
