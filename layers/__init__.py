"""The city's layers, its table of contents: one folder and one line each."""

from gis.catalog import Layer

LAYERS: tuple[Layer, ...] = ()
