"""Credentials that requests carry, and whose they are: asked of the database once, then looked up in memory.

The tables number every change that may take a right away (`access.state`); that number is asked for at most twice a
second, and only while somebody asks, so that what was revoked is refused from then on.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from api.caller import Signed
from api.rates import Rates
from gis.access import keys
from gis.access.bearer import BearerTokens
from gis.errors import NotSignedIn
from gis.query.statement import Statement
from gis.store import sessions
from gis.store.database import Database
from gis.store.sessions import Lifetime

#: The cookie of a session; over TLS under a name that browsers let nobody set from elsewhere (RFC 6265bis, 4.1.3.2).
COOKIE, SECURE_COOKIE = "onemap_session", "__Host-onemap_session"

#: How old what is known of revocations may be, and what is known of a credential: its session counts as used by that.
LOOK_EVERY_S, _KEPT_S = 0.5, 30.0
_MOST_KEPT, _LONGEST_BYTES = 16_384, 8_192
_VERSION = Statement("SELECT version FROM access.state")
_SCHEME = b"bearer"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows: a bearer token, or the token in a session's cookie."""

    kind: Literal["bearer", "cookie"]
    token: str

    @property
    def digest(self) -> bytes:
        """Names it without being it."""
        return hashlib.sha256(f"{self.kind} {self.token}".encode()).digest()


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> Credential | None:
    """What a request's raw headers show; None where they show nothing.

    Raises NotSignedIn for what is no bearer token (RFC 6750, 2.1), and for more than one: nobody is taken for the
    public who thinks to be somebody.
    """
    found: list[Credential] = []
    for name, value in headers:
        if name == b"authorization":
            found.append(_bearer(value))
        elif name == b"cookie" and b"onemap_session=" in value:
            found += _cookies(value)
    if len(found) > 1 and len(set(found)) > 1:
        raise _unknown("more than one credential is shown", "出示了多个凭证")
    return found[0] if found else None


def _bearer(value: bytes) -> Credential:
    scheme, _, token = value.partition(b" ")
    if scheme.lower() != _SCHEME or not token.strip() or len(token) > _LONGEST_BYTES or not token.isascii():
        raise _unknown(
            "send the key or token as Authorization: Bearer …", "请以 Authorization: Bearer … 发送密钥或令牌"
        )
    return Credential("bearer", token.strip().decode())


def _cookies(value: bytes) -> list[Credential]:
    pairs = (part.strip().partition("=") for part in value.decode("latin-1").split(";"))
    return [Credential("cookie", text) for name, _, text in pairs if name in (COOKIE, SECURE_COOKIE) and text]


@dataclass(slots=True)
class Credentials:
    """The credentials that were shown lately, for one event loop.

    `bearers` reads tokens of a provider, if there is one. A key's own limit is kept for the process.
    """

    database: Database
    lifetime: Lifetime = field(default_factory=Lifetime)
    bearers: BearerTokens | None = None
    _known: dict[bytes, tuple[Signed, float]] = field(default_factory=dict)
    _rates: dict[tuple[int, int], Rates] = field(default_factory=dict)
    _version: int = -1
    _looked_at: float = float("-inf")
    _looking: asyncio.Task[None] | None = None
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "credentials"))
    # a provider may take its time, which costs nobody else theirs
    _outside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "provider"))

    @property
    def is_fresh(self) -> bool:
        """Whether what is known of revocations is new enough."""
        return time.monotonic() - self._looked_at < LOOK_EVERY_S

    def at_hand(self, credential: Credential) -> Signed | None:
        """Whose it is, where that is known and `is_fresh`."""
        found = self._known.get(credential.digest)
        return found[0] if found is not None and time.monotonic() < found[1] else None

    async def signed(self, credential: Credential) -> Signed:
        """Whose it is. Raises NotSignedIn, Unavailable."""
        if not self.is_fresh:
            await self._look()
        known = self.at_hand(credential)
        if known is not None:
            return known
        version, begun_s = self._version, time.monotonic()
        threads = self._outside if self._is_bearer(credential) else self._threads
        found, lasts_s = await asyncio.get_running_loop().run_in_executor(threads, self._ask, credential)
        if self._version == version:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[credential.digest] = found, begun_s + min(_KEPT_S, lasts_s)
        return found

    def forget(self) -> None:
        """Ask again for whatever is shown next: this very server has changed something."""
        self._known.clear()
        self._looked_at = float("-inf")

    async def _look(self) -> None:
        """Learn whether anything was revoked; asked once for all who wait."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._compare())
        await asyncio.shield(self._looking)

    async def _compare(self) -> None:
        begun_s = time.monotonic()
        rows = await asyncio.get_running_loop().run_in_executor(self._threads, self.database.rows, _VERSION)
        version = int(rows[0][0])
        if version != self._version:
            self._known.clear()
            self._version = version
        self._looked_at = begun_s

    def close(self) -> None:
        """End the threads and close the connections."""
        self._threads.shutdown(cancel_futures=True)
        self._outside.shutdown(wait=False, cancel_futures=True)
        self.database.close()

    def _is_bearer(self, credential: Credential) -> bool:
        return self.bearers is not None and credential.kind == "bearer" and credential.token.count(".") == 2

    def _ask(self, credential: Credential) -> tuple[Signed, float]:
        """Whose it is, and for how many seconds that holds at most."""
        if credential.kind == "cookie":
            return self._session(credential.token), _KEPT_S
        if self.bearers is not None and self._is_bearer(credential):
            identity, lasts_s = self.bearers.identity(credential.token)
            return Signed(identity, "token"), lasts_s
        return self._key(credential.token)

    def _session(self, token: str) -> Signed:
        issuer = self.bearers.provider.issuer if self.bearers else None
        with self.database.connection() as conn:
            found = sessions.session(conn, token, self.lifetime, issuer)
        if found is None:
            raise _unknown("the session has ended; sign in again", "登录已失效,请重新登录")
        by: Literal["session", "provider"] = "provider" if found.account is None else "session"
        return Signed(found.identity, by, account=found.account, restricted=found.restricted)

    def _key(self, token: str) -> tuple[Signed, float]:
        with self.database.connection() as conn:
            found = keys.shown(conn, token)
        lasts_s = _KEPT_S if found.expires_at is None else found.expires_at.timestamp() - time.time()
        rate = None
        if found.scope.per_minute is not None:
            limit = (found.id, found.scope.per_minute)
            rate = self._rates.setdefault(limit, Rates(limit[1] / 60, burst_s=60.0))
        return Signed(found.identity, "key", writes=found.scope.writes, rate=rate), lasts_s


def _unknown(en: str, zh: str) -> NotSignedIn:
    return NotSignedIn(en, zh, subject="authorization")
