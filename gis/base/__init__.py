"""The one map's own registers: the spatial base that every layer stands on."""

from gis.base.addresses import ADDRESSES
from gis.base.buildings import BUILDINGS
from gis.base.divisions import DIVISIONS
from gis.base.land import LAND, WATER
from gis.base.pois import POIS
from gis.base.roads import ROADS
from gis.catalog import Layer
from gis.text import Text

BASE = Layer(
    name="base",
    title=Text("一张图底座", "Base of the one map"),
    collections=(DIVISIONS, LAND, WATER, ROADS, BUILDINGS, ADDRESSES, POIS),
    migrations="gis.base.migrations",
)

__all__ = ["ADDRESSES", "BASE", "BUILDINGS", "DIVISIONS", "LAND", "POIS", "ROADS", "WATER"]
