"""The outermost shell: proxies that are believed, pages of other servers, how much one caller may ask, headers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.errors import TooMany
from api.origins import Origins, origins_of
from api.proxies import Proxies, proxies_of
from api.rates import BURST_S, TILE_COST, Rates
from gis.access import keys
from gis.catalog import Catalogue
from gis.errors import SetupError
from layers import LAYERS
from tests.api.conftest import served
from tests.api.served_city import SampleCity

PAGE = "https://map.city.test"
Ask = Callable[..., httpx.Response]


@contextmanager
def serving(city: SampleCity, web: Path, monkeypatch: pytest.MonkeyPatch, **settings: str) -> Iterator[Ask]:
    for name, value in settings.items():
        monkeypatch.setenv(f"ONEMAP_{name.upper()}", value)
    with served(create_app(city.url, Catalogue(LAYERS), web)) as request:
        yield request


# ---- proxies --------------------------------------------------------------------------------------------------------

PROXIED = [
    # configured, peer, X-Forwarded-For, X-Forwarded-Proto, the caller, the scheme
    ("", "127.0.0.1", "198.51.100.1", "https", "127.0.0.1", "http"),
    ("127.0.0.1", "127.0.0.1", "198.51.100.1", "https", "198.51.100.1", "https"),
    ("127.0.0.1", "203.0.113.7", "198.51.100.1", "https", "203.0.113.7", "http"),
    # what the caller wrote before our proxy added what it saw
    ("127.0.0.1", "127.0.0.1", "10.0.0.1, 198.51.100.1", "http, https", "198.51.100.1", "https"),
    ("127.0.0.1", "127.0.0.1", "10.0.0.1, 198.51.100.1", "https, http", "198.51.100.1", "http"),
    # two proxies of ours, one behind the other
    ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.9", None, "198.51.100.1", "http"),
    ("127.0.0.1", "127.0.0.1", "somebody", "gopher", "127.0.0.1", "http"),
    ("127.0.0.1", "127.0.0.1", "", "", "127.0.0.1", "http"),
    ("::1", "::1", "2001:db8::1", "https", "2001:db8::1", "https"),
]


@pytest.mark.parametrize(("configured", "peer", "said", "proto", "caller", "scheme"), PROXIED)
def test_only_the_named_proxies_are_believed(
    configured: str, peer: str, said: str, proto: str | None, caller: str, scheme: str
) -> None:
    headers = [(b"x-forwarded-for", said.encode())] + ([(b"x-forwarded-proto", proto.encode())] if proto else [])
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": (peer, 5), "headers": headers}
    Proxies(proxies_of(configured)).settle(scope)
    assert (scope["client"][0], scope["scheme"]) == (caller, scheme)


def test_several_headers_are_read_as_one() -> None:
    headers = [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"198.51.100.1")]
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": ("127.0.0.1", 5), "headers": headers}
    Proxies(proxies_of("127.0.0.1")).settle(scope)
    assert scope["client"][0] == "198.51.100.1"


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1;10.0.0.1", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_proxy_is_an_address_or_a_network(text: str) -> None:
    with pytest.raises(SetupError, match="ONEMAP_PROXIES"):
        proxies_of(text)


# ---- other servers' pages -------------------------------------------------------------------------------------------

READ = ("/", "/collections/base.pois/items?limit=1", "/collections/base.pois/tiles/WebMercatorQuad/10/416/843",
        "/nothing", "/collections/base.pois/tiles/WebMercatorQuad/99/0/0", "/styles/onemap")  # fmt: skip
ASKS = {"origin": PAGE, "access-control-request-method": "GET", "access-control-request-headers": "authorization"}


def test_no_page_of_another_server_may_read_anything(city: SampleCity) -> None:
    for path in READ:
        answer = city.get(path, headers={"origin": PAGE})
        assert not [name for name in answer.headers if name.startswith("access-control-")], path
    answer = city.get("/collections", "OPTIONS", headers=ASKS)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_named_pages_may(city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(city, web_folder, monkeypatch, origins=f"{PAGE}, https://b.test:8443") as ask:
        for path in READ:
            named, other = (ask(path, headers={"origin": origin}) for origin in (PAGE, "https://evil.test"))
            assert named.headers["access-control-allow-origin"] == PAGE, path
            assert "access-control-allow-origin" not in other.headers
            for answer in (named, other, ask(path)):
                assert "Origin" in answer.headers["vary"], path
                assert "access-control-allow-credentials" not in answer.headers
        may = ask("/collections", "OPTIONS", headers=ASKS)
        assert (may.status_code, may.headers["access-control-allow-origin"]) == (204, PAGE)
        assert "authorization" in may.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in may.headers
        may_not = ask("/collections", "OPTIONS", headers=ASKS | {"origin": "https://evil.test"})
        assert "access-control-allow-origin" not in may_not.headers


def test_a_star_opens_nothing_that_takes_a_key(
    city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(city, web_folder, monkeypatch, origins="*") as ask:
        assert ask("/", headers={"origin": PAGE}).headers["access-control-allow-origin"] == "*"
        may = ask("/", "OPTIONS", headers=ASKS)
        assert "authorization" not in may.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in may.headers


@pytest.mark.parametrize("text", ["map.city.test", "https://map.city.test/path", "null", "https://*.test"])
def test_an_origin_is_scheme_and_host(text: str) -> None:
    with pytest.raises(SetupError, match="ONEMAP_ORIGINS"):
        origins_of(text)


def test_closed_origins_say_nothing() -> None:
    assert Origins().headers(PAGE.encode()) == ()
    assert Origins().preflight(PAGE.encode()) is None


# ---- how much one caller may ask ------------------------------------------------------------------------------------


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_at_its_rate() -> None:
    clock = Clock()
    rates = Rates(2.0, burst_s=5.0, clock=clock)
    for _ in range(10):
        rates.take("a")
    with pytest.raises(TooMany) as refused:
        rates.take("a")
    assert refused.value.wait_s == 1
    rates.take("b")
    clock.now += 1.0
    rates.take("a")
    rates.take("a")
    with pytest.raises(TooMany):
        rates.take("a")


def test_one_who_waits_has_no_more_than_the_bucket_holds() -> None:
    clock = Clock()
    rates = Rates(2.0, burst_s=5.0, clock=clock)
    clock.now += 1e6
    for _ in range(10):
        rates.take("a")
    with pytest.raises(TooMany):
        rates.take("a")


def test_who_shows_wrong_keys_is_counted_apart() -> None:
    rates = Rates(1.0, burst_s=3.0, clock=Clock())
    for _ in range(3):
        rates.check("a")
        rates.take("a")
    for ask in (rates.check, rates.take):
        with pytest.raises(TooMany):
            ask("a")
    rates.check("b")


def test_callers_that_are_remembered_are_bounded() -> None:
    clock = Clock()
    rates = Rates(1.0, burst_s=10.0, clock=clock)
    for number in range(200_000):
        clock.now += 1e-5
        rates.take(f"caller {number}")
    assert len(rates._buckets) <= 65_536
    with pytest.raises(TooMany):
        for _ in range(12):
            rates.take("caller 199999")


def test_no_limit_is_no_limit() -> None:
    rates = Rates(0.0)
    for _ in range(10_000):
        rates.take("a")


def test_who_asks_too_much_is_told_when_to_come_back(
    city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(city, web_folder, monkeypatch, requests_per_s_address="0.5", requests_per_s_account="0.5") as ask:
        room = int(0.5 * BURST_S)
        answers = [ask("/conformance") for _ in range(room + 3)]
        assert [a.status_code for a in answers[:room]] == [200] * room
        refused = answers[-1]
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert refused.headers["content-type"] == "application/problem+json"
        assert "default-src 'self'" in refused.headers["content-security-policy"]
        assert ask("/health").status_code == 200
        # a key has a bucket of its own
        with psycopg.connect(city.url) as conn:
            _, key = keys.add(conn, "water")
        assert ask("/conformance", headers={"authorization": f"Bearer {key}"}).status_code == 200


def test_tiles_are_cheap(city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(city, web_folder, monkeypatch, requests_per_s_address="0.2") as ask:
        tiles = int(0.2 * BURST_S / TILE_COST)
        path = "/collections/base.pois/tiles/WebMercatorQuad/10/416/843"
        found = [ask(path).status_code for _ in range(tiles + 8)]
        assert set(found[:tiles]) <= {200, 204} and found[-1] == 429


def test_wrong_keys_are_soon_held_back(city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(city, web_folder, monkeypatch, requests_per_s_address="1000") as ask:
        found = [ask("/", headers={"authorization": f"Bearer {n}-{'x' * 43}"}).status_code for n in range(130)]
        assert found[0] == 401 and found[-1] == 429
        assert ask("/").status_code == 200


def test_who_has_a_good_key_is_answered_though_its_address_tries_others(
    city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(city.url) as conn:
        _, key = keys.add(conn, "water")
    with serving(city, web_folder, monkeypatch, requests_per_s_address="1000") as ask:

        def status(token: str) -> int:
            return ask("/conformance", headers={"authorization": token}).status_code

        assert status(f"Bearer {key}") == 200
        assert [status(wrong) for wrong in ["Basic dTpw", f"Bearer 1-{'x' * 43}"] * 65][-2:] == [429, 429]
        assert status(f"Bearer {key}") == 200


def test_wrong_keys_of_the_figures_are_held_back_too(
    city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(city, web_folder, monkeypatch, requests_per_s_address="1000", metrics_key="right-key") as ask:
        found = [ask("/metrics", headers={"authorization": f"Bearer {n}"}).status_code for n in range(130)]
        assert found[0] == 401 and found[-1] == 429


# ---- headers --------------------------------------------------------------------------------------------------------

DOCUMENTS = (
    ("/", "GET", 200), ("/?f=html", "GET", 200), ("/map", "GET", 200), ("/nothing", "GET", 404),
    ("/collections?colour=red", "GET", 400), ("/collections", "DELETE", 405), ("/exchange/me", "GET", 401),
    ("/collections/base.pois/items?limit=1", "GET", 200), ("/collections/base.pois/items?f=csv", "GET", 200),
    ("/collections/base.pois/items?limit=x", "GET", 400),
    ("/collections/base.pois/items?a=" + "x" * 17_000, "GET", 414),
    ("/collections/base.pois/tiles/WebMercatorQuad/99/0/0", "GET", 404), ("/health", "GET", 200),
    ("/map/assets/app-1a2b.js", "GET", 200), ("/map/assets/../../x", "GET", 404),
)  # fmt: skip


@pytest.mark.parametrize(("path", "method", "status"), DOCUMENTS)
def test_every_answer_guards_its_reader(city: SampleCity, path: str, method: str, status: int) -> None:
    answer = city.get(path, method)
    assert answer.status_code == status, answer.text[:200]
    held = answer.headers
    policy = dict(part.strip().split(" ", 1) for part in held["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
    assert (policy["object-src"], policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'self'", "'self'")
    assert (held["x-content-type-options"], held["referrer-policy"]) == ("nosniff", "same-origin")
    assert held["cross-origin-opener-policy"] == held["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in held["permissions-policy"]
    assert "strict-transport-security" not in held
    for name in ("content-security-policy", "x-content-type-options"):
        assert len(answer.headers.get_list(name)) == 1


@pytest.mark.parametrize("zoom", [(10, 416, 843), (17, 0, 0)])
def test_tiles_are_taken_for_nothing_else(city: SampleCity, zoom: tuple[int, int, int]) -> None:
    z, y, x = zoom
    answer = city.get(f"/collections/base.pois/tiles/WebMercatorQuad/{z}/{y}/{x}")
    assert answer.status_code in (200, 204)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_https_is_promised_where_it_is_there(
    city: SampleCity, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(city, web_folder, monkeypatch, proxies="127.0.0.1") as ask:
        for path in ("/", "/nothing", "/collections/base.pois/tiles/WebMercatorQuad/10/416/843", "/exchange/me"):
            told = ask(path, headers={"x-forwarded-proto": "https"}).headers.get("strict-transport-security", "")
            assert told.startswith("max-age=31536000"), path
            assert "strict-transport-security" not in ask(path).headers
        landing = ask("/", headers={"x-forwarded-proto": "https", "host": "city.test"}).json()
        assert all(link["href"].startswith("https://city.test") for link in landing["links"])
