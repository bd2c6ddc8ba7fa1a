"""What describes tiles: grids, tilesets, TileJSON; and GDAL, which finds its way by nothing else."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import morecantile
import pyogrio
import pytest

from gis.settings import CHECKOUT
from tests.api.served_city import SampleCity
from tests.api.test_tiles import address, around
from tiles.grid import CGCS2000, GRIDS, WEB_MERCATOR, Grid, Tile

PLACES = ("/collections/base.pois", "")


def test_the_grids_are_defined(city: SampleCity) -> None:
    listed = city.get("/tileMatrixSets").json()["tileMatrixSets"]
    assert [one["id"] for one in listed] == list(GRIDS)
    for one in listed:
        told = city.get(one["links"][0]["href"].removeprefix("http://city.test")).json()
        grid = GRIDS[one["id"]]
        theirs = morecantile.TileMatrixSet.model_validate(told)
        assert tuple(theirs.xy_bounds(morecantile.Tile(13, 6, 4))) == pytest.approx(Tile(4, 13, 6, grid).envelope)
    assert city.get("/tileMatrixSets/WorldCRS84Quad").status_code == 404


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("grid", GRIDS.values(), ids=list(GRIDS))
def test_a_tileset_tells_where_its_tiles_are(city: SampleCity, place: str, grid: Grid) -> None:
    told = city.get(f"{place}/tiles/{grid.id}?datetime=2022-01-01&lang=en").json()
    item = next(link for link in told["links"] if link["rel"] == "item")
    assert item["templated"] and item["href"].endswith("?datetime=2022-01-01")
    assert (told["crs"], told["tileMatrixSetURI"], told["dataType"]) == (grid.crs, grid.uri, "vector")
    limits = {int(one["tileMatrix"]): one for one in told["tileMatrixSetLimits"]}
    layer = next(layer for layer in told["layers"] if layer["id"] == "base.pois")
    assert set(limits) >= set(range(int(layer["minTileMatrix"]), int(layer["maxTileMatrix"]) + 1))
    deep = limits[14]
    columns, rows = grid.spans(14, (116.5, 31.75, 116.5, 31.75))
    assert deep["minTileRow"] <= rows[0] <= deep["maxTileRow"]
    assert deep["minTileCol"] <= columns[0] <= deep["maxTileCol"]
    url = item["href"].removeprefix("http://city.test")
    columns, rows = grid.spans(10, (116.5, 31.75, 116.5, 31.75))
    for name, value in (("{tileMatrix}", 10), ("{tileRow}", rows[0]), ("{tileCol}", columns[0])):
        url = url.replace(name, str(value))
    assert city.get(url).status_code == 200


@pytest.mark.parametrize("place", PLACES)
def test_tilejson_tells_layers_and_fields(city: SampleCity, place: str) -> None:
    told = city.get(f"{place}/tiles/WebMercatorQuad?f=tilejson&filter=code='x'&lang=en").json()
    assert told["tilejson"] == "3.0.0" and told["minzoom"] <= told["maxzoom"]
    layers = {layer["id"]: layer for layer in told["vector_layers"]}
    assert set(layers["base.pois"]["fields"]) >= {"code", "name", "kind"}
    assert told["tiles"] == [f"http://city.test{place}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?filter=code%3D%27x%27"]
    west, south, east, north = told["bounds"]
    assert west < 116.41 and east > 116.59 and south < 31.66 and north > 31.84
    assert city.get(f"{place}/tiles/CGCS2000Quad?f=tilejson").status_code == 400


def test_a_narrowed_tileset_leads_to_its_own_tilejson(city: SampleCity) -> None:
    narrowed = city.get("/collections/base.pois/tiles/WebMercatorQuad?filter=code='x'").json()
    (tilejson,) = [link for link in narrowed["links"] if link.get("title") == "TileJSON"]
    assert tilejson["href"].endswith("?filter=code%3D%27x%27&f=tilejson")


def test_a_tileset_of_some_collections(city: SampleCity) -> None:
    told = city.get("/tiles/WebMercatorQuad?f=tilejson&collections=base.roads,base.pois").json()
    assert {layer["id"].partition(":")[0] for layer in told["vector_layers"]} == {"base.roads", "base.pois"}
    assert told["tiles"][0].endswith("?collections=base.roads,base.pois")
    for wrong in ("collections=base.cats", "colour=red", "filter=cats", "collections=base.pois&collections=base.roads"):
        assert city.get(f"/tiles/WebMercatorQuad?{wrong}").status_code in (400, 404)


def test_both_grids_show_the_same_features(city: SampleCity) -> None:
    import mapbox_vector_tile

    tile = around(116.5, 31.75, 12)
    lon, lat = (tile.bounds[0] + tile.bounds[2]) / 2, (tile.bounds[1] + tile.bounds[3]) / 2
    columns, rows = CGCS2000.spans(10, (lon, lat, lon, lat))
    far = Tile(10, columns[0], rows[0], CGCS2000)
    one, other = (
        mapbox_vector_tile.decode(city.get(path).content, default_options={"y_coord_down": True})["base.pois"]
        for path in (address("base.pois", tile), f"/collections/base.pois/tiles/CGCS2000Quad/{far.text}")
    )
    rows_by_fid = {row.fid: row for row in city.rows["base.pois"] if row.shape is not None}
    seen = {f["id"]: f["geometry"]["coordinates"] for f in other["features"]}
    west, south, east, north = far.bounds
    for feature in one["features"]:
        shape = rows_by_fid[feature["id"]].shape
        assert shape is not None
        if west < shape.x < east and south < shape.y < north:
            at = seen[feature["id"]]
            at = at[0] if isinstance(at[0], list) else at
            assert west + at[0] / 4096 * (east - west) == pytest.approx(shape.x, abs=far.side / 4000)
            assert north - at[1] / 4096 * (north - south) == pytest.approx(shape.y, abs=far.side / 4000)


@pytest.fixture(scope="module")
def base(sample_url: tuple[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sample city on a port, for programs that are not Python."""
    port = _free_port()
    home = tmp_path_factory.mktemp("home")
    given = os.environ | {"ONEMAP_DATABASE_URL": sample_url[0], "ONEMAP_HOME": str(home), "ONEMAP_PORT": str(port)}
    words = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port),
             "--workers", "1", "--log-level", "warning", "--no-access-log", "api.app:app"]  # fmt: skip
    with (home / "log").open("wb") as log, subprocess.Popen(words, cwd=CHECKOUT, env=given, stderr=log) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


#: In the grid's own units, as GDAL wants what it cuts tiles by.
BOXES = {
    "WebMercatorQuad": (12962000.0, 3725000.0, 12974000.0, 3735000.0),
    "CGCS2000Quad": (116.45, 31.7, 116.55, 31.8),
}


@pytest.mark.parametrize("grid", [WEB_MERCATOR, CGCS2000], ids=lambda g: str(g.id))
def test_gdal_reads_tiles_by_its_ogc_api_driver(base: str, grid: Grid) -> None:
    west, south, east, north = BOXES[grid.id]
    found = pyogrio.read_dataframe(
        f"OGCAPI:{base}/collections/base.buildings", layer="Zoom level 14", API="TILES", TILEMATRIXSET=grid.id,
        MINX=west, MINY=south, MAXX=east, MAXY=north,
    )  # fmt: skip
    assert found.crs.to_epsg() == int(grid.crs.rpartition("/")[2])
    assert {"mvt_id", "code", "storeys"} <= set(found.columns) and len(set(found.mvt_id)) > 100


def test_gdal_reads_a_tile(base: str, tmp_path: Path) -> None:
    tile = around(116.5, 31.75, 14)
    file = tmp_path / "tile.pbf"
    with urllib.request.urlopen(base + address("base.buildings", tile)) as answer:
        file.write_bytes(answer.read())
    found = pyogrio.read_dataframe(f"MVT:{file}", layer="base.buildings", X=tile.x, Y=tile.y, Z=tile.z)
    assert {"mvt_id", "code", "storeys"} <= set(found.columns) and found.crs.to_epsg() == 3857
    assert found.total_bounds[0] < 12969000 < found.total_bounds[2] + 3000
