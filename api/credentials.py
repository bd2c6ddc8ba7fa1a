"""Credentials that requests carry, and whose they are: asked of the database once, then looked up for a moment."""

import asyncio
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from gis.access.identity import Identity
from gis.access.keys import holder
from gis.errors import NotSignedIn
from gis.store.database import Database

#: What was revoked is refused after this long at the latest.
_KEPT_S = 1.0
_MOST_KEPT = 16_384
_LONGEST_BYTES = 8_192
_SCHEME = b"bearer"


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The token of a request's raw headers; None for one without.

    Raises NotSignedIn for what is no bearer token (RFC 6750, 2.1), or not one alone: nobody is taken for the public who
    thinks to be somebody.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            if found is not None:
                raise _unknown("the header Authorization is given twice", "请求头 Authorization 重复")
            found = value
    if found is None:
        return None
    scheme, _, token = found.partition(b" ")
    if scheme.lower() != _SCHEME or not token.strip() or len(token) > _LONGEST_BYTES:
        raise _unknown("send the key as Authorization: Bearer KEY", "请以 Authorization: Bearer 密钥 发送密钥")
    return token.strip()


@dataclass(slots=True)
class Credentials:
    """The tokens that were shown lately."""

    threads: Database
    _known: dict[bytes, tuple[Identity, float]] = field(default_factory=dict)

    async def holder(self, token: bytes) -> Identity:
        """Whose token it is. Raises NotSignedIn, Unavailable."""
        digest = hashlib.sha256(token).digest()
        found = self._known.get(digest)
        if found is not None and time.monotonic() < found[1]:
            return found[0]
        begun_s = time.monotonic()
        identity = await asyncio.to_thread(self._ask, token.decode("latin-1"))
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[digest] = identity, begun_s + _KEPT_S
        return identity

    def _ask(self, token: str) -> Identity:
        with self.threads.connection() as conn:
            return holder(conn, token)


def _unknown(en: str, zh: str) -> NotSignedIn:
    return NotSignedIn(en, zh, subject="authorization")
