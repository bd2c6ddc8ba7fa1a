"""Shapes of H3 cells: areas, boundaries, neighbours, and the cells that cover a shape.

Shapes are shapely geometries in degrees (WGS 84, longitude first). Densities divide by a cell's own area: at one
resolution areas differ by a factor of two over the globe.
"""

from itertools import chain

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gis.errors import BadInput, BadQuery
from gis.geo.cells import CellArray, valid

MOST_CELLS = 200_000
"""How many cells a covering may have."""

_EARTH_KM2 = 510_065_622.0


def areas_km2(cells: CellArray) -> NDArray[np.float64]:
    """The area of each cell in km² (on the sphere of the H3 grid)."""
    ids = _checked(cells)
    return np.fromiter(map(h3.cell_area, ids.tolist()), dtype=np.float64, count=ids.size)


def boundaries(cells: CellArray) -> NDArray[np.object_]:
    """Each cell's boundary as a polygon; cut in two at the antimeridian (RFC 7946, 3.1.9), closed over the poles."""
    ids = _checked(cells)
    corners = [h3.cell_to_boundary(cell) for cell in ids.tolist()]
    counts = np.fromiter(map(len, corners), dtype=np.int64, count=len(corners))
    points = np.fromiter(chain.from_iterable(chain.from_iterable(corners)), dtype=np.float64).reshape(-1, 2)[:, ::-1]
    rings = np.repeat(np.arange(ids.size), counts)
    shapes = np.empty(ids.size, dtype=object)
    jumps = np.zeros(ids.size, dtype=bool)
    starts = np.concatenate(([0], np.cumsum(counts)))
    if ids.size:
        spread = np.maximum.reduceat(points[:, 0], starts[:-1]) - np.minimum.reduceat(points[:, 0], starts[:-1])
        jumps = spread > 180.0
    plain = ~jumps[rings]
    if plain.any():
        order = np.cumsum(~jumps) - 1
        shapes[~jumps] = shapely.polygons(shapely.linearrings(points[plain], indices=order[rings[plain]]))
    for place in np.flatnonzero(jumps):
        shapes[place] = _over_the_edge(points[starts[place] : starts[place + 1]])
    return shapes


def _over_the_edge(ring: NDArray[np.float64]) -> BaseGeometry:
    """A ring that crosses the antimeridian or goes round a pole, as a shape between -180 and 180 degrees."""
    closed = np.vstack([ring, ring[:1]])
    lon, lat = np.unwrap(closed[:, 0], period=360.0), closed[:, 1]
    whole = np.column_stack([lon, lat])
    if abs(lon[-1] - lon[0]) > 180.0:
        pole = np.copysign(90.0, lat[0])
        whole = np.vstack([whole, [lon[-1], pole], [lon[0], pole]])
    polygon = shapely.Polygon(whole)
    parts = [
        shapely.transform(shapely.intersection(polygon, shapely.box(-180 + turn, -90, 180 + turn, 90)),
                          lambda xy, turn=turn: xy - [turn, 0.0])
        for turn in (-720.0, -360.0, 0.0, 360.0, 720.0)
    ]  # fmt: skip
    return shapely.union_all([part for part in parts if part.area > 0])


def grid_disk(cell: int, steps: int) -> CellArray:
    """The cells at most `steps` steps away from a cell, itself included."""
    (checked,) = _checked(np.array([cell], dtype=np.int64)).tolist()
    if 3 * steps * (steps + 1) + 1 > MOST_CELLS:
        raise _too_many(3 * steps * (steps + 1) + 1)
    return np.array(h3.grid_disk(checked, steps), dtype=np.int64)


def covering(shape: BaseGeometry, resolution: int) -> CellArray:
    """All cells of a resolution that share a point with a polygon or multipolygon, sorted.

    Raises BadInput for a shape that is not an area on the earth, BadQuery when it takes more than `MOST_CELLS` cells.
    """
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        raise BadInput(
            f"cells cover areas, not a {shape.geom_type}", f"网格只能覆盖面,不能覆盖 {shape.geom_type}", subject="shape"
        )
    about = _about_how_many(shape, resolution)
    if about > MOST_CELLS:
        raise _too_many(about)
    found = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(shape), resolution, contain="overlap")
    return np.unique(np.array(found, dtype=np.int64))


def _about_how_many(shape: BaseGeometry, resolution: int) -> int:
    """An estimate from the areas of the box, which bounds the work, on the sphere."""
    west, south, east, north = shape.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise BadInput(
            "the shape is not in degrees of longitude and latitude", "图形坐标不是经纬度(度)", subject="shape"
        )
    sines = np.sin(np.radians([south, north]))
    box_km2 = _EARTH_KM2 * (east - west) / 360.0 * float(sines[1] - sines[0]) / 2.0
    return int(box_km2 / h3.average_hexagon_area(resolution))


def _too_many(count: int) -> BadQuery:
    return BadQuery(
        f"that would be about {count} cells, at most {MOST_CELLS} are given; take a coarser resolution",
        f"大约需要 {count} 个网格,最多给出 {MOST_CELLS} 个;请降低网格级别",
        subject="resolution",
    )


def _checked(cells: CellArray) -> CellArray:
    ids = np.atleast_1d(np.asarray(cells, dtype=np.int64))
    wrong = ~valid(ids)
    if wrong.any():
        text = f"{int(ids[wrong][0]):x}"
        raise BadInput(f"{text} is not an H3 cell", f"{text} 不是 H3 网格编号", subject=text)
    return ids
