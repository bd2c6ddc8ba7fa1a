"""Every address: what it says of itself, in which language, and what it refuses."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from api.routes.landing import CONFORMS_TO
from gis.base import BASE
from gis.catalog import Sensitivity
from tests.api.served_city import SampleCity

PATHS = [
    "/", "/conformance", "/api", "/collections", "/collections/base.pois", "/collections/base.pois/schema",
    "/collections/base.pois/queryables", "/collections/base.pois/items", "/collections/base.pois/items/5",
    "/collections/base.pois/cells", "/collections/base.pois/tiles", "/collections/base.pois/tiles/WebMercatorQuad",
    "/styles", "/styles/onemap", "/health",
]  # fmt: skip
FILES = ["/map", "/map/", "/map/assets/app-1a2b.js"]


@pytest.mark.parametrize("path", PATHS + FILES)
def test_every_address_answers_get_and_head_alike(city: SampleCity, path: str) -> None:
    got, head = city.get(path), city.get(path, "HEAD")
    assert got.status_code == head.status_code == 200
    assert got.content and not head.content
    kept = ("content-type", "content-length", "cache-control", "etag", "content-language")
    if path != "/health":
        assert {n: got.headers.get(n) for n in kept} == {n: head.headers.get(n) for n in kept}
    for answer in (got, head):
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["onemap-request-id"])
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", PATHS)
def test_unknown_parameters_are_refused_by_name(city: SampleCity, path: str) -> None:
    for language, word in (("zh", "参数"), ("en", "parameter")):
        answer = city.get(f"{path}?colour=red&lang={language}")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
        found = answer.json()
        assert found["subject"] == "colour" and word in found["detail"]
        assert "lang" in found["detail"] or "bbox" in found["detail"]
        assert (found["status"], found["instance"]) == (400, path)
    assert city.get(f"{path}?f=xml").status_code == 400
    assert city.get(f"{path}?lang=de").status_code == 400
    assert city.get(f"{path}?lang=en&lang=zh").status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_addresses_can_only_be_read(city: SampleCity, method: str) -> None:
    for path in ("/collections", "/collections/base.pois", "/collections/base.pois/tiles/WebMercatorQuad/3/1/1"):
        answer = city.get(path, method, content=b"x" * 100)
        assert answer.status_code in (404, 405) and answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing", "/collections/base.cats", "/collections/base.cats/items", "/collections/base.pois/items/77777",
        "/collections/base.pois/items/x", "/collections/base.pois/items/-1", "/collections/base.pois/items/1e3",
        "/collections/base.pois/items/99999999999999999999", "/styles/other", "/map/assets/../index.html",
        "/map/assets/%2e%2e/%2e%2e/app.py", "/map/assets/missing.js", "/collections/", "/collections/base.pois/tiles/x",
        "/collections/%00", "/%ff",
    ],
)  # fmt: skip
def test_what_is_not_there(city: SampleCity, path: str) -> None:
    answer = city.get(path, headers={"accept-language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert answer.status_code == 404, answer.text
    found = answer.json()
    assert found["title"] == "Not found" and found["type"] == "about:blank" and found["detail"]


def test_addresses_without_end(city: SampleCity) -> None:
    answer = city.get("/collections/base.pois/items?filter=" + "x" * 20_000)
    assert answer.status_code == 414 and "16384" in answer.json()["detail"]


LANGUAGES = [
    (None, "zh"), ("en", "en"), ("zh-CN", "zh"), ("en-US,en;q=0.9", "en"), ("de,en;q=0.5,zh;q=0.4", "en"),
    ("fr", "zh"), ("*", "zh"), ("en;q=x,zh", "zh"), ("", "zh"), ("zh;q=0.1,en;q=0.2", "en"), ("en;q=0", "zh"),
]  # fmt: skip


@pytest.mark.parametrize(("accepted", "language"), LANGUAGES)
def test_the_language_is_the_readers(city: SampleCity, accepted: str | None, language: str) -> None:
    headers = {} if accepted is None else {"accept-language": accepted}
    answer = city.get("/collections/base.pois", headers=headers)
    assert answer.headers["content-language"] == language
    assert answer.json()["title"] == {"zh": "兴趣点", "en": "Points of interest"}[language]
    assert city.get("/collections/base.pois?lang=en", headers=headers).json()["title"] == "Points of interest"


def test_the_landing_page(city: SampleCity) -> None:
    rels = {link["rel"] for link in city.get("/").json()["links"]}
    assert {"self", "service-desc", "conformance", "data"} <= rels
    page = city.get("/", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page.text)
    assert city.get("/?f=json", headers={"accept": "text/html"}).json()["title"]


STARTS = ["/map", "/collections", "/api", "/conformance", "/styles", "/tiles", "/tileMatrixSets", "/here", "/geocode",
          "/changes", "/live", "/exchange", "/exchange/directory", "/health", "/metrics"]  # fmt: skip


@pytest.mark.parametrize("path", STARTS)
def test_whatever_a_client_can_start_from_is_on_the_landing_page(city: SampleCity, path: str) -> None:
    titles = set()
    for language in ("zh", "en"):
        links = city.get(f"/?f=json&lang={language}").json()["links"]
        found = [link for link in links if link["href"].partition("{")[0] == f"http://city.test{path}"]
        assert found and all(link["rel"] and link["title"] and link["type"] for link in found)
        assert all(link.get("templated", False) is ("{" in link["href"]) for link in found)
        titles.add(found[0]["title"])
        page = city.get(f"/?f=html&lang={language}").text
        assert re.search(rf"""(href|action)="{re.escape(path)}(\?lang={language})?\"""", page)
        assert found[0]["title"] in page
    assert len(titles) == 2


def test_every_address_without_parameters_in_it_can_be_found(city: SampleCity) -> None:
    """What the description of the API has at its first level and for everybody, the landing page links to."""
    paths = city.get("/api").json()["paths"]
    first = {
        path
        for path, operations in paths.items()
        if path.count("/") == 1 and "{" not in path and "security" not in operations.get("get", {"security": []})
    } - {"/"}
    linked = {urlsplit(link["href"].partition("{")[0]).path for link in city.get("/?f=json").json()["links"]}
    assert first <= linked


def test_what_has_to_be_filled_in_leads_somewhere(city: SampleCity) -> None:
    filled = {"lon": "116.5", "lat": "31.7", "radius": "300", "datetime": "2026-01-01", "address": "金安区"}
    for link in city.get("/?f=json").json()["links"]:
        if "templated" in link:
            path, _, names = link["href"].removeprefix("http://city.test").partition("{?")
            asked = urlencode({name: filled[name] for name in names.rstrip("}").split(",")})
            answer = city.get(f"{path}?{asked}")
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == link["type"]


def test_conformance(city: SampleCity) -> None:
    assert city.get("/conformance").json()["conformsTo"] == list(CONFORMS_TO)


def test_links_lead_somewhere(city: SampleCity) -> None:
    """Every link of every document, two steps from the landing page."""
    seen: set[str] = set()
    todo = {"http://city.test/": "application/json"}
    for _ in range(3):
        following: dict[str, str] = {}
        for url, kind in todo.items():
            if kind == "text/event-stream":
                # that never ends; what is not there is refused before anything is sent
                more = f"{'&' if '?' in url else '?'}collection=base.cats"
                refused = city.get(url.removeprefix("http://city.test") + more)
                assert refused.json()["subject"] == "base.cats", url
                continue
            answer = city.get(url.removeprefix("http://city.test"))
            if url.endswith("/base.persons/cells"):
                # counts are told of what was released, which here nobody did
                assert answer.json()["subject"] == "datetime", url
                continue
            assert answer.status_code == 200, url
            if "json" in answer.headers["content-type"]:
                following |= _links(answer.json())
        seen.update(todo)
        todo = {
            url: kind
            for url, kind in following.items()
            if url not in seen and url.startswith("http://city.test") and "{" not in url
        }
    assert len(seen) > 30
    assert {f"http://city.test{path}" for path in STARTS if path not in ("/here", "/geocode")} <= seen


def _links(content: Any) -> dict[str, str]:
    """Addresses with the media types that are promised there."""
    found: dict[str, str] = {}
    if isinstance(content, dict):
        if "rel" in content and isinstance(content.get("href"), str):
            found[content["href"]] = content.get("type", "")
        content = list(content.values())
    for value in content if isinstance(content, list) else ():
        found |= _links(value)
    return found


MEMBERS = {
    "id", "title", "description", "titles", "descriptions", "group", "itemType", "geometryType", "extent", "crs",
    "storageCrs", "minzoom", "maxzoom", "timed", "base", "count", "updated", "source", "license", "fields", "style",
    "links",
}  # fmt: skip


OPEN = [c for c in BASE.collections if c.sensitivity is Sensitivity.OPEN]


@pytest.mark.parametrize("path", ["", "/schema", "/queryables", "/items", "/items/1", "/cells", "/tiles"])
def test_what_is_not_for_everybody_is_refused_and_not_listed(city: SampleCity, path: str) -> None:
    closed = [c.id for c in BASE.collections if c not in OPEN]
    assert "base.persons" in closed
    # how many persons there are is told to everybody, who they are is not
    rows = path.startswith("/items")
    for name in closed if rows else [name for name in closed if name != "base.persons"]:
        assert city.get(f"/collections/{name}{path}").status_code == 403
    document = city.get("/collections").json()
    assert not {c["id"] for c in document["collections"]}.intersection(closed)
    assert [link["href"] for link in document["links"] if link["rel"] == "related"] == [
        "http://city.test/collections/base.persons"
    ]
    links = city.get("/collections/base.persons").json()["links"]
    assert not [link for link in links if link["rel"] == "items"] and [x for x in links if x["rel"] == "cells"]


@pytest.mark.parametrize("declared", OPEN, ids=lambda c: c.id)
def test_a_collection_tells_its_declaration(city: SampleCity, declared: Any) -> None:
    found = city.get(f"/collections/{declared.id}?lang=en").json()
    assert set(found) == MEMBERS
    assert found["title"] == declared.title.en and found["titles"]["zh"] == declared.title.zh
    assert found["geometryType"] == declared.geometry.value
    assert [f["name"] for f in found["fields"]] == list(declared.by_name)
    assert {f["name"]: f["unit"] for f in found["fields"]} == {f.name: f.unit for f in declared.fields}
    assert all(set(f["title"]) == {"zh", "en"} for f in found["fields"])
    assert [c["title"]["zh"] for c in found["style"]["classes"]] == [c.title.zh for c in declared.style.classes]
    rels = [link["rel"] for link in found["links"]]
    assert {"self", "items", "tiles", "cells", "describedby"} <= set(rels)
    listed = {c["id"]: c for c in city.get("/collections?lang=en").json()["collections"]}
    assert listed[declared.id] == found


def test_a_collection_tells_its_data(city: SampleCity) -> None:
    found = city.get("/collections/base.buildings").json()
    shapes = [r.shape for r in city.rows["base.buildings"] if r.shape is not None]
    west = min(s.bounds[0] for s in shapes)
    north = max(s.bounds[3] for s in shapes)
    bbox = found["extent"]["spatial"]["bbox"][0]
    assert (bbox[0], bbox[3]) == (pytest.approx(west, abs=1e-4), pytest.approx(north, abs=1e-4))
    assert found["count"] == len(shapes) and found["updated"] == "2026-01-02T03:04:05Z"
    empty = city.get("/collections/base.addresses").json()
    assert empty["count"] == 0 and empty["extent"] == {} and empty["updated"] is None


def test_schema_and_queryables(city: SampleCity) -> None:
    schema = city.get("/collections/base.buildings/schema").json()
    assert schema["properties"]["height_m"]["x-ogc-unit"] == "m" and schema["required"] == ["code"]
    names = set(city.get("/collections/base.buildings/items/7").json()["properties"])
    assert names == set(schema["properties"]) - {"geometry"}
    queryables = city.get("/collections/base.buildings/queryables").json()
    assert queryables["additionalProperties"] is False and "geometry" in queryables["properties"]
    for name in set(queryables["properties"]) - {"geometry"}:
        value = "2020-01-01" if name.startswith("valid") else "1"
        assert city.get(f"/collections/base.buildings/items?limit=1&{name}={value}").status_code == 200
    roles = {name: found.get("x-ogc-role") for name, found in queryables["properties"].items()}
    assert (roles["fid"], roles["geometry"], roles["valid_to"]) == ("id", "primary-geometry", "primary-interval-end")


def test_the_api_describes_what_there_is(city: SampleCity) -> None:
    answer = city.get("/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"].startswith("3.0.")
    for path, operations in document["paths"].items():
        method = "get" if "get" in operations else next(iter(operations))
        if "security" in operations[method]:
            assert city.get(path.replace("{number}", "1"), method.upper()).status_code == 401, path
        if "security" in operations[method] or method != "get":
            continue
        if "text/event-stream" in operations["get"]["responses"]["200"]["content"]:
            continue  # never ends
        concrete = path
        for name, value in (("collectionId", "base.pois"), ("featureId", "5"), ("tileMatrix", "10"), ("tileRow", "416"),
                            ("tileCol", "843"), ("styleId", "onemap"),
                            ("tileMatrixSetId", "WebMercatorQuad")):  # fmt: skip
            concrete = concrete.replace(f"{{{name}}}", value)
        concrete += {"/geocode": "?address=x", "/here": "?lon=116.5&lat=31.7"}.get(path, "")
        assert city.get(concrete).status_code == 200, concrete
        for parameter in operations["get"]["parameters"]:
            if "$ref" in parameter:
                name = parameter["$ref"].removeprefix("#/components/parameters/")
                found = document["components"]["parameters"][name]
                if found["in"] == "query":
                    refused = city.get(f"{concrete.partition('?')[0]}?{name}=%01")
                    assert "parameter" not in refused.text.partition("there is no")[2], (concrete, name)
                else:
                    assert f"{{{name}}}" in path


def test_styles(city: SampleCity) -> None:
    light, dark = (city.get(f"/styles/onemap?theme={t}&lang=en").json() for t in ("light", "dark"))
    assert light["version"] == 8 and light["layers"] != dark["layers"]
    tiles = light["sources"]["base.pois"]["tiles"][0]
    assert city.get(tiles.removeprefix("http://city.test").format(z=10, y=416, x=843)).status_code == 200
    assert city.get("/styles/onemap?theme=pink").json()["subject"] == "theme"


def test_the_map_is_kept_only_where_its_name_changes(city: SampleCity) -> None:
    assert city.get("/map").headers["cache-control"] == "no-cache"
    assert "immutable" in city.get("/map/assets/app-1a2b.js").headers["cache-control"]
    assert city.get("/map?lang=en").status_code == 200


def test_health(city: SampleCity) -> None:
    found = city.get("/health")
    assert found.json()["status"] == "ready" and found.headers["cache-control"] == "no-store"
