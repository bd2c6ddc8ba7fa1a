"""OWSLib: features and their filters, EDR, as its users call them."""

from typing import Any

import pytest
from owslib.ogcapi.edr import EnvironmentalDataRetrieval
from owslib.ogcapi.features import Features

from tests.clients.conftest import BOX, Rows

NOW = "valid_from <= now() AND valid_to > now()"


@pytest.fixture(scope="module")
def client(served: str) -> Features:
    return Features(f"{served}/")


def codes(page: dict[str, Any]) -> list[str]:
    return sorted(feature["properties"]["code"] for feature in page["features"])


def test_it_finds_its_way(client: Features) -> None:
    assert {"base.pois", "base.buildings", "base.roads"} <= set(client.feature_collections())
    assert any("features-1/1.0/conf/core" in one for one in client.conformance()["conformsTo"])
    assert client.api()["openapi"].startswith("3.0")
    assert client.collection("base.pois")["id"] == "base.pois"
    assert "kind" in client.collection_queryables("base.pois")["properties"]
    assert "kind" in client.collection_schema("base.pois")["properties"]


def test_items_in_a_box_and_one_alone(client: Features, rows: Rows) -> None:
    box = f"ST_MakeEnvelope({','.join(map(str, BOX))}, 4326)"
    wanted = rows(f"SELECT code FROM base.pois WHERE {NOW} AND ST_Intersects(geom, {box})")
    page = client.collection_items("base.pois", bbox=list(BOX), limit=1000)
    assert codes(page) == sorted(code for (code,) in wanted)
    one = page["features"][0]
    alone = client.collection_item("base.pois", str(one["id"]))
    assert alone["properties"] == one["properties"]


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ({"filter": "kind IN ('school', 'hospital')"}, "kind IN ('school', 'hospital')"),
        ({"filter-lang": "cql2-json", "filter": '{"op":"like","args":[{"property":"name"},"%店%"]}'},
         "name LIKE '%%店%%'"),
        ({"kind": "school"}, "kind = 'school'"),
        ({"datetime_": "2001-01-01T00:00:00Z"}, None),
    ],
)  # fmt: skip
def test_filters_mean_what_they_mean_in_sql(
    client: Features, rows: Rows, asked: dict[str, Any], condition: str | None
) -> None:
    then = "valid_from <= '2001-01-01Z' AND valid_to > '2001-01-01Z'"
    wanted = rows(f"SELECT code FROM base.pois WHERE {f'{NOW} AND {condition}' if condition else then} AND ''=%s", "")
    page = client.collection_items("base.pois", limit=10_000, **asked)
    assert codes(page) == sorted(code for (code,) in wanted)


def test_pages_follow_each_other(client: Features, rows: Rows) -> None:
    found: list[str] = []
    for offset in range(0, 500, 100):
        found += codes(client.collection_items("base.pois", limit=100, offset=offset, sortby="code"))
    assert sorted(found) == sorted(code for (code,) in rows(f"SELECT code FROM base.pois WHERE {NOW}"))


def test_edr_lists_what_it_has(served: str) -> None:
    client = EnvironmentalDataRetrieval(f"{served}/")
    assert "base.pois" in {collection["id"] for collection in client.collections()["collections"]}
