"""Text formats: CSV from typed columns, and whatever comes as lines that the database has written."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from gis.formats.sink import Sink

#: Excel takes a file for GBK where this does not stand before it.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def csv_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """CSV in UTF-8 (RFC 4180): every text in quotation marks, a missing value as nothing at all, times in ISO 8601."""
    written = pa.schema([pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in schema])
    sink = Sink()
    sink.write(BYTE_ORDER_MARK)
    with csv.CSVWriter(sink, written, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in batches:
            columns = [_iso(column) if pa.types.is_timestamp(column.type) else column for column in batch.columns]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=written))
            yield sink.take()
    yield sink.take()


def lines(
    batches: Iterable[pa.RecordBatch], first: bytes = b"", last: bytes = b"", *, skip: int = 0
) -> Iterator[bytes]:
    """One column of texts, one behind the other, without the first `skip` bytes of the very first."""
    before: bytes = first
    for batch in batches:
        text = contents(batch.column(0))
        if text and skip:
            text, skip = text[skip:], 0
        yield before + bytes(text) if before else bytes(text)
        before = b""
    yield before + last


def contents(column: pa.StringArray) -> memoryview:
    """The bytes of all texts, as Arrow keeps them."""
    if len(column) == 0:
        return memoryview(b"")
    wide = np.int64 if pa.types.is_large_string(column.type) else np.int32
    offsets = np.frombuffer(column.buffers()[1], wide)[column.offset : column.offset + len(column) + 1]
    return memoryview(column.buffers()[2])[int(offsets[0]) : int(offsets[-1])]


def _iso(column: pa.Array) -> pa.Array:
    """UTC instants as 2020-01-01T00:00:00Z, with microseconds only where there are any."""
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    text = pc.strftime(column.cast(pa.timestamp("us", "UTC")), "%Y-%m-%dT%H:%M:%SZ")
    return pc.replace_substring(text, ".000000Z", "Z")
