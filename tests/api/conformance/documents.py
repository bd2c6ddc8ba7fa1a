"""The documents of the sample city's API, as the tests of its conformance read them."""

from typing import Any

import pytest

from tests.api.served_city import SampleCity

COLLECTIONS = ["base.pois", "base.buildings", "base.roads", "base.divisions"]
each = pytest.mark.parametrize("collection", COLLECTIONS)
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CORE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"


def read(city: SampleCity, path: str) -> Any:
    answer = city.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def rels(document: dict[str, Any]) -> set[str]:
    return {link["rel"] for link in document["links"]}


def api(city: SampleCity) -> dict[str, Any]:
    found: dict[str, Any] = read(city, "/api")
    return found


def parameter(city: SampleCity, name: str, path: str = "/collections/{collectionId}/items") -> dict[str, Any]:
    document = api(city)
    refs = [p.get("$ref") for p in document["paths"][path]["get"]["parameters"]]
    assert f"#/components/parameters/{name}" in refs
    found: dict[str, Any] = document["components"]["parameters"][name]
    return found
