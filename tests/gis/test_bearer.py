"""Tokens of a provider: which are good, which are not, and that a provider that is away holds nobody up."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from gis.access.bearer import BearerTokens, Claims
from gis.access.provider import Provider
from gis.errors import Forbidden, NotSignedIn, SetupError, Unavailable
from tests.oidc_provider import AUDIENCE, OidcProvider, oidc_provider

ROLES = {"analysts": "analyst", "officers": "duty"}
GOOD = {"roles": ["analysts", "others"], "preferred_username": "li", "divisions": ["341502"], "department": "police"}


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as found:
        yield found


@pytest.fixture(autouse=True)
def _well(provider: OidcProvider) -> None:
    provider.away, provider.slow_s, provider.asked = False, 0.0, []


def _tokens(provider: OidcProvider, **more: Any) -> BearerTokens:
    return BearerTokens(Provider(provider.issuer, **more), AUDIENCE, Claims(ROLES))


def test_who_signs_in_at_the_provider_is_known_here(provider: OidcProvider) -> None:
    provider.claims["u-7"] = GOOD
    identity, lasts_s = _tokens(provider).identity(provider.signed_in("u-7"))
    assert (identity.name, identity.role, identity.department) == ("li (u-7)", "analyst", "police")
    assert identity.divisions == ((341502000000, 341502999999),) and 0 < lasts_s <= 600
    assert provider.asked.count("/token") == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://127.0.0.1:1"}, {"iss": None}, {"iss": ["x"]}, {"aud": "another"}, {"aud": None}, {"aud": []},
        {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"exp": 0}, {"nbf": 99999999999}, {"nbf": "x"}, {"sub": None},
        {"sub": 7}, {"iat": 99999999999}, {"exp": int(time.time()) - 31},
    ],
)  # fmt: skip
def test_tokens_that_are_not_for_us_now(provider: OidcProvider, claims: dict[str, Any]) -> None:
    tokens = _tokens(provider)
    assert tokens.identity(provider.token(GOOD))[0].role == "analyst"
    with pytest.raises(NotSignedIn):
        tokens.identity(provider.token({**GOOD, **claims}))


def _signed_with_the_public_key(head: str, body: str, key: bytes) -> str:
    digest = hmac.digest(key, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _forged(provider: OidcProvider) -> dict[str, str]:
    good = provider.token(GOOD)
    head, body, signature = good.split(".")
    public = provider.keys[0].as_pem(private=False)
    other = RSAKey.generate_key(2048)

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return {
        "unsigned": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "none with a signature": f"{part({'alg': 'none', 'kid': provider.keys[0].kid})}.{body}.{signature}",
        "alg confusion": _signed_with_the_public_key(part({"alg": "HS256", "kid": provider.keys[0].kid}), body, public),
        "another's key": provider.token(GOOD, key=other),
        "unknown kid": provider.token(GOOD, key=other, header={"kid": "nobodys"}),
        "no kid, another's key": provider.token(GOOD, key=other, header={"kid": None}),
        "another kind of key": provider.token(GOOD, key=ECKey.generate_key("P-256"), header={"alg": "ES256"}),
        "key in the header": provider.token(GOOD, key=other, header={"kid": None, "jwk": other.as_dict(private=False)}),
        "another's claims": f"{head}.{part({**claims, 'sub': 'root'})}.{signature}",
        "no claims": f"{head}.{part([1])}.{signature}",
        "an id of something else": provider.token(GOOD, header={"typ": "secevent+jwt"}),
        "critical extension": f"{part({'alg': 'RS256', 'crit': ['exp'], 'exp': 1})}.{body}.{signature}",
        "cut": good[:-8], "empty": "..", "words": "a.b.c", "deep": part([[]] * 500) + f".{body}.{signature}",
    }  # fmt: skip


def test_forged_tokens_are_nobodys(provider: OidcProvider) -> None:
    tokens = _tokens(provider)
    for what, token in _forged(provider).items():
        with pytest.raises(NotSignedIn):
            tokens.identity(token)
            pytest.fail(what)


@pytest.mark.parametrize(
    "roles",
    [None, [], "others", ["others"], ["analysts", "officers"], {"analysts": 1}, [["analysts"]], 7, "system_admin"],
)
def test_who_has_no_one_role_here_is_told_so(provider: OidcProvider, roles: Any) -> None:
    with pytest.raises(Forbidden):
        _tokens(provider).identity(provider.token({**GOOD, "roles": roles}))


@pytest.mark.parametrize(
    ("said", "ranges"),
    [
        ("*", None), (None, ()), ("", ()), ("3415, 341503", ((341500000000, 341599999999),
         (341503000000, 341503999999))), (["341502001"], ((341502001000, 341502001999),)), (5, ()),
    ],
)  # fmt: skip
def test_where_a_role_holds(provider: OidcProvider, said: Any, ranges: Any) -> None:
    assert _tokens(provider).identity(provider.token({**GOOD, "divisions": said}))[0].divisions == ranges


def test_a_division_that_there_is_not_is_no_everywhere(provider: OidcProvider) -> None:
    with pytest.raises(Forbidden):
        _tokens(provider).identity(provider.token({**GOOD, "divisions": ["99x"]}))


def test_keys_are_kept_and_renewed_when_they_change(provider: OidcProvider) -> None:
    now = [1000.0]
    tokens = _tokens(provider, clock=lambda: now[0])
    for _ in range(5):
        tokens.identity(provider.token(GOOD))
    assert provider.asked.count("/keys") == 1
    provider.rotate()
    new = provider.token(GOOD)
    with pytest.raises(NotSignedIn):
        tokens.identity(new)  # whoever makes up numbers of keys makes nobody ask the provider each time
    now[0] += 31
    assert tokens.identity(new)[0].role == "analyst"
    assert provider.asked.count("/keys") == 2


def test_a_provider_that_is_away(provider: OidcProvider) -> None:
    now = [1000.0]
    tokens, good = _tokens(provider, clock=lambda: now[0]), provider.token(GOOD)
    provider.away = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            tokens.identity(good)
    assert len(provider.asked) == 1
    provider.away = False
    now[0] += 31
    assert tokens.identity(good)[0].role == "analyst"
    # what is known serves on through an outage, though not for ever
    provider.away = True
    now[0] += 4000
    assert tokens.identity(good)[0].role == "analyst"
    now[0] += 25 * 3600
    with pytest.raises(Unavailable):
        tokens.identity(good)


def test_who_comes_while_the_provider_is_asked_does_not_ask_again(provider: OidcProvider) -> None:
    tokens, good = _tokens(provider), provider.token(GOOD)
    provider.slow_s = 0.2
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: tokens.identity(good)[0].role, range(6)))
    assert found == ["analyst"] * 6 and provider.asked.count("/keys") == 1


@pytest.mark.parametrize(
    "url", ["http://idp.city.test", "ftp://127.0.0.1", "idp", "", "https://", "http://127.0.0.1.evil.test"]
)
def test_providers_that_anybody_could_be(url: str) -> None:
    with pytest.raises(SetupError):
        Provider(url)


def test_a_provider_that_says_it_is_another() -> None:
    def lies(url: str) -> dict[str, Any]:
        return {"issuer": "https://another.test", "jwks_uri": "https://another.test/keys"}

    with pytest.raises(SetupError, match="says that it is"):
        Provider("https://idp.test", fetch=lies).keys("k")


def test_tokens_make_no_administrators() -> None:
    with pytest.raises(SetupError, match="ONEMAP_OIDC_ROLES"):
        Claims({"bosses": "system_admin"})
