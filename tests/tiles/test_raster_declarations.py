"""Declarations of rasters: what could never be read is refused when it is declared."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gis.catalog import Catalogue, Collection, Layer, Ramp, Raster, RasterFile
from gis.catalog.field import number, text
from gis.text import Text

PM = number("pm25", "细颗粒物", "PM2.5", unit="ug/m3")
WORDS = {"title": Text("空气", "Air"), "description": Text("空气质量网格", "Air quality on a grid")}
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "grid"},
        {"bands": ()},
        {"bands": (text("name", "名", "Name"),)},
        {"files": ()},
        {"stack": "air/%Y%z.tif"},
        {"files": (RasterFile("/etc/passwd"),)},
        {"files": (RasterFile("../x.tif"),)},
        {"files": (RasterFile("a.tif"), RasterFile("b.tif"))},
        {"files": (RasterFile("a.tif", AT), RasterFile("b.tif", AT))},
        {"files": (RasterFile("a.tif", AT.replace(tzinfo=None)),)},
        {"files": (), "stack": "air/%Y.tif"},
        {"files": (), "stack": "%Y/air%z.tif"},
        {"files": (), "stack": "../%Y%z.tif"},
    ],
)
def test_declarations_of_which_nothing_could_be_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"raster|band|files|stack"):
        Raster(**{"id": "air.grid", "bands": (PM,), "files": (RasterFile("a.tif"),), **WORDS, **wrong})


@pytest.mark.parametrize("stops", [((0, "#000000"),), ((1, "#000000"), (0, "#ffffff")), ((0, "red"), (1, "#ffffff"))])
def test_ramps_that_are_none(stops: Any) -> None:
    with pytest.raises(ValueError, match="ramp"):
        Ramp(stops)


def test_one_id_is_one_thing() -> None:
    collection = Collection(id="air.grid", geometry=None, fields=(PM,), style=None, **WORDS)
    raster = Raster(id="air.grid", bands=(PM,), files=(RasterFile("a.tif"),), **WORDS)
    with pytest.raises(ValueError, match="declared as a collection and as a raster"):
        Catalogue((Layer(name="air", title=Text("x", "x"), collections=(collection,), rasters=(raster,)),))
