"""A tile as it is sent: its bytes, packed or not, with headers made once for all who ask for it."""

import asyncio
import gzip
import hashlib

from starlette.types import Message

from api.front import NOT_GUESSED, SHARED
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
    NOT_GUESSED,
    *SHARED,
)
_LEFT_OUT: _Header = (b"onemap-truncated", b"true")

_WORTH_PACKING_BYTES = 1_400
_ASIDE_BYTES = 64_000
#: What the objects around the bytes take.
_OVERHEAD_BYTES = 1_500


def tag_of(key: str, token: Token) -> str:
    """The entity tag of a tile, known before its content is; without quotes."""
    return hashlib.blake2b(f"{token}{key}".encode(), digest_size=12).hexdigest()


class TileReply:
    """One version of a tile. `token` says of which state of the data it is."""

    __slots__ = ("_answers", "content", "left_out", "packed", "packed_tag", "plain_tag", "token")

    def __init__(self, content: bytes, token: Token, tag: str, *, left_out: bool = False) -> None:
        self.content, self.token, self.left_out = content, token, left_out
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


def not_changed(etag: bytes) -> Answer:
    """The 304 for a tile that is not at hand, and of which the caller's copy is the newest."""
    return {"type": "http.response.start", "status": 304, "headers": [(b"etag", etag), *_KEPT]}, EMPTY


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 4, mtime=0)
