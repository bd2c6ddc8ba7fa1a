"""Formats that can only be written to a file: FlatGeobuf and GeoPackage, by GDAL, straight from Arrow batches."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

#: GDAL's options for each driver. In a GeoPackage `fid` would be taken for the row's own number, which it need not be.
_OPTIONS: dict[str, dict[str, str]] = {"GPKG": {"FID": "ogc_fid"}, "FlatGeobuf": {}}


def layer_options(*, indexed: bool, description: str = "") -> dict[str, str]:
    """GDAL's options of a new layer. Its description is kept by both formats.

    Not `indexed`, without the spatial index, which takes FlatGeobuf 100 bytes a row in memory, and a geometry in each.
    """
    return {"SPATIAL_INDEX": "YES" if indexed else "NO", **({"DESCRIPTION": description} if description else {})}


def write(
    path: Path, layer: str, batches: pa.RecordBatchReader, *, crs: str, driver: str, options: Mapping[str, str]
) -> None:
    """Write the rows as a layer; `options` are what `layer_options` gives."""
    import pyogrio  # noqa: PLC0415  brings pandas, which takes a third of a second; few answers are such files

    pyogrio.write_arrow(
        batches,
        path,
        layer=layer,
        driver=driver,
        geometry_name="geometry",
        geometry_type="Unknown",
        crs=crs,
        **options,
        **_OPTIONS[driver],
    )
