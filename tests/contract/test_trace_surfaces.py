"""Every address of the service is known here: what tells of a closed collection, or changes anything, is traced.

A route that is added tomorrow stands in neither list, and fails until somebody has said what it tells.
"""

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from api.app import _ROUTERS
from api.routes import live
from gis.access.identity import PUBLIC
from gis.store.cluster import Cluster
from gis.store.trace import LAG_S
from tests.api.conformance.edr_city import area, cube, position
from tests.conftest import copied_database
from tests.contract.closed_city import CLOSED, closed
from tests.contract.rights_city import RuledCity
from tests.contract.small_city import SOUTH, WEST

_PLACE, _TILE = "/collections/{collection_id}", "WebMercatorQuad/14/6706/13493"
_HERE = f"lon={WEST + 0.001}&lat={SOUTH + 0.001}"
#: Routes that tell of collections, and requests that must be traced; `base.persons` for a stated purpose.
TOLD: dict[str, tuple[str, ...]] = {
    "GET /changes": ("/changes", "/changes?collection=base.pois"),
    "GET /live": ("/live", "/live?collection=base.entities"),
    "GET /collections/{collection_id}/items": (
        *(f"/collections/{c.id}/items" for c in CLOSED if c.measured is None), "/collections/base.pois/items?f=html",
        *(f"/collections/base.pois/items?f={form}" for form in ("csv", "geojsonseq", "fgb", "parquet", "arrow")),
    ),
    "GET /collections/{collection_id}/items/{fid}": (
        "/collections/base.pois/items/1", "/collections/base.pois/items/1?f=html", "/collections/base.persons/items/1",
    ),
    "GET /collections/{collection_id}/tiles": ("/collections/base.pois/tiles",),
    "GET /collections/{collection_id}/tiles/{matrix_set_id}": ("/collections/base.pois/tiles/WebMercatorQuad",),
    "GET /collections/{collection_id}/tiles/{matrix_set_id}/{z}/{y}/{x}": (f"/collections/base.pois/tiles/{_TILE}",),
    "GET /tiles/{matrix_set_id}/{z}/{y}/{x}": (f"/tiles/{_TILE}",),
    "GET /collections/{collection_id}/cells": (
        "/collections/base.persons/cells", "/collections/base.pois/cells?by=division:5",
        "/collections/base.pois/cells?f=csv", "/collections/base.pois/cells?f=arrow",
    ),
    "GET /here": (
        f"/here?{_HERE}", "/here?division=341502001001", f"/here?address={quote('六安市金安区')}",
        f"/here?{_HERE}&f=geojson&collections=base.roads",
    ),
    "GET /geocode": (f"/geocode?address={quote('六安市金安区')}", f"/geocode?{_HERE}"),
    "GET /collections/{collection_id}/latest": ("/collections/trial.hours/latest",),
    "GET /collections/{collection_id}/series": (
        "/collections/trial.hours/series?datetime=2026-02-28T16:00:00Z/2026-03-01T16:00:00Z",
    ),
    "GET /collections/{collection_id}/position": (position(), "/collections/land.height/position?coords=POINT(116 31)"),
    "GET /collections/{collection_id}/area": (area(), area("&f=CSV")),
    "GET /collections/{collection_id}/cube": (cube(), cube("&f=GeoJSON")),
    "GET /collections/{collection_id}/map/tiles": ("/collections/land.height/map/tiles",),
    "GET /collections/{collection_id}/map/tiles/{matrix_set_id}": (
        "/collections/land.height/map/tiles/WebMercatorQuad",
    ),
    "GET /collections/{collection_id}/map/tiles/{matrix_set_id}/{z}/{y}/{x}": (
        f"/collections/land.height/map/tiles/{_TILE}",
    ),
    "GET /collections/{collection_id}/statistics": ("/collections/land.height/statistics?bbox=116,31,117,32",),
    "GET /exchange/deliveries": ("/exchange/deliveries",),
    "GET /exchange/deliveries/{number}": ("/exchange/deliveries/1",),
    "GET /exchange/deliveries/{number}/returned": ("/exchange/deliveries/1/returned",),
    "GET /exchange/returned": ("/exchange/returned",),
    "GET /exchange/returned/{number}": ("/exchange/returned/1",),
    "GET /exchange/facts/{register}/{fid}": ("/exchange/facts/base.persons/1",),
}  # fmt: skip
#: Routes that tell nothing of what stands in collections, and why.
SILENT = {
    **dict.fromkeys(
        ["GET /", "GET /conformance", "GET /api", "GET /collections/{collection_id}/schema",
         "GET /collections/{collection_id}/queryables", "GET /tileMatrixSets", "GET /tileMatrixSets/{matrix_set_id}",
         "GET /tiles", "GET /tiles/{matrix_set_id}", "GET /styles", "GET /styles/{style_id}",
         "GET /styles/{style_id}/legend", "GET /sprites/{name}"],
        "what is declared, to whom may see it",
    ),
    **dict.fromkeys(
        ["GET /collections", "GET /collections/{collection_id}"], "declarations, with how many there are in all"
    ),
    **dict.fromkeys(["GET /health", "GET /health/live", "GET /health/ready", "GET /metrics"], "how the server does"),
    **dict.fromkeys(["GET /map", "GET /map/", "GET /account", "GET /exchange", "GET /exchange/"], "pages without data"),
    **dict.fromkeys(
        ["GET /me", "GET /me/access", "GET /exchange/me", "GET /exchange/registers"], "the caller's own rights"
    ),
    **dict.fromkeys(
        [f"GET /exchange/directory{of}" for of in
         ("", "/departments", "/classes", "/items", "/overdue", "/double", "/absent")] + ["GET /exchange/scorecard"],
        "what departments are to deliver, and how well they do",
    ),
    "GET /publications": "what is published, or proposed to be, without its rows",
}  # fmt: skip
#: Administration: whoever reads or changes it is traced by tests of its own.
ADMINISTRATION = re.compile(r"GET /(users|keys|audit|policies|emergencies|sign-in)\b")
#: Requests that change nothing though they carry a body.
ASKING: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "POST /here": (("/here", {"json": {"type": "Point", "coordinates": [WEST + 0.001, SOUTH + 0.001]}}),),
    "POST /geocode": (("/geocode", {"json": {"addresses": ["六安市金安区", "x"]}}),),
}
_WHO = "duty"


def _routes() -> set[str]:
    """All that the routers know, and what middleware answers before them."""
    known = {f"{m} {r.path}" for one in _ROUTERS for r in one.router.routes for m in r.methods}  # type: ignore[attr-defined]
    return known | {
        f"GET {_PLACE}/items", f"GET {_PLACE}/tiles/{{matrix_set_id}}/{{z}}/{{y}}/{{x}}",
        "GET /tiles/{matrix_set_id}/{z}/{y}/{x}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuledCity]:
    with copied_database(cluster, template, "closed") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(tmp_path_factory.mktemp("home")))
        # who listens is told what there is, and let go
        patch.setattr(live, "_LONGEST_S", 0.0)
        with closed(url, tmp_path_factory.mktemp("dist")) as found:
            yield found


def _entries(city: RuledCity, asked: dict[str, str]) -> dict[str, list[tuple[str, str, str]]]:
    """Of each request the entries (event, outcome, collection), by what it asked for."""
    time.sleep(LAG_S + 0.3)
    found: dict[str, list[tuple[str, str, str]]] = {name: [] for name in asked.values()}
    rows = city.conn.execute(
        "SELECT request, event, outcome, collection, detail::jsonb ->> 'tile' FROM"
        " (SELECT number, request, event, outcome, collection, nullif(detail, '') AS detail FROM access.trace) t"
        " ORDER BY number"
    ).fetchall()
    for request, event, outcome, collection, tile in rows:
        # tiles carry no number of their own: they are known by their place
        for path in [asked[request]] if request in asked else [p for p in found if tile and p.endswith(tile)]:
            found[path].append((event, outcome, collection))
    return found


def test_every_route_is_known() -> None:
    reads = {route for route in _routes() if route.startswith("GET ") and not ADMINISTRATION.match(route)}
    assert reads == {*TOLD, *SILENT}, "say of a new route what it tells, and that it is traced"


def test_what_is_described_is_routed(city: RuledCity) -> None:
    """Nothing that the description names is answered where this test does not look."""

    def bare(path: str) -> str:
        path = re.sub(r"/sprites/.*", "/sprites/{}", path)
        return re.sub(r"\{\w+\}", "{}", re.sub(r"/collections/[a-z]+\.[a-z_]+/", "/collections/{}/", path))

    routed = {bare(route.partition(" ")[2]) for route in _routes()}
    assert {bare(path) for path in city.told("owner", "/api").json()["paths"]} <= routed


def test_every_read_of_what_is_closed_is_traced(city: RuledCity) -> None:
    asked: dict[str, str] = {}
    for paths in TOLD.values():
        for path in paths:
            answer = city.get(_WHO, path)
            # of the raster there is no file
            assert answer.status_code < 500 or "land.height" in path, (path, answer.text)
            asked[answer.headers.get("onemap-request-id", path)] = path
    for requests in ASKING.values():
        for path, more in requests:
            answer = city.request(path, "POST", headers={"x-who": _WHO}, **more)
            assert answer.status_code == 200, (path, answer.text)
            asked[answer.headers["onemap-request-id"]] = f"POST {path}"
    known = {c.id for c in CLOSED} | {"land.height", "exchange"}
    for path, entries in _entries(city, asked).items():
        # the exchange is for departments, and that somebody else was refused is traced
        assert [e for e in entries if e[2] in known or (path.startswith("/exchange/") and e[0] == "refused")], path
        assert {event for event, _, _ in entries} <= {"read", "exported", "export_ended", "refused"}, (path, entries)


def test_places_of_addresses_are_traced_without_the_address(city: RuledCity) -> None:
    secret = "六安市金安区皋城路138号3栋"
    answer = city.told(_WHO, f"/geocode?address={quote(secret)}")
    batch = city.request("/geocode", "POST", headers={"x-who": _WHO}, json={"addresses": [secret] * 3})
    assert batch.status_code == 200
    time.sleep(LAG_S + 0.3)
    rows = city.conn.execute(
        "SELECT request, collection, query FROM access.trace WHERE query LIKE 'geocode?%%' AND request = ANY(%s)",
        ([answer.headers["onemap-request-id"], batch.headers["onemap-request-id"]],),
    ).fetchall()
    assert {row[1] for row in rows} >= {"base.addresses", "base.dwellings", "base.divisions"}
    assert {row[2] for row in rows if row[0] == batch.headers["onemap-request-id"]} == {"geocode?addresses=3"}
    (single,) = {row[2] for row in rows if row[0] == answer.headers["onemap-request-id"]}
    assert re.fullmatch("geocode[?]address=~[0-9a-f]{16}", single)


def test_every_request_for_a_change_is_traced_however_it_ends(city: RuledCity) -> None:
    asked = {}
    for route in sorted(_routes() - {*TOLD, *SILENT, *ASKING}):
        method, _, template = route.partition(" ")
        if method == "GET":
            continue
        path = re.sub(r"\{collection_id\}", "base.pois", re.sub(r"\{(number|fid)\}", "1", template))
        path = re.sub(r"\{\w+\}", "x", path)
        answer = city.request(path, method, headers={"x-who": _WHO}, content=b"{}")
        assert 400 <= answer.status_code < 500 or path == "/sign-out", (route, answer.status_code, answer.text)
        asked[answer.headers["onemap-request-id"]] = route
    assert len(asked) > 15
    untraced = [route for route, entries in _entries(city, asked).items() if not entries]
    assert untraced == []


def test_nobody_is_told_of_what_is_closed(city: RuledCity) -> None:
    """The same requests by whoever has not signed in: none of them tells anything, and refusals are traced."""
    refused = {}
    for paths in TOLD.values():
        for path in paths:
            answer = city.request(path)
            assert answer.status_code < 500, (path, answer.text)
            if answer.status_code in (401, 403):
                refused[answer.headers["onemap-request-id"]] = path
    assert len(refused) > 25
    for path, entries in _entries(city, refused).items():
        assert [entry for entry in entries if entry[:2] == ("refused", "refused")], path
    assert PUBLIC.name == "public"
    with psycopg.connect(city.conn.info.dsn, password=city.conn.info.password) as conn:
        told = conn.execute(
            "SELECT collection, query FROM access.trace WHERE who = 'public' AND event = 'read'"
        ).fetchall()
    assert told == []
