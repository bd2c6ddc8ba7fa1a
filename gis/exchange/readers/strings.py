"""Text columns as bytes: decoding them with the settled encoding, and finding the rows whose bytes are no text."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.exchange.readers.source import Batch, Findings
from gis.text import Text

#: The longest character that GB18030 or UTF-8 writes, in bytes.
LONGEST_CHARACTER_BYTES = 4

_BAD_TEXT = Text("文字不符合文件的编码", "the text does not fit the file's encoding")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text column, the rows whose last character was cut in two, and the rows that do not decode."""

    column: pa.Array
    cut: NDArray[np.bool_]
    bad: NDArray[np.bool_]


def decode_cut(value: bytes, encoding: str) -> tuple[str, bool] | None:
    """The text of one value and whether its last character was cut off in the middle; None when it does not decode.

    >>> decode_cut("城市".encode("gbk")[:-1], "gb18030")
    ('城', True)
    """
    try:
        return value.decode(encoding), False
    except UnicodeDecodeError as error:
        if error.start <= len(value) - LONGEST_CHARACTER_BYTES:
            return None
        try:
            rest = value[error.start :].decode(encoding, errors="ignore")
            return (None if rest else (value[: error.start].decode(encoding), True)) if error.start else None
        except UnicodeDecodeError:
            return None


def decode_text(column: pa.Array, encoding: str, width: int | None = None) -> DecodedText:
    """A column of bytes as text. A value may end inside a character only when it fills `width` bytes."""
    nothing = np.zeros(len(column), dtype=bool)
    if column.null_count == len(column) or _is_ascii(column):
        return DecodedText(column.cast(pa.binary()).cast(pa.string()), nothing, nothing)
    indexed = column.dictionary_encode()
    texts: list[str | None] = []
    cut: list[bool] = []
    for value in indexed.dictionary.to_pylist():
        read = decode_cut(value, encoding)
        if read is not None and read[1] and width is not None and len(value) <= width - LONGEST_CHARACTER_BYTES:
            read = None
        texts.append(None if read is None else read[0])
        cut.append(read is not None and read[1])
    text_of = pa.array(texts, pa.string())
    at = indexed.indices.fill_null(0).to_numpy(zero_copy_only=False)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    bad = np.array([t is None for t in texts])[at] & valid
    return DecodedText(text_of.take(indexed.indices), np.array(cut)[at] & valid, bad)


def without_bad_text(batch: Batch, findings: Findings) -> Batch:
    """The rows whose text columns are UTF-8; the others are refused."""
    bad = np.zeros(len(batch), dtype=bool)
    table = batch.table
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            continue
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            raw = column.combine_chunks().view(pa.binary() if pa.types.is_string(column.type) else pa.large_binary())
            for at, value in enumerate(raw.to_pylist()):
                if value is not None and not _is_utf8(value):
                    bad[at] = True
                    findings.reject(batch.rows[at], "bad-text", _BAD_TEXT, f"{name}: {value[:40]!r}")
    return batch.take(~bad)


def reject_bad_text(rows: NDArray[np.int64], name: str, values: pa.Array, findings: Findings) -> None:
    """Refuse rows whose value of the field `name` does not decode; `values` are its bytes."""
    for row, value in zip(rows, values.to_pylist(), strict=True):
        findings.reject(int(row), "bad-text", _BAD_TEXT, f"{name}: {value[:40]!r}")


def _is_ascii(column: pa.Array) -> bool:
    buffer = column.buffers()[2]
    return buffer is None or not bool((np.frombuffer(buffer, dtype=np.uint8) > 0x7F).any())


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
