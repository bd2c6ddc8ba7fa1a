"""The benchmark's data: points with five attributes, as GeoParquet and GeoPackage, and the collection they go into."""

from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet
import shapely

from gis.catalog import Catalogue, Collection, Geometry, Layer
from gis.catalog.field import integer, number, text
from gis.store.database import connect
from gis.store.tables import Register
from gis.text import Text

POINTS = Collection(
    id="bench.points",
    title=Text("测试点", "Points"),
    description=Text("随机点", "Random points"),
    geometry=Geometry.POINT,
    key=("code",),
    style=None,
    fields=(
        text("code", "编码", "Code", required=True),
        text("name", "名称", "Name"),
        text("kind", "类别", "Kind"),
        integer("floor", "楼层", "Floor"),
        number("value", "数值", "Value"),
    ),
)
CATALOGUE = Catalogue([Layer(name="bench", title=Text("测试", "Bench"), collections=(POINTS,))])


def files(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same rows as GeoParquet and as GeoPackage; made once."""
    parquet, package = folder / f"points_{rows}.parquet", folder / f"points_{rows}.gpkg"
    if not (parquet.exists() and package.exists()):
        frame = _frame(rows)
        frame.to_parquet(parquet)
        frame.to_file(package, layer="points")
    return parquet, package


def rows_in(path: Path) -> int:
    """How many rows a GeoParquet file holds."""
    return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows)


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
