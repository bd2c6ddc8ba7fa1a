"""What a confined reading process and whoever reads through it say to one another: a line of JSON, then bytes.

Nothing that is said can be a program: JSON, Arrow's streams and plain numbers alone, checked by who takes them in.
"""

import json
import struct
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis.exchange.readers.source import Batch

_LENGTH = struct.Struct(">I")
_LONGEST_HEAD = 64 << 20
Bytes: TypeAlias = "bytes | memoryview | pa.Buffer"


class BrokenOffError(Exception):
    """The other side has ended, or does not speak this language."""


def say(to: IO[bytes], head: dict[str, Any], parts: Sequence[Bytes] = ()) -> None:
    """Send one message."""
    views = [memoryview(part) for part in parts]
    text = json.dumps({**head, "sizes": [view.nbytes for view in views]}).encode()
    to.write(_LENGTH.pack(len(text)) + text)
    for view in views:
        to.write(view)
    to.flush()


def hear(of: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Receive one message. Raises BrokenOffError."""
    (length,) = _LENGTH.unpack(_exactly(of, _LENGTH.size))
    if length > _LONGEST_HEAD:
        raise BrokenOffError
    try:
        head = json.loads(_exactly(of, length))
        sizes = [int(size) for size in head.pop("sizes")]
    except (ValueError, KeyError, AttributeError) as error:
        raise BrokenOffError from error
    return head, [_exactly(of, size) for size in sizes]


def _exactly(of: IO[bytes], size: int) -> bytes:
    found = of.read(size)
    if len(found) != size:
        raise BrokenOffError
    return found


def numbers(part: bytes) -> NDArray[np.int64]:
    """Whole numbers as they were sent."""
    return np.frombuffer(part, "<i8")


def of_batch(batch: Batch) -> list[Bytes]:
    """A batch as the parts of a message: rows, columns, then points or shapes, then what was skimmed."""
    points = b"" if batch.points is None else np.ascontiguousarray(batch.points, "<f8").tobytes()
    shapes = b"" if batch.shapes is None else _stream(pa.table({"shape": pa.array(shapely.to_wkb(batch.shapes))}))
    skimmed: list[Bytes] = []
    if batch.skimmed is not None:
        skimmed = [_plain(batch.skimmed.rows), _plain(batch.skimmed.prints), _plain(batch.skimmed.at)]
    return [_plain(batch.rows), _stream(batch.table), points, shapes, *skimmed]


def batch_of(parts: Sequence[bytes]) -> Batch:
    """The batch that a message holds, without what was skimmed. Raises BrokenOffError where it cannot be one."""
    try:
        rows, table = numbers(parts[0]), _table(parts[1])
        points = np.frombuffer(parts[2], "<f8").reshape(-1, 2) if parts[2] else None
        shapes = np.asarray(shapely.from_wkb(_table(parts[3])["shape"].to_numpy())) if parts[3] else None
    except (pa.ArrowException, ValueError, IndexError, KeyError, shapely.errors.ShapelyError) as error:
        raise BrokenOffError from error
    if {len(table), len(rows)} | {len(p) for p in (points, shapes) if p is not None} != {len(rows)}:
        raise BrokenOffError
    return Batch(rows, table, points, shapes)


def _plain(values: NDArray[np.int64]) -> bytes:
    return np.ascontiguousarray(values, "<i8").tobytes()


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _table(part: bytes) -> pa.Table:
    table = pa.ipc.open_stream(pa.BufferReader(part)).read_all()
    table.validate(full=True)
    return table
