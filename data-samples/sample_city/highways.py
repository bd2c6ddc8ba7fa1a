"""Roads beyond the city: two motorways past it, and main roads to the county towns around the reservoirs."""

import heapq
from collections.abc import Iterator

import numpy as np
import shapely

from sample_city.lattice import LINES, RIVER_COLUMN, Floats, smooth_noise, stream
from sample_city.plan import Kind, Plan
from sample_city.streets import Road

#: County towns and the road that leads there.
_TOWNS = {
    "341504001000": "312国道", "341522100000": "六霍路", "341523100000": "六舒路", "341524100000": "六金路",
    "341525100000": "105国道",
}  # fmt: skip
_STEPS = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
Cell = tuple[int, int]


def highways(plan: Plan, river: shapely.Geometry, reservoirs: shapely.Geometry) -> Iterator[Road]:
    """Motorways and main roads outside the drawn quads; what crosses the river is a bridge of its own."""
    city = next(d.shape for d in plan.frame.divisions if d.level == 2)
    lines = [*_motorways(plan), *_main_roads(plan, reservoirs)]
    for number, (name, kind, line) in enumerate(lines):
        drawn = shapely.intersection(shapely.LineString(line), city)
        for over, part in ((False, shapely.difference(drawn, river)), (True, shapely.intersection(drawn, river))):
            for n, piece in enumerate(shapely.get_parts(part)):
                xy = np.round(shapely.get_coordinates(piece), 2)
                if len(xy) < 2:
                    continue
                since = "2004-12-28" if kind == "motorway" else "1988-10-01"
                yield Road(f"RH{number}{int(over)}{n:02d}", f"{name}淠河大桥" if over else name, kind, xy, since)


def _motorways(plan: Plan) -> Iterator[tuple[str, str, Floats]]:
    reach = max(float(np.abs(plan.lattice.node(*q)).max()) for q in plan.quads)
    along = np.arange(-70_000.0, 70_001.0, 700.0)
    bend = 900 * np.sin(along / 9000) + 1600 * np.sin(along / 23_000 + 1)
    yield "沪蓉高速", "motorway", np.stack([along, reach + 3600 + bend], axis=-1)
    yield "济广高速", "motorway", np.stack([reach + 4200 + bend, along], axis=-1)


def _main_roads(plan: Plan, reservoirs: shapely.Geometry) -> Iterator[tuple[str, str, Floats]]:
    middle = plan.lattice.centres()
    rng = stream(plan.lattice.seed, 12)
    cost = 1.2 + 0.7 * smooth_noise(middle[..., 0], middle[..., 1], 7000, rng)
    wet = shapely.buffer(reservoirs, 1100)
    shapely.prepare(wet)
    cost[shapely.contains_xy(wet, middle[..., 0], middle[..., 1])] = np.inf
    cost[LINES + RIVER_COLUMN] *= 8
    cost[plan.kind > Kind.RIVER] = np.inf
    cost[plan.frame.finest == ""] = np.inf
    exits = _exits(plan)
    came = _search(cost, list(exits))
    for code, name in _TOWNS.items():
        path = _path(came, _town_cell(plan, code))
        if len(path) > 4:
            line = np.array([exits[path[0]], *(middle[c] for c in path[1:])])
            yield name, "trunk", _smoothed(line)


def _exits(plan: Plan) -> dict[Cell, Floats]:
    """Quads just outside the drawn ground on the two axes, with the node at which the axis street ends there."""
    drawn = set(plan.quads)
    found: dict[Cell, Floats] = {}
    for di, dj in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        reach = max(k for k in range(LINES) if (k * di - (di < 0), k * dj - (dj < 0)) in drawn)
        i, j = (reach + 1) * di, (reach + 1) * dj
        found[(i - (di < 0) + LINES, j - (dj < 0) + LINES)] = plan.lattice.node(i, j)
    return found


def _town_cell(plan: Plan, code: str) -> Cell:
    cells = np.argwhere(plan.frame.finest == code)
    middle = cells.mean(axis=0)
    best = cells[int(np.argmin(((cells - middle) ** 2).sum(axis=1)))]
    return int(best[0]), int(best[1])


def _search(cost: Floats, sources: list[Cell]) -> dict[Cell, Cell]:
    """For every quad that can be reached, the quad before it on the cheapest way from a source."""
    came: dict[Cell, Cell] = {}
    queue: list[tuple[float, Cell, Cell]] = [(0.0, s, s) for s in sources]
    while queue:
        reached, cell, before = heapq.heappop(queue)
        if cell in came:
            continue
        came[cell] = before
        for a, b in _STEPS:
            c, d = cell[0] + a, cell[1] + b
            if 0 <= c < len(cost) and 0 <= d < len(cost) and (c, d) not in came and np.isfinite(cost[c, d]):
                step = float(cost[c, d]) * (1.4142 if a and b else 1.0)
                heapq.heappush(queue, (reached + step, (c, d), cell))
    return came


def _path(came: dict[Cell, Cell], cell: Cell) -> list[Cell]:
    if cell not in came:
        return []
    path = [cell]
    while came[path[-1]] != path[-1]:
        path.append(came[path[-1]])
    return path[::-1]


def _smoothed(line: Floats) -> Floats:
    for _ in range(12):
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    thin: Floats = shapely.get_coordinates(shapely.simplify(shapely.LineString(line), 12.0))
    return thin
