"""The benchmark's data: points with five attributes, as GeoParquet and GeoPackage, and their empty register."""

from pathlib import Path

import geopandas
import numpy as np
import shapely

from gis.store.database import connect
from gis.store.tables import Register
from tests.bench.catalogue import POINTS


def files(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same rows as GeoParquet and as GeoPackage; made once."""
    parquet, package = folder / f"points_{rows}.parquet", folder / f"points_{rows}.gpkg"
    if not (parquet.exists() and package.exists()):
        frame = _frame(rows)
        frame.to_parquet(parquet)
        frame.to_file(package, layer="points")
    return parquet, package


def empty_register(url: str) -> None:
    """The collection's tables, new and empty."""
    with connect(url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA IF EXISTS bench CASCADE")
        for statement in Register.of(POINTS).create():
            conn.execute(statement)


def _frame(rows: int) -> geopandas.GeoDataFrame:
    draw = np.random.default_rng(1)
    x, y = 116.5 + draw.normal(0, 0.2, rows), 31.73 + draw.normal(0, 0.2, rows)
    return geopandas.GeoDataFrame(
        {
            "code": [f"P{i:09d}" for i in range(rows)],
            "name": np.char.add("地点", draw.integers(0, 10_000, rows).astype(str)),
            "kind": draw.choice(["school", "shop", "food", "other"], rows),
            "floor": draw.integers(1, 30, rows),
            "value": draw.normal(size=rows),
        },
        geometry=shapely.points(x, y),
        crs="EPSG:4326",
    )
