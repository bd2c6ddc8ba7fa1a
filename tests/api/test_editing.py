"""Features changed over HTTP: who may, which state is meant, what is recorded of it."""

from collections.abc import Iterator
from typing import Any

import h3
import psycopg
import pytest
import shapely

from gis.access import OWNER, Identity
from gis.access.rules import check_editor
from gis.catalog import Catalogue
from gis.errors import Forbidden
from gis.exchange.editing import Editor, merged
from gis.store.database import Database
from layers import LAYERS
from tests.api.exchange_city import CENTRE, ExchangeCity
from tests.api.served_city import MAKERS, _insert

POIS = "/collections/base.pois/items"
#: In the western of the two divisions.
WEST, EAST = [116.45, 31.75], [116.55, 31.75]


def poi(code: str, at: list[float] = WEST, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": at},
        "properties": {"code": code, "name": f'名称"\\{code}', "kind": "school", **properties},
    }


@pytest.fixture(scope="module")
def city(exchange: ExchangeCity) -> Iterator[ExchangeCity]:
    with psycopg.connect(exchange.url) as conn:
        _insert(conn, "base.divisions", MAKERS["base.divisions"](None))  # type: ignore[arg-type]
    yield exchange


def make(city: ExchangeCity, feature: dict[str, Any], whose: str | None = CENTRE) -> str:
    """The path of a new feature."""
    answer = city.ask(POIS, whose, "POST", json=feature)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].removeprefix("http://city.test")


def change(city: ExchangeCity, path: str, method: str, tag: str | None = None, **more: Any) -> Any:
    """A change of the state that is there now, or of the one named; the state afterwards must be another."""
    tag = city.request(path).headers["etag"] if tag is None else tag
    return city.ask(path, CENTRE, method, headers={"if-match": tag}, **more)


def rows(city: ExchangeCity, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(city.url) as conn:
        return conn.execute(sql).fetchall()


def test_a_new_feature_is_like_one_that_was_loaded(city: ExchangeCity, tmp_path: Any) -> None:
    path = make(city, poi("A1", address=" 人民路 1 号 "))
    found = city.request(path).json()
    assert found["geometry"]["coordinates"] == WEST and found["properties"]["name"] == '名称"\\A1'
    assert found["properties"]["division"] == "341502000000"
    assert found["properties"]["cell"] == h3.latlng_to_cell(WEST[1], WEST[0], 11)
    assert found["properties"]["address"] == "人民路 1 号"
    assert found["onemap:provenance"]["source"]["en"] == "edited by *" and found["onemap:provenance"]["recorded"]
    file = tmp_path / "one.geojson"
    file.write_text(
        shapely.to_geojson(shapely.Point(WEST)).join(
            ('{"type":"FeatureCollection","features":[{"type":"Feature","geometry":',
             ',"properties":{"code":"A1","name":"名称\\"\\\\A1","kind":"school","address":"人民路 1 号"}}]}')
        )
    )  # fmt: skip
    from gis.city import City

    with City(Database(city.url), Catalogue(LAYERS)) as same:
        assert same.load(file, "base.pois").changes.unchanged == 1


def test_who_may(city: ExchangeCity) -> None:
    assert city.ask(POIS, None, "POST", json=poi("X")).status_code == 401
    wrong = city.request(POIS, "POST", json=poi("X"), headers={"authorization": "Bearer 1-x"})
    assert wrong.status_code == 401 and wrong.headers["www-authenticate"].startswith("Bearer")
    for collection in ("base.persons", "base.entities", "base.dwellings", "base.divisions"):
        assert city.ask(f"/collections/{collection}/items", CENTRE, "POST", json=poi("X")).status_code == 405
    assert city.ask("/collections/base.nothing/items", CENTRE, "POST", json=poi("X")).status_code == 404
    assert rows(city, "SELECT count(*) FROM base.pois WHERE code = 'X'") == [(0,)]
    for name in ("base.persons", "base.entities", "base.dwellings"):
        with pytest.raises(Forbidden):
            check_editor(OWNER, Catalogue(LAYERS)[name])


def test_a_duty_ends_at_its_divisions(city: ExchangeCity) -> None:
    catalogue = Catalogue(LAYERS)
    clerk = Identity("clerk", "staff", divisions=((341502000000, 341502999999),))
    with Database(city.url).connection():
        pass
    editor = Editor(Database(city.url), catalogue, catalogue["base.pois"], clerk)
    fid = editor.create(poi("D1")).fid
    with pytest.raises(Forbidden):
        editor.create(poi("D2", EAST))
    with pytest.raises(Forbidden):
        editor.replace(fid, poi("D1", EAST), lambda _: True)
    outside = Editor(editor.database, catalogue, editor.collection, OWNER).create(poi("D3", EAST)).fid
    with pytest.raises(Forbidden):
        editor.delete(outside, lambda _: True)
    editor.database.close()


def test_a_change_names_the_state_that_it_changes(city: ExchangeCity) -> None:
    path = make(city, poi("L1"))
    tag = city.request(path).headers["etag"]
    assert city.ask(path, CENTRE, "PUT", json=poi("L1", name="x")).status_code == 428
    assert city.ask(path, CENTRE, "DELETE").status_code == 428
    assert change(city, path, "PUT", json=poi("L1", name="二")).status_code == 204
    after = city.request(path)
    assert after.headers["etag"] != tag and after.json()["properties"]["name"] == "二"
    for method, more in (("PUT", {"json": poi("L1")}), ("DELETE", {}), ("PATCH", {"json": {}})):
        refused = change(city, path, method, tag, **more)
        assert refused.status_code == 412, method
    assert city.request(path).json()["properties"]["name"] == "二"
    # another form of the same state guards as well
    assert change(city, path, "PUT", city.request(f"{path}?lang=en").headers["etag"], json=poi("L1")).status_code == 204
    assert change(city, path, "PUT", "*", json=poi("L1", name="三")).status_code == 204


def test_what_was_known_stays_known(city: ExchangeCity) -> None:
    path = make(city, poi("H1", name="一"))
    first = rows(city, "SELECT max(recorded_at) FROM core.epoch WHERE register = 'base.pois'")[0][0]
    assert change(city, path, "PUT", json=poi("H1", EAST, name="二")).status_code == 204
    second = rows(city, "SELECT max(recorded_at) FROM core.epoch WHERE register = 'base.pois'")[0][0]
    assert change(city, path, "DELETE").status_code == 204
    assert city.request(path).status_code == 404
    for when, name, division in ((first, "一", "341502000000"), (second, "二", "341503000000")):
        known = city.request(path, params={"as-of": when.isoformat()}).json()["properties"]
        assert (known["name"], known["division"]) == (name, division)
    # what was deleted can be made again, under the same number
    assert make(city, poi("H1")) == path


def test_nothing_new_is_not_recorded(city: ExchangeCity) -> None:
    path = make(city, poi("N1"))
    before = rows(city, "SELECT max(epoch) FROM core.epoch WHERE register = 'base.pois'")
    tag = city.request(path).headers["etag"]
    whole = city.request(path).json()
    assert change(city, path, "PUT", json=whole).status_code == 204
    assert change(city, path, "PATCH", json={}).status_code == 204
    assert rows(city, "SELECT max(epoch) FROM core.epoch WHERE register = 'base.pois'") == before
    assert city.request(path).headers["etag"] == tag


def test_a_patch_changes_what_it_names(city: ExchangeCity) -> None:
    path = make(city, poi("M1", telephone="123", valid_from="2020-01-01T00:00:00Z"))
    patch = {"properties": {"name": "新", "telephone": None}}
    answer = change(city, path, "PATCH", json=patch, params={})
    assert answer.status_code == 204
    found = city.request(path).json()["properties"]
    assert (found["name"], found["telephone"], found["kind"]) == ("新", None, "school")
    assert found["valid_from"] == "2020-01-01T00:00:00+00:00"
    assert change(city, path, "PATCH", json={"properties": {"valid_to": "2021-01-01T00:00:00Z"}}).status_code == 204
    assert city.request(path).status_code == 404
    ended = city.request(f"{path}?datetime=../..")
    assert ended.json()["properties"]["valid_to"] == "2021-01-01T00:00:00+00:00"
    again = city.ask(path, CENTRE, "PATCH", headers={"if-match": ended.headers["etag"]},
                     json={"properties": {"valid_to": None}})  # fmt: skip
    assert again.status_code == 204 and city.request(path).json()["properties"]["valid_to"] is None


def test_validity_may_move_but_not_end_before_it_begins(city: ExchangeCity) -> None:
    path = make(city, poi("V1", valid_from="2020-01-01T00:00:00Z"))
    assert change(city, path, "PUT", json=poi("V1", valid_from="2021-01-01T00:00:00Z")).status_code == 204
    assert [r[0].year for r in rows(city, "SELECT valid_from FROM base.pois WHERE code = 'V1'")] == [2021]
    assert [r[0].year for r in rows(city, "SELECT valid_from FROM base.pois_past WHERE code = 'V1'")] == [2020]
    refused = change(city, path, "PUT", json=poi("V1", valid_to="2020-06-01T00:00:00Z"))
    assert refused.status_code == 400 and refused.json()["subject"] == "valid_from"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": None}),
    ("name", {"name": 5}),
    ("kind", {"kind": "castle"}),
    ("colour", {"colour": "red"}),
    ("valid_from", {"valid_from": "yesterday"}),
    ("valid_from", {"valid_from": 2020}),
    ("name", {"name": "a\0b"}),
]


@pytest.mark.parametrize(("field", "properties"), WRONG)
def test_a_fault_is_told_with_its_field(city: ExchangeCity, field: str, properties: dict[str, Any]) -> None:
    answer = city.ask(POIS, CENTRE, "POST", json={**poi("W1"), "properties": poi("W1", **properties)["properties"]})
    assert answer.status_code == 400 and answer.json()["subject"] == field, answer.text


SHAPES: list[Any] = [
    None,
    {"type": "LineString", "coordinates": [[1, 1], [2, 2]]},
    {"type": "Point", "coordinates": [200, 10]},
    {"type": "Point", "coordinates": []},
    {"type": "Point"},
    {"type": "Polygon", "coordinates": "x"},
    "POINT (1 2)",
]


@pytest.mark.parametrize("geometry", SHAPES)
def test_a_geometry_that_cannot_be(city: ExchangeCity, geometry: Any) -> None:
    answer = city.ask(POIS, CENTRE, "POST", json={**poi("G1"), "geometry": geometry})
    assert answer.status_code == 400 and answer.json()["subject"] == "geometry", answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"type": "FeatureCollection"}', b"\xff"])
def test_a_body_that_is_no_feature(city: ExchangeCity, body: bytes) -> None:
    headers = {"content-type": "application/geo+json"}
    assert city.ask(POIS, CENTRE, "POST", content=body, headers=headers).status_code == 400


def test_what_is_nested_too_deeply_is_refused(city: ExchangeCity) -> None:
    deep = b"[" * 1_000 + b"]" * 1_000
    body = b'{"type":"Feature","properties":{"code":"N1"},"geometry":{"type":"Point","coordinates":%b}}' % deep
    answer = city.ask(POIS, CENTRE, "POST", content=body)
    assert (answer.status_code, answer.json()["subject"]) == (400, "geometry")
    path = make(city, poi("N2"))
    patch = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
    answer = change(city, path, "PATCH", content=b'{"properties":%b}' % patch)
    assert (answer.status_code, answer.json()["subject"]) == (400, "properties")


def test_other_refusals(city: ExchangeCity) -> None:
    path = make(city, poi("R1"))
    assert city.ask(POIS, CENTRE, "POST", json=poi("R1")).status_code == 409
    renamed = change(city, path, "PUT", json=poi("R2"))
    assert renamed.status_code == 400 and renamed.json()["subject"] == "code"
    assert change(city, path, "PUT", json={**poi("R1"), "id": 5}).json()["subject"] == "id"
    assert city.ask(f"{POIS}/77", CENTRE, "PUT", json=poi("R1"), headers={"if-match": "*"}).status_code == 404
    assert city.ask(f"{POIS}/x", CENTRE, "DELETE", headers={"if-match": "*"}).status_code == 404
    kind = {"content-type": "text/plain"}
    assert city.ask(POIS, CENTRE, "POST", content=b"{}", headers=kind).status_code == 415
    crs = {"content-crs": "<http://www.opengis.net/def/crs/EPSG/0/3857>"}
    assert city.ask(POIS, CENTRE, "POST", json=poi("R3"), headers=crs).status_code == 400
    assert city.ask(POIS, CENTRE, "POST", json=poi("R4"), params={"x": "1"}).status_code == 400


def test_a_load_under_way_is_told(city: ExchangeCity) -> None:
    with psycopg.connect(city.url) as conn:
        conn.execute("SELECT pg_advisory_lock(core.lock_key('load', 'base.pois'))")
        assert city.ask(POIS, CENTRE, "POST", json=poi("B1")).status_code == 409


def test_lines_are_checked_as_loads_check_them(city: ExchangeCity) -> None:
    place = "/collections/base.roads/items"
    line = {"type": "LineString", "coordinates": [[116.41, 31.7, 5.0], [116.42, 31.71, 6.0]]}
    road = {"type": "Feature", "geometry": line, "properties": {"code": "R9", "lanes": 4}}
    answer = city.ask(place, CENTRE, "POST", json=road)
    assert answer.status_code == 201, answer.text
    found = city.request(answer.headers["location"].removeprefix("http://city.test")).json()
    assert found["geometry"]["coordinates"] == [[116.41, 31.7], [116.42, 31.71]] and found["properties"]["lanes"] == 4
    for lanes in (4.5, True, "4", 1e300):
        refused = city.ask(place, CENTRE, "POST", json={**road, "properties": {"code": "R8", "lanes": lanes}})
        assert refused.status_code == 400 and refused.json()["subject"] == "lanes"


PATCHES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    (["a"], {"a": 1}, {"a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]  # RFC 7396, appendix A


@pytest.mark.parametrize(("target", "patch", "result"), PATCHES)
def test_merge_patch(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


def test_a_change_shows_everywhere_at_once(city: ExchangeCity) -> None:
    """In items, pages, tiles and counts that were asked for just before, with the tags that were given then."""
    tile = "/collections/base.pois/tiles/WebMercatorQuad/14/6664/13501"
    surfaces = (f"{POIS}?kind=culture", f"{tile}?kind=culture", "/collections/base.pois/cells?res=9&kind=culture")

    def shown() -> list[tuple[int, bool, bool]]:
        """Of each surface its status, and whether it shows the old name and the new one."""
        found = []
        for number, surface in enumerate(surfaces):
            answer = city.request(surface, headers={"if-none-match": tags[number]} if number in tags else {})
            tags[number] = answer.headers.get("etag", "")
            found.append((answer.status_code, b"at first" in answer.content, b"at last" in answer.content))
        return found

    tags: dict[int, str] = {}
    assert [status for status, *_ in shown()] == [200, 204, 200]
    path = make(city, poi("S1", [116.655, 31.8], kind="culture", name="at first"))
    assert shown()[:2] == [(200, True, False)] * 2
    changed = change(city, path, "PUT", json=poi("S1", [116.6551, 31.8001], kind="culture", name="at last"))
    assert changed.status_code in (200, 204), changed.text
    assert shown()[:2] == [(200, False, True)] * 2
    assert city.request(path).json()["properties"]["name"] == "at last"
    counted = city.request(surfaces[2]).json()["features"]
    assert sum(f["properties"]["count"] for f in counted) == 1
    assert change(city, path, "DELETE").status_code in (200, 204)
    assert [(status, new) for status, _, new in shown()[:2]] == [(200, False), (204, False)]
    assert city.request(surfaces[2]).json()["features"] == []
    assert city.request(path).status_code == 404
