"""Placing: which CRS is settled and why, and conversion to WGS 84."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.exchange.place import place
from gis.exchange.readers import ReadOptions, open_source
from gis.geo import crs
from gis.geo.datum import Reference
from tests.gis.given import BOW_TIE, LINE, LUAN, POINT, POLYGON, Given, datum, placed, points


@pytest.mark.parametrize(
    ("declared", "asked", "xy", "settled"),
    [
        ("EPSG:4326", None, LUAN, "EPSG:4326"),
        ("OGC:CRS84", None, LUAN, "EPSG:4326"),
        ("EPSG:4490", None, LUAN, "EPSG:4490"),
        ("EPSG:4548", None, (454207.0338, 3512653.5696), "EPSG:4548"),
        ("EPSG:4527", None, (39454207.0338, 3512653.5696), "EPSG:4527"),
        (None, "EPSG:4548", (454207.0338, 3512653.5696), "EPSG:4548"),
        (None, "GCJ-02", (116.52185809966477, 31.733700005197935), "GCJ-02"),
        ("EPSG:4326", "bd09", (116.52826959892276, 31.740049619897594), "BD-09"),
        (None, None, (39454207.0338, 3512653.5696), "EPSG:4527"),
    ],
)
@pytest.mark.parametrize("as_shapes", [False, True])
def test_every_crs_lands_at_the_same_place(
    declared: str | None, asked: str | None, xy: tuple[float, float], settled: str, as_shapes: bool
) -> None:
    many = np.array(xy) + np.linspace(0, 1e-4, 25)[:, np.newaxis]
    many[0] = xy
    source = Given(list(shapely.points(many)) if as_shapes else many, declared)
    placement, found, rejects = placed(source, POINT, crs=asked)
    assert placement.source_crs == settled
    assert datum(source).value == settled
    assert found[0] == pytest.approx(LUAN, abs=1e-7)
    assert rejects == []


def test_nothing_declared_and_undecided_asks_for_the_crs_with_the_ranking() -> None:
    with pytest.raises(BadInput, match="--crs") as caught:
        place(Given(points(*[(116.5 + i / 1e3, 31.7) for i in range(30)])), geometry=POINT)
    assert "GCJ-02" in caught.value.text.zh
    assert "WGS 84" in caught.value.text.en


@pytest.mark.parametrize(
    ("declared", "xy", "said"),
    [("EPSG:4548", LUAN, "cannot be"), ("EPSG:4326", (454207.0, 3512653.0), "cannot be")],
)
def test_numbers_that_cannot_be_in_the_declared_crs(declared: str, xy: tuple[float, float], said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        place(Given(points(xy, xy), declared), geometry=POINT)
    assert "--crs" in str(caught.value)


def test_latitude_first_is_turned_and_said() -> None:
    source = Given(points(*[(31.7 + i / 100, 116.5) for i in range(30)]), "EPSG:4326")
    _, found, rejects = placed(source, POINT)
    assert found[0] == [116.5, 31.7]
    assert rejects == []
    assert (datum(source).value, datum(source).sure) == ("EPSG:4326, axes swapped", False)


def test_an_unknown_crs_is_named() -> None:
    with pytest.raises(BadInput, match="EPSG:999999"):
        place(Given(points(LUAN)), geometry=POINT, crs="EPSG:999999")


def streets(seed: int = 7) -> np.ndarray[Any, Any]:
    """Irregular streets around Lu'an, about 100 to 300 m apart, WGS 84."""
    rng = np.random.default_rng(seed)
    east = 116.48 + np.cumsum(rng.uniform(0.001, 0.003, 25))
    north = 31.72 + np.cumsum(rng.uniform(0.001, 0.003, 25))
    lines = [[(x, north[0]), (x + rng.normal() * 1e-3, north[-1])] for x in east]
    lines += [[(east[0], y), (east[-1], y + rng.normal() * 1e-3)] for y in north]
    return np.array([shapely.LineString(line) for line in lines], dtype=object)


def on_streets(lines: np.ndarray[Any, Any], count: int = 600) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(1)
    where = shapely.line_interpolate_point(
        lines[rng.integers(0, len(lines), count)], rng.random(count), normalized=True
    )
    return shapely.get_coordinates(where) + rng.normal(scale=3e-5, size=(count, 2))


DECLARED = [
    # true datum, declared, firm, settled as, sure
    (crs.GCJ02, "EPSG:4326", False, crs.GCJ02, False),
    (crs.GCJ02, "EPSG:4326", True, "EPSG:4326", False),
    (crs.GCJ02, None, True, crs.GCJ02, True),
    (crs.BD09, None, True, crs.BD09, True),
    (crs.WGS84, "EPSG:4326", False, "EPSG:4326", True),
    (crs.WGS84, "EPSG:4490", True, "EPSG:4490", True),
    ("EPSG:4548", None, True, "EPSG:4548", True),
    ("EPSG:32650", "EPSG:32650", True, "EPSG:32650", True),
]


@pytest.mark.parametrize(("true", "declared", "firm", "settled", "sure"), DECLARED)
def test_the_evidence_against_the_declaration(
    true: str, declared: str | None, firm: bool, settled: str, sure: bool
) -> None:
    roads = streets()
    wgs84 = on_streets(roads)
    xy = np.column_stack(crs.from_wgs84(wgs84[:, 0], wgs84[:, 1], true))
    source = Given(xy, declared, firm=firm)
    placement, found, rejects = placed(source, POINT, reference=Reference(roads=roads))
    assert (placement.source_crs, datum(source).sure, rejects) == (settled, sure, [])
    if sure or settled == true:
        assert np.abs(np.array(found) - wgs84).max() < 1e-7
    else:
        assert "GCJ-02" in datum(source).evidence.en


def test_too_few_points_leave_the_declared_crs_and_say_so() -> None:
    source = Given(points(LUAN), "EPSG:4326", firm=False)
    placement, found, _ = placed(source, POINT, reference=Reference(roads=streets()))
    assert (placement.source_crs, found) == ("EPSG:4326", [list(LUAN)])
    assert not datum(source).sure
    assert "undecided" in datum(source).evidence.en


@given(st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), min_size=1, max_size=30))
def test_every_row_is_taken_or_listed(xy: list[tuple[float, float]]) -> None:
    source = Given(points(*xy), "EPSG:4326")
    try:
        _, found, rejects = placed(source, POINT)
    except BadInput:
        return
    assert len(found) + len(rejects) == len(xy)
    assert all(abs(x) <= 180 and abs(y) <= 90 for x, y in found)


def test_no_geometry_where_one_is_needed_names_the_columns() -> None:
    source = Given(None)
    source.findings.decide("columns", "n", "一列", "one column")
    with pytest.raises(BadInput, match=r"--x and --y\. Its columns: n"):
        place(source, geometry=POINT)
    rows = [len(b) for b in place(source, geometry=None).batches()]
    assert rows == [2]


def test_an_empty_source_needs_no_crs() -> None:
    placement = place(Given(points().reshape(0, 2)), geometry=POINT)
    assert (placement.source_crs, list(placement.batches())) == (None, [])


def test_a_second_reading_says_and_gives_the_same() -> None:
    source = Given([shapely.box(0, 0, 1, 1), BOW_TIE, None], "EPSG:4326")
    placement = place(source, geometry=POLYGON)
    first = [b.table.to_pylist() for b in placement.batches()]
    told = [(d.about, d.value) for d in source.findings.decisions]
    assert [b.table.to_pylist() for b in placement.batches()] == first
    assert [(d.about, d.value) for d in source.findings.decisions] == told
    assert source.findings.rejected == {"no-geometry": 1}


def test_a_geojson_in_disguise_is_found_out(tmp_path: Path) -> None:
    roads = streets()
    wgs84 = on_streets(roads)
    gcj02 = np.column_stack(crs.from_wgs84(wgs84[:, 0], wgs84[:, 1], crs.GCJ02))
    path = tmp_path / "a.geojson"
    features = [
        {"type": "Feature", "properties": {"n": i}, "geometry": {"type": "Point", "coordinates": xy}}
        for i, xy in enumerate(gcj02.tolist())
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    source = open_source(path)
    placement, found, _ = placed(source, POINT, reference=Reference(roads=roads))
    assert placement.source_crs == crs.GCJ02
    assert np.abs(np.array(found) - wgs84).max() < 1e-7


@pytest.mark.realdata
def test_real_districts_in_gcj02_are_detected_against_their_twins(realdata: Path) -> None:
    """The seven districts of Lu'an in GCJ-02, in files that say nothing, against the WGS 84 set of the same source."""
    twins = gpd.read_file(realdata / "admin/districts_wgs84_amap.gpkg", layer="luan").set_index("district_adcode")
    reference = Reference(districts=np.array(twins.geometry, dtype=object))
    for code, twin in twins.geometry.items():
        source = open_source(realdata / f"admin/gcj02/{code}.geojson")
        placement, found, rejects = placed(source, POLYGON, reference=reference)
        assert (placement.source_crs, rejects) == (crs.GCJ02, [])
        assert found[0].symmetric_difference(twin).area < 0.02 * twin.area


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".geojson", ".kml"])
def test_bad_coordinates_inside_files_are_listed(tmp_path: Path, suffix: str) -> None:
    good, far = shapely.LineString([(1, 1), (2, 2)]), shapely.LineString([(1, 1), (999, 2)])
    with np.errstate(invalid="ignore"):
        bad = shapely.LineString([(1, 1), (np.nan, 2), (3, 3)])
    path = tmp_path / f"a{suffix}"
    if suffix == ".kml":
        marks = ["1,1 2,2", "1,1 nan,2 3,3", "1,1 999,2", "1,1 2,2"]
        line = "<Placemark><LineString><coordinates>{}</coordinates></LineString></Placemark>"
        path.write_text("<kml>" + "".join(line.format(m) for m in marks) + "</kml>")
    elif suffix == ".geojson":
        rows = [[[1, 1], [2, 2]], [[1, 1], [float("nan"), 2], [3, 3]], [[1, 1], [999, 2]], [[1, 1], [2, 2]]]
        path.write_text("\n".join(json.dumps({"type": "LineString", "coordinates": c}) for c in rows))
        path = path.rename(path.with_suffix(".geojsonl"))
    else:
        frame = gpd.GeoDataFrame({"n": range(4)}, geometry=[good, bad, far, good], crs="EPSG:4326")
        frame.to_parquet(path) if suffix == ".parquet" else frame.to_file(path)
    source = open_source(path)
    _, found, rejects = placed(source, LINE)
    assert [s.wkt for s in found] == [good.wkt] * 2
    assert rejects == [(2, "nan-coordinate"), (3, "out-of-range")]


@pytest.mark.realdata
def test_real_layers_place_without_loss(realdata: Path) -> None:
    path = realdata / "osm/beijing_haidian.osm"
    for layer, geometry, count in (("roads", LINE, 684), ("buildings", POLYGON, 521), ("pois", POINT, 362)):
        source = open_source(path, ReadOptions(layer=layer))
        _, found, rejects = placed(source, geometry)
        assert (len(found), rejects) == (count, [])
