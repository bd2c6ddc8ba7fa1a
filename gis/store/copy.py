"""PostgreSQL's binary COPY format, made from columns: whole batches at a time, no Python per row.

Runs of fixed-width columns become one structured array; they and the variable-width columns are then joined row by
row by Arrow's own kernel, whose output buffer is the COPY stream. (Format: PostgreSQL manual, COPY, "Binary Format".)
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NOTHING = pa.scalar(b"", pa.large_binary())
#: PostgreSQL counts microseconds from 2000-01-01, Unix from 1970-01-01.
_EPOCH_US = 946_684_800_000_000
_EPOCH_DAYS = 10_957
#: -infinity and infinity as timestamptz.
ALWAYS, FOREVER = -(2**63), 2**63 - 1
_END = object()
T = TypeVar("T")
_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_POINT_WITH_SRID = 0x20000001


@dataclass(frozen=True, slots=True)
class Fixed:
    """A column of values of one width, already in wire order; `valid` is None where no value is null."""

    values: NDArray[Any]
    valid: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A column of byte strings, nulls allowed."""

    values: pa.LargeBinaryArray


Column = Fixed | Variable

#: A column without any value: a length of −1 in each row, and nothing behind it.
_EMPTY = Fixed(np.empty(0))


def integers(values: NDArray[Any], valid: NDArray[np.bool_] | None = None, *, width: int = 8) -> Fixed:
    """bigint (8), integer (4) or smallint (2)."""
    return Fixed(values.astype(f">i{width}"), valid)


def points(xy: NDArray[np.float64], srid: int) -> Fixed:
    """Points as EWKB of 25 bytes; `xy` is (n, 2)."""
    out = np.empty(len(xy), _POINT)
    out["order"], out["type"], out["srid"] = 1, _POINT_WITH_SRID, srid
    out["x"], out["y"] = xy[:, 0], xy[:, 1]
    return Fixed(out)


def arrow(values: pa.Array | pa.ChunkedArray) -> Column:
    """The column of an Arrow array: text, int64, float64, bool, date32, timestamp (UTC) or binary."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if values.null_count == len(values):
        return Variable(pa.nulls(len(values), pa.large_binary()))
    kind = values.type
    if kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
        return Variable(values.cast(pa.large_binary()))
    valid = None if values.null_count == 0 else np.asarray(values.is_valid())
    if pa.types.is_timestamp(kind):
        return instants(np.asarray(values.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(0)), valid)
    if pa.types.is_date32(kind):
        return Fixed((np.asarray(values.cast(pa.int32()).fill_null(0)) - _EPOCH_DAYS).astype(">i4"), valid)
    wire = ">f8" if pa.types.is_floating(kind) else "u1" if pa.types.is_boolean(kind) else ">i8"
    return Fixed(np.asarray(values.fill_null(False if wire == "u1" else 0)).astype(wire), valid)


def instants(unix_us: NDArray[np.int64], valid: NDArray[np.bool_] | None = None) -> Fixed:
    """timestamptz from microseconds since 1970; ALWAYS and FOREVER stand for the infinities."""
    endless = (unix_us == ALWAYS) | (unix_us == FOREVER)
    return Fixed(np.where(endless, unix_us, unix_us - np.where(endless, 0, _EPOCH_US)).astype(">i8"), valid)


def encode(columns: Sequence[Column], rows: int, *, counted: int | None = None) -> pa.LargeBinaryArray:
    """The columns side by side, one byte string a row; with `counted`, each begins with that number of fields."""
    parts: list[pa.Array] = []
    run: list[Fixed] = [] if counted is None else [Fixed(np.full(rows, counted, ">i2"))]
    bare = counted is not None
    for column in columns:
        if isinstance(column, Fixed) and column.valid is None:
            run.append(column)
            continue
        if _is_empty(column):
            run.append(_EMPTY)
            continue
        if run:
            parts.append(_flush(run, rows, bare))
            run, bare = [], False
        parts += _variable(column)
    if run:
        parts.append(_flush(run, rows, bare))
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, _NOTHING)


def joined(first: pa.LargeBinaryArray, second: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """Two encoded halves of each row as one."""
    return pc.binary_join_element_wise(first, second, _NOTHING)


def _flush(run: list[Fixed], rows: int, bare: bool) -> pa.LargeBinaryArray:
    """One structured array of (length, value) pairs; `bare`: the first value is the field count and has no length."""
    fields: list[tuple[str, Any]] = []
    for i, column in enumerate(run):
        if i or not bare:
            fields.append((f"n{i}", ">i4"))
        if column is not _EMPTY:
            fields.append((f"v{i}", column.values.dtype))
    out = np.empty(rows, np.dtype(fields))
    for i, column in enumerate(run):
        if i or not bare:
            out[f"n{i}"] = -1 if column is _EMPTY else column.values.dtype.itemsize
        if column is not _EMPTY:
            out[f"v{i}"] = column.values
    return _bytes(out)


def _is_empty(column: Column) -> bool:
    """Whether every value is null."""
    if isinstance(column, Variable):
        return bool(column.values.null_count == len(column.values))
    return column.valid is not None and not column.valid.any()


def _bytes(values: NDArray[Any]) -> pa.LargeBinaryArray:
    values = np.ascontiguousarray(values)
    width = values.dtype.itemsize
    return pa.Array.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(values)]).cast(pa.large_binary())


def _variable(column: Column) -> list[pa.Array]:
    """Length and value of each row as byte strings; a null has length -1 and no value."""
    if isinstance(column, Variable):
        lengths = np.asarray(pc.fill_null(pc.binary_length(column.values), -1)).astype(">i4")
        return [_bytes(lengths), pc.fill_null(column.values, b"")]
    assert column.valid is not None
    lengths = np.where(column.valid, column.values.dtype.itemsize, -1).astype(">i4")
    values = pc.if_else(pa.array(column.valid), _bytes(column.values), _NOTHING)
    return [_bytes(lengths), values]


def stream(cursor: psycopg.Cursor[Any], statement: str, batches: Iterator[pa.LargeBinaryArray]) -> int:
    """COPY encoded rows as they come; the next batch is made while the server still takes the one before.

    Returns how many rows the server says it took.

    `statement` is `COPY table (columns) FROM STDIN (FORMAT binary)`. An error of the batches ends the COPY and is
    raised as it is; so is one of the server.
    """
    streams([(cursor, statement)], ((batch,) for batch in batches))
    return cursor.rowcount


def streams(
    targets: Sequence[tuple[psycopg.Cursor[Any], str]], batches: Iterator[tuple[pa.LargeBinaryArray, ...]]
) -> None:
    """COPY rows into several tables side by side, each on its own connection; a batch has a part for each of them."""
    with ExitStack() as open_copies:
        copies = [open_copies.enter_context(cursor.copy(statement)) for cursor, statement in targets]
        for copy in copies:
            copy.write(_HEADER)
        for parts in ahead(batches):
            for copy, part in zip(copies, parts, strict=True):
                copy.write(_content(part))
        for copy in copies:
            copy.write(_TRAILER)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; the next one is made on a thread of its own while the last one is used."""
    with ThreadPoolExecutor(1, "onemap-ahead") as maker:
        coming = maker.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = maker.submit(next, items, _END)
            yield item  # type: ignore[misc]


def _content(batch: pa.LargeBinaryArray) -> memoryview:
    """The bytes of all rows, one behind the other, as Arrow keeps them."""
    offsets = np.frombuffer(batch.buffers()[1], np.int64)[batch.offset : batch.offset + len(batch) + 1]
    return memoryview(batch.buffers()[2])[int(offsets[0]) : int(offsets[-1])]


def numbers(
    conn: psycopg.Connection[Any], select: str, names: Sequence[str], args: Mapping[str, Any] | None = None
) -> NDArray[Any]:
    """What a SELECT of bigint columns without nulls finds, as one structured array with a field for each name.

    Packed by the server into one value a column: a row of its own for each number would cost a thousand times more.
    """
    packed = ", ".join(f"string_agg(int8send(\"{name}\"), '')" for name in names)
    found = conn.execute(f"SELECT {packed} FROM ({select}) packed", args, binary=True).fetchone()
    columns = [np.frombuffer(part or b"", ">i8").astype(np.int64) for part in found or [b""] * len(names)]
    out = np.empty(len(columns[0]), [(name, np.int64) for name in names])
    for name, column in zip(names, columns, strict=True):
        out[name] = column
    return out
