"""The densest tiles of ten million points, at each zoom: how large, and how long beside a usual tile of a street.

What the bare statement and tipg make of the same tiles is told beside it; one time each, since it may take them long.
"""

import contextlib
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from psycopg import errors

from tests.bench import serving_peers as peers
from tests.bench.load_generator import Load, timed
from tests.bench.pairs import Comparison
from tests.bench.serving_data import prepared, trace

#: A tile is below this, and takes at most three times as long as a usual one.
MOST_BYTES, GOAL = 500_000, 1 / 3
_ZOOMS, _USUAL_ZOOM = range(17), 14
_USUAL_TILES, _TIMES, _PATIENCE_S = 60, 10, 120
_DATABASE = "onemap_bench_dense"
_TOO_MUCH = (errors.QueryCanceled, errors.ProgramLimitExceeded, errors.OutOfMemory)

#: How many points lie in each tile of the finest zoom, by the definition of WebMercatorQuad.
_COUNTS = """SELECT floor((ST_X(geom) + 180) / 360 * {n})::int AS x, floor((1 - asinh(tan(radians(ST_Y(geom)))) / pi())
 / 2 * {n})::int AS y, count(*) FROM peer.points GROUP BY 1, 2"""
#: Without a margin, which beyond the edge of the world would be another place.
_BARE = """SELECT octet_length(ST_AsMVT(q, 'points', 4096, 'geom', 'fid')) FROM (
 SELECT fid, code, name, kind, floor, value, ST_AsMVTGeom(geom_3857, ST_TileEnvelope({z}, {x}, {y}), 4096, 64, true)
 AS geom FROM bench.points
 WHERE geom && ST_Transform(ST_TileEnvelope({z}, {x}, {y}), 4326)) q"""


@dataclass
class Dense:
    """The densest tile of a zoom, and what each makes of it; None where it took too long."""

    zoom: int
    points: int
    x: int
    y: int
    ours: list[Load] = field(default_factory=list)
    bare: Load | None = None
    tipg: Load | None = None

    @property
    def address(self) -> str:
        """Of ours."""
        return f"/collections/bench.points/tiles/WebMercatorQuad/{self.zoom}/{self.y}/{self.x}"


def bench(server: str, folder: Path, rows: int, pairs: int) -> tuple[list[Comparison], list[Dense]]:
    """The slowest and the largest of the densest tiles beside the usual one; all of them for the record."""
    url = prepared(server, folder, rows, _DATABASE)
    tiles = _densest(url)
    usual = [f"/collections/bench.points/tiles/WebMercatorQuad/{z}/{y}/{x}" for z, x, y in
             trace(range(_USUAL_ZOOM, _USUAL_ZOOM + 1), _USUAL_TILES)]  # fmt: skip
    usual_s = []
    with tempfile.TemporaryDirectory() as home:
        with peers.ours(url, Path(home), ONEMAP_TILE_CACHE_MB="0") as base:
            for _ in range(pairs + 1):
                usual_s.append(statistics.median(_once(base + path)[0] for path in usual))
                for tile in tiles:
                    tile.ours.append(timed(partial(_size, base + tile.address), _TIMES))
        with peers.tipg(url) as tipg:
            for tile in tiles:
                _ask_peers(url, tipg, tile)
    slowest_s = [max(tile.ours[run].p50_ms for tile in tiles) / 1000 for run in range(1, pairs + 1)]
    largest = max(load.bytes for tile in tiles for load in tile.ours)
    notes: dict[str, object] = {"tiles": [asdict(tile) for tile in tiles]}
    return [
        Comparison("densest tile of any zoom, p50", f"usual z{_USUAL_ZOOM} tile, p50", GOAL, slowest_s, usual_s[1:]),
        Comparison("densest tile of any zoom, MB", "500 KB", 1.0, [largest / 1e6], [MOST_BYTES / 1e6], notes),
    ], tiles


def _densest(url: str) -> list[Dense]:
    """Of each zoom the tile with most points in it, counted once at the finest."""
    finest = max(_ZOOMS)
    with psycopg.connect(url) as conn:
        counted = {(x, y): n for x, y, n in conn.execute(_COUNTS.format(n=1 << finest))}
    found = []
    for zoom in reversed(_ZOOMS):
        (x, y), points = max(counted.items(), key=lambda one: (one[1], one[0]))
        found.append(Dense(zoom, points, x, y))
        coarser: dict[tuple[int, int], int] = {}
        for (x, y), points in counted.items():
            coarser[x >> 1, y >> 1] = coarser.get((x >> 1, y >> 1), 0) + points
        counted = coarser
    return found[::-1]


def _ask_peers(url: str, tipg: str, tile: Dense) -> None:
    """One time each."""
    options = f"-c statement_timeout={_PATIENCE_S * 1000} -c jit=off -c max_parallel_workers_per_gather=0"
    begun_s = time.perf_counter()
    with contextlib.suppress(*_TOO_MUCH), psycopg.connect(url, options=options) as conn:
        row = conn.execute(_BARE.format(z=tile.zoom, x=tile.x, y=tile.y)).fetchone()
        tile.bare = _load(time.perf_counter() - begun_s, int(row[0] if row else 0))
    with contextlib.suppress(TimeoutError, urllib.error.URLError):
        tile.tipg = _load(*_once(f"{tipg}/collections/peer.points/tiles/WebMercatorQuad/{tile.zoom}/{tile.x}/{tile.y}"))


def _load(took_s: float, size: int) -> Load:
    return Load(1 / took_s, took_s * 1000, took_s * 1000, took_s * 1000, size)


def _once(url: str) -> tuple[float, int]:
    """Seconds, and bytes."""
    begun_s = time.perf_counter()
    size = _size(url)
    return time.perf_counter() - begun_s, size


def _size(url: str) -> int:
    with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:
        return len(answer.read())
