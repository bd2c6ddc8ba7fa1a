"""Tokens of a provider of identities over HTTP, and what becomes of requests while it is away."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.identification import bearers_of
from gis.catalog import Catalogue
from gis.errors import SetupError
from gis.settings import Settings
from layers import LAYERS
from tests.api.account_city import AccountCity
from tests.api.conftest import served
from tests.api.exchange_city import ExchangeCity
from tests.oidc_provider import AUDIENCE, OidcProvider, oidc_provider

INSIDE = "/collections/base.dwellings/items?limit=1"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as found:
        yield found


@pytest.fixture(scope="module")
def provided(exchange: ExchangeCity, provider: OidcProvider, web_folder: Path) -> Iterator[AccountCity]:
    """The city, which knows the provider."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(exchange.home))
        patch.setenv("ONEMAP_OIDC_ISSUER", provider.issuer)
        patch.setenv("ONEMAP_OIDC_AUDIENCE", AUDIENCE)
        patch.setenv("ONEMAP_OIDC_ROLES", "clerks=staff, analysts=analyst")
        with served(create_app(exchange.url, Catalogue(LAYERS), web_folder)) as request:
            yield AccountCity(exchange.url, request)


def _ask(city: AccountCity, path: str, token: str) -> httpx.Response:
    return city.request(path, headers={"authorization": f"Bearer {token}"})


def test_who_signs_in_at_the_provider_asks_here(provided: AccountCity, provider: OidcProvider) -> None:
    provider.claims["u-9"] = {"roles": ["clerks"], "divisions": "*", "department": "water"}
    token = provider.signed_in("u-9")
    me = _ask(provided, "/me", token).json()
    assert (me["role"], me["department"], me["by"], me["divisions"]) == ("staff", "water", "token", None)
    assert _ask(provided, INSIDE, token).status_code == 200
    assert _ask(provided, "/exchange/me", token).json()["department"] == "water"
    assert _ask(provided, "/users", token).status_code == 403
    assert _ask(provided, INSIDE, token[:-6] + "AAAAAA").status_code == 401
    assert _ask(provided, INSIDE, provider.token({"roles": []})).status_code == 403


def test_while_the_provider_is_away_everybody_else_is_served(provided: AccountCity, provider: OidcProvider) -> None:
    known = provider.token({"roles": ["clerks"], "divisions": "*", "sub": "other"})
    provider.away = True
    try:
        # its keys are known, so that it is not needed
        assert _ask(provided, INSIDE, known).status_code == 200
        assert provided.request("/collections").status_code == 200
    finally:
        provider.away = False


def test_a_provider_needs_an_audience() -> None:
    with pytest.raises(SetupError, match="ONEMAP_OIDC_AUDIENCE"):
        bearers_of(Settings(oidc_issuer="https://idp.city.test", oidc_audience=""))
    for pairs in ("clerks", "=staff", "clerks=boss", "clerks=system_admin"):
        with pytest.raises(SetupError, match="ONEMAP_OIDC_ROLES"):
            bearers_of(Settings(oidc_issuer="https://idp.city.test", oidc_audience="x", oidc_roles=pairs))
    assert bearers_of(Settings(oidc_issuer="")) is None
