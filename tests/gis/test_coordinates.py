"""Coordinates in tables: every usual writing, which column is which, and what the file says of its CRS."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.exchange.readers.angles import read_coordinates
from gis.exchange.readers.coordinate_names import Role, declared_crs, role_of
from gis.exchange.readers.coordinates import Coordinates, find_coordinates
from gis.exchange.readers.source import Findings, ReadOptions

EAST = 116 + 30 / 60 + 59.2 / 3600

WRITINGS = [
    ("116.5", 116.5), (" 116.5 ", 116.5), ("１１６．５", 116.5), ("+116.5", 116.5), ("116.5°", 116.5),
    ("116度", 116.0),
    ("116°30′59.2″", EAST), ("116°30'59.2\"", EAST), ("116度30分59.2秒", EAST), ("116:30:59.2", EAST),
    ("116 30 59.2", EAST), ("116-30-59.2", EAST), ("E116.30.59", 116 + 30 / 60 + 59 / 3600), ("116º30’59.2”E", EAST),
    ("东经116°30′59.2″", EAST), ("116° 30′ 59.2″ E", EAST), ("１１６°３０′５９．２″", EAST),
    ("116°30.5′", 116 + 30.5 / 60),
    ("116 30.5", 116 + 30.5 / 60), ("W71.5", -71.5), ("31°S", -31.0), ("南纬31°30′", -31.5), ("-31°30′", -31.5),
    ("3,512,345.6", 3512345.6), ("512345.6m", 512345.6), ("512345.6米", 512345.6), ("1.165e2", 116.5),
    ("116°61′", math.nan), ("116°30′60″", math.nan), ("116.5°30′", math.nan), ("E116W", math.nan), ("东边", math.nan),
    ("1e400", math.nan), ("116.5.2.1", 116 + 5 / 60 + 2.1 / 3600), ("12,34", math.nan),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), WRITINGS, ids=[w for w, _ in WRITINGS])
def test_writings(written: str, value: float) -> None:
    read = read_coordinates(pa.array([written]))
    assert read.values[0] == pytest.approx(value, abs=1e-9, nan_ok=True)
    assert not read.missing[0]


@pytest.mark.parametrize("written", ["", "  ", "-", "/", "无", "NULL", "NaN", None])
def test_nothing_is_missing(written: str | None) -> None:
    read = read_coordinates(pa.array([written], pa.string()))
    assert read.missing[0]
    assert math.isnan(read.values[0])


@given(
    st.integers(0, 179), st.integers(0, 59), st.integers(0, 59_999),
    st.sampled_from(["{d}°{m}′{s}″", "{d}度{m}分{s}秒", "{d}:{m}:{s}", "{d} {m} {s}",
                     "{d}°{m}'{s}\"E", "E{d}.{m}.{s}"]),
)  # fmt: skip
def test_degrees_minutes_seconds_come_back(d: int, m: int, ms: int, form: str) -> None:
    written = form.format(d=d, m=m, s=f"{ms / 1000:.3f}")
    read = read_coordinates(pa.array([written, "E1"]))
    assert read.values[0] == pytest.approx(d + m / 60 + ms / 3_600_000, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("经度", Role.LONGITUDE), ("GCJ02经度", Role.LONGITUDE), ("经度(WGS84)", Role.LONGITUDE),
        ("LON_84", Role.LONGITUDE),
        ("Lng", Role.LONGITUDE), ("百度纬度", Role.LATITUDE), ("latitude", Role.LATITUDE), ("横坐标", Role.EASTING),
        ("北坐标", Role.NORTHING), ("X坐标", Role.X), ("POINT_Y", Role.Y), ("x_utm32", Role.X), ("坐标", Role.PAIR),
        ("the_geom", Role.SHAPE), ("名称", None), ("地址", None), ("面积", None), ("code", None),
    ],
)  # fmt: skip
def test_names(name: str, role: Role | None) -> None:
    assert role_of(name) is role


@pytest.mark.parametrize(
    ("text", "easting_m", "crs"),
    [
        ("六安市一览表(CGCS2000)", None, "EPSG:4490"), ("WGS84坐标", None, "EPSG:4326"), ("GCJ02经度", None, "GCJ-02"),
        ("火星坐标", None, "GCJ-02"), ("百度经度", None, "BD-09"), ("高德坐标", None, "GCJ-02"),
        ("西安80", None, "EPSG:4610"),
        ("EPSG:4548", 500_000, "EPSG:4548"), ("CGCS2000 中央子午线117°", 500_000, "EPSG:4548"),
        ("CGCS2000 / 3-degree Gauss-Kruger CM 117E", 500_000, "EPSG:4548"),
        ("CGCS2000 6度带 中央经线117", 5e5, "EPSG:4509"),
        ("2000国家大地坐标系", 39_500_000, "EPSG:4527"), ("CGCS2000", 20_500_000, "EPSG:4498"),
        ("CGCS2000", 500_000, None), ("北京54 CM 117", 500_000, "EPSG:2436"), ("数据来源:百度", None, None),
        ("WGS84转GCJ02", None, None), ("一览表", None, None),
    ],
)  # fmt: skip
def test_declared_crs(text: str, easting_m: float | None, crs: str | None) -> None:
    assert declared_crs(text, easting_m=easting_m) == crs


def found(
    columns: dict[str, list[str]], title: str = "", **options: str
) -> tuple[Coordinates | None, list[list[float]], Findings]:
    findings, table = Findings(), pa.table(columns)
    coordinates = find_coordinates(table, title, ReadOptions(**options), findings)  # type: ignore[arg-type]
    if coordinates is None:
        return None, [], findings
    batch = coordinates.read(np.arange(1, len(table) + 1), table, findings)
    return coordinates, [] if batch.points is None else batch.points.tolist(), findings


def unsure(findings: Findings) -> set[str]:
    return {d.about for d in findings.decisions if not d.sure}


PLACES = [
    ("longitude and latitude", {"经度": ["116.5"], "纬度": ["31.7"]}, [116.5, 31.7], set()),
    ("latitude first", {"lat": ["31.7"], "lon": ["116.5"]}, [116.5, 31.7], set()),
    ("names and values contradict", {"经度": ["31.7"] * 9, "纬度": ["116.5"] * 9}, [116.5, 31.7], {"axes"}),
    ("marks decide", {"经度": ["N31.7"], "纬度": ["E116.5"]}, [116.5, 31.7], set()),
    ("X north in degrees", {"X": ["31.7"], "Y": ["116.5"]}, [116.5, 31.7], set()),
    ("survey X north", {"X": ["3512345.6"], "Y": ["512345.6"]}, [512345.6, 3512345.6], set()),
    ("survey with zone", {"X坐标": ["3512345.6"], "Y坐标": ["39512345.6"]}, [39512345.6, 3512345.6], set()),
    ("map X east", {"X": ["512345.6"], "Y": ["3512345.6"]}, [512345.6, 3512345.6], set()),
    ("named east and north", {"北坐标": ["3512345.6"], "东坐标": ["512345.6"]}, [512345.6, 3512345.6], set()),
    ("east is north", {"东坐标": ["3512345.6"], "北坐标": ["512345.6"]}, [512345.6, 3512345.6], {"axes"}),
    ("elsewhere", {"lon": ["-71.06"], "lat": ["42.36"]}, [-71.06, 42.36], set()),
    ("pair", {"坐标": ["116.5,31.7"]}, [116.5, 31.7], set()),
    ("pair, latitude first", {"location": ["31.7, 116.5"]}, [116.5, 31.7], set()),
    ("pair in brackets", {"经纬度": ["[116.5;31.7]"]}, [116.5, 31.7], set()),
    ("pair of angles", {"坐标": ["116°30′E,31°42′N"]}, [116.5, 31.7], set()),
    ("pair with full-width comma", {"坐标": ["116.5\uff0c31.7"]}, [116.5, 31.7], set()),
    ("by value", {"a": ["116.512"], "b": ["31.712"], "c": ["7"]}, [116.512, 31.712], {"geometry"}),
    ("metres by value", {"a": ["3512345.67"], "b": ["512345.67"]}, [512345.67, 3512345.67], {"geometry"}),
    ("several datums", {"百度经度": ["116.51"], "百度纬度": ["31.71"], "经度": ["116.5"], "纬度": ["31.7"]},
     [116.5, 31.7], {"geometry"}),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "point", "doubts"), [p[1:] for p in PLACES], ids=[p[0] for p in PLACES])
def test_columns_are_found(columns: dict[str, list[str]], point: list[float], doubts: set[str]) -> None:
    _, points, findings = found(columns)
    assert points[0] == pytest.approx(point)
    assert unsure(findings) == doubts


@pytest.mark.parametrize(
    ("columns", "title", "crs"),
    [
        ({"GCJ02经度": ["116.5"], "GCJ02纬度": ["31.7"]}, "", "GCJ-02"),
        ({"经度": ["116.5"], "纬度": ["31.7"]}, "某某表(CGCS2000)", "EPSG:4490"),
        ({"经度": ["116.5"], "纬度": ["31.7"], "坐标系": ["WGS84"]}, "", "EPSG:4326"),
        ({"X": ["3512345.6"], "Y": ["39512345.6"]}, "CGCS2000", "EPSG:4527"),
        ({"经度": ["116.5"], "纬度": ["31.7"]}, "", None),
        ({"百度经度": ["116.5"], "百度纬度": ["31.7"]}, "WGS84坐标", None),
        ({"geom": ["SRID=4548;POINT (512345 3512345)"]}, "", "EPSG:4548"),
    ],
)
def test_crs_only_where_the_file_says_it(columns: dict[str, list[str]], title: str, crs: str | None) -> None:
    coordinates, _, findings = found(columns, title)
    assert coordinates is not None
    assert coordinates.crs == crs
    assert ("crs" in {d.about for d in findings.decisions}) == (crs is not None or "百度经度" in columns)


def test_the_user_names_the_columns() -> None:
    _, points, findings = found({"p": ["31.7"], "q": ["116.5"]}, x="q", y="p")
    assert points == [[116.5, 31.7]]
    assert unsure(findings) == set()
    with pytest.raises(BadInput, match="'r'"):
        found({"p": ["31.7"], "q": ["116.5"]}, x="q", y="r")
    with pytest.raises(BadInput):
        found({"p": ["31.7"], "q": ["116.5"]}, x="q")


SHAPES = [
    ("POINT (116.5 31.7)", "Point"), ("SRID=4326;LINESTRING (0 0, 1 1)", "LineString"),
    ("010100000000000000000000000000000000000000", "Point"), ('{"type":"Point","coordinates":[1,2]}', "Point"),
    ("POLYGON ((0 0, 1 1, 1 0, 0 0))", "Polygon"), ("POINT EMPTY", "no-geometry"), ("", "no-geometry"),
    ("POINT (nan nan)", "bad-coordinate"), ("POLYGON ((0 0, 1 1", "bad-coordinate"), ("圆", "bad-coordinate"),
]  # fmt: skip


def test_shapes_in_a_column() -> None:
    table = pa.table({"wkt": [text for text, _ in SHAPES], "n": [str(i) for i in range(len(SHAPES))]})
    findings = Findings()
    coordinates = find_coordinates(table, "", ReadOptions(), findings)
    assert coordinates is not None
    batch = coordinates.read(np.arange(len(table)), table, findings)
    assert batch.shapes is not None
    kept = dict(zip(batch.rows.tolist(), [s.geom_type for s in batch.shapes], strict=True))
    refused = {r.row: r.reason for r in findings.rejects}
    assert kept | refused == {i: expected for i, (_, expected) in enumerate(SHAPES)}
    assert batch.table.column_names == ["n"]


def test_a_text_that_is_no_pair_is_refused() -> None:
    _, points, findings = found({"坐标": ["116.5,31.7", "45.0", "无", "116.5,31.7"]})
    assert len(points) == 2
    assert [(r.row, r.reason) for r in findings.rejects] == [(2, "bad-coordinate"), (3, "no-geometry")]
