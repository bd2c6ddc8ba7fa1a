"""Files that nobody here made, through the whole door: into the database and out of it again."""

import json
from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from gis.catalog import Catalogue
from gis.city import City
from gis.store.database import Database
from layers import LAYERS

pytestmark = pytest.mark.realdata
METRES = "EPSG:4548"


@pytest.fixture
def city(database_url: str) -> Iterator[City]:
    with City(Database(database_url), Catalogue(LAYERS)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("file", "layer", "rows", "taken"),
    [
        ("beijing_haidian.osm", "roads", 684, 684),
        # 520 ways and a multipolygon
        ("beijing_haidian.osm", "buildings", 520 + 1, 521),
        ("liechtenstein.osm.pbf", "roads", 4_660, 4_660),
        # 8 992 ways, one of them building=no; 6 multipolygons; 2 ways are not closed, one multipolygon has a gap
        ("liechtenstein.osm.pbf", "buildings", 8_992 - 1 + 6, 8_994),
        # the file is cut out: ways whose nodes lie outside cannot be drawn and are listed
        ("helsinki.osm.pbf", "roads", 2_650, 2_510),
        ("helsinki.osm.pbf", "buildings", 433 + 67, 446),
    ],
)
def test_openstreetmap_files_load_row_for_row(
    city: City, realdata: Path, file: str, layer: str, rows: int, taken: int
) -> None:
    report = city.load(realdata / "osm" / file, f"base.{layer}")
    assert (report.rows, report.changes.new, report.rejected) == (rows, taken, rows - taken)
    assert set(report.findings.rejected) <= {"bad-geometry", "no-geometry"}
    frame = city.ask(f"base.{layer}").frame()
    assert len(frame) == taken
    assert frame.is_valid.all()
    assert frame["cell"].notna().all()


def test_districts_in_gcj02_are_recognised_and_laid_on_their_twins(city: City, realdata: Path, tmp_path: Path) -> None:
    """The file says nothing but that it is GeoJSON, which fixes WGS 84; the districts already loaded tell otherwise."""
    twins = geopandas.read_file(realdata / "admin" / "districts_wgs84_amap.gpkg", layer="luan")
    codes = _codes(twins)
    known = tmp_path / "known.gpkg"
    _as_divisions(twins, codes).to_file(known, layer="known")
    city.load(known, "base.divisions")

    shifted = [_gcj02(realdata, code) for code in codes]
    path = tmp_path / "lots.geojson"
    lots = [
        {"type": "Feature", "geometry": s, "properties": {"地块编码": f"{c}"}}
        for s, c in zip(shifted, codes, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": lots}), "utf-8")
    report = city.load(path, "base.land")
    assert report.source_crs == "GCJ-02"
    assert report.changes.new == len(codes)

    found = city.ask("base.land").frame().to_crs(METRES).set_index("code")
    truth = geopandas.GeoDataFrame(geometry=twins.geometry.to_numpy(), index=codes, crs=twins.crs).to_crs(METRES)
    off = np.concatenate(
        [
            shapely.distance(shapely.points(shapely.get_coordinates(truth.geometry[c])), found.geometry[c].boundary)
            for c in codes
        ]
    )
    # the two were drawn in different years: stretches of border run elsewhere; all others coincide
    assert np.median(off) < 0.1
    assert (off <= 1).mean() > 0.85


def _codes(districts: geopandas.GeoDataFrame) -> list[str]:
    column = [c for c in districts.columns if districts[c].astype(str).str.fullmatch(r"\d{6}").all()][-1]
    return districts[column].astype(str).tolist()


def _as_divisions(districts: geopandas.GeoDataFrame, codes: list[str]) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(
        {"区划代码": [f"{c}000000" for c in codes], "名称": codes, "级别": 3},
        geometry=districts.geometry.to_numpy(),
        crs=districts.crs,
    )


def _gcj02(realdata: Path, code: str) -> dict[str, object]:
    data = json.loads((realdata / "admin" / "gcj02" / f"{code}.geojson").read_text("utf-8"))
    return data["features"][0]["geometry"] if "features" in data else data.get("geometry", data)
