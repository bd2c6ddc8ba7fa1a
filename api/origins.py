"""Pages of other servers: none may read answers, but for the origins that the installation names."""

import re
from dataclasses import dataclass, field

from starlette.types import Message

from gis.errors import SetupError

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?\Z")
_EXPOSED = (
    b"access-control-expose-headers", b"etag, link, retry-after, onemap-anonymous, onemap-request-id, onemap-truncated"
)  # fmt: skip
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
#: What a page may send beside what any may (Fetch, 4.6); a key only where its origin is named.
_SENT = b"content-type, if-match, if-none-match"
#: How long a browser need not ask again, s.
_KEPT_S = b"600"
ANY = "*"


def origins_of(text: str) -> frozenset[bytes]:
    """The origins of a list with commas. Raises SetupError naming the one that is none.

    >>> sorted(origins_of("https://map.city.test, http://127.0.0.1:5173"))
    [b'http://127.0.0.1:5173', b'https://map.city.test']
    """
    found = [word.strip().lower().rstrip("/") for word in text.split(",") if word.strip()]
    for word in found:
        if word != ANY and not _ORIGIN.match(word):
            raise SetupError(
                f"ONEMAP_ORIGINS: {word!r} is no origin; write https://map.example.cn,https://other.example.cn:8443",
                f"ONEMAP_ORIGINS:{word!r} 不是网页来源;请写作 https://map.example.cn,https://other.example.cn:8443",
                subject="ONEMAP_ORIGINS",
            )
    return frozenset(word.encode() for word in found)


@dataclass(frozen=True, slots=True)
class Origins:
    """Whose pages may read answers. `*` opens what anyone may read, and nothing that takes a key.

    No answer ever allows credentials: cookies are for the pages of this server alone.
    """

    named: frozenset[bytes] = field(default_factory=frozenset)

    def headers(self, origin: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
        """The headers of an answer to a page of that origin; with origins named every answer says that it varies."""
        if not self.named:
            return ()
        if origin is not None and origin in self.named:
            return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"), _EXPOSED)
        if ANY.encode() in self.named:
            return ((b"access-control-allow-origin", b"*"), _EXPOSED)
        return ((b"vary", b"Origin"),)

    def preflight(self, origin: bytes | None) -> tuple[Message, Message] | None:
        """The answer to a browser that asks whether a page may ask; None where it may not."""
        named = origin is not None and origin in self.named
        if origin is None or not (named or ANY.encode() in self.named):
            return None
        headers = [
            *self.headers(origin),
            (b"access-control-allow-methods", _METHODS if named else b"GET, HEAD, POST"),
            (b"access-control-allow-headers", b"authorization, " + _SENT if named else _SENT),
            (b"access-control-max-age", _KEPT_S),
            (b"content-length", b"0"),
        ]
        return {"type": "http.response.start", "status": 204, "headers": headers}, {
            "type": "http.response.body",
            "body": b"",
        }
