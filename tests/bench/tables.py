"""What was measured beside the ratios: latencies and bytes of both sides, and the densest tiles one by one."""

import statistics
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.load_generator import Load
from tests.bench.pairs import Comparison
from tests.bench.serving_dense import Dense

_WIDTH = 150


def print_latencies(comparisons: Sequence[Comparison]) -> None:
    """Of each comparison that notes its loads: what each side did a second, how long it took, how much came."""
    table = Table("what", "who", "a second", "p50, ms", "p95, ms", "p99, ms", "KB", title="medians of the runs")
    for c in comparisons:
        for who, side, times_s in (("ours", "ours", c.ours_s), (c.peer, "peer", c.peer_s)):
            loads, size = c.notes.get(side), c.notes.get("bytes")
            if isinstance(loads, list):
                table.add_row(c.name, who, *_row([Load(**one) for one in loads]))
            elif isinstance(size, dict):
                figures = [f"{1000 * _share(times_s, share):.0f}" for share in (0.5, 0.95, 0.99)]
                table.add_row(c.name, who, f"{1 / statistics.median(times_s):.2f}", *figures, _kb(size.get(side, 0)))
    if table.row_count:
        Console(width=_WIDTH).print(table)


def print_dense(tiles: Sequence[Dense]) -> None:
    """The densest tile of each zoom: points in it, time and size of ours, of the bare statement's and of tipg's."""
    table = Table("zoom", "points", "ours: p50, ms", "p95", "p99", "KB", "bare statement: ms", "KB", "tipg: ms", "KB")
    for tile in tiles:
        best = _row(tile.ours)
        table.add_row(str(tile.zoom), f"{tile.points:,}", *best[1:], *_once(tile.bare), *_once(tile.tipg))
    if table.row_count:
        Console(width=_WIDTH).print(table)


def _row(loads: Sequence[Load]) -> list[str]:
    def median(name: str) -> float:
        return statistics.median(getattr(load, name) for load in loads)

    return [
        f"{median('rate'):.0f}",
        *(f"{median(n):.1f}" for n in ("p50_ms", "p95_ms", "p99_ms")),
        _kb(median("bytes")),
    ]


def _once(load: Load | None) -> tuple[str, str]:
    return ("–", "–") if load is None else (f"{load.p50_ms:.0f}", _kb(load.bytes))


def _kb(size: Any) -> str:
    return f"{size / 1000:.1f}" if size else "–"


def _share(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]
