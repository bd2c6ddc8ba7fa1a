"""The benchmark's data: points with five attributes, as GeoParquet and GeoPackage, and their empty register."""

import json
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from gis.store.database import connect
from gis.store.tables import Register
from tests.bench.catalogue import POINTS

_AT_ONCE = 1_000_000


def parquet(folder: Path, rows: int) -> Path:
    """So many rows as GeoParquet, made once, a million at a time: as objects ten million would fill the memory."""
    path = folder / f"points_{rows}.parquet"
    if path.exists():
        return path
    if rows <= _AT_ONCE:
        _frame(rows).to_parquet(path)
        return path
    part = path.with_suffix(".part")
    _frame(1).to_parquet(part)
    schema = pq.read_schema(part)
    # the box of its only row is not that of all rows; it may be left out
    geo = json.loads(schema.metadata[b"geo"])
    geo["columns"]["geometry"].pop("bbox", None)
    schema = schema.with_metadata({b"geo": json.dumps(geo).encode()})
    with pq.ParquetWriter(part, schema) as writer:
        for first in range(0, rows, _AT_ONCE):
            frame = _frame(min(_AT_ONCE, rows - first), first)
            writer.write_table(pa.table(frame.to_arrow(index=False)).cast(schema))
    return part.rename(path)


def files(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same rows as GeoParquet and as GeoPackage; made once."""
    table, package = folder / f"points_{rows}.parquet", folder / f"points_{rows}.gpkg"
    if not (table.exists() and package.exists()):
        frame = _frame(rows)
        frame.to_parquet(table)
        frame.to_file(package, layer="points")
    return table, package


def empty_register(url: str) -> None:
    """The collection's tables, new and empty."""
    with connect(url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA IF EXISTS bench CASCADE")
        for statement in Register.of(POINTS).create():
            conn.execute(statement)


def _frame(rows: int, first: int = 0) -> geopandas.GeoDataFrame:
    draw = np.random.default_rng(1 + first)
    x, y = 116.5 + draw.normal(0, 0.2, rows), 31.73 + draw.normal(0, 0.2, rows)
    return geopandas.GeoDataFrame(
        {
            "code": [f"P{i:09d}" for i in range(first, first + rows)],
            "name": np.char.add("地点", draw.integers(0, 10_000, rows).astype(str)),
            "kind": draw.choice(["school", "shop", "food", "other"], rows),
            "floor": draw.integers(1, 30, rows),
            "value": draw.normal(size=rows),
        },
        geometry=shapely.points(x, y),
        crs="EPSG:4326",
    )
