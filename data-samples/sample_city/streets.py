"""Streets: which of the grid's lines are streets, of what class and name, and the road pieces between junctions."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sample_city import names
from sample_city.lattice import RIVER_COLUMN, Floats, inside
from sample_city.plan import Kind, Plan, Quad

RINGS = tuple(names.RING_STREETS)
BRIDGE_ROWS = 3  # every third row line crosses the river
GATED = ("courtyards", "walkup", "midrise", "towers", "hamlet")  # blocks with a lane through, from south to north
BANK_LINES = (RIVER_COLUMN, RIVER_COLUMN + 1)


@dataclass(frozen=True, slots=True)
class RoadClass:
    """A class in Chinese, with lanes, width of the whole street in metres and speed limit in km/h."""

    zh: str
    lanes: int
    width_m: float
    speed_limit_kmh: int


CLASSES = {
    "motorway": RoadClass("高速公路", 4, 26.0, 120),
    "trunk": RoadClass("快速路", 6, 36.0, 80),
    "primary": RoadClass("主干路", 6, 32.0, 60),
    "secondary": RoadClass("次干路", 4, 24.0, 50),
    "tertiary": RoadClass("支路", 2, 15.0, 40),
    "residential": RoadClass("街巷", 2, 9.0, 30),
    "service": RoadClass("内部道路", 1, 5.0, 15),
    "path": RoadClass("步行道", 1, 2.0, 0),
}


@dataclass(frozen=True, slots=True)
class Street:
    """One side of a block or one edge of the grid as an address knows it; `first` is its smallest door number."""

    name: str
    kind: str
    first: int

    @property
    def width_m(self) -> float:
        """Width of the whole street."""
        return CLASSES[self.kind].width_m


@dataclass(frozen=True, slots=True)
class Road:
    """A piece of road between two junctions; `line` is (n, 2) in metres from the centre."""

    code: str
    name: str
    kind: str
    line: Floats
    since: str


def edge_street(plan: Plan, i: int, j: int, *, column: bool) -> Street | None:
    """The street from node (i, j) northward along a column line, or eastward along a row line; None where none is."""
    near = ((i - 1, j), (i, j)) if column else ((i, j - 1), (i, j))
    if not _exists(plan, near, i if column else j, column=column):
        return None
    line, along = (i, j) if column else (j, i)
    urban = any(plan.urban(*q) for q in near)
    ring = next((r for r in RINGS if abs(line) == r and -r <= along < r), None)
    if ring is not None:
        side = ("东" if line > 0 else "西") if column else ("北" if line > 0 else "南")
        return Street(f"{names.RING_STREETS[ring]}{side}路", "trunk", (along + ring) * 40)
    first = (along if along >= 0 else -along - 1) * 40
    return Street(_line_name(line, along, column=column), _line_class(line, along, urban, column=column), first)


def split_street(plan: Plan, i: int, j: int, *, column: bool) -> Street:
    """The street that cuts a quad into blocks, northward (`column`) or eastward."""
    number = 2 * (2 * abs(i) + (i < 0) + 331 * (2 * abs(j) + (j < 0))) + column
    last, first = divmod(number * 7919, len(names.LANE_FIRST))
    name = names.LANE_FIRST[first] + names.LANE_LAST[last % len(names.LANE_LAST)]
    wide = plan.at(i, j) in (Kind.COMMERCE, Kind.INDUSTRY, Kind.CIVIC, Kind.HOSPITAL)
    return Street(name, "tertiary" if wide else "residential", 0)


def quad_roads(plan: Plan, i: int, j: int) -> Iterator[Road]:
    """The pieces that a quad draws: its southern and western edges, those others leave to it, and what cuts it."""
    yield from _edge(plan, i, j, column=False)
    yield from _edge(plan, i, j, column=True)
    if plan.at(i, j + 1) in (Kind.OUTSIDE, Kind.RIVER):
        yield from _edge(plan, i, j + 1, column=False)
    if plan.at(i + 1, j) in (Kind.OUTSIDE, Kind.RIVER):
        yield from _edge(plan, i + 1, j, column=True)
    if i == RIVER_COLUMN + 1 and j % BRIDGE_ROWS == 0:
        yield from _edge(plan, RIVER_COLUMN, j, column=False)
    yield from _splits(plan, i, j)


def _exists(plan: Plan, near: tuple[Quad, Quad], line: int, *, column: bool) -> bool:
    kinds = [plan.at(*q) for q in near]
    if not column and near[0][0] == RIVER_COLUMN:
        banks = [plan.at(RIVER_COLUMN + d, near[k][1]) for d in (-1, 1) for k in (0, 1)]
        return line % BRIDGE_ROWS == 0 and min(max(banks[:2]), max(banks[2:])) > Kind.RIVER
    if all(k in (Kind.OUTSIDE, Kind.RIVER) for k in kinds):
        return False
    if any(plan.urban(*q) for q in near) or line % 3 == 0 or (column and line in BANK_LINES):
        return True
    return any(_settled(plan, *q) for q in near)


def _settled(plan: Plan, i: int, j: int) -> bool:
    """Whether the nine quads between country roads, of which this is one, hold a hamlet."""
    a, b = i - i % 3, j - j % 3
    return any(plan.at(a + k // 3, b + k % 3) == Kind.HAMLET for k in range(9))


def _line_class(line: int, along: int, urban: bool, *, column: bool) -> str:
    if column and line in BANK_LINES:
        return "secondary"
    if line == 0:
        return "primary" if -9 <= along < 9 else "trunk"
    if not urban:
        return "secondary" if line % 3 == 0 else "residential"
    return ("primary", "secondary", "tertiary")[line % 3]


def _line_name(line: int, along: int, *, column: bool) -> str:
    word = (names.COLUMN_STREETS if column else names.ROW_STREETS).get(line)
    side = ("北" if along >= 0 else "南") if column else ("东" if along >= 0 else "西")
    if word is None:
        word = ("经" if column else "纬") + ("" if line > 0 else ("西" if column else "南")) + chinese_number(abs(line))
    return f"{word}{side}路"


def chinese_number(number: int) -> str:
    """A number below 1000 in Chinese numerals: 21 is 二十一."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    head = f"{names.DIGITS[hundreds]}百" if hundreds else ""
    middle = (
        ("" if tens == 1 and not hundreds else names.DIGITS[tens]) + "十" if tens else ("零" * bool(hundreds and ones))
    )
    return head + middle + (names.DIGITS[ones] if ones or not number else "")


def _edge(plan: Plan, i: int, j: int, *, column: bool) -> Iterator[Road]:
    street = edge_street(plan, i, j, column=column)
    if street is None:
        return
    start = plan.lattice.node(i, j)
    end = plan.lattice.node(i, j + 1) if column else plan.lattice.node(i + 1, j)
    near = ((i - 1, j), (i, j)) if column else ((i, j - 1), (i, j))
    cuts = {c for side, q in enumerate(near) for c in _cuts(plan, q, column=column, far_side=side == 0)}
    since = min(plan.year_of(*q) for q in near if plan.at(*q) > Kind.RIVER) if _dry(plan, near) else 1992
    name = f"{street.name}淠河大桥" if not column and i == RIVER_COLUMN else street.name
    code = f"R{'NS' if column else 'EW'}{i + 500}{j + 500}"
    yield from _pieces(code, Street(name, street.kind, 0), (start, end), cuts, since)


def _dry(plan: Plan, near: tuple[Quad, Quad]) -> bool:
    return any(plan.at(*q) > Kind.RIVER for q in near)


def _cuts(plan: Plan, quad: Quad, *, column: bool, far_side: bool) -> list[float]:
    """Where the quad's own streets and gates meet one of its edges, as fractions along the edge."""
    uses = plan.uses(*quad)
    u, v = plan.cut(*quad)
    if column:
        return [v] if len(uses) > 1 else []
    return _gates(uses, u, north=far_side) + ([u] if len(uses) == 4 else [])


def _gates(uses: tuple[str, ...], u: float, *, north: bool) -> list[float]:
    """Where the lanes of gated blocks in a quad's southern or northern row begin, as fractions eastward."""
    if len(uses) < 4:
        return [0.5] if uses and uses[-1 if north else 0] in GATED else []
    row = zip((u / 2, (1 + u) / 2), uses[2:] if north else uses[:2], strict=True)
    return [at for at, use in row if use in GATED]


def _splits(plan: Plan, i: int, j: int) -> Iterator[Road]:
    uses = plan.uses(i, j)
    corners, (u, v), since = plan.lattice.corners(i, j), plan.cut(i, j), plan.year_of(i, j)
    if len(uses) > 1:
        cuts = {*_gates(uses, u, north=False), *_gates(uses, u, north=True), *([u] if len(uses) == 4 else [])}
        ends = (inside(corners, 0, v), inside(corners, 1, v))
        yield from _pieces(f"RSE{i + 500}{j + 500}", split_street(plan, i, j, column=False), ends, cuts, since)
    if len(uses) == 4:
        ends = (inside(corners, u, 0), inside(corners, u, 1))
        yield from _pieces(f"RSN{i + 500}{j + 500}", split_street(plan, i, j, column=True), ends, {v}, since)


def _pieces(code: str, street: Street, ends: tuple[Floats, Floats], cuts: set[float], since: int) -> Iterator[Road]:
    at = [0.0, *sorted(cuts), 1.0]
    for n, (a, b) in enumerate(itertools.pairwise(at)):
        line = np.round(np.array([ends[0] + (ends[1] - ends[0]) * f for f in (a, b)]), 2)
        yield Road(f"{code}{n}", street.name, street.kind, line, f"{since}-07-01")
