"""A provider of identities (OpenID Connect Discovery 1.0): found by its address, its keys kept and renewed as it says.

A provider that is away holds nobody up: what is known of it serves on for a while, and it is not asked again at once.
"""

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gis.errors import NotSignedIn, SetupError, Unavailable

_LOG = logging.getLogger("onemap.provider")

_PATIENCE_S = 3.0
_MOST_BYTES = 1_000_000
_FAILURES = (OSError, ValueError, HTTPException)
#: Keys are asked for again after this long; sooner, though not at once, where a token names one that is not known.
_KEPT_S, _AGAIN_S = 3600.0, 30.0
#: What was learned of a provider that is away serves on for so long.
_OUTAGE_S = 24 * 3600.0

Fetch = Callable[[str], dict[str, Any]]


def fetched(url: str) -> dict[str, Any]:
    """A document in JSON. Raises Unavailable. Nothing is followed elsewhere, and nothing read without end."""
    try:
        return _read(urllib.request.Request(url, headers={"accept": "application/json"}))
    except _FAILURES as error:
        raise _away(url, str(error)) from None


def sent(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
    """The JSON that is answered to a form. Raises NotSignedIn where it is refused, else as `fetched` does."""
    body = urlencode(form).encode()
    try:
        return _read(urllib.request.Request(url, body, {"accept": "application/json", **headers}))
    except _FAILURES as error:
        if isinstance(error, urllib.error.HTTPError) and error.code in (400, 401, 403):
            _LOG.warning("%s refuses a code: %s", url, error)
            raise NotSignedIn("the provider of identities does not confirm this", "身份提供方未确认此次登录") from None
        raise _away(url, str(error)) from None


def _read(request: urllib.request.Request) -> dict[str, Any]:
    opener = urllib.request.build_opener(_Straight)
    with opener.open(request, timeout=_PATIENCE_S) as answer:
        found = json.loads(answer.read(_MOST_BYTES))
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A provider's documents are where it says."""


@dataclass(slots=True)
class Provider:
    """One provider. `issuer` is its address as its tokens have it."""

    issuer: str
    fetch: Fetch = fetched
    clock: Callable[[], float] = time.monotonic
    _metadata: dict[str, Any] | None = None
    _keys: KeySet | None = None
    _read_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Raises SetupError for an address that anybody on the way could answer for."""
        check_safe(self.issuer)

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself. Raises Unavailable; SetupError where it says that it is another."""
        if self._metadata is None:
            found = self.fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise SetupError(
                    f"the provider at {self.issuer} says that it is {str(found.get('issuer'))[:200]}",
                    f"{self.issuer} 处的身份提供方自称 {str(found.get('issuer'))[:200]}",
                    subject="ONEMAP_OIDC_ISSUER",
                )
            check_safe(str(found.get("jwks_uri", "")))
            self._metadata = found
        return self._metadata

    def keys(self, kid: str | None) -> KeySet:
        """The provider's keys, renewed where they are old or `kid` is none of them. Raises Unavailable, SetupError.

        One asks for all; who comes meanwhile, or soon after it went wrong, goes by what is known.
        """
        if self._keys is not None and not self._is_due(kid):
            return self._known()
        if not self._lock.acquire(timeout=0 if self._keys is not None else _PATIENCE_S):
            return self._known()
        try:
            if self._is_due(kid):
                self._tried_at = self.clock()
                self._renew()
        except Unavailable:
            if self._keys is None:
                raise
        finally:
            self._lock.release()
        return self._known()

    def _is_due(self, kid: str | None) -> bool:
        now = self.clock()
        if now - self._tried_at < _AGAIN_S:
            return False
        is_known = self._keys is not None and any(key.kid == kid for key in self._keys.keys)
        return now - self._read_at >= _KEPT_S or not is_known

    def _known(self) -> KeySet:
        if self._keys is None or self.clock() - self._read_at > _OUTAGE_S:
            raise _away(self.issuer, "no keys are known")
        return self._keys

    def _renew(self) -> None:
        found = self.fetch(str(self.metadata()["jwks_uri"]))
        try:
            # a key that everybody could have is none
            public = [key for key in found["keys"] if key.get("kty") in ("RSA", "EC", "OKP")]
            self._keys = KeySet.import_key_set({"keys": public})
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _away(self.issuer, f"its keys cannot be read: {type(error).__name__}") from None
        self._read_at = self.clock()


def check_safe(url: str) -> None:
    """That an address is one of TLS, or of this machine. Raises SetupError."""
    parts = urlsplit(url)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not (parts.scheme == "https" or (parts.scheme == "http" and is_here)) or not parts.hostname:
        raise SetupError(
            f"the provider's address {url[:200]!r} must begin with https://",
            f"身份提供方地址 {url[:200]!r} 必须以 https:// 开头",
            subject="ONEMAP_OIDC_ISSUER",
        )


def _away(url: str, why: str) -> Unavailable:
    return Unavailable(
        "the provider of identities does not answer; try again, or sign in with an account of this site",
        "身份提供方无响应,请稍后再试,或使用本站账号登录",
        inside=f"{url}: {why}",
    )
