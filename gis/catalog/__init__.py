"""What the city can be asked, declared once: fields, collections, styles, layers."""

from gis.catalog.collection import STANDARD_COLUMNS, Collection, Geometry, Sensitivity
from gis.catalog.detail import Band, Detail
from gis.catalog.field import Field, FieldType
from gis.catalog.layer import Catalogue, Layer, registered_layers
from gis.catalog.measured import Measured
from gis.catalog.raster import Ramp, Raster, RasterFile
from gis.catalog.rollup import Rollup
from gis.catalog.style import Style, StyleClass

__all__ = [
    "STANDARD_COLUMNS",
    "Band",
    "Catalogue",
    "Collection",
    "Detail",
    "Field",
    "FieldType",
    "Geometry",
    "Layer",
    "Measured",
    "Ramp",
    "Raster",
    "RasterFile",
    "Rollup",
    "Sensitivity",
    "Style",
    "StyleClass",
    "registered_layers",
]
