"""Files that nobody here made, through the whole door: into the database and out of it again."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely

from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.readers.source import ReadOptions
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


def test_districts_in_gcj02_are_recognised_and_laid_on_their_twins(city: City, realdata: Path) -> None:
    """The files say nothing but that they are GeoJSON, which fixes WGS 84; the districts that are in tell otherwise."""
    twins = realdata / "admin" / "districts_wgs84_amap.gpkg"
    names = {"code": "district_adcode", "name": "district_name"}
    report = city.load(twins, "base.divisions", read=ReadOptions(layer="luan"), columns=names)
    assert (report.changes.new, report.rejected) == (7, 0)
    truth = city.ask("base.divisions").frame()
    assert set(truth["level"]) == {3}
    assert set(truth["parent"]) == {"341500000000"}
    assert truth.to_crs(METRES).area.sum() / 1e6 == pytest.approx(15_451, rel=0.01)

    for code in truth["code"]:
        file = realdata / "admin" / "gcj02" / f"{code[:6]}.geojson"
        shifted = city.load(file, "base.divisions", constants={"code": code, "name": "同一区县"})
        assert shifted.source_crs == "GCJ-02"
        assert (shifted.changes.new, shifted.changes.changed) == (0, 1)

    found = city.ask("base.divisions").frame().to_crs(METRES)
    off = np.concatenate(
        [
            shapely.distance(shapely.points(shapely.get_coordinates(shape)), found.geometry[fid].boundary)
            for fid, shape in truth.to_crs(METRES).geometry.items()
        ]
    )
    # the two were drawn in different years: stretches of border run elsewhere; all others coincide
    assert np.median(off) < 0.1
    assert (off <= 1).mean() > 0.85
