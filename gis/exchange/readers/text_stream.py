"""A text file of any size as a stream of characters, after its encoding has been settled on what is in it."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from gis.exchange.readers.source import Findings
from gis.exchange.readers.text import BROKEN_HANDLER, Encoding, decide_encoding

_CHUNK_BYTES = 1 << 20


def settle_text_encoding(path: Path, asked: str | None, findings: Findings) -> Encoding:
    """The encoding, decided where something beyond ASCII first stands. Raises BadInput as decide_encoding does."""
    head, whole = _telling_part(path)
    encoding = decide_encoding(head, path.name, asked=asked, whole=whole)
    findings.decide("encoding", encoding.name, encoding.evidence.zh, encoding.evidence.en, sure=encoding.sure)
    return encoding


def characters(path: Path, encoding: Encoding) -> Iterator[str]:
    """The text in pieces of about a megabyte; U+FDD0 (`text.BROKEN`) stands where bytes are no text."""
    decoder = codecs.getincrementaldecoder(encoding.name)(errors=BROKEN_HANDLER)
    with path.open("rb") as file:
        file.seek(encoding.mark_bytes)
        while chunk := file.read(_CHUNK_BYTES):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)


def _telling_part(path: Path) -> tuple[bytes, bool]:
    """The first megabyte from the first byte beyond ASCII on, or the file's head where there is none."""
    with path.open("rb") as file:
        head = chunk = file.read(_CHUNK_BYTES)
        if not head.isascii() or b"\0" in head[:4096]:
            return head, len(head) < _CHUNK_BYTES
        while chunk := file.read(_CHUNK_BYTES):
            if not chunk.isascii():
                start = next(i for i, byte in enumerate(chunk) if byte > 0x7F)
                return chunk[start:] + file.read(start), False
        return head, len(head) < _CHUNK_BYTES
