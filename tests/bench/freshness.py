"""How soon a commit is seen in its tile while many read it, beside how long a cold tile takes; nothing may be old.

One writer commits 50 times a second; 32 readers ask for the tiles that it writes to, half of the time with the copy
that they hold. From the moment a commit has returned to the first answer that shows it: the 99th percentile is held
against the median of cold tiles asked for by as many clients, in turn. An answer older than a commit that had returned
before it was asked for ends the run.
"""

import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from urllib.request import urlopen

import morecantile
import psycopg

from tests.bench import serving_peers as peers
from tests.bench.load_generator import wrk
from tests.bench.pairs import Comparison
from tests.bench.serving_data import prepared, trace
from tests.freshness_trial import Tile, Trial

#: The 99th percentile may be ten times the median of a cold tile.
GOAL = 0.1
CLIENTS, WRITES_PER_S = 32, 50
_COLD_S, _FRESH_S, _PATIENCE_S = 4, 6, 10
_ZOOMS, _TILES = range(14, 17), 252
_CENTRE, _ZOOM = (116.5, 31.73), 16

_INSIDE = (
    "SELECT fid FROM bench.points WHERE geom && ST_Transform(ST_TileEnvelope(%s, %s, %s), 4326)"
    " AND ST_Intersects(geom, ST_Transform(ST_TileEnvelope(%s, %s, %s), 4326)) ORDER BY fid LIMIT 1"
)
_COUNT = "UPDATE bench.points SET floor = %s WHERE fid = %s"


def bench(server: str, folder: Path, rows: int, pairs: int) -> list[Comparison]:
    """Freshness beside cold tiles, pair by pair; the first pair warms up and is not counted."""
    url = prepared(server, folder, rows)
    paths = [f"/collections/bench.points/tiles/WebMercatorQuad/{z}/{y}/{x}" for z, x, y in trace(_ZOOMS, _TILES)]
    cold_s: list[float] = []
    fresh: list[Freshness] = []
    with (
        _counted(url) as tiles,
        tempfile.TemporaryDirectory() as home,
        peers.ours(url, Path(home), ONEMAP_TILE_CACHE_MB="0") as cold,
        peers.ours(url, Path(home)) as base,
    ):
        for path in paths:
            urlopen(cold + path).close()  # the database's own memory is warm; "cold" is that nobody keeps tiles
        for number in range(pairs + 1):
            for turn in (0, 1) if number % 2 else (1, 0):
                if turn:
                    fresh.append(measured(url, base, tiles, first=1 + number * 100_000))
                else:
                    cold_s.append(_cold_s(cold, paths))
    counted = fresh[1:]
    notes: dict[str, object] = {"fresh": [vars(one) for one in counted], "stale": 0}
    name = f"commit to visible, p99, {WRITES_PER_S} writes/s, {CLIENTS} readers"
    p99_s = [one.p99_s for one in counted]
    return [Comparison(name, f"cold tile, p50, {CLIENTS} clients", GOAL, p99_s, cold_s[1:], notes)]


def _cold_s(base: str, paths: list[str]) -> float:
    """The median time of a cold tile. Raises RuntimeError when there was none in the time that is taken for it."""
    load = wrk(base, paths, CLIENTS, _COLD_S)
    if load.errors or not load.rate:
        raise RuntimeError(f"cold tiles: {load.rate:.0f} a second, {load.errors} failed; is the machine at rest?")
    return load.p50_ms / 1000


@dataclass
class Freshness:
    """From commit to visible, seconds; how many commits, answers and answers "not modified" there were."""

    p50_s: float
    p99_s: float
    commits: int
    answers: int
    not_modified: int


def measured(url: str, base: str, tiles: list[Tile], first: int) -> Freshness:
    """One run; counters begin with `first`. Raises RuntimeError when an answer was stale, or a commit never seen."""
    trial = Trial()
    writer = threading.Thread(target=_write, args=(url, trial, tiles, first))
    writer.start()
    asyncio.run(_read(base, trial, tiles, writer))
    writer.join()
    if trial.faults or trial.unseen_s:
        raise RuntimeError(f"{len(trial.faults)} stale answers, {len(trial.unseen_s)} unseen: {trial.faults[:3]}")
    p99_s = statistics.quantiles(trial.seen_after_s, n=100)[98]
    seen = trial.seen_after_s
    return Freshness(statistics.median(seen), p99_s, len(seen), trial.answers, trial.not_modified)


def _write(url: str, trial: Trial, tiles: list[Tile], first: int) -> None:
    """Count up one row after the other, at a steady rate."""
    fids = [fid for tile in tiles for fid in tile.fids]
    with psycopg.connect(url, autocommit=True) as conn:
        start_s = time.perf_counter()
        for number in range(WRITES_PER_S * _FRESH_S):
            time.sleep(max(0.0, start_s + number / WRITES_PER_S - time.perf_counter()))
            fid = fids[number % len(fids)]
            conn.execute(_COUNT, (first + number, fid))
            trial.wrote(fid, first + number)


async def _read(base: str, trial: Trial, tiles: list[Tile], writer: threading.Thread) -> None:
    address = urlsplit(base)
    connections = [await _Connection.open(address.hostname or "", address.port or 0) for _ in range(CLIENTS)]
    readers = [asyncio.create_task(trial.read([one.get], tiles, seed)) for seed, one in enumerate(connections)]
    while writer.is_alive():
        await asyncio.sleep(0.05)
    until_s = time.perf_counter() + _PATIENCE_S
    while trial.unseen_s and time.perf_counter() < until_s:
        await asyncio.sleep(0.01)
    trial.stop = True
    await asyncio.gather(*readers)
    for one in connections:
        one.close()


@contextmanager
def _counted(url: str) -> Iterator[list[Tile]]:
    """Four neighbouring tiles, with a row in each whose floor is counted up, and put back in the end."""
    at = morecantile.tms.get("WebMercatorQuad").tile(*_CENTRE, _ZOOM)
    tiles: list[Tile] = []
    with psycopg.connect(url, autocommit=True) as conn:
        for x, y in ((at.x + dx, at.y + dy) for dx in (0, 1) for dy in (0, 1)):
            found = conn.execute(_INSIDE, (_ZOOM, x, y) * 2).fetchone()
            path = f"/collections/bench.points/tiles/WebMercatorQuad/{_ZOOM}/{y}/{x}?properties=floor"
            if found:
                tiles.append(Tile(path, "bench.points", "floor", (int(found[0]),)))
        fids = [fid for tile in tiles for fid in tile.fids]
        before = conn.execute("SELECT floor, fid FROM bench.points WHERE fid = ANY(%s)", (fids,)).fetchall()
        try:
            yield tiles
        finally:
            for row in before:
                conn.execute(_COUNT, row)


@dataclass
class _Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes


class _Connection:
    """HTTP/1.1 over one connection that is kept, and no more: who asks must not take the machine from who serves."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        return cls(*await asyncio.open_connection(host, port))

    def close(self) -> None:
        self._writer.close()

    async def get(self, path: str, headers: dict[str, str]) -> _Answer:
        lines = [f"GET {path} HTTP/1.1", "host: city", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        first, *rest = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
        status = int(first.split()[1])
        size = int(found.get("content-length", 0)) if status == 200 else 0
        return _Answer(status, found, await self._reader.readexactly(size))
