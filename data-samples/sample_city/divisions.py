"""Divisions in five levels: real names and codes on invented ground, with the years in which they were valid.

Names and codes: National Bureau of Statistics, 统计用区划代码和城乡划分代码, edition of 2023 (divisions.csv holds
the city, its counties and townships, and the villages of 金安区 and 裕安区). All borders and dates are invented.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from sample_city.lattice import LINES, RIVER_COLUMN, Floats, Lattice, smooth_noise, stream
from sample_city.partition import NONE, Cell, Labels, grow, polygons

CITY_RADIUS_M = 61_000.0
FOUNDED = "1980-01-01"

#: Invented: 三里桥街道 was split in 2021; 清水河街道 and its villages stand apart since then.
SPLIT_DAY, SPLIT_OLD, SPLIT_NEW = "2021-07-01", "341502003", "341502005"
#: Invented: this village had another name until 2019.
RENAME_DAY, RENAMED, OLD_NAME = "2019-05-01", "341502001008", "卫生巷居委会"

# Seeds in quads from the centre; townships that are not named here are spread over their county.
_COUNTIES = {
    "341502": (26, 4), "341503": (-30, -8), "341504": (-112, 30), "341522": (-42, 122), "341523": (92, -92),
    "341524": (-124, -72), "341525": (-30, -120),
}  # fmt: skip
_STREETS = {
    "341502001": (1, 0), "341502002": (5, -2), "341502003": (3, 6), "341502004": (6, -11), "341502005": (4, 14),
    "341502400": (16, -5), "341502111": (9, 24), "341502109": (32, -2), "341503001": (-4, 3), "341503002": (-2, -2),
    "341503003": (-3, -9), "341503400": (-17, 6), "341503204": (-13, -6), "341503106": (-9, -21),
}  # fmt: skip
_CORE = 7  # quads from the centre within which the county border is the central avenue
_MOON_ISLAND = ("341503001008", (RIVER_COLUMN, 3))


@dataclass(frozen=True, slots=True)
class Division:
    """One version of a division: 12-digit code, name, level 1–5, parent, valid days (ISO, end exclusive or "")."""

    code: str
    name: str
    level: int
    parent: str
    shape: shapely.Geometry
    since: str = FOUNDED
    until: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The whole city's divisions, and for each quad the code of its finest division ("" outside the city)."""

    divisions: list[Division]
    names: dict[str, str]
    finest: NDArray[np.object_]


def read_names() -> dict[str, str]:
    """The 12-digit codes and official names of the sample's divisions."""
    with (Path(__file__).parent / "divisions.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def parent_of(code: str) -> str:
    """The code one level up: the last group that is not zero becomes zero; the province's parent is ""."""
    for start, end in ((9, 12), (6, 9), (4, 6), (2, 4)):
        if code[start:end].strip("0"):
            return code[:start].ljust(12, "0")
    return ""


def level_of(code: str) -> int:
    """1 province, 2 prefecture, 3 county, 4 township, 5 village."""
    return next(level for level, start in ((5, 9), (4, 6), (3, 4), (2, 2), (1, 0)) if code[start:].strip("0"))


def make_frame(lattice: Lattice, built_up: int) -> Frame:
    """Partition the city; within `built_up` quads of the centre borders follow the grid exactly."""
    names = read_names()
    codes = sorted(names)
    labels = _label(lattice, codes)
    reach = np.abs(np.arange(-LINES, LINES + 1)) <= built_up
    areas = polygons(lattice, labels, reach[:, None] & reach[None, :])
    shapes = {codes[k]: shape for k, shape in areas.items()}
    for level in (4, 3, 2):
        for code in (c for c in codes if level_of(c) == level and c not in shapes):
            children = [shape for c, shape in shapes.items() if parent_of(c) == code]
            shapes[code] = shapely.coverage_union_all(children)
    shapes[codes[0]] = _province(shapes["341500000000"])
    finest = np.array([*codes, ""], dtype=object)[labels]
    return Frame(_versions(names, shapes), names, finest)


def _label(lattice: Lattice, codes: list[str]) -> Labels:
    """The index of the finest code of every quad."""
    middle = lattice.centres()
    x, y = middle[..., 0], middle[..., 1]
    rng = stream(lattice.seed, 2)
    radius = np.hypot(x, y * 1.04) * (1 + 0.10 * smooth_noise(x, y, 52_000, rng))
    cost = np.sqrt(lattice.areas_ha()) * (1 + 0.55 * smooth_noise(x, y, 9000, rng))
    counties = {k: [_cell(seed)] for k, seed in _COUNTIES.items()}
    core = [(i, j) for i in range(-_CORE, _CORE) for j in range(-_CORE, _CORE)]
    counties["341502"] += [_cell(c) for c in core if c[0] >= 0]
    counties["341503"] += [_cell(c) for c in core if c[0] < 0]
    index = {code: k for k, code in enumerate(codes)}
    labels = grow(radius < CITY_RADIUS_M, {index[k.ljust(12, "0")]: v for k, v in counties.items()}, cost)
    for level in (4, 5):
        labels = _refine(labels, codes, level, cost, rng)
    return labels


def _refine(labels: Labels, codes: list[str], level: int, cost: Floats, rng: np.random.Generator) -> Labels:
    """Divide every labelled area among the codes below it; areas whose children are not listed stay whole."""
    children: dict[str, list[int]] = {}
    for k, code in enumerate(codes):
        if level_of(code) == level:
            children.setdefault(parent_of(code), []).append(k)
    fine = labels.copy()
    for parent, below in children.items():
        area = labels == codes.index(parent)
        seeds = _seeds(area, [codes[k] for k in below], rng)
        grown = grow(area, {k: [seeds[codes[k]]] for k in below}, cost)
        fine[area] = grown[area]
    return fine


def _seeds(area: NDArray[np.bool_], codes: list[str], rng: np.random.Generator) -> dict[str, Cell]:
    """One quad for each code: the named places first, the others each as far as can be from those before."""
    cells = np.argwhere(area)
    fixed = {_MOON_ISLAND[0]: _MOON_ISLAND[1]} | {k + "000": v for k, v in _STREETS.items()}
    placed = {code: _cell(fixed[code]) for code in codes if code in fixed}
    gap = np.full(len(cells), np.inf)
    for cell in placed.values():
        gap = np.minimum(gap, np.hypot(*(cells - cell).T))
    for code in (c for c in codes if c not in placed):
        jitter = 0.7 + 0.3 * rng.random(len(cells))
        best = int(np.argmax(np.where(np.isinf(gap), rng.random(len(cells)), gap * jitter)))
        placed[code] = (int(cells[best, 0]), int(cells[best, 1]))
        gap = np.minimum(gap, np.hypot(*(cells - cells[best]).T))
    return placed


def _cell(quad: tuple[int, int]) -> Cell:
    return quad[0] + LINES, quad[1] + LINES


def _province(city: shapely.Geometry) -> shapely.Geometry:
    """A province around the city: a simple shape, no claim about the real one."""
    hull = shapely.buffer(shapely.convex_hull(city), 60_000, quad_segs=3)
    return shapely.set_precision(shapely.simplify(hull, 4000), 1.0)


def _versions(names: dict[str, str], shapes: dict[str, shapely.Geometry]) -> list[Division]:
    found: list[Division] = []
    for code in sorted(names):
        made = Division(code, names[code], level_of(code), parent_of(code), shapes[code])
        if code.startswith(SPLIT_NEW):
            found += [*_before_split(made), _dated(made, since=SPLIT_DAY)]
        elif code == SPLIT_OLD + "000":
            both = shapely.coverage_union_all([made.shape, shapes[SPLIT_NEW + "000"]])
            before = Division(code, made.name, made.level, made.parent, both, FOUNDED, SPLIT_DAY)
            found += [before, _dated(made, since=SPLIT_DAY)]
        elif code == RENAMED:
            old = Division(code, OLD_NAME, made.level, made.parent, made.shape, FOUNDED, RENAME_DAY)
            found += [old, _dated(made, since=RENAME_DAY)]
        else:
            found.append(made)
    return found


def _before_split(made: Division) -> list[Division]:
    """A village of the later street under the (invented) code that it had in the undivided one."""
    if made.level != 5:
        return []
    code = f"{SPLIT_OLD}1{made.code[-2:]}"
    return [Division(code, made.name, 5, SPLIT_OLD + "000", made.shape, FOUNDED, SPLIT_DAY)]


def _dated(made: Division, since: str) -> Division:
    return Division(made.code, made.name, made.level, made.parent, made.shape, since)


__all__ = ["NONE", "Division", "Frame", "level_of", "make_frame", "parent_of", "read_names"]
