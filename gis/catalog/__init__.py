"""What the city can be asked, declared once: fields, collections, styles, layers."""

from gis.catalog.collection import STANDARD_COLUMNS, Collection, Geometry, Sensitivity
from gis.catalog.detail import Band, Detail
from gis.catalog.field import Field, FieldType
from gis.catalog.layer import Catalogue, Layer, registered_layers
from gis.catalog.measured import Measured
from gis.catalog.policy import Anonymous, Grant, Policy, Precision, Rows
from gis.catalog.raster import Ramp, Raster, RasterFile
from gis.catalog.rollup import Rollup
from gis.catalog.style import Style, StyleClass

__all__ = [
    "STANDARD_COLUMNS",
    "Anonymous",
    "Band",
    "Catalogue",
    "Collection",
    "Detail",
    "Field",
    "FieldType",
    "Geometry",
    "Grant",
    "Layer",
    "Measured",
    "Policy",
    "Precision",
    "Ramp",
    "Raster",
    "RasterFile",
    "Rollup",
    "Rows",
    "Sensitivity",
    "Style",
    "StyleClass",
    "registered_layers",
]
