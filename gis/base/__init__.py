"""The one map's own registers: the spatial base that every layer stands on."""

from gis.base.addresses import ADDRESSES
from gis.base.buildings import BUILDINGS
from gis.base.divisions import DIVISIONS
from gis.base.dwellings import DWELLINGS
from gis.base.entities import ENTITIES
from gis.base.grids import GRIDS
from gis.base.land import LAND, WATER
from gis.base.persons import PERSONS
from gis.base.pois import POIS
from gis.base.roads import ROADS
from gis.catalog import Layer
from gis.text import Text

BASE = Layer(
    name="base",
    title=Text("一张图底座", "Base of the one map"),
    collections=(DIVISIONS, GRIDS, LAND, WATER, ROADS, BUILDINGS, ADDRESSES, POIS, DWELLINGS, ENTITIES, PERSONS),
    migrations="gis.base.migrations",
)

__all__ = [
    "ADDRESSES",
    "BASE",
    "BUILDINGS",
    "DIVISIONS",
    "DWELLINGS",
    "ENTITIES",
    "GRIDS",
    "LAND",
    "PERSONS",
    "POIS",
    "ROADS",
    "WATER",
]
