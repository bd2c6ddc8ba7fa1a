"""Signing in to the web map at a provider of identities: there, back, and what nobody gets in by."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from api.app import create_app
from api.identification import bearers_of, code_flow_of
from api.routes.provider_sign_in import REASONS
from gis.access.code_flow import Attempt
from gis.catalog import Catalogue
from gis.errors import SetupError
from gis.settings import Settings
from layers import LAYERS
from tests.api.account_city import AccountCity, Browser
from tests.api.conftest import served
from tests.api.exchange_city import ExchangeCity
from tests.oidc_provider import AUDIENCE, CLIENT, SECRET, SERVER, OidcProvider, oidc_provider

CLERK = {"roles": ["clerks"], "divisions": "*", "department": "water", "preferred_username": "李四"}
PLACE = "/sign-in/provider"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as found:
        found.claims = {"u-9": CLERK, "u-0": {"roles": []}, "boss": {"roles": ["system_admin"]}}
        yield found


@pytest.fixture(autouse=True)
def _as_usual(provider: OidcProvider) -> None:
    provider.user, provider.twisted, provider.away = "u-9", {}, False


@pytest.fixture(scope="module")
def provided(exchange: ExchangeCity, provider: OidcProvider, web_folder: Path) -> Iterator[AccountCity]:
    """The city, a client of the provider, with its secret in a file."""
    secret = exchange.home / "client-secret"
    secret.write_text(f"{SECRET}\n")
    provider.more = {"end_session_endpoint": f"{provider.issuer}/logout"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(exchange.home))
        patch.setenv("ONEMAP_OIDC_ISSUER", provider.issuer)
        patch.setenv("ONEMAP_OIDC_AUDIENCE", AUDIENCE)
        patch.setenv("ONEMAP_OIDC_ROLES", "clerks=staff, analysts=analyst")
        patch.setenv("ONEMAP_OIDC_CLIENT", SERVER)
        patch.setenv("ONEMAP_OIDC_CLIENT_SECRET_FILE", str(secret))
        with served(create_app(exchange.url, Catalogue(LAYERS), web_folder)) as request:
            yield AccountCity(exchange.url, request)


@dataclass
class Way:
    """Somebody's way to the provider and back, step by step; `cookie` is what the browser keeps of it."""

    city: AccountCity
    cookie: str = ""

    def go(self, back: str = "account") -> str:
        """To the provider; returns its address."""
        answer = self.city.request(f"{PLACE}?back={back}")
        assert answer.status_code == 303 and answer.headers["cache-control"] == "no-store"
        self.cookie = answer.cookies["onemap_attempt"]
        return answer.headers["location"]

    def sent_back(self, address: str) -> str:
        """What the provider's page makes of it: where it sends the browser."""
        answer = httpx.get(address)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def come(self, address: str, cookie: str | None = None) -> httpx.Response:
        """Back at the city."""
        parts = urlsplit(address)
        shown = {"cookie": f"onemap_attempt={self.cookie if cookie is None else cookie}"}
        return self.city.request(f"{parts.path}?{parts.query}", headers=shown)

    def whole(self, back: str = "account") -> httpx.Response:
        return self.come(self.sent_back(self.go(back)))


def _browser(city: AccountCity, answer: httpx.Response) -> Browser:
    return Browser(city.request, cookie=answer.cookies["onemap_session"])


def _reason(answer: httpx.Response) -> str:
    assert answer.status_code == 303 and "onemap_session" not in answer.cookies
    found = parse_qs(urlsplit(answer.headers["location"]).fragment)
    assert list(found) == ["sign-in"] and found["sign-in"][0] in REASONS
    return found["sign-in"][0]


@pytest.mark.parametrize("back", ["account", "map", "exchange"])
def test_there_and_back(provided: AccountCity, provider: OidcProvider, back: str) -> None:
    provider.asked.clear()
    answer = Way(provided).whole(back)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{back}")
    cookies = answer.headers.get_list("set-cookie")
    session = next(one for one in cookies if one.startswith("onemap_session="))
    assert "HttpOnly" in session and "samesite=strict" in session.lower()
    assert any(one.startswith('onemap_attempt="";') and "Max-Age=0" in one for one in cookies)
    browser = _browser(provided, answer)
    me = browser.ask("/me").json()
    assert (me["name"], me["by"], me["role"], me["department"]) == ("李四 (u-9)", "provider", "staff", "water")
    assert me["divisions"] is None
    assert browser.ask("/collections/base.dwellings/items?limit=1").status_code == 200
    assert browser.ask("/exchange/me").json()["department"] == "water"
    # the provider is not asked again
    assert provider.asked.count("/token") == 1


def test_the_way_is_guarded_by_state_nonce_and_proof_of_the_code(provided: AccountCity) -> None:
    way = Way(provided)
    asked = dict(parse_qsl(urlsplit(way.go()).query))
    attempt = Attempt(way.cookie.partition(".")[0])
    assert asked["response_type"] == "code" and asked["client_id"] == SERVER and "openid" in asked["scope"].split()
    assert (asked["state"], asked["nonce"], asked["code_challenge"]) == (
        attempt.state, attempt.nonce, attempt.challenge,
    )  # fmt: skip
    assert asked["code_challenge_method"] == "S256"
    assert not {attempt.secret, attempt.verifier} & set(asked.values())
    assert len({attempt.state, attempt.nonce, attempt.verifier, attempt.secret}) == 4
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", attempt.verifier)
    assert asked["redirect_uri"] == "http://city.test/sign-in/provider/callback"
    assert Way(provided).go() != way.go()


def test_the_cookie_of_an_attempt_is_kept_from_scripts_and_over_tls_from_others(provided: AccountCity) -> None:
    plain = provided.request(PLACE).headers["set-cookie"]
    assert "HttpOnly" in plain and "samesite=lax" in plain.lower() and "Max-Age=600" in plain
    secure = provided.request(f"https://city.test{PLACE}").headers["set-cookie"]
    assert secure.startswith("__Host-onemap_attempt=") and "Secure" in secure and "Path=/" in secure


def test_nobody_ends_what_another_browser_began(provided: AccountCity) -> None:
    mine, theirs = Way(provided), Way(provided)
    theirs.go()
    back = mine.sent_back(mine.go())
    # somebody is made to follow a link with the attacker's code
    for cookie in (theirs.cookie, "", "onemap", ".account", "é.account"):
        assert _reason(mine.come(back, cookie.encode("ascii", "replace").decode())) == "expired"
    assert mine.come(back).headers["location"] == "/account"
    # a code is good once
    assert _reason(mine.come(back)) == "refused"


@pytest.mark.parametrize(
    ("twisted", "reason"),
    [
        ({"nonce": "another"}, "refused"),
        ({"nonce": ""}, "refused"),
        ({"aud": ["another"]}, "refused"),
        ({"aud": [SERVER, "another"], "azp": "another"}, "refused"),
        ({"iss": "https://other.test"}, "refused"),
        ({"exp": 1}, "refused"),
        ({"roles": []}, "no_role"),
        ({"roles": ["clerks", "analysts"]}, "no_role"),
        ({"roles": ["system_admin"]}, "no_role"),
        ({"divisions": "no such"}, "no_role"),
    ],
)
def test_a_token_that_is_not_good_lets_nobody_in(
    provided: AccountCity, provider: OidcProvider, twisted: dict[str, object], reason: str
) -> None:
    provider.twisted = twisted
    assert _reason(Way(provided).whole()) == reason


def test_names_that_nobody_could_keep_are_tidied(provided: AccountCity, provider: OidcProvider) -> None:
    provider.twisted = {"preferred_username": "a\0b\nc" + "x" * 500, "department": ["water"]}
    me = _browser(provided, Way(provided).whole()).ask("/me").json()
    assert me["name"].startswith("a b cxxx") and len(me["name"]) < 250 and me["department"] is None


def test_a_provider_that_refuses_or_is_away_is_told_of_on_our_page(
    provided: AccountCity, provider: OidcProvider
) -> None:
    way = Way(provided)
    provider.user = ""
    refused = way.sent_back(way.go("map"))
    assert "error=access_denied" in refused
    answer = way.come(refused)
    assert _reason(answer) == "refused" and answer.headers["location"].startswith("/map#")
    provider.user = "u-9"
    back = way.sent_back(way.go())
    assert _reason(way.come(f"{back}&iss=https%3A%2F%2Fother.test")) == "refused"
    provider.away = True
    assert _reason(way.come(back)) == "unavailable"
    # whoever has an account of this site signs in
    assert provided.request("/sign-in", "POST", json={"name": "x", "password": "y"}).status_code == 401


def test_nothing_sends_anybody_to_another_site(provided: AccountCity) -> None:
    for back in ("https://evil.test", "//evil.test", "/map", "", "map/../..//evil.test", "javascript:alert(1)"):
        answer = provided.request(f"{PLACE}?{urlencode({'back': back})}")
        assert answer.status_code == 400 and answer.json()["subject"] == "back"
    way = Way(provided)
    back = way.sent_back(way.go())
    secret = way.cookie.partition(".")[0]
    answer = way.come(f"{back}&back=https%3A%2F%2Fevil.test&redirect_uri=https%3A%2F%2Fevil.test",
                      f"{secret}.https://evil.test")  # fmt: skip
    assert answer.headers["location"] == "/account" and "onemap_session" in answer.cookies


def test_who_came_from_a_provider_has_no_account_here(provided: AccountCity) -> None:
    browser = _browser(provided, Way(provided).whole())
    for path, method, sent in (
        ("/me/password", "POST", {"password": "x", "new_password": "y"}),
        ("/me/second-factor", "POST", None),
        ("/users", "GET", None),
        ("/policies", "GET", None),
    ):
        assert browser.ask(path, method, **({"json": sent} if sent else {})).status_code == 403, path
    # its changes come from our own pages as well
    assert browser.ask("/sign-out", "POST", headers={"origin": "http://other.test"}).status_code == 403
    assert browser.ask("/me").status_code == 200


def test_signing_out_ends_the_session_and_tells_where_to_sign_out_there(
    provided: AccountCity, provider: OidcProvider
) -> None:
    browser = _browser(provided, Way(provided).whole())
    token = browser.cookie
    answer = browser.ask("/sign-out", "POST")
    place = urlsplit(answer.json()["continue_at"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{provider.issuer}/logout"
    assert dict(parse_qsl(place.query)) == {
        "client_id": SERVER, "post_logout_redirect_uri": "http://city.test/account",
    }  # fmt: skip
    assert Browser(provided.request, cookie=token).ask("/me").status_code == 401


def test_a_city_that_believes_another_provider_has_no_such_sessions(
    provided: AccountCity, exchange: ExchangeCity
) -> None:
    browser = _browser(provided, Way(provided).whole())
    assert browser.ask("/me").status_code == 200
    # the same database, served without that provider
    elsewhere = Browser(exchange.request, cookie=browser.cookie)
    assert elsewhere.ask("/me").status_code == 401
    assert exchange.request(PLACE).status_code == exchange.request(f"{PLACE}/callback").status_code == 404
    assert exchange.request("/sign-in").json() == {"password": True, "provider": None}


def test_the_ways_in_are_told_with_what_may_go_wrong(provided: AccountCity) -> None:
    told = provided.request("/sign-in").json()["provider"]
    assert (told["href"], told["host"]) == (PLACE, "127.0.0.1")
    assert all(text["zh"] and text["en"] and text["zh"] != text["en"] for text in told["reasons"].values())


def test_the_trace_knows_who_came_in_and_who_did_not(provided: AccountCity, provider: OidcProvider) -> None:
    audit = provided.signed_in("watcher", "audit_admin")
    Way(provided).whole()
    provider.twisted = {"roles": []}
    Way(provided).whole()
    refused, signed_in = audit.ask("/audit?event=signed_in").json()["entries"][:2]
    assert (signed_in["who"], signed_in["role"], signed_in["outcome"]) == ("李四 (u-9)", "staff", "success")
    assert (refused["who"], refused["outcome"]) == ("unknown", "refused") and "no_role" in refused["detail"]


def test_a_public_client_shows_no_secret(exchange: ExchangeCity, provider: OidcProvider) -> None:
    """The page's client, which the provider knows without a secret, with another address to come back to."""
    settings = Settings(oidc_issuer=provider.issuer, oidc_audience=AUDIENCE, oidc_roles="clerks=staff",
                        oidc_client=CLIENT)  # fmt: skip
    flow = code_flow_of(settings, bearers_of(settings))
    assert flow is not None
    attempt, back = Attempt.begin(), "http://127.0.0.1:9/back"
    found = httpx.get(flow.address(attempt, back)).headers["location"]
    assert flow.identity(attempt, dict(parse_qsl(urlsplit(found).query))["code"], back).name == "李四 (u-9)"


def test_a_client_needs_a_provider() -> None:
    with pytest.raises(SetupError, match="ONEMAP_OIDC_ISSUER"):
        code_flow_of(Settings(oidc_client="x"), None)
    assert code_flow_of(Settings(oidc_client=""), None) is None
