"""The small city with nothing open in it: whatever an answer tells of its collections must stand in the trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from gis.catalog import Catalogue, Collection, Layer, Raster, RasterFile, Sensitivity
from gis.catalog.field import number
from gis.text import Text
from layers import LAYERS
from tests.contract.rights_city import RuledCity, served
from tests.contract.small_city import fill
from tests.measured_city import TRIAL, Sizes
from tests.measured_city import fill as fill_measured

HEIGHTS = Raster(
    id="land.height", title=Text("高程", "Heights"), description=Text("高程", "Heights"),
    bands=(number("h_m", "高程", "Height", unit="m"),), files=(RasterFile("dem.tif"),),
    sensitivity=Sensitivity.INTERNAL,
)  # fmt: skip


def _closed(collection: Collection) -> Collection:
    is_open = collection.sensitivity is Sensitivity.OPEN
    return replace(collection, sensitivity=Sensitivity.INTERNAL, policy=None) if is_open else collection


_LAND = Layer(name="land", title=Text("地形", "Land"), collections=(), rasters=(HEIGHTS,))
CLOSED = Catalogue(
    replace(layer, collections=tuple(map(_closed, layer.collections))) for layer in (*LAYERS, TRIAL, _LAND)
)


@contextmanager
def closed(url: str, web: Path) -> Iterator[RuledCity]:
    """The city in a migrated database, served."""
    fill(url)
    with psycopg.connect(url) as conn:
        fill_measured(conn, Sizes(stations=4, hours=6))
        # places are told with the divisions that they lie in, by their codes
        conn.execute("UPDATE base.divisions SET code = (341502001000 + fid)::text")
    with served(url, CLOSED, web) as city:
        yield city
