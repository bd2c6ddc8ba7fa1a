"""The city's layers, its table of contents: the base and the exchange, then one folder and one line each."""

from gis.base import BASE
from gis.catalog import Layer
from gis.exchange.layer import EXCHANGE

LAYERS: tuple[Layer, ...] = (BASE, EXCHANGE)
