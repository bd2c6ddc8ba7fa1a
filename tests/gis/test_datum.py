import json
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.geo import crs, offset
from gis.geo.alignment import Plane, Surroundings, segments
from gis.geo.datum import LEAST_POINTS, Reference, detect, detect_shapes
from gis.text import Text

HOME = (116.52, 31.74)
BOX = (116.45, 31.68, 116.59, 31.80)
SHIFTED = ("EPSG:4326", "GCJ-02", "BD-09")
M_PER_DEGREE = 111_195.0
HALF_M = 2_500.0


def degrees(xy):
    return np.column_stack(
        [HOME[0] + xy[:, 0] / (M_PER_DEGREE * np.cos(np.radians(HOME[1]))), HOME[1] + xy[:, 1] / M_PER_DEGREE]
    )


def street_town(rng):
    """Streets 60 to 300 m apart that wander a little: lines in metres around the town's middle."""
    lines = []
    for turned in (False, True):
        at = np.cumsum(rng.uniform(60, 300, 60)) - HALF_M
        for start in at[at < HALF_M]:
            along = np.linspace(-HALF_M, HALF_M, 21)
            across = start + np.cumsum(rng.normal(0, 10, 21))
            lines.append(np.column_stack([across, along] if turned else [along, across]))
    return np.array([shapely.LineString(line) for line in lines])


def beside(rng, roads, count, low_m, high_m):
    """Points at a distance from a road, clear of all others by 60 % of the least distance."""
    picked = roads[rng.integers(0, len(roads), count * 4)]
    on = shapely.get_coordinates(
        shapely.line_interpolate_point(picked, rng.uniform(0, 1, len(picked)), normalized=True)
    )
    angle, radius = rng.uniform(0, 2 * np.pi, len(on)), rng.uniform(low_m, high_m, len(on))
    points = on + np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    nearest = shapely.STRtree(roads).query_nearest(shapely.points(points), all_matches=False, return_distance=True)[1]
    return points[(nearest >= 0.6 * low_m) & (np.abs(points) < HALF_M).all(axis=1)][:count]


def town(seed, kind, count=400):
    rng = np.random.default_rng(seed)
    roads = street_town(rng)
    spread = {"fixes": (0, 8), "addresses": (8, 30), "houses": (15, 60)}
    points = (
        rng.uniform(-HALF_M, HALF_M, (count, 2)) if kind == "anywhere" else beside(rng, roads, count, *spread[kind])
    )
    return SimpleNamespace(lonlat=degrees(points).T, roads=shapely.transform(roads, degrees))


@pytest.mark.parametrize("truth", SHIFTED)
@pytest.mark.parametrize("kind", ["fixes", "addresses", "houses"])
def test_shifted_datums_are_told_apart_by_roads(kind, truth):
    place = town(1, kind)
    verdict = detect(*crs.from_wgs84(*place.lonlat, truth), Reference(roads=place.roads))
    assert verdict.decided and verdict.best.crs == truth and not verdict.best.swapped
    assert verdict.open == (verdict.best,)
    assert crs.title(truth).en in verdict.text.en and "道路" in verdict.text.zh
    assert [score.score for score in verdict.ranking] == sorted((s.score for s in verdict.ranking), reverse=True)


@pytest.mark.slow
def test_what_is_decided_is_right():
    right = wrong = 0
    for seed in range(60):
        kind, truth = ("fixes", "addresses", "houses")[seed % 3], SHIFTED[seed // 3 % 3]
        place = town(100 + seed, kind, (60, 200, 500)[seed // 9 % 3])
        verdict = detect(*crs.from_wgs84(*place.lonlat, truth), Reference(roads=place.roads))
        right += verdict.decided and verdict.best.crs == truth
        wrong += verdict.decided and verdict.best.crs != truth
    assert wrong == 0 and right >= 35


def test_points_shifted_in_a_way_of_their_own_are_never_decided():
    for seed in range(12):
        place = town(300 + seed, ("fixes", "addresses")[seed % 2])
        angle = 2 * np.pi * seed / 12
        lon, lat = place.lonlat[0] + 0.0025 * np.cos(angle), place.lonlat[1] + 0.0025 * np.sin(angle)
        assert not detect(lon, lat, Reference(roads=place.roads)).decided


def test_points_anywhere_are_undecided():
    for seed in range(8):
        place = town(500 + seed, "anywhere")
        verdict = detect(*place.lonlat, Reference(roads=place.roads))
        assert not verdict.decided and {r.crs for r in verdict.open} == set(SHIFTED)
        assert "undecided" in verdict.text.en and "未能判定" in verdict.text.zh


def test_a_regular_grid_does_not_pretend():
    """Streets at exactly equal distances fit again when moved by one of them: no wrong answer is given."""
    lines = [np.array([[-HALF_M, at], [HALF_M, at]]) for at in np.arange(-HALF_M, HALF_M, 100.0)]
    roads = np.array([shapely.LineString(line) for line in lines + [line[:, ::-1] for line in lines]])
    rng = np.random.default_rng(9)
    points = degrees(beside(rng, roads, 300, 0, 8)).T
    for truth in SHIFTED:
        verdict = detect(*crs.from_wgs84(*points, truth), Reference(roads=shapely.transform(roads, degrees)))
        assert not verdict.decided or verdict.best.crs == truth


@pytest.mark.parametrize("truth", SHIFTED)
def test_buildings_hold_their_points(truth):
    rng = np.random.default_rng(4)
    corners = rng.uniform(-HALF_M, HALF_M, (500, 2))
    size = rng.uniform(10, 40, (500, 2))
    buildings = shapely.transform(shapely.box(*corners.T, *(corners + size).T), degrees)
    points = degrees(corners + size * rng.uniform(0.1, 0.9, (500, 2))).T
    verdict = detect(*crs.from_wgs84(*points, truth), Reference(buildings=buildings))
    assert verdict.decided and verdict.best.crs == truth
    assert verdict.ranking[0].fits[0][1].median_m == 0.0


@pytest.mark.parametrize("truth", SHIFTED)
def test_districts_follow_their_boundaries(truth):
    districts = _districts(np.random.default_rng(6))
    shapes = shapely.transform(districts, lambda c: np.column_stack(crs.from_wgs84(c[:, 0], c[:, 1], truth)))
    verdict = detect_shapes(shapes, Reference(districts=districts))
    assert verdict.decided and verdict.best.crs == truth
    assert "district boundary" in verdict.ranking[0].evidence.en


def _districts(rng):
    """Six districts that meet in the middle, with wandering outlines of 5 to 30 km."""
    spokes = [np.linspace([0, 0], [30_000 * np.cos(a), 30_000 * np.sin(a)], 60) for a in np.arange(6) * np.pi / 3 + 0.2]
    spokes = [line + np.cumsum(rng.normal(0, 120, line.shape), axis=0) * (line[:, :1] != 0) for line in spokes]
    rings = [np.vstack([a, b[::-1]]) for a, b in zip(spokes, spokes[1:] + spokes[:1], strict=True)]
    return shapely.make_valid(np.array([shapely.Polygon(degrees(ring)) for ring in rings]))


ZONES = ["EPSG:4548", "EPSG:4527", "EPSG:4498", "EPSG:3857"]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("swapped", [False, True])
def test_a_box_tells_zones_and_axes(name, swapped):
    lon, lat = town(2, "anywhere", 100).lonlat
    x, y = crs.from_wgs84(lon, lat, name)
    verdict = detect(*((y, x) if swapped else (x, y)), Reference(box=BOX))
    assert verdict.decided and (verdict.best.crs, verdict.best.swapped) == (name, swapped)
    placed = verdict.best.place(*((y, x) if swapped else (x, y)))
    assert np.allclose(placed, (lon, lat), atol=1e-8)
    assert ("axes swapped" in verdict.text.en) == swapped and ("坐标轴对调" in verdict.text.zh) == swapped


def test_six_degree_zones_without_prefix_are_named_far_from_their_meridian():
    lon, lat = np.random.default_rng(3).uniform([114.6, 31.0], [115.1, 31.5], (100, 2)).T
    verdict = detect(*crs.from_wgs84(lon, lat, "EPSG:4509"), Reference(box=(114.5, 30.9, 115.2, 31.6)))
    assert verdict.decided and verdict.best.crs == "EPSG:4509"


@pytest.mark.parametrize("swapped", [False, True])
def test_a_box_cannot_tell_shifted_datums_but_tells_the_axes(swapped):
    lon, lat = town(2, "addresses").lonlat
    verdict = detect(*((lat, lon) if swapped else (lon, lat)), Reference(box=BOX))
    assert not verdict.decided
    assert [(r.crs, r.swapped) for r in verdict.open] == [(name, swapped) for name in SHIFTED]
    assert "roads, buildings or districts" in verdict.text.en


def test_a_zone_without_prefix_stays_open_in_the_whole_country():
    x, y = crs.from_wgs84(*town(2, "anywhere", 100).lonlat, "EPSG:4548")
    verdict = detect(x, y, Reference(box=(73.0, 3.0, 136.0, 54.0)))
    assert not verdict.decided and "EPSG:4548" in {r.crs for r in verdict.open} and len(verdict.open) > 10
    assert "central meridian" in verdict.text.en


def test_districts_separate_zones_where_the_box_is_wider_than_a_zone():
    district = shapely.Polygon([(105.3, 28.2), (107.0, 28.2), (110.2, 31.5), (109.0, 32.2), (105.3, 30.0)])
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(105.4, 106.6, 300), rng.uniform(28.4, 29.8, 300)
    x, y = crs.from_wgs84(lon, lat, "EPSG:4545")
    verdict = detect(x, y, Reference(districts=np.array([district])))
    assert verdict.decided and verdict.best.crs == "EPSG:4545"


def test_few_points_decide_nothing():
    lon, lat = (column[: LEAST_POINTS - 1] for column in town(1, "fixes").lonlat)
    place = town(1, "fixes")
    many = detect(np.repeat(lon, 50), np.repeat(lat, 50), Reference(roads=place.roads))
    assert not many.decided and many.points == LEAST_POINTS - 1 and "few" in many.text.en
    x, y = crs.from_wgs84(lon, lat, "EPSG:4527")
    zone = detect(x, y, Reference(box=BOX))
    assert not zone.decided and zone.best.crs == "EPSG:4527"


@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([np.nan] * 30, [1.0] * 30), ([np.inf] * 30, [1.0] * 30), (range(300, 330), range(7_000_000, 7_000_030)),
     ([1e300] * 30, range(30))],
)  # fmt: skip
def test_nonsense_is_undecided(x, y):
    verdict = detect(x, y, Reference(box=BOX))
    assert not verdict.decided and verdict.open == () and verdict.text.zh


def test_points_elsewhere_are_said_to_be():
    verdict = detect(np.linspace(-80, -79, 50), np.linspace(40, 41, 50), Reference(box=BOX))
    assert not verdict.decided and "no reading" in verdict.text.en


def test_a_reference_is_needed():
    with pytest.raises(BadInput, match="compar"):
        detect([116.5], [31.7], Reference())
    with pytest.raises(BadInput, match="2 x and 1 y"):
        detect([116.5, 116.6], [31.7], Reference(box=BOX))


def test_the_same_file_gives_the_same_verdict():
    place = town(1, "addresses", 3_000)
    reference = Reference(roads=place.roads)
    assert detect(*place.lonlat, reference) == detect(*place.lonlat, reference)


def test_shapes_are_judged_by_what_places_them():
    place = town(1, "houses")
    houses = shapely.buffer(shapely.points(place.lonlat.T), 5e-5, quad_segs=2)
    some = np.append(houses, [None, shapely.Point()])
    verdict = detect_shapes(some, Reference(roads=place.roads))
    assert verdict.decided and verdict.best.crs == "EPSG:4326" and verdict.points == len(houses)


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.sampled_from(["fixes", "houses"]))
def test_gains_do_not_depend_on_the_order_of_points(seed, kind):
    place = town(7, kind, 60)
    plane = Plane(*HOME)
    surroundings = Surroundings(Text("道路", "road"), segments(place.roads), plane)
    points = plane.project(*place.lonlat)
    shuffled = np.random.default_rng(seed).permutation(points)
    assert surroundings.fit(points, 1).gain == pytest.approx(surroundings.fit(shuffled, 1).gain)


# Real data ------------------------------------------------------------------------------------------------------------

LU_AN = (341502, 341503, 341504, 341522, 341523, 341524, 341525)


@pytest.fixture(scope="module")
def lu_an(realdata):
    """The districts as a map vendor draws them in GCJ-02, and in WGS 84 from two sources."""
    import geopandas

    folder = realdata / "admin"
    shifted = [
        shapely.from_geojson((folder / "gcj02" / f"{code}.geojson").read_text(encoding="utf-8")) for code in LU_AN
    ]
    known = {}
    for source in ("amap", "tianditu"):
        frame = geopandas.read_file(folder / f"districts_wgs84_{source}.gpkg", layer="luan")
        known[source] = frame.set_index("district_adcode").loc[list(LU_AN)].geometry.to_numpy()
    return SimpleNamespace(gcj02=np.array(shifted), **known)


@pytest.mark.realdata
@pytest.mark.parametrize("source", ["amap", "tianditu"])
@pytest.mark.parametrize("truth", SHIFTED)
def test_lu_an_districts_are_detected(lu_an, source, truth):
    shapes = shapely.transform(lu_an.gcj02, lambda c: _from_gcj02(c, truth))
    verdict = detect_shapes(shapes, Reference(districts=getattr(lu_an, source)))
    assert verdict.decided and verdict.best.crs == truth


def _from_gcj02(points, truth):
    return np.column_stack(crs.from_wgs84(*offset.gcj02_to_wgs84(*points.T), truth))


@pytest.mark.realdata
def test_lu_an_converted_lies_on_its_twin(lu_an):
    """The twin is the same vendor's outline, thinned and rounded to four decimals, of another year.

    So its vertices, not its edges, must lie on the converted outline. They do, but for stretches that were redrawn
    between the two years: there neighbouring vertices are off together, by up to 1.1 km.
    """
    plane = Plane(*HOME)
    converted = shapely.transform(lu_an.gcj02, lambda c: plane.project(*offset.gcj02_to_wgs84(*c.T)))
    twins = shapely.transform(lu_an.amap, lambda c: plane.project(*c.T))
    off_m = [
        shapely.distance(shapely.points(shapely.get_coordinates(twin)), shapely.boundary(shape))
        for twin, shape in zip(twins, converted, strict=True)
    ]
    everything = np.concatenate(off_m)
    assert np.median(everything) < 0.1
    assert np.mean(everything < 1.0) > 0.85
    far = [distance >= 1.0 for distance in off_m]
    alone = sum(int((f & ~np.roll(f, 1) & ~np.roll(f, -1)).sum()) for f in far)
    assert alone <= 0.05 * sum(int(f.sum()) for f in far)
    raw = shapely.transform(lu_an.gcj02, lambda c: plane.project(*c.T))
    shift_m = shapely.distance(shapely.points(shapely.get_coordinates(raw)), shapely.boundary(shapely.union_all(twins)))
    assert np.median(shift_m) > 100


@pytest.fixture(scope="module")
def haidian(realdata):
    """Roads, and the centroids of buildings, in WGS 84."""
    tree = ET.parse(realdata / "osm" / "beijing_haidian.osm").getroot()
    nodes = {node.get("id"): (float(node.get("lon")), float(node.get("lat"))) for node in tree.iter("node")}
    ways = {"highway": [], "building": []}
    for way in tree.iter("way"):
        line = [nodes[ref.get("ref")] for ref in way.iter("nd") if ref.get("ref") in nodes]
        for key in {tag.get("k") for tag in way.iter("tag")} & ways.keys():
            if len(line) > 3 or (key == "highway" and len(line) > 1):
                ways[key].append(line)
    roads = np.array([shapely.LineString(line) for line in ways["highway"]])
    buildings = np.array([shapely.Polygon(line) for line in ways["building"]])
    return SimpleNamespace(roads=roads, centres=shapely.get_coordinates(shapely.centroid(buildings)).T)


@pytest.mark.realdata
@pytest.mark.parametrize("truth", SHIFTED)
@pytest.mark.parametrize("count", [520, 200])
def test_haidian_buildings_are_detected_against_the_roads(haidian, truth, count):
    x, y = crs.from_wgs84(*(column[:count] for column in haidian.centres), truth)
    verdict = detect(x, y, Reference(roads=haidian.roads))
    assert verdict.decided and verdict.best.crs == truth


@pytest.mark.realdata
def test_cities_of_china_leave_shifted_datums_open(realdata):
    rows = json.loads((realdata / "crs" / "china_cities_wgs84_gcj02_bd09.json").read_text(encoding="utf-8"))
    lon, lat = np.array([row["coords"]["GCJ02"] for row in rows]).T
    verdict = detect(lat, lon, Reference(box=(73.0, 3.0, 136.0, 54.0)))
    assert not verdict.decided and {(r.crs, r.swapped) for r in verdict.open} == {(name, True) for name in SHIFTED}
