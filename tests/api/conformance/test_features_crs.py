"""OGC API – Features – Part 2: Coordinate Reference Systems by Reference 1.0.1 (18-058r1), one test a requirement."""

from typing import Any

import pytest
import shapely
from pyproj import Transformer

from tests.api.served_city import SampleCity

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/{}"
LISTED = [CRS84, *(EPSG.format(code) for code in (4326, 4490, 3857, 4548))]
ITEMS = "/collections/base.buildings/items"


def document(city: SampleCity, path: str) -> Any:
    answer = city.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shapes(city: SampleCity, question: str) -> dict[int, shapely.Geometry]:
    found = document(city, f"{ITEMS}?limit=300&{question}")["features"]
    return {f["id"]: shapely.geometry.shape(f["geometry"]) for f in found}


def moved(shape: shapely.Geometry, uri: str) -> shapely.Geometry:
    """By PROJ with the axes of the standard; CGCS2000 taken for WGS 84."""
    code = int(uri.rpartition("/")[2]) if uri != CRS84 else 0
    if code in (0, 4326, 4490):
        return shapely.transform(shape, lambda c: c[:, ::-1] if code else c)
    source = 4490 if code == 4548 else 4326
    way = Transformer.from_crs(source, code, always_xy=False)
    return shapely.transform(shape, lambda c: _columns(*way.transform(c[:, 1], c[:, 0])))


def _columns(first: Any, second: Any) -> Any:
    import numpy as np

    return np.column_stack([first, second])


def test_crs_crs_uri(city: SampleCity) -> None:
    for uri in document(city, "/collections/base.buildings")["crs"]:
        assert uri.startswith("http://www.opengis.net/def/crs/")


def test_crs_fc_md_crs_list(city: SampleCity) -> None:
    found = document(city, "/collections/base.buildings")["crs"]
    assert found == LISTED and found[0] == CRS84


def test_crs_fc_md_storageCrs(city: SampleCity) -> None:
    assert document(city, "/collections/base.buildings")["storageCrs"] == CRS84


def test_crs_fc_md_storageCrs_valid_value(city: SampleCity) -> None:
    for collection in document(city, "/collections")["collections"]:
        assert collection["storageCrs"] in collection["crs"]


def test_crs_fc_md_crs_list_global(city: SampleCity) -> None:
    assert document(city, "/collections")["crs"] == LISTED


@pytest.mark.parametrize("name", ["bbox-crs", "crs"])
def test_crs_fc_bbox_crs_definition_and_fc_crs_definition(city: SampleCity, name: str) -> None:
    api = document(city, "/api")
    found = api["components"]["parameters"][name]
    assert (found["in"], found["required"], found["schema"]["type"]) == ("query", False, "string")
    assert {"$ref": f"#/components/parameters/{name}"} in api["paths"]["/collections/{collectionId}/items"]["get"][
        "parameters"
    ]


@pytest.mark.parametrize("uri", LISTED)
def test_crs_fc_bbox_crs_valid_value(city: SampleCity, uri: str) -> None:
    assert city.get(f"{ITEMS}?bbox=1,1,2,2&bbox-crs={uri}").status_code == 200
    for wrong in ("http://www.opengis.net/def/crs/EPSG/0/27700", EPSG.format(4536), "x"):
        assert city.get(f"{ITEMS}?bbox=1,1,2,2&bbox-crs={wrong}").status_code == 400


def test_crs_fc_bbox_crs_valid_defaultValue(city: SampleCity) -> None:
    box = "116.495,31.745,116.505,31.755"
    assert shapes(city, f"bbox={box}") == shapes(city, f"bbox={box}&bbox-crs={CRS84}") != {}


@pytest.mark.parametrize("uri", LISTED)
def test_crs_fc_bbox_crs_action(city: SampleCity, uri: str) -> None:
    """The same place in each CRS, wide of every building's edge by more than rounding."""
    wanted = shapes(city, "bbox=116.4951,31.7451,116.5049,31.7549")
    minx, miny, maxx, maxy = moved(shapely.box(116.4951, 31.7451, 116.5049, 31.7549), uri).bounds
    found = shapes(city, f"bbox={minx},{miny},{maxx},{maxy}&bbox-crs={uri}")
    if uri == EPSG.format(4548):
        # the edges of the box in metres are not those in degrees: compare with the box itself
        everything = shapes(city, f"crs={uri}")
        box = shapely.box(minx, miny, maxx, maxy)
        wanted = {fid: shape for fid, shape in everything.items() if shape.intersects(box)}
    assert found.keys() == wanted.keys() and found


@pytest.mark.parametrize("uri", LISTED)
def test_crs_fc_crs_valid_value(city: SampleCity, uri: str) -> None:
    assert city.get(f"{ITEMS}?crs={uri}").status_code == 200
    assert city.get(f"{ITEMS}/7?crs={uri}").status_code == 200
    for path in (ITEMS, f"{ITEMS}/7"):
        for wrong in ("http://www.opengis.net/def/crs/EPSG/0/27700", EPSG.format(4536), "x"):
            refused = city.get(f"{path}?crs={wrong}&lang=en")
            assert refused.status_code == 400 and refused.json()["subject"] == "crs"


def test_crs_fc_crs_default_value(city: SampleCity) -> None:
    assert document(city, f"{ITEMS}?limit=5")["features"] == document(city, f"{ITEMS}?limit=5&crs={CRS84}")["features"]


@pytest.mark.parametrize("uri", LISTED)
def test_crs_fc_crs_action(city: SampleCity, uri: str) -> None:
    plain, asked = shapes(city, ""), shapes(city, f"crs={uri}")
    assert plain.keys() == asked.keys() and len(plain) > 100
    tolerance = 1e-6 if "CRS84" in uri or uri.endswith(("4326", "4490")) else 0.02
    for fid, shape in plain.items():
        assert shapely.hausdorff_distance(moved(shape, uri), asked[fid]) < tolerance


def test_crs_geojson(city: SampleCity) -> None:
    assert "crs" not in document(city, f"{ITEMS}?limit=1&crs={EPSG.format(4548)}")["features"][0]["geometry"]


@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/7"])
def test_crs_ogc_crs_header(city: SampleCity, path: str) -> None:
    assert city.get(path).headers["content-crs"] == f"<{CRS84}>"


@pytest.mark.parametrize("uri", LISTED)
def test_crs_ogc_crs_header_value(city: SampleCity, uri: str) -> None:
    for path in (ITEMS, f"{ITEMS}/7"):
        assert city.get(f"{path}?crs={uri}").headers["content-crs"] == f"<{uri}>"
