"""Open data over HTTP: proposed by those who work here, reviewed by the security administrator, read by anyone."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import argon2
import psycopg
import pytest

from gis.access import passwords
from gis.catalog import Catalogue
from gis.city import City
from gis.store.database import Database
from layers import LAYERS
from tests.api.account_city import AccountCity
from tests.api.exchange_city import ExchangeCity

ASKED = {
    "name": "schools", "source": "base.pois", "query": "kind=school", "fields": ["name", "kind"], "precision": 8,
    "masked": {"telephone": "telephone"}, "title": {"zh": "学校", "en": "Schools"}, "licence": "CC-BY-4.0",
    "terms": "name the source",
}  # fmt: skip
_PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def accounted(exchange: ExchangeCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountCity]:
    path = tmp_path_factory.mktemp("pois") / "pois.geojson"
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [116.5021, 31.7012]},
        "properties": {"编码": "A", "名称": "第一中学", "kind": "school", "telephone": "13956412345"},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False), "utf-8")
    with City(Database(exchange.url), Catalogue(LAYERS)) as city:
        city.load(Path(path), "base.pois")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        passwords._nobodys.cache_clear()
        yield AccountCity(exchange.url, exchange.request)


def test_from_a_proposal_to_a_copy_and_back(accounted: AccountCity) -> None:
    nobody, staff = accounted.browser(), accounted.signed_in("pub.staff", "staff", None)
    guard = accounted.signed_in("pub.guard", "security_admin")
    assert nobody.ask("/publications", "POST", json=ASKED).status_code == 401
    assert guard.ask("/publications", "POST", json=ASKED).status_code == 403
    bad = staff.ask("/publications", "POST", json=ASKED | {"colour": "red"})
    assert (bad.status_code, bad.json()["subject"]) == (400, "colour")
    made = staff.ask("/publications", "POST", json=ASKED)
    assert (made.status_code, made.json()["state"]) == (201, "proposed"), made.text
    number = made.json()["id"]
    assert nobody.ask("/publications").json() == {"publications": []}
    review = f"/publications/{number}/review"
    assert staff.ask(review, "POST", json={"verdict": "publish"}).status_code == 403
    assert nobody.ask(review, "POST", json={"verdict": "publish"}).status_code == 401
    assert guard.ask(review, "POST", json={"verdict": "refuse"}).status_code == 400
    done = guard.ask(review, "POST", json={"verdict": "publish", "reason": "fits"})
    assert (done.status_code, done.json()["state"], done.json()["rows"]) == (200, "published", 1), done.text
    (shown,) = nobody.ask("/publications").json()["publications"]
    assert (shown["collection"], shown["terms"]) == ("open.schools", "name the source")
    assert "proposed_by" not in shown
    _wait(accounted, "/collections/open.schools/items", 200)
    (feature,) = nobody.ask("/collections/open.schools/items").json()["features"]
    assert feature["properties"]["telephone"] == "139****2345"
    assert nobody.ask("/collections/open.schools/tiles/WebMercatorQuad/12/1667/3373").status_code in (200, 204)
    gone = guard.ask(f"/publications/{number}/withdraw", "POST", json={"reason": "an error"})
    assert gone.json()["state"] == "withdrawn"
    _wait(accounted, "/collections/open.schools", 404)
    assert nobody.ask("/publications").json() == {"publications": []}
    with psycopg.connect(accounted.url) as conn:
        told = conn.execute("SELECT who FROM access.trace WHERE event = 'published' AND outcome = 'success'").fetchall()
    assert {"pub.staff", "pub.guard"} <= {who for (who,) in told}


def _wait(accounted: AccountCity, path: str, status: int) -> None:
    """A running server takes up what is published within seconds."""
    ends_s = time.monotonic() + _PATIENCE_S
    browser = accounted.browser()
    while (found := browser.ask(path).status_code) != status:
        assert time.monotonic() < ends_s, (path, found)
        # each request lets the server's own work go on for a moment
        browser.ask("/health")
