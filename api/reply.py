"""Answers as bytes: JSON of any media type, and the conditional and compressed forms of a body."""

import asyncio
import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import Response

from gis.text import Language, Text

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
HTML = "text/html"

#: What changes with the data and with the caller's rights may be kept, but must be asked about each time.
REVALIDATE = "private, no-cache"

_WORTH_COMPRESSING_BYTES = 1_400
_ASIDE_BYTES = 64_000


def json_reply(content: Any, language: Language, media_type: str = JSON) -> Response:
    """An answer in JSON; texts in both languages become `{"zh": …, "en": …}`."""
    return bytes_reply(orjson.dumps(content, default=_plain), language, media_type)


def bytes_reply(body: bytes, language: Language, media_type: str) -> Response:
    """An answer whose bytes are there already."""
    headers = {"content-language": language, "vary": "Accept-Language", "cache-control": REVALIDATE}
    return Response(body, media_type=media_type, headers=headers)


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return value.as_dict()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a request says of copies that it holds and encodings that it takes."""

    if_none_match: str = ""
    takes_gzip: bool = False

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> "Conditions":
        """From raw request headers."""
        found = {name: value.decode("latin-1") for name, value in headers if name in _READ}
        encodings = (part.strip().lower() for part in found.get(b"accept-encoding", "").split(","))
        return cls(
            found.get(b"if-none-match", ""), any(e in ("gzip", "*") or e.startswith("gzip;q=0.") for e in encodings)
        )

    def hold(self, etag: str) -> bool:
        """Whether the caller's copy is this one (weak comparison, RFC 9110, 13.1.2)."""
        copies = (copy.strip().removeprefix("W/") for copy in self.if_none_match.split(","))
        return any(copy in ("*", etag) for copy in copies)


_READ = (b"if-none-match", b"accept-encoding")


@dataclass(frozen=True, slots=True)
class Body:
    """A body ready to send, with the headers that belong to it."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


async def conditional(content: bytes, media_type: str, conditions: Conditions) -> Body:
    """The content, compressed where it is worth while; or 304 where the caller holds it. No content is 204."""
    headers = {"cache-control": REVALIDATE, "vary": "Accept-Encoding"}
    if not content:
        return Body(204, b"", headers)
    compress = conditions.takes_gzip and len(content) >= _WORTH_COMPRESSING_BYTES
    # a strong tag names bytes, and compressed bytes are others
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}{"-gz" if compress else ""}"'
    headers["etag"] = etag
    if conditions.hold(etag):
        return Body(304, b"", headers)
    headers["content-type"] = media_type
    if not compress:
        return Body(200, content, headers)
    headers["content-encoding"] = "gzip"
    if len(content) < _ASIDE_BYTES:
        return Body(200, _gzip(content), headers)
    return Body(200, await asyncio.to_thread(_gzip, content), headers)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 4, mtime=0)
