"""Well-known binary to coordinates: points by numpy straight from the Arrow buffer, everything else by shapely.

Reads ISO WKB and PostGIS EWKB, either byte order, with or without Z, M and SRID (OGC 06-103r4 clause 8). Only x and y
are kept of a point.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis.exchange.readers.source import Batch, Findings
from gis.text import Text

_POINT = 1
_POINT_BYTES = 21
_LITTLE_ENDIAN_POINT = np.frombuffer(b"\x01\x01\x00\x00\x00", dtype=np.uint8)
_EWKB_Z, _EWKB_M, _EWKB_SRID = np.uint32(0x80000000), np.uint32(0x40000000), np.uint32(0x20000000)
_TYPE = np.uint32(0x1FFFFFFF)

_NO_GEOMETRY = Text("这一行没有几何", "the row has no geometry")
_BAD_GEOMETRY = Text("几何的二进制内容(WKB)损坏,无法读取", "the geometry's bytes (WKB) are damaged and cannot be read")


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A geometry column taken apart: either `points` or `shapes`, the rows without one, and those that are damaged."""

    points: NDArray[np.float64] | None
    shapes: NDArray[np.object_] | None
    missing: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    has_z: bool


@dataclass(frozen=True, slots=True)
class _PointRead:
    xy: NDArray[np.float64]
    ok: NDArray[np.bool_]
    has_z: bool


def decode_wkb(column: pa.Array) -> Coordinates:
    """The coordinates of a column of WKB; missing and damaged rows are NaN points or None shapes.

    A column whose readable rows are all points comes back as `points`, any other as `shapes`.
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if not pa.types.is_binary(column.type):
        column = column.cast(pa.binary())
    missing: NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    read = _read_points(column)
    others = ~(read.ok | missing)
    if not others.any():
        return Coordinates(read.xy, None, missing, others, read.has_z)
    wkb = np.array(column.filter(pa.array(others)).to_pylist(), dtype=object)
    with np.errstate(invalid="ignore"):  # NaN is found, and listed, when the row is placed
        found = shapely.from_wkb(wkb, on_invalid="ignore")
    broken = others.copy()
    broken[others] = shapely.is_missing(found)
    if broken.sum() == len(found):
        return Coordinates(read.xy, None, missing, broken, read.has_z)
    shapes = np.full(len(column), None, dtype=object)
    shapes[others] = found
    shapes[read.ok] = shapely.points(read.xy[read.ok])
    return Coordinates(None, shapes, missing, broken, read.has_z)


def geometric_batch(rows: NDArray[np.int64], table: pa.Table, column: pa.Array, findings: Findings) -> Batch:
    """One batch of rows with the geometry of a WKB column; rows without a readable geometry are refused."""
    read = decode_wkb(column)
    for at in np.flatnonzero(read.missing):
        findings.reject(rows[at], "no-geometry", _NO_GEOMETRY)
    for at in np.flatnonzero(read.broken):
        head = column[int(at)].as_py()[:16].hex()
        findings.reject(rows[at], "bad-geometry", _BAD_GEOMETRY, head)
    if read.has_z:
        note_height(findings)
    batch = Batch(rows=rows, table=table, points=read.points, shapes=read.shapes)
    return batch.take(~(read.missing | read.broken))


def note_height(findings: Findings) -> None:
    """Say, once a reading, that a third coordinate is there and is left out."""
    if not any(d.about == "height" for d in findings.decisions):
        findings.decide(
            "height",
            "dropped",
            "几何带有高程坐标;只保留平面坐标",
            "the geometry carries heights; only x and y are kept",
        )


def _read_points(column: pa.Array) -> _PointRead:
    count = len(column)
    _, offset_buffer, data_buffer = column.buffers()
    if data_buffer is None or count == 0:
        return _PointRead(np.full((count, 2), np.nan), np.zeros(count, dtype=bool), False)
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[column.offset : column.offset + count + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8)
    if column.null_count == 0 and offsets[-1] - offsets[0] == count * _POINT_BYTES:
        packed = data[offsets[0] : offsets[-1]].reshape(count, _POINT_BYTES)
        if (np.diff(offsets) == _POINT_BYTES).all() and (packed[:, :5] == _LITTLE_ENDIAN_POINT).all():
            xy = np.ascontiguousarray(packed[:, 5:]).view("<f8").astype(np.float64, copy=False)
            return _PointRead(xy, np.ones(count, dtype=bool), False)
    return _read_mixed_points(data, offsets.astype(np.int64))


def _read_mixed_points(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> _PointRead:
    start, size = offsets[:-1], np.diff(offsets)
    xy = np.full((len(start), 2), np.nan)
    ok = np.zeros(len(start), dtype=bool)
    at = np.flatnonzero(size >= _POINT_BYTES)
    little = data[start[at]] == 1
    head = _gather(data, start[at] + 1, 4)
    code = np.where(little, head.view("<u4").ravel(), head.view(">u4").ravel()).astype(np.uint32)
    base = code & _TYPE
    has_z = ((code & _EWKB_Z) != 0) | np.isin(base // 1000, (1, 3))
    has_m = ((code & _EWKB_M) != 0) | np.isin(base // 1000, (2, 3))
    body = 5 + 4 * ((code & _EWKB_SRID) != 0).astype(np.int64)
    is_point = (base % 1000 == _POINT) & (size[at] == body + 8 * (2 + has_z.astype(np.int64) + has_m))
    is_point &= data[start[at]] <= 1
    raw = _gather(data, (start[at] + body)[is_point], 16)
    little = little[is_point, np.newaxis]
    xy[at[is_point]] = np.where(little, raw.view("<f8"), raw.view(">f8"))
    ok[at[is_point]] = True
    return _PointRead(xy, ok, bool(has_z[is_point].any()))


def _gather(data: NDArray[np.uint8], start: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    taken: NDArray[np.uint8] = data[start[:, np.newaxis] + np.arange(width)]
    return taken


def is_wkb_field(field: pa.Field) -> bool:
    """Whether an Arrow field says that it holds WKB (GeoArrow, extension name `geoarrow.wkb` or `ogc.wkb`)."""
    named = (field.metadata or {}).get(b"ARROW:extension:name", b"")
    if isinstance(field.type, pa.BaseExtensionType):
        named = str(field.type.extension_name).encode()
    return named in (b"geoarrow.wkb", b"ogc.wkb")
