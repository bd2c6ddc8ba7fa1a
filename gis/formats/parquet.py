"""GeoParquet 1.1 (plain Parquet where there is no geometry), written row group by row group into a stream.

The metadata `geo` stands at the end of the file, so that the box and the types in it are those of the rows written.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gis.formats.geometry import Gathered
from gis.formats.sink import Sink

#: Few enough to keep memory small, enough for readers to skip by.
ROW_GROUP = 20_000


def chunks(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    crs: dict[str, Any] | None = None,
    about: Mapping[str, str] | None = None,
) -> Iterator[bytes]:
    """The file in pieces. `crs` is PROJJSON, None for OGC:CRS84; axes are x east, y north, as the format has it.

    `about` are further metadata of the file.
    """
    sink, gathered = Sink(), Gathered()
    spatial = "geometry" in schema.names
    with pq.ParquetWriter(sink, schema, compression="zstd", version="2.6", dictionary_pagesize_limit=1 << 17) as writer:
        for table in _grouped(batches, schema):
            if spatial:
                for chunk in table.column("geometry").chunks:
                    gathered.add(chunk)
            writer.write_table(table, ROW_GROUP)
            yield sink.take()
        if spatial:
            writer.add_key_value_metadata({"geo": json.dumps(metadata(gathered, crs))})
        if about:
            writer.add_key_value_metadata(dict(about))
    yield sink.take()


def metadata(gathered: Gathered, crs: dict[str, Any] | None) -> dict[str, Any]:
    """The value of `geo` (GeoParquet 1.1.0, "File Metadata")."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(gathered.types)}
    if crs is not None:
        column["crs"] = crs
    if gathered.bbox is not None:
        column["bbox"] = gathered.bbox
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _grouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in tables of a row group each."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= ROW_GROUP:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, ROW_GROUP)
            waiting = table.slice(ROW_GROUP).to_batches()
            rows -= ROW_GROUP
    if rows:
        yield pa.Table.from_batches(waiting, schema)
