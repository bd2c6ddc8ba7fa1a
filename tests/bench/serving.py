"""How fast tiles are served: beside the bare statement, an application that does nothing, and tipg, in one run.

Throughput is asked with `wrk` and `pgbench` for some seconds in turn; a ratio is ours over the peer's. Latencies and
bytes stand in the notes. Server, database and load share the machine, so only the ratios mean anything.
"""

import subprocess
import tempfile
import urllib.request
from functools import partial
from pathlib import Path

from gis.settings import Settings
from tests.bench import serving_peers as peers
from tests.bench.load_generator import pgbench, wrk
from tests.bench.pairs import Comparison
from tests.bench.serving_compared import SECONDS, compared
from tests.bench.serving_data import prepared, trace

#: Goals: shares of the bare statement and of the bare application, and multiples of tipg.
COLD_GOAL, COLD_TIPG_GOAL, WARM_GOAL = 0.5, 8.0, 0.75
#: Where the bare statement can be asked at all; and a walk as people make it, from the whole city to a street.
_ZOOMS, _WALK_ZOOMS, _TILES = range(14, 17), range(8, 17), 252

_TILE_SQL = """\\set i random(1, {tiles})
SELECT ST_AsMVT(q, 'points', 4096, 'geom', 'fid') FROM (
 SELECT fid, code, name, kind, floor, value, ST_AsMVTGeom(geom_3857, t.box, 4096, 64, true) AS geom
 FROM bench.points, (SELECT box, reach FROM peer.trace WHERE i = :i) t WHERE geom && t.reach) q;
"""


def bench(server: str, folder: Path, rows: int, pairs: int) -> list[Comparison]:
    """Every comparison of the serving of tiles."""
    url = prepared(server, folder, rows)
    walk = trace(_ZOOMS, _TILES)
    _keep_trace(url, walk)
    ours = [f"/collections/bench.points/tiles/WebMercatorQuad/{z}/{y}/{x}" for z, x, y in walk]
    with tempfile.TemporaryDirectory() as home, peers.tipg(url) as tipg:
        # the bare statement has all cores of the machine, and so has a server as it is started; tipg has one process
        with peers.ours(url, Path(home), processes=Settings().processes, ONEMAP_TILE_CACHE_MB="0") as cold:
            found = _cold(url, cold, ours, pairs)
        with peers.ours(url, Path(home), ONEMAP_TILE_CACHE_MB="0") as cold:
            found.append(_walked(cold, tipg, pairs))
        with peers.ours(url, Path(home)) as warm:
            found += _warm(warm, ours[0], Path(home), pairs)
    return found


def _cold(url: str, base: str, paths: list[str], pairs: int) -> list[Comparison]:
    """Tiles made each time, beside the bare statement of the same tiles."""
    bare = _TILE_SQL.format(tiles=_TILES)
    return [
        compared(f"cold tile, {clients} clients", "bare statement", COLD_GOAL,
                  partial(wrk, base, paths, clients, SECONDS), partial(pgbench, url, bare, clients, SECONDS), pairs)
        for clients in (1, 8, 32)
    ]  # fmt: skip


def _walked(base: str, tipg: str, pairs: int) -> Comparison:
    """A walk over all zooms, tiles made each time."""
    walk = trace(_WALK_ZOOMS, _TILES)
    ours = [f"/collections/bench.points/tiles/WebMercatorQuad/{z}/{y}/{x}" for z, x, y in walk]
    theirs = [f"/collections/peer.points/tiles/WebMercatorQuad/{z}/{x}/{y}" for z, x, y in walk]
    ask, peer = partial(wrk, base, ours, 8, 2 * SECONDS), partial(wrk, tipg, theirs, 8, 2 * SECONDS)
    return compared("cold tile, z8-z16, 8 clients", "tipg", COLD_TIPG_GOAL, ask, peer, pairs)


def _warm(base: str, path: str, home: Path, pairs: int) -> list[Comparison]:
    """One tile from memory, each time checked for changes; and the same told to be unchanged."""
    with urllib.request.urlopen(base + path) as answer:
        body, tag = answer.read(), answer.headers["ETag"]
    (home / "body").write_bytes(body)
    with peers.bare(home / "body") as bare:
        same = partial(wrk, bare, ["/"], 8, SECONDS)
        return [
            compared("warm tile", "bare application", WARM_GOAL, partial(wrk, base, [path], 8, SECONDS), same, pairs),
            compared("warm tile, 304", "bare application", WARM_GOAL,
                      partial(wrk, base, [path], 8, SECONDS, {"If-None-Match": tag}), same, pairs),
        ]  # fmt: skip


def _keep_trace(url: str, walk: list[tuple[int, int, int]]) -> None:
    """The tiles that the bare statement draws: their boxes, and the same with the margin in degrees."""
    values = ",".join(f"({i},{z},{x},{y})" for i, (z, x, y) in enumerate(walk, 1))
    sql = (
        "DROP TABLE IF EXISTS peer.trace; CREATE TABLE peer.trace AS SELECT i, ST_TileEnvelope(z, x, y) AS box,"
        " ST_Transform(ST_TileEnvelope(z, x, y, margin => 64.0 / 4096), 4326) AS reach"
        f" FROM (VALUES {values}) t (i, z, x, y); ALTER TABLE peer.trace ADD PRIMARY KEY (i); ANALYZE peer.trace"
    )
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url], input=sql, text=True, check=True, capture_output=True)
