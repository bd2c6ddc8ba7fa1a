"""Columns of codes as byte matrices, so that a million codes are checked by a few array operations.

A column may be a pyarrow array (plain or chunked), a numpy array or a list; nulls and empty texts stay empty.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

CodeColumn: TypeAlias = "pa.Array | pa.ChunkedArray | NDArray[Any] | Sequence[str | None]"


def tidy(code: str) -> str:
    """One code as the checks compare it: full-width forms made plain, outer blanks dropped, letters upper-case."""
    return unicodedata.normalize("NFKC", code).strip().upper()


def tidy_column(column: CodeColumn) -> pa.Array:
    """A column of codes as a pyarrow string array without nulls, each value made plain like `tidy` does."""
    texts = strings(column)
    if not pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        texts = pc.utf8_normalize(texts, form="NFKC")
    return pc.utf8_upper(pc.utf8_trim_whitespace(texts))


def strings(column: CodeColumn) -> pa.Array:
    """A column as a plain pyarrow string array without nulls."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "U":
        column = column.astype(object)
    array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if not pa.types.is_string(array.type):
        array = array.cast(pa.string())
    return array.fill_null("")


def lengths(texts: pa.Array) -> NDArray[np.int32]:
    """The length of each text in bytes; equal to its characters for codes in plain letters and digits."""
    return np.asarray(pc.binary_length(texts)).astype(np.int32, copy=False)


def ascii_rows(texts: pa.Array) -> NDArray[np.bool_]:
    """Which texts hold plain ASCII characters only."""
    return np.asarray(pc.string_is_ascii(texts).to_numpy(zero_copy_only=False), dtype=np.bool_)


def byte_matrix(texts: pa.Array, width: int) -> NDArray[np.uint8]:
    """Texts that are all `width` bytes long as an (n, width) matrix of their bytes."""
    if not len(texts):
        return np.empty((0, width), dtype=np.uint8)
    _, offsets, data = texts.buffers()
    first = np.frombuffer(offsets, dtype=np.int32)[texts.offset]
    return np.frombuffer(data, dtype=np.uint8)[first : first + len(texts) * width].reshape(-1, width)


def from_byte_matrix(codes: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> pa.Array:
    """A byte matrix back as a pyarrow string array; rows that are not `kept` become null."""
    rows, width = codes.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(codes)
    texts = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
    return texts if kept is None else pc.if_else(pa.array(kept), texts, pa.scalar(None, pa.string()))


def digits_to_int(codes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of ASCII digits as whole numbers, and which rows consist of digits only (the others give 0)."""
    digits = codes - np.uint8(48)
    clean: NDArray[np.bool_] = np.all(digits <= 9, axis=1)
    number = np.zeros(len(codes), dtype=np.int64)
    for place in range(codes.shape[1]):
        number *= 10
        number += digits[:, place]
    number[~clean] = 0
    return number, clean
