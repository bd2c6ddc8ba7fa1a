"""All that a question means, in the format that is asked for, as a stream of bytes in flat memory."""

import json
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from gis.access.watermark import COLUMN, MEMBER
from gis.access.watermark_order import order
from gis.catalog import Sensitivity
from gis.errors import BadQuery
from gis.formats import arrow_stream, files, parquet, text
from gis.query import export
from gis.query.crs import CRS84, projjson
from gis.query.plan import Plan
from gis.query.span import instant_text
from gis.query.statement import Statement
from gis.store.batches import Batches
from gis.store.database import Database

#: FlatGeobuf's index is built in memory; beyond so many rows the file goes without one.
INDEXED_ROWS = 250_000
_PIECE_BYTES = 1 << 20
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Format:
    """One form of an answer; `spatial` ones take features only, `tabular` ones groups as well."""

    name: str
    media_type: str
    suffix: str
    spatial: bool = True
    tabular: bool = False


FORMATS: dict[str, Format] = {
    found.name: found
    for found in (
        Format("geojson", "application/geo+json", ".geojson"),
        Format("geojsonseq", "application/geo+json-seq", ".geojsonl"),
        Format("csv", "text/csv; charset=utf-8", ".csv", tabular=True),
        Format("fgb", "application/vnd.flatgeobuf", ".fgb"),
        Format("parquet", "application/vnd.apache.parquet", ".parquet", tabular=True),
        Format("arrow", "application/vnd.apache.arrow.stream", ".arrows", tabular=True),
        Format("gpkg", "application/geopackage+sqlite3", ".gpkg"),
    )
}


@dataclass(slots=True)
class Export:
    """One answer on its way out. `folder` is where formats that need a file are put together.

    `mark` is the watermark: a member of a GeoJSON collection, metadata of GeoParquet and Arrow, the layer's description
    in FlatGeobuf and GeoPackage. Of a collection that is not open each row has it too, as a member of the feature or as
    the last column; and where no order was asked for, rows stand in that of the mark (`gis.access.watermark_order`).

    Geometry is WGS 84, or in the CRS asked for: with its own order of axes in GeoJSON and GeoJSON sequences, with x
    east and y north in all others, as these formats have it.
    """

    plan: Plan
    database: Database
    format: Format
    crs: str = CRS84
    folder: Path | None = None
    progress: Progress = lambda rows: None
    mark: str = ""
    rows: int = 0
    _batches: Batches | None = field(default=None, repr=False)
    _cancelled: bool = False

    def __post_init__(self) -> None:
        """Raises BadQuery where the answer has no such form."""
        if self.plan.query.grouped and not self.format.tabular:
            forms = ", ".join(f.name for f in FORMATS.values() if f.tabular)
            raise BadQuery(f"groups are answered as {forms}, not as {self.format.name}",
                           f"分组统计可用格式:{forms},不支持 {self.format.name}", subject="f")  # fmt: skip

    @property
    def schema(self) -> pa.Schema:
        """The columns of the typed formats."""
        found = export.schema(self.plan)
        if self.format.name != "csv" or "geometry" not in found.names:
            return found
        return found.set(found.get_field_index("geometry"), pa.field("geometry", pa.string()))

    def cancel(self) -> None:
        """End it, also in the database; for another thread than the one that reads."""
        self._cancelled = True
        if self._batches is not None:
            self._batches.cancel()

    def chunks(self) -> Generator[bytes, None, None]:
        """The answer in pieces, to be read in one thread. Raises Unavailable, BadQuery, mostly before the first."""
        match self.format.name:
            case "geojson":
                yield from self._collection()
            case "geojsonseq":
                # RFC 8142: each text begins with a record separator and ends with a line feed
                yield from text.lines(self._read(export.lines(self.plan, self.crs, before="\x1e", member=self._of_row)))
            case "csv":
                asked = export.columns(self.plan, self.crs, as_text=True)
                yield from text.csv_chunks(*self._with_mark(self._typed(asked)))
            case "parquet":
                rows, schema = self._with_mark(self._typed(self._columns()))
                yield from parquet.chunks(rows, schema, self._projjson(), self._about)
            case "arrow":
                rows, schema = self._with_mark(self._typed(self._columns()))
                yield from arrow_stream.chunks(rows, schema, self._projjson(), self._about)
            case _:
                yield from self._file()

    def write(self, path: Path) -> int:
        """Write the answer to a file, whole or not at all; returns the number of rows."""
        part = path.with_name(f".{path.stem}.part{path.suffix}")
        try:
            if self.format.name in ("fgb", "gpkg"):
                self._write_file(part)
            else:
                with part.open("wb") as file, closing(self.chunks()) as chunks:
                    file.writelines(chunks)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return self.rows

    def _collection(self) -> Iterator[bytes]:
        """A FeatureCollection whose numbers come last, since they are known last."""
        head = b'{"type":"FeatureCollection","timeStamp":' + json.dumps(instant_text(self.plan.now)).encode()
        found = self._read(export.lines(self.plan, self.crs, before=",\n", after="", member=self._of_row))
        yield from text.lines(found, head + b',"features":[', b"\n]", skip=1)
        member = f",{self._member}" if self.mark else ""
        yield f',"numberReturned":{self.rows}{member}}}\n'.encode()

    @property
    def _about(self) -> dict[str, str]:
        return {MEMBER: self.mark} if self.mark else {}

    @property
    def _member(self) -> str:
        return f'"{MEMBER}":"{self.mark}"' if self.mark else ""

    @property
    def _of_row(self) -> str:
        return self._member if self._marks_rows else ""

    @property
    def _marks_rows(self) -> bool:
        return bool(self.mark) and self.plan.collection.sensitivity is not Sensitivity.OPEN

    def _with_mark(self, batches: Iterator[pa.RecordBatch]) -> tuple[Iterator[pa.RecordBatch], pa.Schema]:
        """The rows with their mark in a column, where each has it."""
        schema = self.schema
        if not self._marks_rows:
            return batches, schema
        whole = schema.append(pa.field(COLUMN, pa.string()))
        return (
            pa.RecordBatch.from_arrays([*batch.columns, pa.repeat(self.mark, batch.num_rows)], schema=whole)
            for batch in batches
        ), whole

    def _columns(self) -> Statement:
        return export.columns(self.plan, self.crs)

    def _projjson(self) -> dict[str, Any] | None:
        return None if self.crs == CRS84 else json.loads(projjson(self.crs))

    def _read(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        with self.database.batches(statement) as found:
            self._batches = found
            if self._cancelled:
                return
            try:
                for batch in found:
                    self.rows += batch.num_rows
                    self.progress(self.rows)
                    yield self._in_own_order(batch)
            finally:
                self._batches = None

    def _in_own_order(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch in the order that leads back to the export."""
        if not self._marks_rows or "fid" not in batch.schema.names or export.in_order(self.plan):
            return batch
        fids = batch.column("fid").to_numpy(zero_copy_only=False)
        return batch.take(pa.array(order(fids, self.mark)))

    def _typed(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        schema = self.schema
        return (batch.cast(schema) for batch in self._read(statement))

    def _file(self) -> Iterator[bytes]:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="export-", dir=self.folder) as folder:
            path = Path(folder) / f"{self.plan.collection.id}{self.format.suffix}"
            self._write_file(path)
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    yield piece

    def _write_file(self, path: Path) -> None:
        driver = "GPKG" if self.format.name == "gpkg" else "FlatGeobuf"
        indexed = driver == "GPKG" or self._can_be_indexed()
        rows, schema = self._with_mark(self._typed(self._columns()))
        batches = pa.RecordBatchReader.from_batches(schema, rows)
        options = files.layer_options(indexed=indexed, description=self.mark)
        files.write(path, self.plan.collection.noun, batches, crs=self.crs, driver=driver, options=options)

    def _can_be_indexed(self) -> bool:
        """Whether the rows are few enough for an index in memory, and each has a geometry."""
        found = self.plan.relation()
        some = f"SELECT geom FROM ({found.sql}) q LIMIT %s"  # noqa: S608
        sql = f"SELECT count(*) <= %s AND count(*) = count(geom) FROM ({some}) s"  # noqa: S608
        return bool(self.database.rows(Statement(sql, (INDEXED_ROWS, *found.args, INDEXED_ROWS + 1)))[0][0])
