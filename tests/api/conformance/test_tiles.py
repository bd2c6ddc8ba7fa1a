"""OGC API – Tiles – Part 1: Core 1.0 (20-057): the abstract tests, one for each requirement, named by its id."""

from typing import Any

import mapbox_vector_tile
import pytest

from tests.api.served_city import SampleCity

REL = "http://www.opengis.net/def/rel/ogc/1.0"
GRIDS = ["WebMercatorQuad", "CGCS2000Quad"]
COLLECTIONS = ["base.pois", "base.buildings", "base.roads"]
#: A tile of the sample city on each grid: level, row, column.
CENTRE = {"WebMercatorQuad": (14, 6666, 13494), "CGCS2000Quad": (13, 2651, 13494)}
on_each = pytest.mark.parametrize("grid", GRIDS)
MVT = "application/vnd.mapbox-vector-tile"


def document(city: SampleCity, path: str) -> Any:
    answer = city.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def tile(grid: str, collection: str = "base.pois") -> str:
    return f"/collections/{collection}/tiles/{grid}/{'/'.join(map(str, CENTRE[grid]))}"


def templates(described: dict[str, Any]) -> list[str]:
    return [link["href"] for link in described["links"] if link["rel"] == "item" and link["templated"]]


@on_each
@pytest.mark.parametrize("name", ["tileMatrix", "tileRow", "tileCol"])
def test_core_tc_tilematrix_definition_tilerow_and_tilecol(city: SampleCity, grid: str, name: str) -> None:
    described = document(city, f"/collections/base.pois/tiles/{grid}")
    assert all(f"{{{name}}}" in template for template in templates(described)) and templates(described)
    parameter = document(city, "/api")["components"]["parameters"][name]
    assert parameter["in"] == "path" and parameter["required"]


@on_each
def test_core_tc_op(city: SampleCity, grid: str) -> None:
    z, row, column = CENTRE[grid]
    for template in templates(document(city, f"/collections/base.pois/tiles/{grid}")):
        url = template.format(tileMatrix=z, tileRow=row, tileCol=column).removeprefix("http://city.test")
        assert city.get(url).status_code == 200


@on_each
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_core_tc_success(city: SampleCity, grid: str, collection: str) -> None:
    answer = city.get(tile(grid, collection))
    assert answer.status_code == 200 and answer.headers["content-type"] == MVT


@on_each
def test_core_tc_error(city: SampleCity, grid: str) -> None:
    place = f"/collections/base.pois/tiles/{grid}"
    for wrong in ("3/8/0", "99/0/0", "3/0/99"):
        assert city.get(f"{place}/{wrong}").status_code in (400, 404)
    assert city.get("/collections/base.pois/tiles/NoSuchQuad/3/1/1").status_code == 404
    assert city.get("/collections/base.none/tiles/WebMercatorQuad/3/1/1").status_code == 404
    # a tile that the grid has and nothing lies in
    assert city.get(f"{place}/3/0/0").status_code in (200, 204)


@on_each
@pytest.mark.parametrize("place", ["/collections/base.pois", ""])
def test_tileset_tileset_description(city: SampleCity, grid: str, place: str) -> None:
    described = document(city, f"{place}/tiles/{grid}")
    assert described["dataType"] == "vector" and described["crs"] and described["title"]
    assert described["tileMatrixSetURI"].endswith(grid) or grid == "CGCS2000Quad"
    assert any(link["rel"] == f"{REL}/tiling-scheme" for link in described["links"])
    assert {layer["id"] for layer in described["layers"]}


@on_each
def test_tileset_tile_template(city: SampleCity, grid: str) -> None:
    assert templates(document(city, f"/collections/base.pois/tiles/{grid}"))


def test_tilesets_list_tileset_links(city: SampleCity) -> None:
    for place in ("/collections/base.pois", ""):
        listed = document(city, f"{place}/tiles")["tilesets"]
        assert len(listed) == len(GRIDS)
        for tileset in listed:
            assert {"self", f"{REL}/tiling-scheme"} <= {link["rel"] for link in tileset["links"]}
            assert {"dataType", "crs"} <= set(tileset)


def test_tilesets_list_tileset_path(city: SampleCity) -> None:
    for tileset in document(city, "/collections/base.pois/tiles")["tilesets"]:
        own = next(link["href"] for link in tileset["links"] if link["rel"] == "self")
        assert city.get(own.removeprefix("http://city.test")).status_code == 200


@on_each
def test_tileset_tmxslink(city: SampleCity, grid: str) -> None:
    described = document(city, f"/collections/base.pois/tiles/{grid}")
    schemes = [link["href"] for link in described["links"] if link["rel"] == f"{REL}/tiling-scheme"]
    found = [document(city, href.removeprefix("http://city.test")) for href in schemes if "city.test" in href]
    assert found and found[0]["tileMatrices"] and found[0]["crs"]


def test_geodata_tilesets_operation(city: SampleCity) -> None:
    assert city.get("/collections/base.pois/tiles").status_code == 200


def test_geodata_tilesets_desc_links(city: SampleCity) -> None:
    for collection in COLLECTIONS:
        links = document(city, f"/collections/{collection}")["links"]
        assert any(link["rel"] == f"{REL}/tilesets-vector" for link in links)


def test_dataset_tilesets_operation(city: SampleCity) -> None:
    assert city.get("/tiles").status_code == 200


def test_dataset_tilesets_landingpage(city: SampleCity) -> None:
    assert any(link["rel"] == f"{REL}/tilesets-vector" for link in document(city, "/")["links"])


@on_each
def test_mvt_content(city: SampleCity, grid: str) -> None:
    for collection in COLLECTIONS:
        layers = mapbox_vector_tile.decode(city.get(tile(grid, collection)).content)
        assert any(name.startswith(collection) and layer["features"] for name, layer in layers.items())


@on_each
def test_datetime_datetime_axis(city: SampleCity, grid: str) -> None:
    """Tiles follow `datetime` as items do: other times hold other features."""
    place = tile(grid)
    answers = {city.get(f"{place}?datetime={when}").content for when in ("2019-01-01", "2021-01-01", "../..")}
    assert len(answers) > 1
    assert city.get(f"{place}?datetime=x").status_code == 400


def test_oas30_completeness(city: SampleCity) -> None:
    paths = document(city, "/api")["paths"]
    own = "/collections/{collectionId}/tiles"
    grid = f"{own}/{{tileMatrixSetId}}"
    assert {"/tiles", own, grid, f"{grid}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"} <= set(paths)
