"""GeoParquet 1.0 and 1.1, and plain Parquet with WKB or with coordinate columns; read page by page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gis.errors import BadInput
from gis.exchange.readers.declared_crs import crs_name
from gis.exchange.readers.faults import gdal_errors
from gis.exchange.readers.geometry import geometric_batch, is_wkb_field
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.exchange.readers.strings import without_bad_text
from gis.text import Text

#: Read through a buffer of this size, so that a row group need not fit into memory.
_BUFFER_BYTES = 1 << 20
_WKB_NAMES = ("geometry", "geom", "wkb_geometry", "wkb", "the_geom", "shape")
_DEFAULT_CRS = "OGC:CRS84"

_NOT_A_NUMBER = Text("坐标列为空或不是数值", "a coordinate is empty or not a number")


class GeoParquetSource:
    """A Parquet file; its geometry is one WKB column, one column of point structs, or two columns of numbers."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        self.findings = Findings()
        self._options = options
        with gdal_errors(path), pq.ParquetFile(path) as file:
            self._schema: pa.Schema = file.schema_arrow
            self.total_rows: int | None = file.metadata.num_rows
        self._geo = _geo_metadata(path, self._schema)
        self._xy = self._coordinate_columns()
        self._geometry = None if self._xy else self._geometry_column()
        self.crs: str | None = self._declared_crs()
        self._covering = self._covering_columns()
        self.findings.decide_columns([n for n in self._schema.names if n not in self._left_out()])

    def batches(self) -> Iterator[Batch]:
        """The rows in the file's order. Raises BadInput where the file is damaged."""
        self.findings.begin()
        wanted = [n for n in self._schema.names if n not in self._covering]
        done = 0
        with gdal_errors(self.path):
            file = pq.ParquetFile(self.path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        with file:
            records = file.iter_batches(batch_size=self._options.batch_rows, columns=wanted, use_threads=False)
            while True:
                with gdal_errors(self.path):
                    record = next(records, None)
                if record is None:
                    return
                rows = np.arange(done + 1, done + 1 + record.num_rows, dtype=np.int64)
                done += record.num_rows
                yield without_bad_text(self._batch(rows, record), self.findings)

    def _batch(self, rows: np.typing.NDArray[np.int64], record: pa.RecordBatch) -> Batch:
        table = pa.Table.from_batches([record])
        if self._xy is not None:
            return _with_columns(rows, table, self._xy, self.findings)
        if self._geometry is None:
            return Batch(rows=rows, table=table)
        column = record.column(self._geometry)
        table = table.drop_columns([self._geometry])
        if pa.types.is_struct(column.type):
            return _with_points(rows, table, column, self.findings)
        return geometric_batch(rows, table, column, self.findings)

    def _coordinate_columns(self) -> tuple[str, str] | None:
        x, y = self._options.x, self._options.y
        if x is None or y is None:
            return None
        for name in (x, y):
            if name not in self._schema.names:
                listed = ", ".join(self._schema.names)
                raise BadInput(f"{self.path.name} has no column {name!r}; it has {listed}",
                               f"{self.path.name} 没有列 {name!r};现有:{listed}", subject=name)  # fmt: skip
        self.findings.decide("geometry", f"{x}, {y}", "坐标列由用户指定", "coordinate columns named by the user")
        return x, y

    def _geometry_column(self) -> str | None:
        if self._geo:
            return self._declared_geometry()
        marked = next((f.name for f in self._schema if is_wkb_field(f)), None)
        if marked is not None:
            self.findings.decide("geometry", marked, "列类型标明为 WKB", "the column's type says that it is WKB")
            return str(marked)
        for field in self._schema:
            binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
            if binary and field.name.lower() in _WKB_NAMES:
                self.findings.decide("geometry", field.name, "没有 geo 元数据;按列名判断为 WKB",
                                     "there is no geo metadata; by its name the column is WKB", sure=False)  # fmt: skip
                return str(field.name)
        self.findings.decide("geometry", "", "没有几何列;坐标列可用 --x 与 --y 指定",
                             "there is no geometry column; name coordinate columns with --x and --y",
                             sure=False)  # fmt: skip
        return None

    def _declared_geometry(self) -> str:
        name = str(self._geo.get("primary_column", ""))
        encoding = self._column_metadata(name).get("encoding")
        if name not in self._schema.names or encoding not in ("WKB", "point"):
            raise BadInput(
                f"{self.path.name} keeps its geometry {name!r} as {encoding!r}; write it with the encoding WKB",
                f"{self.path.name} 的几何列 {name!r} 编码为 {encoding!r};请改用 WKB 编码导出",
                subject=str(self.path),
            )
        version = self._geo.get("version")
        self.findings.decide("geometry", name, f"GeoParquet {version} 元数据声明,编码 {encoding}",
                             f"declared by the GeoParquet {version} metadata, encoded as {encoding}")  # fmt: skip
        return name

    def _declared_crs(self) -> str | None:
        if self._geometry is None:
            self.findings.decide("crs", "", "坐标列没有声明坐标系", "coordinate columns declare no CRS", sure=False)
            return None
        if self._geo:
            column = self._column_metadata(self._geometry)
            declared = column.get("crs", _DEFAULT_CRS)
        else:
            declared = _extension_crs(self._schema.field(self._geometry))
        named = crs_name(declared)
        self.findings.decide("crs", named or "", "GeoParquet 元数据(缺省为 OGC:CRS84)" if named else "没有声明坐标系",
                             "GeoParquet metadata (OGC:CRS84 when it says nothing)" if named else "no CRS is declared",
                             sure=named is not None)  # fmt: skip
        return named

    def _column_metadata(self, name: str) -> dict[str, Any]:
        found = self._geo.get("columns", {}).get(name, {})
        return found if isinstance(found, dict) else {}

    def _covering_columns(self) -> frozenset[str]:
        """The columns that only repeat each feature's box (GeoParquet 1.1, "covering")."""
        box = self._column_metadata(self._geometry or "").get("covering", {}).get("bbox", {})
        return frozenset(path[0] for path in box.values() if path)

    def _left_out(self) -> frozenset[str]:
        return self._covering | ({self._geometry} if self._geometry else set())


def open_geoparquet(path: Path, options: ReadOptions) -> GeoParquetSource:
    """A Parquet file. Raises BadInput when it is damaged, cut off, or encodes its geometry in a way not read here."""
    return GeoParquetSource(path, options)


def _geo_metadata(path: Path, schema: pa.Schema) -> dict[str, Any]:
    raw = (schema.metadata or {}).get(b"geo")
    if raw is None:
        return {}
    try:
        read = json.loads(raw)
        if isinstance(read, dict) and isinstance(read.get("columns"), dict):
            return read
    except ValueError:
        pass
    raise BadInput(f"the geo metadata of {path.name} is damaged; write the file again",
                   f"{path.name} 的 geo 元数据已损坏;请重新导出", subject=str(path))  # fmt: skip


def _extension_crs(field: pa.Field) -> Any:
    raw = (field.metadata or {}).get(b"ARROW:extension:metadata", b"")
    try:
        return json.loads(raw).get("crs")
    except (ValueError, AttributeError):
        return None


def _with_columns(rows: Any, table: pa.Table, xy: tuple[str, str], findings: Findings) -> Batch:
    columns = []
    for name in xy:
        column = table.column(name)
        try:
            numbers = pc.cast(column, pa.float64(), safe=False)
        except pa.ArrowException:
            numbers = pa.chunked_array([pa.array([_number(v) for v in column.to_pylist()], pa.float64())])
        columns.append(numbers.to_numpy())
    points = np.column_stack(columns)
    missing = np.isnan(points).any(axis=1)
    for at in np.flatnonzero(missing):
        value = ", ".join(str(table.column(name)[int(at)].as_py()) for name in xy)
        findings.reject(rows[at], "no-geometry", _NOT_A_NUMBER, value)
    return Batch(rows=rows, table=table, points=points).take(~missing)


def _with_points(rows: Any, table: pa.Table, column: pa.StructArray, findings: Findings) -> Batch:
    """GeoParquet 1.1, encoding "point": a struct of x and y (and z)."""
    missing = column.is_null().to_numpy(zero_copy_only=False)
    points = np.column_stack([pc.struct_field(column, n).to_numpy(zero_copy_only=False) for n in ("x", "y")])
    for at in np.flatnonzero(missing):
        findings.reject(rows[at], "no-geometry", Text("这一行没有几何", "the row has no geometry"))
    return Batch(rows=rows, table=table, points=points.astype(np.float64)).take(~missing)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
