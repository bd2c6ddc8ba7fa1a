"""Run the benchmarks on the embedded server, print a table, and keep the figures in bench-results/."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from gis.settings import CHECKOUT, Settings
from gis.store.cluster import ensure_database
from gis.store.cluster_server import in_database
from gis.store.migrate import migrate
from layers import LAYERS
from tests.bench import (
    addresses,
    deliveries,
    freshness,
    here,
    history,
    load,
    resolution,
    rights,
    serving,
    serving_dense,
    serving_exports,
    serving_items,
)
from tests.bench import tables as bench_tables
from tests.bench.pairs import Comparison

ROWS = int(os.environ.get("ONEMAP_BENCH_ROWS") or 1_000_000)
TEXTS = int(os.environ.get("ONEMAP_BENCH_TEXTS") or 100_000)
#: A city of so many people, and how many pairs of deliveries: each takes its time.
PEOPLE = int(os.environ.get("ONEMAP_BENCH_PEOPLE") or 1_000_000)
#: The time a row at four times the people as well: it takes half an hour.
FOUR = os.environ.get("ONEMAP_BENCH_FOUR") == "1"
#: How many points the densest tiles are drawn of: to load so many takes minutes, the first time.
DENSE = int(os.environ.get("ONEMAP_BENCH_DENSE") or 10_000_000)
_ALL = (
    "load", "memory", "deliveries", "history", "addresses", "resolution", "serving", "items", "exports", "dense",
    "freshness", "here", "rights",
)  # fmt: skip
PAIRS = int(os.environ.get("ONEMAP_BENCH_PAIRS") or 10)
_RESULTS = CHECKOUT / "bench-results"


def main() -> int:
    """Every benchmark, or those named on the command line; the exit code says whether all goals were reached."""
    wanted = set(sys.argv[1:]) or set(_ALL)
    _RESULTS.mkdir(exist_ok=True)
    url = _database()
    comparisons: list[Comparison] = []
    memory: dict[str, float] = {}
    if "load" in wanted:
        comparisons += load.bench(url, _RESULTS, ROWS, PAIRS)
    if "memory" in wanted:
        memory = load.memory(url, _RESULTS, ROWS)
    rates: addresses.Rates | None = None
    if "addresses" in wanted:
        comparisons += addresses.bench(url, TEXTS, PAIRS)
        rates = addresses.rates(TEXTS)
    buffers: list[history.Buffers] = []
    if "deliveries" in wanted:
        comparisons += deliveries.bench(url, _RESULTS, PEOPLE, PAIRS)
        memory["delivery peak"] = deliveries.memory(url, _RESULTS, PEOPLE)
        if FOUR:
            larger = _database("onemap_bench_four")
            memory["delivery time a row ×4 ratio"] = deliveries.growth((url, larger), _RESULTS, PEOPLE)
            memory["delivery peak ×4"] = deliveries.memory(larger, _RESULTS, 4 * PEOPLE)
    if "history" in wanted:
        found, buffers = history.bench(url, _RESULTS, PEOPLE // 10, PAIRS)
        comparisons += found
    guarded: list[rights.Buffers] = []
    if "rights" in wanted:
        found, guarded = rights.bench(url, _RESULTS, ROWS, PAIRS)
        comparisons += found
    served = _served(wanted, url, memory)
    comparisons += served[0]
    if "resolution" in wanted:
        resolution.bench()
    _print(comparisons, memory)
    bench_tables.print_latencies(comparisons)
    bench_tables.print_dense(served[1])
    missed = _print_rates(rates) if rates else []
    _keep(comparisons, memory, rates)
    small = all(v <= _goal(k) for k, v in memory.items())
    small &= all(b.ratio <= history.BUFFERS_GOAL for b in buffers)
    for b in buffers:
        Console().print(f"pages read for {b.name}: {b.with_past} with a past, {b.without} without"
                        f" ({b.ratio:.2f}, ≤ {history.BUFFERS_GOAL})")  # fmt: skip
    small &= all(b.ratio <= rights.BUFFERS_GOAL for b in guarded)
    for g in guarded:
        Console().print(f"pages read for {g.name}: {g.behind} with rights, {g.bare} without"
                        f" ({g.ratio:.2f}, ≤ {rights.BUFFERS_GOAL})")  # fmt: skip
    return 0 if small and not missed and all(c.verdict != "missed" for c in comparisons) else 1


def _served(wanted: set[str], url: str, memory: dict[str, float]) -> tuple[list[Comparison], list[serving_dense.Dense]]:
    """What goes by HTTP: its comparisons, and the densest tiles; growth of memory is put with the others."""
    found: list[Comparison] = []
    dense: list[serving_dense.Dense] = []
    if "serving" in wanted:
        found += serving.bench(url, _RESULTS, ROWS, PAIRS)
    if "items" in wanted:
        found += serving_items.bench(url, _RESULTS, ROWS, PAIRS)
    if "exports" in wanted:
        exported, growth = serving_exports.bench(url, _RESULTS, ROWS, PAIRS)
        found += exported
        memory |= growth
    if "dense" in wanted:
        drawn, dense = serving_dense.bench(url, _RESULTS, DENSE, PAIRS)
        found += drawn
    if "freshness" in wanted:
        found += freshness.bench(url, _RESULTS, ROWS, PAIRS)
    if "here" in wanted:
        found += here.bench(url, PEOPLE / 1_000_000, PAIRS)
    return found, dense


def _goal(name: str) -> float:
    """The most that a figure of memory (MB), or a ratio, may be."""
    if name.startswith("export"):
        return serving_exports.GROWTH_GOAL_MB
    if name.endswith("ratio"):
        return deliveries.GROWTH_GOAL if name.startswith("delivery") else load.FLAT_GOAL
    return deliveries.MEMORY_GOAL_MB if name.startswith("delivery") else load.MEMORY_GOAL_MB


def _database(name: str = "onemap_bench") -> str:
    """A database of the benchmarks' own, beside the city's."""
    server = ensure_database(Settings())
    with psycopg.connect(server, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = in_database(server, name)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    migrate(url, LAYERS)
    return url


def _print(comparisons: list[Comparison], memory: dict[str, float]) -> None:
    console = Console(width=150)
    table = Table(
        "what",
        "peer",
        "ours, s",
        "peer's, s",
        "ratio",
        "95 %",
        "goal",
        "verdict",
        title=f"{ROWS:,} rows, {PAIRS} pairs",
    )
    for c in comparisons:
        low, high = c.interval
        ours, theirs = (sorted(times)[len(times) // 2] for times in (c.ours_s, c.peer_s))
        table.add_row(c.name, c.peer, f"{ours:.3g}", f"{theirs:.3g}", f"{c.median:.3f}", f"{low:.3f}–{high:.3f}",
                      f"≥ {c.goal:.3g}", c.verdict)  # fmt: skip
    console.print(table)
    for name, value in memory.items():
        shown = (
            f"{value:.3f} (≤ {_goal(name):g})" if name.endswith("ratio") else f"{value:.0f} MB (≤ {_goal(name):.0f})"
        )
        console.print(f"memory {name}: {shown}")


def _print_rates(rates: addresses.Rates) -> list[str]:
    """The rates and shares of addresses; which goals were missed."""
    table = Table("addresses", "figure", title=f"{TEXTS:,} texts, one core")
    for name, figure in rates.rows():
        table.add_row(name, figure)
    Console().print(table)
    missed = rates.missed()
    for line in missed:
        Console().print(f"missed: {line}")
    return missed


def _keep(comparisons: list[Comparison], memory: dict[str, float], rates: addresses.Rates | None) -> None:
    found = [
        {"name": c.name, "peer": c.peer, "goal": c.goal, "ours_s": c.ours_s, "peer_s": c.peer_s, "median": c.median,
         "interval": c.interval, "verdict": c.verdict, "notes": c.notes}
        for c in comparisons
    ]  # fmt: skip
    when = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path: Path = _RESULTS / f"bench-{when}.json"
    kept = {"rows": ROWS, "pairs": PAIRS, "comparisons": found, "memory_mb": memory}
    if rates:
        kept["addresses"] = {"texts": TEXTS, **asdict(rates)}
    path.write_text(json.dumps(kept, indent=1))
    Console().print(f"kept in {path}")


if __name__ == "__main__":
    sys.exit(main())
