"""A streaming writer of polygon Shapefiles that can also do what careless software does.

Libraries refuse to write a text cut in the middle of a character, or a .cpg that lies; bureaus' software does both.
Format: ESRI Shapefile Technical Description (July 1998), dBase III.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyproj
import shapely

_POLYGON = 5


class Column(NamedTuple):
    """A dBase column: its full name (cut to 10 bytes in the file), type C, N or D, width in bytes, decimals."""

    name: str
    type: str
    width: int
    decimals: int = 0


class ShapefileWriter:
    """Writes .shp, .shx, .dbf and .prj, and a .cpg with whatever `cpg` says; text is GBK."""

    def __init__(self, path: Path, columns: list[Column], epsg: int, cpg: str | None = None) -> None:
        self.columns = columns
        self.rows = 0
        self._parts = [path.with_suffix(s).open("wb") for s in (".shp", ".shx", ".dbf")]
        self._bounds: list[tuple[float, float, float, float]] = []
        path.with_suffix(".prj").write_text(pyproj.CRS(epsg).to_wkt("WKT1_ESRI"), encoding="ascii")
        if cpg is not None:
            path.with_suffix(".cpg").write_text(cpg, encoding="ascii")
        self._headers()

    def close(self) -> None:
        """Write the final headers and close."""
        self._parts[2].write(b"\x1a")
        self._headers()
        for part in self._parts:
            part.close()

    def write(self, shape: shapely.Geometry | None, values: tuple[object, ...]) -> bool:
        """Append a row; None is a row without geometry. True when a text was cut in the middle of a character."""
        shp, shx, dbf = self._parts
        content = struct.pack("<i", 0) if shape is None else self._polygon(shape)
        self.rows += 1
        shx.write(struct.pack(">ii", shp.tell() // 2, len(content) // 2))
        shp.write(struct.pack(">ii", self.rows, len(content) // 2) + content)
        cells = [_cell(column, value) for column, value in zip(self.columns, values, strict=True)]
        dbf.write(b" " + b"".join(cells))
        return any(c.type == "C" and _is_cut(cell) for c, cell in zip(self.columns, cells, strict=True))

    def _polygon(self, shape: shapely.Geometry) -> bytes:
        rings = []
        for part in shapely.get_parts(shape):
            for ring, clockwise in [(part.exterior, True), *((r, False) for r in part.interiors)]:
                xy = shapely.get_coordinates(ring)
                rings.append(xy if ring.is_ccw != clockwise else xy[::-1])
        xy = np.concatenate(rings)
        bounds = (*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist())
        self._bounds = [_merged(self._bounds[0], bounds)] if self._bounds else [bounds]
        starts = np.cumsum([0, *(len(r) for r in rings[:-1])])
        head = struct.pack("<i4d2i", _POLYGON, *bounds, len(rings), len(xy))
        return head + starts.astype("<i4").tobytes() + np.ascontiguousarray(xy, dtype="<f8").tobytes()

    def _headers(self) -> None:
        shp, shx, dbf = self._parts
        bounds = self._bounds[0] if self._bounds else (0.0, 0.0, 0.0, 0.0)
        for part in (shp, shx):
            length = max(part.tell(), 100)
            part.seek(0)
            part.write(struct.pack(">7i", 9994, 0, 0, 0, 0, 0, length // 2))
            part.write(struct.pack("<2i8d", 1000, _POLYGON, *bounds, 0, 0, 0, 0))
            part.seek(length)
        end = dbf.tell()
        dbf.seek(0)
        width = 1 + sum(c.width for c in self.columns)
        dbf.write(struct.pack("<4BIHH20x", 3, 126, 1, 1, self.rows, 33 + 32 * len(self.columns), width))
        for column in self.columns:
            name = column.name.encode("gbk")[:10]
            dbf.write(struct.pack("<11sc4xBB14x", name, column.type.encode(), column.width, column.decimals))
        dbf.write(b"\r")
        dbf.seek(max(end, dbf.tell()))


def _merged(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _cell(column: Column, value: object) -> bytes:
    if value is None:
        return b" " * column.width
    if column.type == "N":
        return f"{value:{column.width}.{column.decimals}f}".encode()
    if column.type == "D":
        return str(value).replace("-", "").encode()
    return str(value).encode("gbk")[: column.width].ljust(column.width)


def _is_cut(cell: bytes) -> bool:
    try:
        cell.decode("gbk")
    except UnicodeDecodeError:
        return True
    return False
