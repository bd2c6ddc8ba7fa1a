"""A text file as blocks of whole lines in UTF-8, with line numbers, in bounded memory however long a line is."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gis.exchange.readers.text import BROKEN_HANDLER, Encoding

BLOCK_BYTES = 4 << 20
#: A line may be long (a polygon of 20 000 vertices is 800 KB); beyond this it is no row of a table.
LONGEST_LINE_BYTES = 8 << 20
_SHOWN_BYTES = 400
_LINE_FEED, _RETURN = ord("\n"), ord("\r")
_AS_UTF8 = frozenset({"utf-8", "ascii"})


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines in UTF-8 and the number of the first (from 1); `too_long` marks the beginning of one endless line."""

    data: bytes
    line: int
    too_long: bool = False

    def decoded(self, encoding: Encoding) -> "Block":
        """A block of undecoded lines in UTF-8."""
        return replace(self, data=in_utf8(self.data, encoding))


def read_blocks(
    path: Path, encoding: Encoding, *, bare_returns: bool = False, undecoded: bool = False
) -> Iterator[Block]:
    """The file's lines in blocks; bytes that are no text are left (UTF-8) or marked `BROKEN` (other encodings).

    `bare_returns` says that lines end in a carriage return alone, as on old Macintoshes. `undecoded` leaves lines as
    they are written; the encoding must be one in which a line feed is one byte that is nothing else.
    """
    rest, line, skipping = b"", 1, False
    for chunk in _chunks(path, encoding) if undecoded else _utf8_chunks(path, encoding):
        data = chunk.replace(b"\r", b"\n") if bare_returns else chunk
        if skipping:
            end = data.find(b"\n") + 1
            if not end:
                continue
            skipping, line, data = False, line + 1, data[end:]
        data = rest + data
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if end:
            block = Block(data[:end], line)
            yield block
            line += line_feeds(block.data)
        if len(rest) > LONGEST_LINE_BYTES:
            yield Block(rest[:_SHOWN_BYTES], line, too_long=True)
            rest, skipping = b"", True
    if rest:
        yield Block(rest, line)


def line_feeds(data: bytes) -> int:
    """How many line feeds there are; many bytes at a time, and other threads go on meanwhile."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LINE_FEED))


def has_stray_returns(data: bytes) -> bool:
    """Whether a carriage return stands elsewhere than right before a line feed."""
    held = np.frombuffer(data, np.uint8)
    after = np.flatnonzero(held == _RETURN) + 1
    return bool(len(after)) and (int(after[-1]) == len(held) or bool((held[after] != _LINE_FEED).any()))


def text_of(data: bytes) -> str:
    """The characters of UTF-8 bytes, what is not UTF-8 as `BROKEN`."""
    return data.decode("utf-8", errors=BROKEN_HANDLER)


def in_utf8(data: bytes, encoding: Encoding) -> bytes:
    """Whole lines in UTF-8, with bytes that are no text as `read_blocks` leaves them."""
    if encoding.name in _AS_UTF8:
        return data
    return data.decode(encoding.name, errors=BROKEN_HANDLER).encode("utf-8", errors="replace")


def _chunks(path: Path, encoding: Encoding) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(encoding.mark_bytes)
        while chunk := file.read(BLOCK_BYTES):
            yield chunk


def _utf8_chunks(path: Path, encoding: Encoding) -> Iterator[bytes]:
    if encoding.name in _AS_UTF8:
        yield from _chunks(path, encoding)
        return
    decoder = codecs.getincrementaldecoder(encoding.name)(errors=BROKEN_HANDLER)
    for chunk in _chunks(path, encoding):
        yield decoder.decode(chunk).encode("utf-8", errors="replace")
    yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")
