"""Boundaries of many cells for the database: computed here, since the function in SQL takes a hundred times as long."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

from gis.geo.mercator import RADIUS_M

_POLAR_DEG = 89.9
_FEW = 200
_CHUNK = 50_000


def boundaries_of(conn: psycopg.Connection[Any], cells: str) -> None:
    """Fill the temporary table `cell_boundaries (cell, shape)` for the cells that a query brings, in EPSG:3857."""
    conn.execute("CREATE TEMP TABLE IF NOT EXISTS cell_boundaries (cell bigint, shape geometry) ON COMMIT DROP")
    conn.execute("TRUNCATE cell_boundaries")
    found = [cell for (cell,) in conn.execute(cells)]
    if len(found) <= _FEW:
        conn.execute(
            "INSERT INTO cell_boundaries SELECT c, core.cell_boundary(c, true) FROM unnest(%s::bigint[]) c", (found,)
        )
        return
    with conn.cursor() as cursor, cursor.copy("COPY cell_boundaries FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "bytea"])
        for start in range(0, len(found), _CHUNK):
            part = found[start : start + _CHUNK]
            for row in zip(part, mercator_boundaries(part), strict=True):
                copy.write_row(row)


def mercator_boundaries(cells: Iterable[int]) -> NDArray[np.object_]:
    """Each cell's boundary as EWKB of EPSG:3857; in one piece where it crosses the antimeridian."""
    corners = [h3.cell_to_boundary(cell) for cell in cells]
    counts = [len(ring) for ring in corners]
    points = np.fromiter(chain.from_iterable(chain.from_iterable(corners)), np.float64).reshape(-1, 2)
    lat, lon = points.T
    starts = np.concatenate(([0], np.cumsum(counts)))
    first = np.repeat(lon[starts[:-1]], counts)
    lon = lon - 360.0 * np.round((lon - first) / 360.0)
    x = RADIUS_M * np.radians(lon)
    y = RADIUS_M * np.arcsinh(np.tan(np.radians(np.clip(lat, -_POLAR_DEG, _POLAR_DEG))))
    rings = shapely.linearrings(np.column_stack([x, y]), indices=np.repeat(np.arange(len(counts)), counts))
    found: NDArray[np.object_] = shapely.to_wkb(shapely.set_srid(shapely.polygons(rings), 3857), include_srid=True)
    return found
