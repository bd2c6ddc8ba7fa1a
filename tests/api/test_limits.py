"""Nothing that a request can hold costs more than a moment: shapes, filters, lists and numbers are bounded in words."""

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from gis.geo.area import MOST_PARTS, MOST_VERTICES
from gis.query.filters.conditions import _MAX_DEPTH
from tests.api.served_city import SampleCity

ITEMS = "/collections/base.pois/items"
KIND = {"op": "=", "args": [{"property": "kind"}, "x"]}


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = KIND
    for _ in range(depth):
        found = {"op": "not", "args": [found]}
    return found


def points(count: int) -> dict[str, Any]:
    places = [[116.4 + n % 1000 / 5000, 31.6 + n // 1000 / 1000] for n in range(count)]
    return {"type": "MultiPoint", "coordinates": places}


def ring(count: int) -> dict[str, Any]:
    """A polygon of that many vertices: a comb, which is as long as it can be for its box."""
    teeth = [[116.4 + n / count / 5, 31.75 if n % 2 else 31.65] for n in range(count - 3)]
    return {"type": "Polygon", "coordinates": [[*teeth, [116.6, 31.6], [116.4, 31.6], teeth[0]]]}


ADDRESSES = [
    ("brackets", f"{ITEMS}?filter=" + quote("(" * 3000 + "kind='a'" + ")" * 3000), 414),
    ("brackets within", f"{ITEMS}?filter=" + quote("(" * 900 + "kind='a'" + ")" * 900), 400),
    ("not", f"{ITEMS}?filter=" + quote("NOT " * 900 + "kind='a'"), 400),
    ("deep JSON", f"{ITEMS}?filter-lang=cql2-json&filter=" + quote(json.dumps(nested(_MAX_DEPTH + 1))), 400),
    ("a list", f"{ITEMS}?filter=" + quote("kind IN (" + ",".join(["'a'"] * 1_000) + ")"), 200),
    ("ids", f"{ITEMS}?ids=" + ",".join(["1"] * 1_001), 400),
    ("an id", f"{ITEMS}?ids=" + "9" * 400, 400),
    ("an item", f"{ITEMS}/" + "9" * 400, 404),
    ("limit", f"{ITEMS}?limit=" + "9" * 400, 400),
    ("a number", f"{ITEMS}?filter=" + quote("fid > " + "9" * 3000), 200),
    ("a box", f"{ITEMS}?bbox=-1e308,-1e308,1e308,1e308", 400),
    ("no number", f"{ITEMS}?bbox=nan,inf,2,3", 400),
    ("a year", f"{ITEMS}?datetime=" + "9" * 200 + "-01-01", 400),
    ("a tile", "/collections/base.pois/tiles/WebMercatorQuad/" + "9" * 300 + "/0/0", 404),
    ("a resolution", "/collections/base.pois/cells?res=" + "9" * 300, 400),
]


@pytest.mark.parametrize(("path", "status"), [c[1:] for c in ADDRESSES], ids=[c[0] for c in ADDRESSES])
def test_addresses(city: SampleCity, path: str, status: int) -> None:
    begun_s = time.perf_counter()
    answer = city.get(path)
    assert answer.status_code == status, answer.text[:300]
    assert time.perf_counter() - begun_s < 20
    assert len(answer.text) < 100_000


def _here(city: SampleCity, shape: dict[str, Any] | bytes) -> Any:
    content = shape if isinstance(shape, bytes) else json.dumps(shape).encode()
    return city.get("/here", "POST", content=content, headers={"content-type": "application/geo+json"})


@pytest.mark.parametrize(
    "shape", [points(MOST_PARTS + 1), ring(MOST_VERTICES + 1), ring(MOST_VERTICES * 2)], ids=["parts", "one", "twice"]
)
def test_shapes_beyond_what_a_question_needs(city: SampleCity, shape: dict[str, Any]) -> None:
    answer = _here(city, shape)
    assert (answer.status_code, answer.json()["subject"]) == (400, "area"), answer.text[:300]


@pytest.mark.parametrize("shape", [points(MOST_PARTS), ring(MOST_VERTICES)], ids=["parts", "vertices"])
def test_the_largest_shapes_are_answered(city: SampleCity, shape: dict[str, Any]) -> None:
    answer = _here(city, shape)
    assert answer.status_code in (200, 503), answer.text[:300]


BODIES = [
    ("deep", b"[" * 100_000 + b"]" * 100_000, 400),
    ("long", b" " * 2_000_001, 413),
    ("infinite", b'{"type":"Point","coordinates":[1e999,1]}', 400),
    ("nobody's", b"\xff\xfe\x00", 400),
    ("empty", b"", 400),
]


@pytest.mark.parametrize(("content", "status"), [c[1:] for c in BODIES], ids=[c[0] for c in BODIES])
def test_bodies(city: SampleCity, content: bytes, status: int) -> None:
    assert _here(city, content).status_code == status
