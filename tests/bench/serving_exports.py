"""How fast all rows go out, and how much memory the server takes for it: beside bare COPY, and beside paging tipg."""

import json
import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gis.access import PUBLIC
from gis.query import export
from gis.query.ask import Ask
from gis.query.query import Query
from gis.store.batches import written_out
from gis.store.database import EXPORT_OPTIONS, connect
from tests.bench import serving_peers as peers
from tests.bench.pairs import Comparison, compare
from tests.bench.serving_data import CATALOGUE, prepared

COPY_GOAL, TIPG_GOAL = 0.5, 15.0
#: The server may grow by this while a million features go out.
GROWTH_GOAL_MB = 50.0
#: tipg's largest page, and how many of them are asked for.
_PAGE, _PAGES = 10_000, 3
_ITEMS = "/collections/bench.points/items"
_PIECE_BYTES = 1 << 20


def bench(server: str, folder: Path, rows: int, pairs: int) -> tuple[list[Comparison], dict[str, float]]:
    """Both exports beside their peers, in seconds a million rows; and the growth of the server in MB."""
    url = prepared(server, folder, rows)
    geojson, parquet = f"{_ITEMS}?f=geojson&limit={max(rows, 10_001)}", f"{_ITEMS}?f=parquet"
    files = {"geojson": geojson, "parquet": parquet}
    with tempfile.TemporaryDirectory() as home, peers.ours(url, Path(home)) as base, peers.tipg(url) as tipg:
        growth = {f"export growth, {name}": _growth_mb(base, path) for name, path in files.items()}
        found = [
            _compared("export as GeoJSON, s a million", "bare COPY of the same text", COPY_GOAL,
                      (partial(_fetched, base + geojson), rows), (_copy(url), rows), pairs),
            _compared("export as GeoParquet, s a million", "paging tipg", TIPG_GOAL,
                      (partial(_fetched, base + parquet), rows), (partial(_paged, tipg), _PAGE * _PAGES), pairs),
        ]  # fmt: skip
    return found, growth


def _compared(
    name: str,
    peer: str,
    goal: float,
    ours: tuple[Callable[[], int], int],
    theirs: tuple[Callable[[], int], int],
    pairs: int,
) -> Comparison:
    """Seconds a million rows; each side is what is done, telling how many bytes came, and the rows of it."""
    sizes: dict[str, int] = {}

    def run(side: str, what: Callable[[], int]) -> None:
        sizes[side] = what()

    found = compare(name, peer, goal, partial(run, "ours", ours[0]), partial(run, "peer", theirs[0]), pairs)
    one, other = ([t * 1e6 / n for t in times] for times, n in ((found.ours_s, ours[1]), (found.peer_s, theirs[1])))
    return Comparison(name, peer, goal, one, other, {"bytes": sizes})


def _growth_mb(base: str, path: str) -> float:
    """By how much the memory of the server's processes grew at most during an export; a small one came before."""
    _fetched(f"{base}{path.partition('&limit=')[0]}&limit=20000")
    before = {pid: _memory_mb(pid, "VmRSS") for pid in peers.processes(base)}
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew (proc(5))
    _fetched(base + path)
    return sum(_memory_mb(pid, "VmHWM") - mb for pid, mb in before.items())


def _memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


def _fetched(url: str) -> int:
    """An answer read to its end and dropped; its bytes."""
    size = 0
    with urllib.request.urlopen(url, timeout=600) as answer:
        while piece := answer.read(_PIECE_BYTES):
            size += len(piece)
    return size


def _paged(tipg: str) -> int:
    """The first pages, which are tipg's fastest: each later one skips more rows."""
    size = 0
    for page in range(_PAGES):
        url = f"{tipg}/collections/peer.points/items?limit={_PAGE}&offset={page * _PAGE}"
        with urllib.request.urlopen(url, timeout=600) as answer:
            body = answer.read()
        if len(json.loads(body)["features"]) != _PAGE:
            raise RuntimeError(f"tipg gave no page of {_PAGE} features")
        size += len(body)
    return size


def _copy(url: str) -> Callable[[], int]:
    """COPY of the very lines that the export is made of, by psql, which drops them. How many bytes is not told."""
    plan = Ask(query=Query(collection="bench.points"), identity=PUBLIC).plan(CATALOGUE)
    with connect(url) as conn:
        sql = f"COPY ({written_out(conn, export.lines(plan))}) TO STDOUT"
    words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, url]

    def run() -> int:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PGOPTIONS": EXPORT_OPTIONS})
        return 0

    return run
