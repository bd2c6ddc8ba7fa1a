"""GeoPackage, GeoJSON, GeoJSON lines, KML: rows, columns, CRS, and what is said about them."""

import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.exchange.readers import Batch, ReadOptions, Source, open_source
from gis.exchange.readers.geometry import decode_wkb
from gis.exchange.readers.json_stream import JsonStream, features


def point(x: Any, y: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y]}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any, **more: Any) -> str:
    return json.dumps({"type": "FeatureCollection", **more, "features": list(features)}, ensure_ascii=False)


def read_all(source: Source) -> tuple[pa.Table, list[int], list[Any]]:
    """All rows of a source: attributes, row numbers, geometries (pairs, or shapely)."""
    batches: list[Batch] = list(source.batches())
    tables = [b.table for b in batches if len(b)]
    geometries: list[Any] = []
    for batch in batches:
        assert len(batch.rows) == batch.table.num_rows
        if batch.points is not None:
            geometries += [tuple(p) for p in batch.points.tolist()]
        elif batch.shapes is not None:
            geometries += list(batch.shapes)
    return pa.concat_tables(tables) if tables else pa.table({}), [int(r) for b in batches for r in b.rows], geometries


def decided(source: Source, about: str) -> str:
    return next(d.value for d in source.findings.decisions if d.about == about)


def refused(source: Source) -> list[tuple[int, str]]:
    return [(r.row, r.reason) for r in source.findings.rejects]


WKB_POINTS = [
    ("little endian", shapely.to_wkb(shapely.Point(1, 2), byte_order=1)),
    ("big endian", shapely.to_wkb(shapely.Point(1, 2), byte_order=0)),
    ("ISO Z", shapely.to_wkb(shapely.Point(1, 2, 3), flavor="iso")),
    ("EWKB Z", shapely.to_wkb(shapely.Point(1, 2, 3), flavor="extended")),
    ("EWKB SRID", shapely.to_wkb(shapely.set_srid(shapely.Point(1, 2), 4326), include_srid=True)),
    (
        "EWKB SRID Z big endian",
        shapely.to_wkb(shapely.set_srid(shapely.Point(1, 2, 3), 4326), include_srid=True, byte_order=0),
    ),
]


@pytest.mark.parametrize(("name", "wkb"), WKB_POINTS)
def test_every_writing_of_a_point_is_read_without_shapely(name: str, wkb: bytes) -> None:
    read = decode_wkb(pa.array([wkb, None, WKB_POINTS[0][1]]))
    assert read.points is not None
    assert read.points[[0, 2]].tolist() == [[1, 2], [1, 2]]
    assert np.isnan(read.points[1]).all()
    assert read.missing.tolist() == [False, True, False]
    assert not read.broken.any()
    assert read.has_z == ("Z" in name)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_sliced_columns_of_every_binary_type(kind: pa.DataType) -> None:
    column = pa.array([shapely.to_wkb(shapely.Point(i, -i)) for i in range(6)], kind).slice(2, 3)
    read = decode_wkb(column)
    assert read.points is not None
    assert read.points.tolist() == [[2, -2], [3, -3], [4, -4]]


def test_damaged_wkb_is_told_from_missing_wkb() -> None:
    line = shapely.to_wkb(shapely.LineString([(0, 0), (1, 1)]))
    good = WKB_POINTS[0][1]
    read = decode_wkb(pa.array([good, good[:-1], b"", line, line[:-3], None]))
    assert read.shapes is not None
    assert [None if s is None else s.wkt for s in read.shapes] == [
        "POINT (1 2)", None, None, "LINESTRING (0 0, 1 1)", None, None,
    ]  # fmt: skip
    assert read.broken.tolist() == [False, True, True, False, True, False]
    assert read.missing.tolist() == [False] * 5 + [True]


@given(st.lists(st.one_of(st.none(), st.tuples(st.floats(width=64), st.floats(width=64))), max_size=20), st.booleans())
def test_points_survive_wkb(pairs: list[tuple[float, float] | None], little: bool) -> None:
    header = b"\x01\x01\0\0\0" if little else b"\x00\0\0\0\x01"
    order = "<f8" if little else ">f8"
    column = pa.array([None if p is None else header + np.array(p, order).tobytes() for p in pairs], pa.binary())
    read = decode_wkb(column)
    assert read.points is not None
    expected = np.array([(np.nan, np.nan) if p is None else p for p in pairs]).reshape(-1, 2)
    np.testing.assert_array_equal(read.points, expected)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_called_broken(data: bytes) -> None:
    read = decode_wkb(pa.array([data]))
    geometry = read.points if read.points is not None else read.shapes
    assert geometry is not None
    assert not read.missing[0]
    if read.broken[0]:
        assert read.points is not None
        assert np.isnan(read.points).all()


def test_geopackage_tells_layer_crs_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    frame = gpd.GeoDataFrame(
        {"名称": ["甲", None, "丙"], "层数": [1, 2, 3]},
        geometry=[shapely.Point(500_000, 3_500_000), None, shapely.Point(500_001, 3_500_002, 9)],
        crs="EPSG:4548",
    )
    frame.to_file(path, layer="建筑")
    source = open_source(path)
    table, rows, geometries = read_all(source)
    assert (source.crs, source.total_rows) == ("EPSG:4548", 3)
    assert (decided(source, "layer"), decided(source, "columns")) == ("建筑", "名称, 层数")
    assert rows == [1, 3]
    assert geometries == [(500_000, 3_500_000), (500_001, 3_500_002)]
    assert table["名称"].to_pylist() == ["甲", "丙"]
    assert refused(source) == [(2, "no-geometry")]
    assert decided(source, "height") == "dropped"


def test_a_geopackage_with_two_layers_asks_which(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4326")
    frame.to_file(path, layer="one")
    frame.to_file(path, layer="two")
    with pytest.raises(BadInput, match="2 layers: one, two; name one with --layer"):
        open_source(path)
    with pytest.raises(BadInput, match="no layer 'three'; it has one, two"):
        open_source(path, ReadOptions(layer="three"))
    assert read_all(open_source(path, ReadOptions(layer="two")))[1] == [1]


def test_small_batches_and_a_second_reading_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    xy = [(float(i), float(-i)) for i in range(25)]
    shapes = [None if i == 7 else shapely.Point(p) for i, p in enumerate(xy)]
    gpd.GeoDataFrame({"n": range(25)}, geometry=shapes, crs="EPSG:4326").to_file(path)
    source = open_source(path, ReadOptions(batch_rows=10))
    assert [len(b) for b in source.batches()] == [9, 10, 5]
    told = list(source.findings.decisions)
    first, second = read_all(source), read_all(source)
    assert first[1:] == second[1:]
    assert refused(source) == [(8, "no-geometry")]
    assert source.findings.decisions == told


def test_geojson_columns_take_the_type_of_all_their_values(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(
        collection(
            feature(point(1, 2), i=1, f=1, b=True, m=1, o={"a": [1]}, big=2**70),
            feature(point(3, 4), i=2, f=1.5, b=None, m="x", late="甲"),
        ),
        encoding="utf-8",
    )
    source = open_source(path)
    table, rows, geometries = read_all(source)
    assert (rows, geometries) == ([1, 2], [(1, 2), (3, 4)])
    assert {f.name: str(f.type) for f in table.schema} == {
        "i": "int64", "f": "double", "b": "bool", "m": "string", "o": "string", "big": "string", "late": "string",
    }  # fmt: skip
    assert table["m"].to_pylist() == ["1", "x"]
    assert table["o"].to_pylist() == ['{"a": [1]}', None]
    assert (source.crs, source.total_rows) == ("EPSG:4326", 2)
    assert not next(d.sure for d in source.findings.decisions if d.about == "crs")


def test_geojson_lists_every_feature_that_it_cannot_take(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    ring = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}
    line = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
    items = [
        feature(point(1, 2)), feature(None), feature(point("x", 2)), feature(ring), feature(line), 7,
        feature({"type": "Circle", "coordinates": [0, 0]}), feature(point(float("nan"), 1)), feature(point(1, None)),
        feature(point(1, 2) | {"coordinates": []}),
    ]  # fmt: skip
    path.write_text(collection(*items), encoding="utf-8")
    source = open_source(path)
    _, rows, geometries = read_all(source)
    assert rows == [1, 5, 10]
    assert [g.wkt for g in geometries] == ["POINT (1 2)", "LINESTRING (0 0, 1 1)", "POINT EMPTY"]
    assert sorted(refused(source)) == [
        (2, "no-geometry"), (3, "bad-geometry"), (4, "bad-geometry"), (6, "not-a-feature"), (7, "bad-geometry"),
        (8, "nan-coordinate"), (9, "bad-geometry"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wkt"),
    [
        (json.dumps({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}), "LINESTRING (0 0, 1 1)"),
        (json.dumps(feature({"type": "LineString", "coordinates": [[0, 0], [2, 2]]}, n=1)), "LINESTRING (0 0, 2 2)"),
    ],
)
def test_a_bare_geometry_and_a_single_feature_are_one_row(tmp_path: Path, text: str, wkt: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    _, rows, geometries = read_all(open_source(path))
    assert (rows, [g.wkt for g in geometries]) == ([1], [wkt])


def test_the_old_crs_member_of_geojson_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4548"}}
    path.write_text(collection(feature(point(454207, 3512653)), crs=crs), encoding="utf-8")
    source = open_source(path)
    assert source.crs == "EPSG:4548"
    assert next(d.sure for d in source.findings.decisions if d.about == "crs")


def test_gbk_geojson_is_read_as_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(collection(*[feature(point(i, 2), 名称="中华人民共和国") for i in range(3)]).encode("gbk"))
    source = open_source(path)
    assert read_all(source)[0]["名称"].to_pylist() == ["中华人民共和国"] * 3
    assert decided(source, "encoding") == "gb18030"


def test_geojson_lines_list_the_lines_that_are_no_json(tmp_path: Path) -> None:
    path = tmp_path / "a.geojsonl"
    good = json.dumps(feature(point(1, 2), n=1))
    path.write_text(f"{good}\n\x1e{good}\n\n{{bad}}\n{good[:-5]}", encoding="utf-8")
    source = open_source(path)
    assert read_all(source)[1] == [1, 2]
    assert refused(source) == [(4, "bad-json"), (5, "bad-json")]
    assert source.total_rows == 2


@settings(max_examples=60)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.one_of(st.none(), st.integers(), st.text(max_size=8)), max_size=3),
             max_size=6),
    st.integers(1, 40),
)  # fmt: skip
def test_features_do_not_depend_on_where_the_text_is_cut(properties: list[dict[str, Any]], piece: int) -> None:
    whole = [feature(point(0.1, -1e-7), **{f"p{k}": v for k, v in p.items()}) for p in properties]
    text = json.dumps({"name": "n", "features": whole, "type": "FeatureCollection"}, ensure_ascii=False)
    pieces = iter([text[i : i + piece] for i in range(0, len(text), piece)])
    head: dict[str, Any] = {}
    assert list(features(JsonStream(pieces, "t"), head)) == whole
    assert head["name"] == "n"


KML = """<?xml version="1.0" encoding="{encoding}"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>全市</name>
<Schema id="s"><SimpleField name="层数" type="int"/></Schema>
<Folder><name>学校</name>
 <Placemark><name>一小</name><description><![CDATA[<b>好</b>]]></description>
  <ExtendedData><Data name="人数"><value>900</value></Data></ExtendedData>
  <Point><coordinates> 116.5,31.7,12 </coordinates></Point></Placemark>
 <Placemark><name>无</name></Placemark>
</Folder>
<Folder><name>道路</name>
 <Placemark><name>路</name><ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="层数">3</SimpleData></SchemaData>
  </ExtendedData><LineString><coordinates>116,31 116.1, 31.1
  116.2,31.2</coordinates></LineString></Placemark>
 <Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 4,0 4,4 0,4 0,0</coordinates></LinearRing>
  </outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>1,1 2,1 2,2 1,1</coordinates></LinearRing>
  </innerBoundaryIs></Polygon></Placemark>
 <Placemark><MultiGeometry><Point><coordinates>1,2</coordinates></Point><Point><coordinates>3,4</coordinates></Point>
  </MultiGeometry></Placemark>
 <Placemark><gx:Track><gx:coord>1 2 3</gx:coord><gx:coord>4 5 6</gx:coord></gx:Track></Placemark>
 <Placemark><Point><coordinates>东经116度</coordinates></Point></Placemark>
 <Placemark><LineString><coordinates>1,1</coordinates></LineString></Placemark>
</Folder></Document></kml>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "UTF-16"])
def test_kml_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.kml"
    path.write_bytes(KML.format(encoding=encoding).encode(encoding))
    source = open_source(path)
    table, rows, geometries = read_all(source)
    assert rows == [1, 3, 4, 5, 6]
    assert [g.wkt for g in geometries] == [
        "POINT (116.5 31.7)", "LINESTRING (116 31, 116.1 31.1, 116.2 31.2)",
        "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))", "MULTIPOINT ((1 2), (3 4))",
        "LINESTRING (1 2, 4 5)",
    ]  # fmt: skip
    assert table.slice(0, 2).to_pylist() == [
        {"name": "一小", "folder": "全市/学校", "description": "<b>好</b>", "人数": "900", "层数": None},
        {"name": "路", "folder": "全市/道路", "description": None, "人数": None, "层数": "3"},
    ]
    assert refused(source) == [(2, "no-geometry"), (7, "bad-geometry"), (8, "bad-geometry")]
    assert not next(d.sure for d in source.findings.decisions if d.about == "crs")


def test_kmz_and_one_folder_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", KML.format(encoding="UTF-8"))
    assert read_all(open_source(path, ReadOptions(layer="学校")))[1] == [1]
    with pytest.raises(BadInput, match="no folder '医院'"):
        open_source(path, ReadOptions(layer="医院"))


@pytest.mark.realdata
@pytest.mark.parametrize("source", ["amap", "tianditu"])
def test_real_districts(realdata: Path, source: str) -> None:
    opened = open_source(realdata / f"admin/districts_wgs84_{source}.gpkg", ReadOptions(layer="luan"))
    table, rows, geometries = read_all(opened)
    assert (opened.crs, rows, opened.findings.rejects) == ("EPSG:4326", list(range(1, 8)), [])
    assert "金安区" in table["district_name"].to_pylist()
    square_km = gpd.GeoSeries(geometries, crs=4326).to_crs("EPSG:6933").area.sum() / 1e6
    assert square_km == pytest.approx(15_451, rel=0.01)


@pytest.mark.realdata
def test_real_geojson_districts(realdata: Path) -> None:
    files = sorted((realdata / "admin/gcj02").glob("*.geojson"))
    assert len(files) == 47
    for path in files:
        opened = open_source(path)
        _, rows, geometries = read_all(opened)
        assert (rows, opened.findings.rejects) == ([1], [])
        assert geometries[0].geom_type in ("Polygon", "MultiPolygon")
