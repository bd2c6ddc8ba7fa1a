"""The GDAL of the distribution, by its commands; Debian 12 has 3.6, whose drivers know less than those of pyogrio."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.clients.conftest import BOX, Rows

NOW = "valid_from <= now() AND valid_to > now()"


@pytest.fixture(autouse=True, scope="module")
def _installed() -> None:
    if not shutil.which("ogrinfo") or not shutil.which("ogr2ogr"):
        pytest.skip("no ogrinfo: install gdal-bin")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "ERROR" not in done.stderr, f"{done.stdout}{done.stderr}"
    return done.stdout


def count(told: str) -> int:
    found = re.search(r"Feature Count: (\d+)", told)
    assert found, told
    return int(found[1])


def test_it_lists_and_describes(served: str, rows: Rows) -> None:
    listed = run("ogrinfo", "-ro", f"OAPIF:{served}")
    assert "base.pois" in listed and "(Point)" in listed and "base.roads" in listed
    told = run("ogrinfo", "-ro", "-so", f"OAPIF:{served}", "base.buildings")
    assert count(told) == rows(f"SELECT count(*) FROM base.buildings WHERE {NOW}")[0][0]
    assert "Geometry: Polygon" in told and "height_m: Real" in told and "storeys: Integer" in told


def test_it_filters(served: str, rows: Rows) -> None:
    opened = ("ogrinfo", "-ro", "-so", f"OAPIF:{served}", "base.pois", "-oo", "PAGE_SIZE=1000")
    box = f"ST_MakeEnvelope({','.join(map(str, BOX))}, 4326)"
    inside = rows(f"SELECT count(*) FROM base.pois WHERE {NOW} AND ST_Intersects(geom, {box})")[0][0]
    assert count(run(*opened, "-spat", *map(str, BOX))) == inside
    shops = rows(f"SELECT count(*) FROM base.pois WHERE {NOW} AND kind = 'shop'")[0][0]
    assert count(run(*opened, "-where", "kind = 'shop'")) == shops
    told = run("ogrinfo", "-ro", "-q", f"OAPIF:{served}", "-oo", "PAGE_SIZE=1000", "-sql",
               'SELECT COUNT(*) FROM "base.pois" WHERE kind = \'shop\'')  # fmt: skip
    assert f"= {shops}\n" in told


def test_ogr2ogr_copies_all_pages_into_another_crs(served: str, rows: Rows, tmp_path: Path) -> None:
    file = tmp_path / "roads.gpkg"
    run("ogr2ogr", "-t_srs", "EPSG:4547", str(file), f"OAPIF:{served}", "base.roads", "-oo", "PAGE_SIZE=100",
        "-nlt", "PROMOTE_TO_MULTI")  # fmt: skip
    told = run("ogrinfo", "-ro", "-so", str(file), "base.roads")
    assert count(told) == rows(f"SELECT count(*) FROM base.roads WHERE {NOW}")[0][0]
    assert 'ID["EPSG",4547]' in told


def test_a_saved_tile_opens(ask: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "tile.pbf"
    file.write_bytes(ask.get("/collections/base.buildings/tiles/WebMercatorQuad/14/6668/13494").content)
    place = ("-oo", "Z=14", "-oo", "X=13494", "-oo", "Y=6668")
    told = run("ogrinfo", "-ro", "-so", f"MVT:{file}", "base.buildings", *place)
    assert count(told) > 10 and "code: String" in told
