"""Run the benchmarks on the embedded server, print a table, and keep the figures in bench-results/."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from gis.settings import CHECKOUT, Settings
from gis.store.cluster import ensure_database
from gis.store.cluster_server import in_database
from gis.store.migrate import migrate
from tests.bench import load, resolution
from tests.bench.pairs import Comparison

ROWS = int(os.environ.get("ONEMAP_BENCH_ROWS") or 1_000_000)
PAIRS = int(os.environ.get("ONEMAP_BENCH_PAIRS") or 10)
_RESULTS = CHECKOUT / "bench-results"


def main() -> int:
    """Every benchmark, or those named on the command line; the exit code says whether all goals were reached."""
    wanted = set(sys.argv[1:]) or {"load", "memory"}
    _RESULTS.mkdir(exist_ok=True)
    url = _database()
    comparisons: list[Comparison] = []
    memory: dict[str, float] = {}
    if "load" in wanted:
        comparisons += load.bench(url, _RESULTS, ROWS, PAIRS)
    if "memory" in wanted:
        memory = load.memory(url, _RESULTS, ROWS)
    if "resolution" in wanted:
        resolution.bench()
    _print(comparisons, memory)
    _keep(comparisons, memory)
    flat = all(v <= load.FLAT_GOAL for k, v in memory.items() if k.endswith("ratio"))
    small = all(v <= load.MEMORY_GOAL_MB for k, v in memory.items() if not k.endswith("ratio"))
    return 0 if flat and small and all(c.verdict != "missed" for c in comparisons) else 1


def _database() -> str:
    """A database of the benchmarks' own, beside the city's."""
    server = ensure_database(Settings())
    with psycopg.connect(server, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'onemap_bench'").fetchone():
            conn.execute("CREATE DATABASE onemap_bench")
    url = in_database(server, "onemap_bench")
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    migrate(url, [])
    return url


def _print(comparisons: list[Comparison], memory: dict[str, float]) -> None:
    console = Console()
    table = Table(
        "what", "peer", "ours, s", "peer, s", "ratio", "95 %", "goal", "verdict", title=f"{ROWS:,} rows, {PAIRS} pairs"
    )
    for c in comparisons:
        low, high = c.interval
        ours, theirs = (sorted(times)[len(times) // 2] for times in (c.ours_s, c.peer_s))
        table.add_row(c.name, c.peer, f"{ours:.2f}", f"{theirs:.2f}", f"{c.median:.2f}", f"{low:.2f}–{high:.2f}",
                      f"≥ {c.goal:g}", c.verdict)  # fmt: skip
    console.print(table)
    for name, value in memory.items():
        goal = f"≤ {load.FLAT_GOAL}" if name.endswith("ratio") else f"≤ {load.MEMORY_GOAL_MB:.0f} MB"
        console.print(f"memory {name}: {value:.2f} ({goal})")


def _keep(comparisons: list[Comparison], memory: dict[str, float]) -> None:
    found = [
        {"name": c.name, "peer": c.peer, "goal": c.goal, "ours_s": c.ours_s, "peer_s": c.peer_s, "median": c.median,
         "interval": c.interval, "verdict": c.verdict}
        for c in comparisons
    ]  # fmt: skip
    when = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path: Path = _RESULTS / f"bench-{when}.json"
    path.write_text(json.dumps({"rows": ROWS, "pairs": PAIRS, "comparisons": found, "memory_mb": memory}, indent=1))
    Console().print(f"kept in {path}")


if __name__ == "__main__":
    sys.exit(main())
