"""GeoParquet: metadata, encodings of geometry, coordinate columns, and memory that does not grow with the file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyogrio.raw import write_arrow

from gis.errors import BadInput
from gis.exchange.readers import ReadOptions, Source, open_source


def frame(count: int = 5, crs: str | None = "EPSG:4548") -> gpd.GeoDataFrame:
    points = shapely.points(np.arange(count, dtype=float), 2.0)
    return gpd.GeoDataFrame({"名称": [f"甲{i}" for i in range(count)]}, geometry=points, crs=crs)


def rows(source: Source) -> list[tuple[int, list[float]]]:
    return [
        (int(row), xy)
        for batch in source.batches()
        if batch.points is not None
        for row, xy in zip(batch.rows, batch.points.tolist(), strict=True)
    ]


def decision(source: Source, about: str) -> tuple[str, bool]:
    return next((d.value, d.sure) for d in source.findings.decisions if d.about == about)


def write(path: Path, table: pa.Table, **geo: Any) -> Path:
    meta = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"} | geo}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(meta)}), path)
    return path


def wkb_table(shapes: list[Any]) -> pa.Table:
    return pa.table(
        {"n": list(range(len(shapes))), "geometry": pa.array([shapely.to_wkb(s) for s in shapes], pa.binary())}
    )


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize("row_group_size", [1, 2, 100])
def test_every_version_and_row_group_size(tmp_path: Path, version: str, row_group_size: int) -> None:
    path = tmp_path / "a.parquet"
    covering = {"write_covering_bbox": True} if version == "1.1.0" else {}
    frame().to_parquet(path, schema_version=version, row_group_size=row_group_size, **covering)
    source = open_source(path, ReadOptions(batch_rows=2))
    assert (source.crs, source.total_rows) == ("EPSG:4548", 5)
    assert rows(source) == [(i + 1, [float(i), 2.0]) for i in range(5)]
    assert decision(source, "columns") == ("名称", True)
    assert next(iter(source.batches())).table.column_names == ["名称"]


@pytest.mark.parametrize(
    ("meta", "crs"),
    [({}, "OGC:CRS84"), ({"crs": None}, None), ({"crs": {"id": {"authority": "EPSG", "code": 4490}}}, None)],
)
def test_a_crs_left_out_is_wgs84_and_null_is_unknown(tmp_path: Path, meta: dict[str, Any], crs: str | None) -> None:
    path = write(tmp_path / "a.parquet", wkb_table([shapely.Point(1, 2)]), **meta)
    source = open_source(path)
    assert source.crs == crs
    assert decision(source, "crs")[1] == (crs is not None)


def test_native_points_and_large_binary(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame().to_parquet(path, geometry_encoding="geoarrow")
    assert rows(open_source(path))[4] == (5, [4.0, 2.0])
    table = wkb_table([shapely.Point(1, 2)]).cast(pa.schema([("n", pa.int64()), ("geometry", pa.large_binary())]))
    assert rows(open_source(write(path, table))) == [(1, [1.0, 2.0])]


def test_other_native_encodings_are_asked_for_as_wkb(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=4326)
    lines.to_parquet(path, geometry_encoding="geoarrow")
    with pytest.raises(BadInput, match="write it with the encoding WKB"):
        open_source(path)


def test_plain_parquet_with_wkb_is_guessed_by_name_and_not_sure(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(wkb_table([shapely.Point(1, 2), None]), path)
    source = open_source(path)
    assert rows(source) == [(1, [1.0, 2.0])]
    assert (source.crs, decision(source, "geometry")) == (None, ("geometry", False))
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(2, "no-geometry")]


def test_coordinate_columns_named_by_the_user(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"经度": [116.5, None, 3.0], "纬度": ["31.7", "1", "x"], "n": [1, 2, 3]}), path)
    source = open_source(path, ReadOptions(x="经度", y="纬度"))
    assert rows(source) == [(1, [116.5, 31.7])]
    assert [(r.row, r.reason, r.value) for r in source.findings.rejects] == [
        (2, "no-geometry", "None, 1"), (3, "no-geometry", "3.0, x"),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="no column '东经'; it has 经度, 纬度, n"):
        open_source(path, ReadOptions(x="东经", y="纬度"))


def test_a_file_without_any_geometry_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": [1, 2]}), path)
    source = open_source(path)
    (batch,) = source.batches()
    assert (batch.points, batch.shapes, len(batch)) == (None, None, 2)
    assert decision(source, "geometry") == ("", False)


def test_mixed_types_come_as_shapes(tmp_path: Path) -> None:
    shapes = [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)]), shapely.Point(1, 2, 3)]
    (batch,) = open_source(write(tmp_path / "a.parquet", wkb_table(shapes))).batches()
    assert batch.shapes is not None
    assert [s.geom_type for s in batch.shapes] == ["Point", "LineString", "Point"]


@pytest.mark.parametrize("geo", ["{", "[]", '{"columns": 3}'])
def test_damaged_metadata(tmp_path: Path, geo: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(wkb_table([shapely.Point(1, 2)]).replace_schema_metadata({"geo": geo}), path)
    with pytest.raises(BadInput, match=r"geo metadata of a\.parquet is damaged"):
        open_source(path)


PEAK = """
import sys
from pathlib import Path
from gis.exchange.readers import ReadOptions, open_source
rows = sum(len(batch) for batch in open_source(sys.argv[1], ReadOptions(batch_rows=8_192)).batches())
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(rows, status["VmHWM"].split()[0])
"""


def many_points(count: int) -> pa.Table:
    rng = np.random.default_rng(1)
    packed = np.zeros((count, 21), np.uint8)
    packed[:, :2] = 1
    packed[:, 5:] = rng.random((count, 2)).view(np.uint8)
    offsets = np.arange(0, 21 * count + 1, 21, dtype=np.int32)
    wkb = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(packed)])
    return pa.table({"code": [f"P{i:09d}" for i in range(count)], "value": rng.random(count), "geometry": wkb})


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of another process is read from /proc")
@pytest.mark.parametrize("suffix", ["parquet", "gpkg"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    """The peak at five times the rows, all in one row group, stays within 1.1 times; in batches small beside both."""
    peaks = []
    for count in (200_000, 1_000_000):
        path = tmp_path / f"{count}.{suffix}"
        if suffix == "parquet":
            write(path, many_points(count))
        else:
            write_arrow(many_points(count), path, geometry_name="geometry", geometry_type="Point", crs="EPSG:4326",
                        layer_options={"SPATIAL_INDEX": "NO"})  # fmt: skip
        done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
        read, peak = map(int, done.stdout.split())
        assert read == count
        peaks.append(peak)
    assert peaks[1] <= 1.1 * peaks[0]
