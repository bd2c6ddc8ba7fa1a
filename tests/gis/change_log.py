"""The register that changes are tried on, and where its places lie."""

import math

import psycopg

from gis.store.changes import tile_key
from gis.store.changes_keys import DEEPEST

POIS = "base.pois"
INSERT = "INSERT INTO base.pois (fid, rec_from, digest, load, geom) VALUES (%s, 1, 0, 1, ST_GeomFromText(%s, 4326))"
HERE, THERE = "POINT(116.5 31.7)", "POINT(116.9 31.9)"


def emptied(url: str) -> str:
    """The database, with nothing in the register and its log."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE base.pois, base.pois_past")
        connection.execute("TRUNCATE core.change, core.change_digest")
    return url


def column_row(lon: float, lat: float) -> tuple[int, int]:
    """Of the z12 tile, by the definition of WebMercatorQuad."""
    bounded = math.radians(min(max(lat, -85.06), 85.06))
    column = math.floor((lon + 180) / 360 * 4096)
    row = math.floor((1 - math.asinh(math.tan(bounded)) / math.pi) / 2 * 4096)
    return min(max(column, 0), 4095), min(max(row, 0), 4095)


def keys_of(west: float, south: float, east: float, north: float) -> set[int]:
    (x0, y0), (x1, y1) = column_row(west, north), column_row(east, south)
    for z in range(DEEPEST, -1, -1):
        up = DEEPEST - z
        tiles = {(x, y) for x in range(x0 >> up, (x1 >> up) + 1) for y in range(y0 >> up, (y1 >> up) + 1)}
        if len(tiles) <= 4:
            return {tile_key(z, x, y) for x, y in tiles}
    raise AssertionError
