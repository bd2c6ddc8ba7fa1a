"""What the benchmark serves: a million points, for us as a register, for peers as a plain table of the same rows."""

import random
from dataclasses import replace
from pathlib import Path

import morecantile
import psycopg

from gis.catalog import Catalogue, Layer, Rollup
from gis.city import City
from gis.store.cluster_server import in_database
from gis.store.database import Database
from gis.store.migrate import migrate
from gis.text import Text
from layers import LAYERS
from tests.bench import points
from tests.bench.catalogue import POINTS

#: The points as a city would declare so many: summed up by cell, since a map of all of them shows no points.
_SERVED = replace(POINTS, rollup=Rollup(resolutions=tuple(range(11)), measures=("value",), dimensions=("kind",)))
CATALOGUE = Catalogue([*LAYERS, Layer(name="bench", title=Text("测试", "Bench"), collections=(_SERVED,))])
_DATABASE = "onemap_bench_serving"
CENTRE = (116.5, 31.73)


def prepared(server: str, folder: Path, rows: int, name: str = _DATABASE) -> str:
    """The URL of a database with so many points, in `bench.points` and in `peer.points`; made once."""
    url = in_database(server, name)
    with psycopg.connect(server, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            conn.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    if _rows(url) != rows:
        migrate(url, LAYERS)
        points.empty_register(url)
    migrate(url, CATALOGUE.layers)
    if _rows(url) != rows:
        with City(Database(url), CATALOGUE) as city:
            city.load(points.parquet(folder, rows), "bench.points")
        _copy_for_peers(url)
    _warm(url)
    return url


def trace(zooms: range, tiles: int) -> list[tuple[int, int, int]]:
    """A walk of a map over the points: (zoom, column, row), neighbours by neighbours, the same in every run."""
    draw, grid = random.Random(1), morecantile.tms.get("WebMercatorQuad")
    walk: list[tuple[int, int, int]] = []
    while len(walk) < tiles:
        zoom = draw.choice(zooms)
        at = grid.tile(CENTRE[0] + draw.gauss(0, 0.1), CENTRE[1] + draw.gauss(0, 0.1), zoom)
        walk += [(zoom, at.x + dx, at.y + dy) for dx in range(3) for dy in range(2)]
    return walk[:tiles]


def _warm(url: str) -> None:
    """Both tables and their indexes in memory: what is compared is not the disk."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        conn.execute(
            "SELECT pg_prewarm(t.relid) FROM (SELECT oid AS relid FROM pg_class WHERE oid IN ('bench.points'::regclass,"
            " 'peer.points'::regclass) UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid IN"
            " ('bench.points'::regclass, 'peer.points'::regclass)) t"
        )


def _rows(url: str) -> int:
    with psycopg.connect(url) as conn:
        if conn.execute("SELECT to_regclass('peer.points')").fetchone() == (None,):
            return -1
        found = conn.execute("SELECT count(*) FROM peer.points").fetchone()
    return int(found[0]) if found else -1


def _copy_for_peers(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA IF EXISTS peer CASCADE")
        conn.execute("CREATE SCHEMA peer")
        conn.execute(
            "CREATE TABLE peer.points AS SELECT fid AS id, code, name, kind, floor, value, geom::geometry(Point, 4326)"
            " FROM bench.points ORDER BY fid"
        )
        conn.execute("ALTER TABLE peer.points ADD PRIMARY KEY (id)")
        conn.execute("CREATE INDEX ON peer.points USING gist (geom)")
        conn.execute("VACUUM ANALYZE peer.points")
        conn.execute("VACUUM ANALYZE bench.points")
