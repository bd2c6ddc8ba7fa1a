"""Signing in at a provider's page: the authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC 7636).

State, nonce and verifier all follow from one secret, which the browser that begins keeps and shows again at the end:
nothing is kept here meanwhile, and no other browser can end what one has begun.
"""

import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gis.access.bearer import BearerTokens
from gis.access.identity import Identity
from gis.access.provider import Provider, check_safe, sent
from gis.errors import NotSignedIn, Unavailable

Send = Callable[[str, Mapping[str, str], Mapping[str, str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to the provider and back; whoever knows `secret` can end it.

    >>> attempt = Attempt("a secret")
    >>> attempt.is_answered_by(attempt.state), attempt.is_answered_by(Attempt("another").state)
    (True, False)
    """

    secret: str

    @classmethod
    def begin(cls) -> "Attempt":
        """A new one."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """By which an answer is known to belong to it."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """By which a token is known to be for it alone."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What is shown with the code: who has only seen the code cannot use it (RFC 7636, 4.1)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What is told of the verifier before (RFC 7636, 4.2)."""
        return _base64(sha256(self.verifier.encode()).digest())

    def is_answered_by(self, state: str) -> bool:
        """Whether an answer with this state belongs to it."""
        return hmac.compare_digest(state.encode(), self.state.encode())

    def _derived(self, what: str) -> str:
        return _base64(hmac.digest(self.secret.encode(), what.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """The flow of one provider: `tokens` reads its id tokens, whose audience is our client, `secret` the client's own.

    Without a secret it is a public client, which PKCE alone protects.
    """

    tokens: BearerTokens
    secret: str | None = None
    scope: str = "openid profile"
    send: Send = sent

    @property
    def provider(self) -> Provider:
        """Where people sign in."""
        return self.tokens.provider

    @property
    def client(self) -> str:
        """Who we are there."""
        return self.tokens.audience

    @property
    def host(self) -> str:
        """The provider's name, for people."""
        return urlsplit(self.provider.issuer).hostname or ""

    def address(self, attempt: Attempt, back: str) -> str:
        """The page of the provider at which somebody signs in, who then comes to the address `back`.

        Raises Unavailable, SetupError.
        """
        asked = {
            "response_type": "code", "client_id": self.client, "redirect_uri": back, "scope": self.scope,
            "state": attempt.state, "nonce": attempt.nonce, "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        return _with(self._endpoint("authorization_endpoint"), asked)

    def identity(self, attempt: Attempt, code: str, back: str) -> Identity:
        """Who came back with a code.

        Raises NotSignedIn for a code or a token that is not good, Forbidden for somebody without a role here,
        Unavailable, SetupError.
        """
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": attempt.verifier,
            "client_id": self.client,
        }  # fmt: skip
        found = self.send(self._endpoint("token_endpoint"), *self._as_client(form))
        token = found.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("the provider sends no id token", "身份提供方未返回 id_token", subject="id_token")
        claims = self.tokens.checked(token)
        nonce, party = str(claims.get("nonce", "")), claims.get("azp", self.client)
        if not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()) or party != self.client:
            raise NotSignedIn("the token is not for this attempt", "令牌与本次登录不符", subject="nonce")
        return self.tokens.identity_of(claims)

    def sign_out_address(self, back: str) -> str | None:
        """The page at which somebody signs out of the provider too (RP-Initiated Logout 1.0); None where it has none.

        Raises Unavailable, SetupError.
        """
        if "end_session_endpoint" not in self.provider.metadata():
            return None
        asked = {"client_id": self.client, "post_logout_redirect_uri": back}
        return _with(self._endpoint("end_session_endpoint"), asked)

    def _endpoint(self, name: str) -> str:
        found = self.provider.metadata().get(name)
        if not isinstance(found, str):
            raise Unavailable(
                "people cannot sign in at the provider of identities now; use an account of this site",
                "暂时无法通过身份提供方登录,请使用本站账号",
                inside=f"{self.provider.issuer} has no {name}",
            )
        check_safe(found)
        return found

    def _as_client(self, form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """The form and headers by which we show who we are (OpenID Connect Core 1.0, 9)."""
        if self.secret is None:
            return form, {}
        ways = self.provider.metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" not in ways:
            return {**form, "client_secret": self.secret}, {}
        # both are encoded before they are joined (RFC 6749, 2.3.1)
        pair = f"{quote(self.client, safe='')}:{quote(self.secret, safe='')}"
        return form, {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _with(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"


def _base64(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
