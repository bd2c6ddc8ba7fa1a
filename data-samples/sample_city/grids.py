"""Grids that the city is watched over by: city management's, governance's and the police's, each drawn on its own.

City management cuts the built city into unit grids of one or two hectares; governance cuts the inner communities,
the whole of each; the police cut the inner city across communities. So the first two nest in communities and the
third does not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from sample_city.datums import as_lonlat, lonlat
from sample_city.divisions import level_of
from sample_city.lattice import LINES, inside
from sample_city.plan import Plan, Quad
from sample_city.record import FileRecord

_BEAT_QUADS, _STATION_QUADS, _GRID_QUADS = 4, 12, 2
_FIRST_STATION = 500  # so that no beat has the code of a community
_MOST = 999  # a serial number has three digits


@dataclass(frozen=True, slots=True)
class Grid:
    """One cell of a grid; `parent` is the community or police station that it belongs to."""

    code: str
    kind: str
    name: str
    parent: str
    shape: shapely.Geometry
    since: str


def make_grids(plan: Plan, built_up: int) -> list[Grid]:
    """All grids of a city; within `built_up` quads of the centre borders follow the streets exactly."""
    reach = range(-built_up, built_up)
    villages: dict[str, list[Quad]] = {}
    for i, j in ((i, j) for i in range(-LINES, LINES) for j in range(-LINES, LINES)):
        code = plan.village(i, j)
        if code and level_of(code) == 5:
            villages.setdefault(code, []).append((i, j))
    exact = {code: q for code, q in villages.items() if all(i in reach and j in reach for i, j in q)}
    return [*_units(plan, exact), *_governed(plan, exact), *_beats(plan, villages, reach)]


def write_grids(folder: Path, grids: list[Grid]) -> FileRecord:
    """GeoPackage in EPSG:4490, as it should be."""
    record = FileRecord(
        "grids.gpkg", ("单元网格(城管、综治、公安)", "Grids (city management, governance, police)"), "base.grids",
        "EPSG:4490", "UTF-8", "EPSG:4490", layer="网格",
    )  # fmt: skip
    for grid in grids:
        record.rows += 1
        middle = grid.shape.representative_point()
        record.sample(record.rows, grid.code, lonlat(np.array([[middle.x, middle.y]]))[0])
        record.count("kind", grid.kind)
    frame = pd.DataFrame(
        {
            "网格编码": [g.code for g in grids],
            "网格类型": [g.kind for g in grids],
            "网格名称": [g.name for g in grids],
            "所属单位": [g.parent for g in grids],
            "面积m2": [round(g.shape.area, 1) for g in grids],
            "启用日期": [g.since for g in grids],
        }
    )
    path = folder / record.file
    path.unlink(missing_ok=True)
    shaped = gpd.GeoDataFrame(frame, geometry=as_lonlat([g.shape for g in grids]), crs=4490)
    pyogrio.write_dataframe(shaped, path, layer=record.layer, driver="GPKG", SPATIAL_INDEX="NO")
    return record


def _units(plan: Plan, exact: dict[str, list[Quad]]) -> Iterator[Grid]:
    """City management's unit grids: quarters of the built quads, numbered from the west, then from the north."""
    for village, quads in sorted(exact.items()):
        parts = [
            (2 * i + a, 2 * j + b, shapely.Polygon(_quarter(plan, (i, j), a, b)))
            for i, j in quads
            if plan.urban(i, j)
            for b in (0, 1)
            for a in (0, 1)
        ]
        for serial, (_, _, shape) in enumerate(sorted(parts, key=lambda p: (-p[1], p[0]))[:_MOST], 1):
            name = f"{plan.frame.names[village]}第{serial}单元"
            yield Grid(f"{village}{serial:03d}", "城管单元网格", name, village, shape, "2015-06-01")


def _quarter(plan: Plan, quad: Quad, a: int, b: int) -> list[tuple[float, float]]:
    outer = plan.lattice.corners(*quad)
    s, t = a / 2, b / 2
    corners = [inside(outer, x, y) for x, y in ((s, t), (s + 0.5, t), (s + 0.5, t + 0.5), (s, t + 0.5))]
    return [(round(float(x), 3), round(float(y), 3)) for x, y in corners]  # a middle of centimetres is exact so


def _governed(plan: Plan, exact: dict[str, list[Quad]]) -> Iterator[Grid]:
    """Governance grids: the inner city's communities in pieces of up to four quads."""
    for village, quads in sorted(exact.items()):
        groups: dict[Quad, list[Quad]] = {}
        for i, j in quads:
            groups.setdefault((-(j // _GRID_QUADS), i // _GRID_QUADS), []).append((i, j))
        for serial, key in enumerate(sorted(groups)[:_MOST], 1):
            name = f"{plan.frame.names[village]}第{serial}网格"
            yield Grid(f"{village}{serial:03d}", "综治网格", name, village, _union(plan, groups[key]), "2020-01-01")


def _beats(plan: Plan, villages: dict[str, list[Quad]], reach: range) -> Iterator[Grid]:
    """Police beats: squares of quads within a county, whatever communities they cut, by station."""
    beats: dict[tuple[str, Quad, Quad], list[Quad]] = {}
    for village, quads in villages.items():
        for i, j in quads:
            if i in reach and j in reach:
                station = (-((j - 1) // _STATION_QUADS), (i - 2) // _STATION_QUADS)
                beat = (-((j - 1) // _BEAT_QUADS), (i - 2) // _BEAT_QUADS)
                beats.setdefault((village[:6], station, beat), []).append((i, j))
    stations: dict[tuple[str, Quad], list[list[Quad]]] = {}
    for county, station, beat in sorted(beats):
        stations.setdefault((county, station), []).append(beats[county, station, beat])
    numbers: dict[str, int] = {}
    for (county, _), found in stations.items():
        number = numbers[county] = numbers.get(county, 0) + 1
        parent = f"{county}{_FIRST_STATION + number}"
        for serial, quads in enumerate(found, 1):
            name = f"{plan.frame.names[county.ljust(12, '0')]}第{number}派出所第{serial}警务区"
            yield Grid(f"{parent}{serial:03d}", "警务区", name, parent, _union(plan, quads), "2018-01-01")


def _union(plan: Plan, quads: Iterable[Quad]) -> shapely.Geometry:
    return shapely.coverage_union_all([shapely.Polygon(np.round(plan.lattice.corners(*q), 2)) for q in quads])
