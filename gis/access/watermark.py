"""Watermarks of exports: a word in the file that leads back to the entry of the trace that says who took it, and why.

A word is its own proof: whoever has not got the key makes none that is taken for one of ours.
"""

import gzip
import hmac
import re
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

#: The name under which a format that has names for such things carries the mark.
MEMBER = "onemap:export"
#: The column that carries it where a format has nothing but columns.
COLUMN = "onemap_export"

_MARK = re.compile(rb"omx-([0-9a-f]{16})-([0-9a-f]{8})")
_MARK_BYTES = 29
_PIECE_BYTES = 1 << 20


def new_mark(key: bytes) -> str:
    """A mark that was never given before: `omx-` with 64 random bits and a proof of 32.

    >>> is_ours(new_mark(b"key"), b"key"), is_ours(new_mark(b"key"), b"another")
    (True, False)
    """
    body = secrets.token_hex(8)
    return f"omx-{body}-{_proof(body, key)}"


def is_ours(mark: str, key: bytes) -> bool:
    """Whether a mark was made with this key."""
    found = _MARK.fullmatch(mark.encode())
    return found is not None and hmac.compare_digest(found[2].decode(), _proof(found[1].decode(), key))


def is_mark(text: str) -> bool:
    """Whether a text is a mark by its form: chance digits, which tell of nobody."""
    return _MARK.fullmatch(text.encode()) is not None


def marks_in(path: Path) -> list[str]:
    """The marks in a file of any of our formats, packed as gzip or zip as well, each once; in the file's order."""
    found: dict[str, None] = {}
    for stream in _contents(path):
        with stream:
            before = b""
            # of what is packed and damaged, as much as can be read
            with suppress(EOFError, zlib.error):
                while piece := stream.read(_PIECE_BYTES):
                    found |= {mark[0].decode(): None for mark in _MARK.finditer(before + piece)}
                    before = piece[1 - _MARK_BYTES :]
    return list(found)


def _contents(path: Path) -> Iterator[IO[bytes]]:
    """What is to be looked through: the file as it is, else what it packs. Raises OSError."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == b"\x1f\x8b":
        yield gzip.GzipFile(path, "rb")  # type: ignore[misc]
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive.open(name)
    else:
        yield path.open("rb")


def _proof(body: str, key: bytes) -> str:
    return hmac.digest(key, b"watermark" + body.encode(), "sha256").hex()[:8]
