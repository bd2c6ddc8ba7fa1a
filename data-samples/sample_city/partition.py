"""A planar partition from labelled quads: neighbours share their border vertex by vertex.

Borders are cut into arcs between junctions and each arc is drawn once, whoever lies left and right of it; so there
are no gaps and no overlaps. Where the city stands, borders follow the streets exactly; far out they are smoothed.
"""

import heapq
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from sample_city.lattice import Floats, Lattice

Labels = NDArray[np.int64]
Cell = tuple[int, int]
NONE = -1

_SMOOTHING = ((5, 45.0), (2, 25.0), (0, 0.0))  # passes and tolerance in metres; the last one cannot fail

_SHORT_ARC = 9  # nodes; two short arcs between the same junctions could be thinned to the same line


def grow(where: NDArray[np.bool_], sources: Mapping[int, Sequence[Cell]], cost: Floats) -> Labels:
    """Give each quad of `where` the label of the source that reaches it most cheaply; every label is connected.

    Cells are array indices; `cost` is what crossing a quad costs. Quads that no source reaches stay `NONE`.
    """
    labels = np.full(where.shape, NONE, dtype=np.int64)
    queue = [(0.0, n, label, cell) for n, (label, cell) in enumerate((k, c) for k in sources for c in sources[k])]
    heapq.heapify(queue)
    order = len(queue)
    while queue:
        reached, _, label, (a, b) = heapq.heappop(queue)
        if labels[a, b] != NONE or not where[a, b]:
            continue
        labels[a, b] = label
        for c, d in ((a + 1, b), (a - 1, b), (a, b + 1), (a, b - 1)):
            if 0 <= c < where.shape[0] and 0 <= d < where.shape[1] and where[c, d] and labels[c, d] == NONE:
                order += 1
                heapq.heappush(queue, (reached + float(cost[c, d]), order, label, (c, d)))
    return labels


def polygons(lattice: Lattice, labels: Labels, exact: NDArray[np.bool_]) -> dict[int, shapely.Geometry]:
    """The area of every label, in metres from the centre; at nodes where `exact` is true borders keep the grid."""
    arcs = _arcs(labels, exact)
    for passes, tolerance_m in _SMOOTHING:
        lines = [shapely.LineString(_drawn(lattice, arc, exact, passes, tolerance_m)) for arc, _ in arcs]
        areas = _areas(arcs, lines)
        shapes = list(areas.values())
        if areas and all(shapely.is_valid(shapes)) and shapely.coverage_is_valid(shapes):
            return areas
    raise AssertionError("the grid itself is not a partition")


def _arcs(labels: Labels, exact: NDArray[np.bool_]) -> list[tuple[list[Cell], tuple[int, int]]]:
    links = _border_links(labels)
    pairs = {frozenset((a, b)) for a in links for b in links[a]}
    ends = sorted(n for n, near in links.items() if len(near) != 2)
    arcs: list[tuple[list[Cell], tuple[int, int]]] = []
    for start in [*ends, *sorted(links)]:
        for step in sorted(links[start]):
            if frozenset((start, step)) in pairs:
                arcs.append(_walk(start, step, links, pairs))
    return arcs


def _walk(
    start: Cell,
    step: Cell,
    links: dict[Cell, dict[Cell, tuple[int, int]]],
    pairs: set[frozenset[Cell]],
) -> tuple[list[Cell], tuple[int, int]]:
    path = [start, step]
    pairs.remove(frozenset((start, step)))
    while len(links[path[-1]]) == 2 and path[-1] != start:
        onward = next(n for n in links[path[-1]] if n != path[-2])
        pairs.remove(frozenset((path[-1], onward)))
        path.append(onward)
    return path, links[start][step]


def _border_links(labels: Labels) -> dict[Cell, dict[Cell, tuple[int, int]]]:
    """For each node on a border its neighbours there, with the labels left and right of the way to each."""
    framed = np.pad(labels, 1, constant_values=NONE)
    links: dict[Cell, dict[Cell, tuple[int, int]]] = {}
    for axis in (0, 1):
        before, after = (framed[:-1, 1:-1], framed[1:, 1:-1]) if axis == 0 else (framed[1:-1, :-1], framed[1:-1, 1:])
        for a, b in np.argwhere(before != after).tolist():
            one, other = (a, b), ((a, b + 1) if axis == 0 else (a + 1, b))
            west_or_north, east_or_south = (before, after) if axis == 0 else (after, before)
            left, right = int(west_or_north[a, b]), int(east_or_south[a, b])
            links.setdefault(one, {})[other] = (left, right)
            links.setdefault(other, {})[one] = (right, left)
    return links


def _drawn(lattice: Lattice, arc: list[Cell], exact: NDArray[np.bool_], passes: int, tolerance_m: float) -> Floats:
    a, b = np.array(arc).T
    line, fixed = lattice.xy[a, b].copy(), exact[a, b].copy()
    fixed[[0, -1]] = True
    for _ in range(passes):
        mean = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
        line[1:-1] = np.where(fixed[1:-1, None], line[1:-1], mean)
    if tolerance_m and arc[0] != arc[-1] and len(arc) > _SHORT_ARC:
        line = _thinned(np.round(line, 2), np.flatnonzero(fixed), tolerance_m)
    thin: Floats = np.round(line, 2)
    return thin


def _thinned(line: Floats, fixed: NDArray[np.intp], tolerance_m: float) -> Floats:
    parts = [line[:1]]
    for start, end in itertools.pairwise(fixed):
        piece = shapely.LineString(line[start : end + 1])
        parts.append(shapely.get_coordinates(shapely.simplify(piece, tolerance_m, preserve_topology=False))[1:])
    return np.concatenate(parts)


def _areas(
    arcs: list[tuple[list[Cell], tuple[int, int]]], lines: list[shapely.LineString]
) -> dict[int, shapely.Geometry]:
    """Faces between the lines, each known by what lies left of the first arc met on the way around it.

    Empty when two arcs have been thinned to the same line.
    """
    left_of: dict[tuple[float, ...], int] = {}
    for (_, (left, right)), line in zip(arcs, lines, strict=True):
        xy = shapely.get_coordinates(line)
        for step, label in ((tuple(np.concatenate(xy[:2])), left), (tuple(np.concatenate(xy[:-3:-1])), right)):
            if left_of.setdefault(step, label) != label:
                return {}
    found: dict[int, list[shapely.Polygon]] = {}
    for face in shapely.get_parts(shapely.polygonize(lines)):
        xy = shapely.get_coordinates(face.exterior)
        xy = xy if face.exterior.is_ccw else xy[::-1]
        steps = ((*a, *b) for a, b in zip(xy[:-1].tolist(), xy[1:].tolist(), strict=True))
        label = next(left_of[step] for step in steps if step in left_of)
        found.setdefault(label, []).append(face)
    found.pop(NONE, None)
    return {k: faces[0] if len(faces) == 1 else shapely.MultiPolygon(faces) for k, faces in sorted(found.items())}
