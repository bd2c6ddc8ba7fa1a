"""Persons over the web, for those who are told counts alone: what is told, how it says what it is, and an attack."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import h3
import psycopg
import pytest

from api.app import create_app
from gis.access import PUBLIC, Identity
from gis.store.cluster import Cluster
from tests.anonymous_city import CATALOGUE, fill
from tests.api.conftest import served
from tests.conftest import copied_database

ANALYST = Identity("analyst", "analyst")
PERSONS = "/collections/base.persons"
Ask = Callable[..., Any]
#: Where the city of `ask` lies.
URL: list[str] = []


@pytest.fixture(scope="module")
def ask(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks the application as somebody: 3 000 persons in 400 houses of six villages, some without a place."""
    with copied_database(cluster, template, "anonymous") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(tmp_path_factory.mktemp("home")))
        fill(url)
        URL[:] = [url]
        app = create_app(url, CATALOGUE, tmp_path_factory.mktemp("dist"))
        with served(app) as request:

            def asked(who: Identity, path: str) -> Any:
                inner = app
                while not hasattr(inner, "router"):
                    inner = inner.inner
                inner.state.served = replace(inner.state.served, anonymous=who)
                return request(path)

            yield asked


def test_cells_say_what_they_are(ask: Ask) -> None:
    answer = ask(ANALYST, f"{PERSONS}/cells?res=9")
    found = answer.json()
    said = found["onemap:anonymous"]
    assert (said["smallest"], said["resolution"], said["areaWidened"]) == (5, 9, False)
    assert answer.headers["onemap-anonymous"] == f"date={said['date']}, smallest=5, area=exact"
    counts = [feature["properties"]["count"] for feature in found["features"]]
    assert min(counts) >= 5
    assert sum(counts) < said["told"] <= 3_000
    assert said["told"] > 2_950
    outside = ask(PUBLIC, f"{PERSONS}/cells?res=7").json()
    assert min(feature["properties"]["count"] for feature in outside["features"]) >= 10
    assert ask(PUBLIC, f"{PERSONS}/cells?by=division:5").json()["groups"]


@pytest.mark.parametrize("form", ["csv", "arrow"])
@pytest.mark.parametrize(("box", "area"), [("", "exact"), ("&bbox=116.5,31.75,116.501,31.751", "widened")])
def test_columns_of_cells_say_what_they_are(ask: Ask, form: str, box: str, area: str) -> None:
    answer = ask(ANALYST, f"{PERSONS}/cells?res=8{box}&f={form}")
    assert answer.status_code == 200
    date = ask(ANALYST, f"{PERSONS}/cells?res=8{box}").json()["onemap:anonymous"]["date"]
    assert answer.headers["onemap-anonymous"] == f"date={date}, smallest=5, area={area}"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/cells?res=8", 200),
        ("/cells?res=10", 400),
        ("/cells?res=9&filter=birth_date%20%3E%20DATE('1990-01-01')", 400),
        ("/cells?res=9&filter=nothing%3D1", 400),
        ("/cells?res=9&filter=S_INTERSECTS(geom,POINT(116.5%2031.7))", 400),
        ("/cells?by=field:household", 400),
        ("/cells?by=time:year", 400),
        ("/cells?res=9&measure=max:birth_date", 400),
        ("/cells?res=9&datetime=2001-01-01", 400),
        ("/cells?res=9&as-of=2001-01-01T00:00:00Z", 400),
        ("/cells?res=9&area=base.divisions/1", 400),
        ("/cells?by=field:sex&f=csv", 200),
        ("/cells?res=8&bbox=116.4,31.7,116.6,31.8", 200),
        ("/items", 403),
        ("/items?f=csv", 403),
        ("/items/1", 403),
        ("/items?limit=1&sortby=sex", 403),
        ("/tiles/WebMercatorQuad/12/1672/3374", 404),
    ],
)
def test_only_counts_on_the_lattice_are_told(ask: Ask, path: str, status: int) -> None:
    answer = ask(ANALYST, PERSONS + path)
    assert answer.status_code == status, answer.text[:300]


def test_a_field_that_is_not_coarse_is_none(ask: Ask) -> None:
    unknown, finer = (
        ask(ANALYST, f"{PERSONS}/cells?res=9&filter={name}%3D'1'").json() for name in ("nothing", "household")
    )
    assert unknown["detail"].replace("nothing", "household") == finer["detail"]
    named = ask(ANALYST, f"{PERSONS}/queryables").json()["properties"].keys()
    assert named & CATALOGUE["base.persons"].by_name.keys() == {"sex", "marital_status"}


def test_a_box_is_widened_and_says_so(ask: Ask) -> None:
    answer = ask(ANALYST, f"{PERSONS}/cells?res=9&bbox=116.5,31.75,116.501,31.751").json()
    assert answer["onemap:anonymous"]["areaWidened"] is True
    assert all(feature["properties"]["count"] >= 5 for feature in answer["features"])


def test_here_tells_counts_apart(ask: Ask) -> None:
    found = ask(ANALYST, "/here?lon=116.5&lat=31.75&radius=800").json()
    (persons,) = found["anonymous"]
    assert persons["collection"] == "base.persons"
    assert persons["count"] >= 5
    assert persons["onemap:anonymous"]["areaWidened"] is True
    (early,) = ask(ANALYST, "/here?lon=116.5&lat=31.75&radius=800&datetime=2001-01-01").json()["anonymous"]
    assert early["count"] is None and early["why"]
    assert all(c["id"] != "base.persons" for layer in found["layers"] for c in layer["collections"])


def test_the_attacker_over_the_web_finds_nobody(ask: Ask) -> None:
    """Sums of the parts against the whole, and of one box against a larger one, at every level."""
    told: dict[str, int] = {}
    for who, k, finest in ((ANALYST, 5, 9), (PUBLIC, 10, 7)):
        chance = random.Random(5)
        for res in range(finest - 2, finest + 1):
            for feature in ask(who, f"{PERSONS}/cells?res={res}").json()["features"]:
                told[feature["id"]] = feature["properties"]["count"]
        for cell, count in list(told.items()):
            parts = [told.get(child, 0) for child in h3.cell_to_children(cell)]
            assert any(parts) is False or (rest := count - sum(parts)) == 0 or rest >= 5, (cell, count, parts)
        for _ in range(40):
            lon, lat, size = (
                116.49 + chance.random() * 0.06,
                31.74 + chance.random() * 0.04,
                chance.uniform(0.001, 0.02),
            )
            counts = []
            for edge in (size, size + 0.002):
                box = f"{lon - edge:.5f},{lat - edge:.5f},{lon + edge:.5f},{lat + edge:.5f}"
                counts.append(ask(who, f"{PERSONS}/cells?by=field:sex&bbox={box}").json()["onemap:anonymous"]["told"])
            assert counts[1] - counts[0] == 0 or counts[1] - counts[0] >= k
        told.clear()


def test_what_is_taken_back_elsewhere_is_released_anew(ask: Ask) -> None:
    """As by `onemap anonymous forget`, beside the server."""
    path = f"{PERSONS}/cells?res=8"
    before = ask(ANALYST, path).json()
    with psycopg.connect(URL[0], autocommit=True) as conn:
        for table in ("release", "release_atom", "release_key", "released"):
            conn.execute(f"DELETE FROM access.{table}")
        after = ask(ANALYST, path).json()
        assert after["features"] == before["features"]
        assert after["onemap:anonymous"] == before["onemap:anonymous"]
        # and it is kept
        assert conn.execute("SELECT count(*) FROM access.release").fetchone() == (2,)
