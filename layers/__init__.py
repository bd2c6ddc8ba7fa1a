"""The city's layers, its table of contents: the base, then one folder and one line each."""

from gis.base import BASE
from gis.catalog import Layer

LAYERS: tuple[Layer, ...] = (BASE,)
