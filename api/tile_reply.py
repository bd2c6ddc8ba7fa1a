"""A tile as it is sent: its bytes, packed or not, with headers made once for all who ask for it."""

import asyncio
import gzip
import re
from collections.abc import Iterable

import xxhash
from starlette.types import Message

from api.headers import GUARDED
from api.reply import REVALIDATE
from api.tile_question import Token
from tiles import mvt

_Header = tuple[bytes, bytes]
#: How an answer starts, and its body.
Answer = tuple[Message, Message]

EMPTY: Message = {"type": "http.response.body", "body": b""}

_TYPE: _Header = (b"content-type", mvt.MEDIA_TYPE.encode())
_PACKED: _Header = (b"content-encoding", b"gzip")
# what guards documents against scripts and frames says nothing to whoever reads a tile
_KEPT: tuple[_Header, ...] = (
    (b"cache-control", REVALIDATE.encode()),
    (b"vary", b"Accept-Encoding"),
    *GUARDED,
)
_LEFT_OUT: _Header = (b"onemap-truncated", b"true")

_WORTH_PACKING_BYTES = 1_400
_ASIDE_BYTES = 64_000
#: An entity tag: state, content, and whether it is packed.
_TAG = re.compile(r'"([0-9a-f]{20})\.[0-9a-f]{20}(-gz)?"')
#: What the objects around the bytes take.
_OVERHEAD_BYTES = 1_500


def state_of(key: str, token: Token) -> str:
    """The first half of a tile's entity tag: which tile in which state of the data, known before its content is."""
    return _short(f"{token}{key}".encode())


def copies_of(if_none_match: bytes) -> list[str]:
    """The entity tags, weak or strong, of the copies that a caller holds; `*` for any (RFC 9110, 13.1.2)."""
    return [copy.strip().removeprefix("W/") for copy in if_none_match.decode("latin-1").split(",")]


def copy_in_state(copies: Iterable[str], state: str, *, packed: bool) -> str | None:
    """The tag of the first copy of a tile in a state that is of use to a caller; packed ones are where they are taken.

    Its content may be newer than the state, as any answer's may: data are read after the state is learned.
    """
    for copy in copies:
        found = _TAG.fullmatch(copy)
        if found is not None and found[1] == state and (packed or not found[2]):
            return copy
    return None


class TileReply:
    """One version of a tile. `token` says of which state of the data it is.

    A state alone is no tag: what is committed after the state was learned and before the data were read is in the
    content, or is not, when two servers make the same tile. So the content is the second half.
    """

    __slots__ = ("_answers", "_content_tag", "content", "left_out", "packed", "packed_tag", "plain_tag", "token")

    def __init__(self, key: str, content: bytes, token: Token, *, left_out: bool = False) -> None:
        self.content, self.token, self.left_out = content, token, left_out
        self._content_tag = _short(content)
        tag = f"{state_of(key, token)}.{self._content_tag}"
        self.plain_tag, self.packed_tag = f'"{tag}"'.encode(), f'"{tag}-gz"'.encode()
        self.packed: bytes | None = None
        self._answers: dict[tuple[int, bool], Answer] = {}

    @property
    def size_bytes(self) -> int:
        """Bytes of memory, about."""
        return len(self.content) + len(self.packed or b"") + _OVERHEAD_BYTES

    def renewed(self, token: Token) -> "TileReply":
        """The same content found again in a later state."""
        self.token = token
        return self

    def is_held(self, copies: Iterable[str], *, packed: bool) -> bool:
        """Whether one of a caller's copies has this very content, of whatever state it was found in."""
        ending = f'.{self._content_tag}{"-gz" if packed else ""}"'
        return any(copy == "*" or copy.endswith(ending) for copy in copies)

    def worth_packing(self) -> bool:
        """Whether there is a packed form, made or not."""
        return len(self.content) >= _WORTH_PACKING_BYTES

    async def pack(self) -> None:
        """Make the packed form."""
        if len(self.content) < _ASIDE_BYTES:
            self.packed = _gzip(self.content)
        else:
            self.packed = await asyncio.to_thread(_gzip, self.content)

    def answer(self, status: int, packed: bool) -> Answer:
        """The answer 200, 204 or 304; the same object for all, to be sent and not to be changed."""
        found = self._answers.get((status, packed))
        if found is None:
            content = self.packed if packed and self.packed is not None else self.content
            body = {"type": "http.response.body", "body": content if status == 200 else b""}
            found = {"type": "http.response.start", "status": status, "headers": self._headers(status, packed)}, body
            self._answers[status, packed] = found
        return found

    def _headers(self, status: int, packed: bool) -> list[_Header]:
        if status == 204:
            return list(_KEPT)
        found: list[_Header] = [(b"etag", self.packed_tag if packed else self.plain_tag), *_KEPT]
        if self.left_out:
            found.append(_LEFT_OUT)
        if status == 200:
            body = self.packed if packed and self.packed is not None else self.content
            found += [_TYPE, (b"content-length", str(len(body)).encode())]
            if packed:
                found.append(_PACKED)
        return found


def not_changed(etag: str) -> Answer:
    """The 304 for a tile that is not at hand, and of which the caller's copy is as new as it can be."""
    return {"type": "http.response.start", "status": 304, "headers": [(b"etag", etag.encode()), *_KEPT]}, EMPTY


def _short(value: bytes) -> str:
    # nobody has to be kept from finding two contents of one tag, and a tile's bytes are many
    return xxhash.xxh3_128_hexdigest(value)[:20]


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 4, mtime=0)
