"""GDAL, the one that pyogrio brings: features by OAPIF, tiles by OGCAPI, MVT and PMTiles, exports."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas
import httpx
import pyogrio
import pytest
import shapely
from pmtiles.reader import MmapSource, all_tiles

from gis.city import City
from gis.query.query import Query
from tests.clients.conftest import BOX, Rows
from tiles.archive import ArchiveOptions, export
from tiles.grid import WEB_MERCATOR

NOW = "valid_from <= now() AND valid_to > now()"
ZOOM = 14


def features(url: str, collection: str, **more: Any) -> geopandas.GeoDataFrame:
    return pyogrio.read_dataframe(f"OAPIF:{url}", layer=collection, **more)


def test_the_layers_are_the_collections(served: str, ask: httpx.Client) -> None:
    told = [c["id"] for c in ask.get("/collections").json()["collections"]]
    assert [name for name, _ in pyogrio.list_layers(f"OAPIF:{served}")] == told


@pytest.mark.parametrize("collection", ["base.pois", "base.buildings", "base.roads"])
def test_every_feature_comes_once_over_many_pages(served: str, rows: Rows, collection: str) -> None:
    found = features(served, collection, PAGE_SIZE=97)
    codes = [code for (code,) in rows(f"SELECT code FROM {collection} WHERE {NOW}")]
    assert sorted(found.code) == sorted(codes) and len(codes) > 3 * 97
    assert pyogrio.read_info(f"OAPIF:{served}", layer=collection)["features"] == len(codes)


def test_a_box_is_answered_by_the_server(served: str, rows: Rows) -> None:
    box = f"ST_MakeEnvelope({','.join(map(str, BOX))}, 4326)"
    wanted = rows(f"SELECT code FROM base.buildings WHERE {NOW} AND ST_Intersects(geom, {box})")
    found = features(served, "base.buildings", bbox=BOX)
    assert sorted(found.code) == sorted(code for (code,) in wanted) and 0 < len(found) < 1000


@pytest.mark.parametrize(
    "where",
    ["kind = 'school'", "kind = 'school' OR kind = 'hospital'", "name LIKE '%店%' AND kind = 'shop'",
     "telephone IS NULL"],
)  # fmt: skip
def test_a_condition_means_what_it_means_in_sql(served: str, rows: Rows, where: str) -> None:
    condition = where.replace("%", "%%")
    wanted = rows(f"SELECT code FROM base.pois WHERE {NOW} AND ({condition}) AND ''=%s", "")
    found = features(served, "base.pois", where=where, PAGE_SIZE=1000)
    assert sorted(found.code) == sorted(code for (code,) in wanted) and len(found)


def test_equality_is_left_to_the_server(served: str) -> None:
    program = "import pyogrio, sys; [pyogrio.raw.read(sys.argv[1], layer='base.pois', where=w) for w in sys.argv[2:]]"
    done = subprocess.run(
        [sys.executable, "-c", program, f"OAPIF:{served}", "kind = 'school'", "kind = 'shop' AND name LIKE 'A%'"],
        env=os.environ | {"CPL_DEBUG": "ON"}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    asked = [line.strip() for line in done.stderr.splitlines() if "/items?" in line]
    for narrowed in ("&kind=school)", "&kind=shop)"):
        assert any(line.endswith(narrowed) for line in asked), asked


def test_sql_counts_what_the_database_counts(served: str, rows: Rows) -> None:
    statement = "SELECT COUNT(*) AS n, COUNT(DISTINCT kind) AS kinds FROM \"base.pois\" WHERE kind <> 'shop'"
    found = pyogrio.read_dataframe(f"OAPIF:{served}", sql=statement, PAGE_SIZE=1000)
    wanted = rows(f"SELECT count(*), count(DISTINCT kind) FROM base.pois WHERE {NOW} AND kind <> 'shop'")
    assert [(found.n[0], found.kinds[0])] == wanted


@pytest.mark.parametrize("code", [3857, 4490, 4547])
def test_coordinates_come_in_the_crs_that_is_asked_for(served: str, code: int) -> None:
    plain = features(served, "base.pois", PAGE_SIZE=1000).set_index("code")
    found = features(served, "base.pois", PAGE_SIZE=1000, CRS=f"EPSG:{code}").set_index("code")
    assert found.crs.to_epsg() == code
    wanted = plain.to_crs(code).loc[found.index]
    assert shapely.distance(found.geometry.values, wanted.geometry.values).max() < (1e-6 if code == 4490 else 0.02)


@pytest.mark.parametrize("form", ["geojson", "geojsonseq", "fgb", "csv", "parquet"])
def test_exports_open(ask: httpx.Client, rows: Rows, tmp_path: Path, form: str) -> None:
    answer = ask.get("/collections/base.buildings/items", params={"f": form, "limit": 10_000})
    assert answer.status_code == 200
    file = tmp_path / f"buildings.{form}"
    file.write_bytes(answer.content)
    found = geopandas.read_parquet(file) if form == "parquet" else pyogrio.read_dataframe(file)
    wanted = dict(rows(f"SELECT code, round(ST_Area(geom::geography)) FROM base.buildings WHERE {NOW}"))
    assert set(found.code) == wanted.keys() and len(found) == len(wanted)
    if form != "csv":
        areas = found.set_crs(4326, allow_override=True).set_index("code").to_crs(4547).area
        assert all(abs(areas[code] - area) < 2 + area * 0.01 for code, area in wanted.items())


#: In the grid's own units, by which GDAL chooses tiles; without it takes degrees for metres on WebMercatorQuad.
AROUND = {
    "WebMercatorQuad": {"MINX": 12967000, "MINY": 3725000, "MAXX": 12974000, "MAXY": 3737000},
    "CGCS2000Quad": {"MINX": 116.48, "MINY": 31.70, "MAXX": 116.55, "MAXY": 31.78},
}


@pytest.mark.parametrize("grid", AROUND)
def test_tiles_hold_every_building(served: str, rows: Rows, grid: str) -> None:
    found = pyogrio.read_dataframe(
        f"OGCAPI:{served}/collections/base.buildings", layer=f"Zoom level {ZOOM}", API="TILES", TILEMATRIXSET=grid,
        **AROUND[grid],
    )  # fmt: skip
    wanted = {fid for (fid,) in rows(f"SELECT fid FROM base.buildings WHERE {NOW}")}
    assert {int(fid) for fid in found.mvt_id.dropna()} == wanted


def test_tiles_open_with_nothing_but_the_address(served: str) -> None:
    place = f"OGCAPI:{served}/collections/base.buildings"
    assert [f"Zoom level {ZOOM}", "Unknown"] in pyogrio.list_layers(place).tolist()
    assert len(pyogrio.read_dataframe(place, layer=f"Zoom level {ZOOM}")) > 500


@pytest.fixture(scope="module")
def archive(sample_city: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The buildings of the sample city as an archive."""
    path = tmp_path_factory.mktemp("archive") / "buildings.pmtiles"
    with City.open(sample_city) as city:
        export(city, Query(collection="base.buildings"), path, ArchiveOptions(zooms=range(12, ZOOM + 1)))
    return path


def test_an_archive_holds_the_bytes_that_are_served(archive: Path, ask: httpx.Client) -> None:
    with archive.open("rb") as file:
        found = {place: gzip.decompress(content) for place, content in all_tiles(MmapSource(file))}
    assert {z for z, _, _ in found} == {12, 13, 14}
    for (z, x, y), content in found.items():
        answer = ask.get(f"/collections/base.buildings/tiles/WebMercatorQuad/{z}/{y}/{x}")
        assert answer.content == content
    bounds = (116.48, 31.70, 116.55, 31.78)
    for z in (12, 13, 14):
        columns, lines = WEB_MERCATOR.spans(z, bounds)
        for place in {(z, x, y) for x in columns for y in lines} - found.keys():
            empty = ask.get(f"/collections/base.buildings/tiles/WebMercatorQuad/{z}/{place[2]}/{place[1]}")
            assert (empty.status_code, empty.content) == (204, b"")


def test_gdal_opens_an_archive(archive: Path, rows: Rows) -> None:
    found = pyogrio.read_dataframe(archive, layer="base.buildings", ZOOM_LEVEL=ZOOM)
    wanted = {code for (code,) in rows(f"SELECT code FROM base.buildings WHERE {NOW}")}
    assert set(found.code) == wanted


def test_gdal_opens_a_folder_of_tiles(archive: Path, rows: Rows, tmp_path: Path) -> None:
    with archive.open("rb") as file:
        for (z, x, y), content in all_tiles(MmapSource(file)):
            place = tmp_path / str(z) / str(x) / f"{y}.pbf"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(gzip.decompress(content))
    one = next((tmp_path / str(ZOOM)).rglob("*.pbf"))
    x, y = int(one.parent.name), int(one.stem)
    single = pyogrio.read_dataframe(f"MVT:{one}", layer="base.buildings", X=x, Y=y, Z=ZOOM)
    assert len(single) and single.crs.to_epsg() == 3857
    found = pyogrio.read_dataframe(f"MVT:{tmp_path / str(ZOOM)}", layer="base.buildings")
    wanted = {code for (code,) in rows(f"SELECT code FROM base.buildings WHERE {NOW}")}
    assert set(found.code) == wanted
