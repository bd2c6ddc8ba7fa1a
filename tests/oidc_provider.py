"""A provider of identities on this machine, of Authlib's own server: discovery, keys, code flow with PKCE, over HTTP.

Whoever its page of authorisation is asked for is signed in at once, as the person that the address names, or who sits
before it.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from joserfc import jwt
from joserfc.jwk import RSAKey

AUDIENCE, CLIENT, BACK = "onemap", "map-page", "http://127.0.0.1:9/back"
#: A client with a secret, whose characters mean something in forms and headers: the server of the map.
SERVER, SECRET, SERVER_BACK = "onemap-web", "s3:cr%t &+", "http://city.test/sign-in/provider/callback"


@dataclass
class _Client:
    """A page, which has no secret, or a server that has one."""

    client_id: str

    @property
    def back(self) -> str:
        return SERVER_BACK if self.client_id == SERVER else BACK

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.back

    def check_client_secret(self, secret: str) -> bool:
        return self.client_id == SERVER and unquote(secret) == SECRET

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return uri == self.back

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == (self.client_id != SERVER)

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"


@dataclass
class _Code:
    code: str
    user: str
    challenge: str
    method: str
    scope: str
    back: str
    nonce: str

    # what CodeChallenge reads
    @property
    def code_challenge(self) -> str:
        return self.challenge

    @property
    def code_challenge_method(self) -> str:
        return self.method

    def get_redirect_uri(self) -> str:
        return self.back

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class _Request(OAuth2Request):  # type: ignore[misc]
    sent: dict[str, str]

    @property
    def args(self) -> dict[str, str]:
        return self.sent

    @property
    def form(self) -> dict[str, str]:
        return self.sent


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")

    def save_authorization_code(self, code: str, request: Any) -> None:
        said = request.payload.data
        method = said.get("code_challenge_method", "plain")
        self.server.codes[code] = _Code(
            code, request.user, said.get("code_challenge", ""), method, request.scope or "",
            said.get("redirect_uri") or request.client.back, said.get("nonce", ""),
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: Any) -> _Code | None:
        found: _Code | None = self.server.codes.get(code)
        return found

    def delete_authorization_code(self, code: _Code) -> None:
        del self.server.codes[code.code]

    def authenticate_user(self, code: _Code) -> str:
        return code.user


class _IdTokens(OpenIDCode):  # type: ignore[misc]
    def __init__(self, provider: "OidcProvider") -> None:
        super().__init__()
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def resolve_client_private_key(self, client: Any) -> Any:
        return self.provider.keys[0]

    def get_encode_header(self, client: Any) -> dict[str, Any]:
        return {"alg": "RS256", "kid": self.provider.keys[0].kid}

    def get_client_algorithm(self, client: Any) -> str:
        return "RS256"

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [client.client_id]}

    def generate_user_info(self, user: str, scope: str) -> dict[str, Any]:
        return {"sub": user, **self.provider.claims.get(user, {}), **self.provider.twisted}


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, provider: "OidcProvider") -> None:
        super().__init__()
        self.codes: dict[str, _Code] = {}
        self.register_grant(_Grant, [CodeChallenge(required=True), _IdTokens(provider)])
        self.register_token_generator("default", provider.bearer)

    def query_client(self, client_id: str) -> _Client | None:
        return _Client(client_id) if client_id in (CLIENT, SERVER) else None

    def save_token(self, token: Any, request: Any) -> None:
        """Tokens speak for themselves."""

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers

    def send_signal(self, name: str, *args: Any, **more: Any) -> None:
        """Nobody listens."""


@dataclass
class OidcProvider:
    """What the provider knows, and what it was asked. With `away` it answers nothing but errors.

    `user` sits before its page where the address names nobody, "" for somebody who turns back; `twisted` are claims
    that its id tokens have and should not; `more` is said of itself besides.
    """

    issuer: str = ""
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    away: bool = False
    slow_s: float = 0.0
    user: str = ""
    twisted: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def rotate(self) -> None:
        """Sign with a new key from now on; the old ones are published no more."""
        self.keys = [RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)]

    def token(self, claims: Mapping[str, Any], *, key: Any = None, header: Mapping[str, Any] = {}) -> str:
        """A token that says this beside what every good one says; None takes a claim out."""
        now = int(time.time())
        whole = {"iss": self.issuer, "aud": AUDIENCE, "iat": now, "exp": now + 600, "sub": "u-1"} | dict(claims)
        said = {name: value for name, value in whole.items() if value is not None}
        kept = key or self.keys[0]
        head = {"alg": "RS256", "typ": "at+jwt", "kid": self.keys[0].kid} | dict(header)
        return jwt.encode({k: v for k, v in head.items() if v is not None}, said, kept, algorithms=[head["alg"]])

    def bearer(self, grant_type: str, client: Any, user: str, scope: str, **more: Any) -> dict[str, Any]:
        """The tokens of somebody who has signed in, as Authlib's server asks for them."""
        token = self.token({"sub": user, **self.claims.get(user, {})})
        return {"token_type": "Bearer", "access_token": token, "expires_in": 600, "scope": scope}

    def signed_in(self, user: str) -> str:
        """The access token that somebody gets who signs in by the code flow with PKCE (RFC 7636)."""
        verifier = "v" * 64
        with OAuth2Client(
            CLIENT, redirect_uri=BACK, scope="openid", code_challenge_method="S256", token_endpoint_auth_method="none"
        ) as client:
            place, _ = client.create_authorization_url(
                f"{self.issuer}/authorize", code_verifier=verifier, login_hint=user
            )
            back = httpx.get(place)
            assert back.status_code == 302, back.text
            found = client.fetch_token(
                f"{self.issuer}/token", authorization_response=back.headers["location"], code_verifier=verifier
            )
        token: str = found["access_token"]
        return token


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    """A provider that answers at an address of its own."""
    provider = OidcProvider()
    provider.rotate()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        server = _Server(provider)

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, status: int, body: Any, headers: Any = ()) -> None:
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _asked(self) -> None:
                parts = urlsplit(self.path)
                provider.asked.append(parts.path)
                time.sleep(provider.slow_s)
                length = int(self.headers.get("content-length") or 0)
                sent = dict(parse_qsl(parts.query)) | dict(parse_qsl(self.rfile.read(length).decode()))
                request = _Request(self.command, f"{provider.issuer}{self.path}", headers=dict(self.headers))
                request.sent = sent
                request.payload = BasicOAuth2Payload(sent)
                if provider.away:
                    self._answer(503, {"error": "away"})
                elif parts.path == "/.well-known/openid-configuration":
                    self._answer(200, {
                        "issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys",
                        "authorization_endpoint": f"{provider.issuer}/authorize",
                        "token_endpoint": f"{provider.issuer}/token", **provider.more,
                    })  # fmt: skip
                elif parts.path == "/keys":
                    self._answer(200, {"keys": [key.as_dict(private=False) for key in provider.keys]})
                elif parts.path == "/authorize":
                    user = sent.get("login_hint", provider.user) or None
                    grant = server.get_consent_grant(request, user)
                    self._answer(*server.create_authorization_response(request, user, grant))
                elif parts.path == "/token":
                    self._answer(*server.create_token_response(request))
                else:
                    self._answer(404, {})

            do_GET = do_POST = _asked

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
            provider.issuer = f"http://127.0.0.1:{http.server_address[1]}"
            thread = threading.Thread(target=http.serve_forever, daemon=True)
            thread.start()
            try:
                yield provider
            finally:
                http.shutdown()
                thread.join()
