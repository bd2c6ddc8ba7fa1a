"""Arrow IPC streaming format; geometry is GeoArrow's `geoarrow.wkb`, so that readers know it and its CRS."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from gis.formats.sink import Sink


def chunks(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    crs: dict[str, Any] | None = None,
    about: Mapping[str, str] | None = None,
) -> Iterator[bytes]:
    """The stream in pieces: the schema, each batch, the end. `crs` is PROJJSON, None for OGC:CRS84.

    `about` are the schema's metadata.
    """
    sink = Sink()
    told = with_geoarrow(schema, crs)
    if about:
        told = told.with_metadata(dict(about))
    with pa.ipc.new_stream(sink, told) as writer:
        yield sink.take()
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(told.metadata).cast(told))
            yield sink.take()
    yield sink.take()


def with_geoarrow(schema: pa.Schema, crs: dict[str, Any] | None) -> pa.Schema:
    """The schema with its geometry marked as WKB in a CRS."""
    at = schema.get_field_index("geometry")
    if at < 0:
        return schema
    known = {"crs": crs, "crs_type": "projjson"} if crs else {"crs": "OGC:CRS84", "crs_type": "authority_code"}
    marks = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": json.dumps(known)}
    return schema.set(at, schema.field(at).with_metadata(marks))
