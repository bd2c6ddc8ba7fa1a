import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from gis.errors import BadInput
from gis.geo import crs
from gis.geo.zone import Zone, all_zones, prefix_zone, zone_numbers

POINTS = [
    ("Chongqing", 106.5478343, 29.565849, 36, 108, 4545, 359272.2862, 3272868.3625, 4524),
    ("Lu'an", 116.5167665, 31.7357571, 39, 117, 4548, 454207.0338, 3512653.5696, 4527),
    ("Linyi", 118.3507002, 35.1050725, 39, 117, 4548, 623149.0185, 3887084.6616, 4527),
    ("Taizhou", 119.9183831, 32.4580023, 40, 120, 4549, 492326.3445, 3592643.6214, 4528),
    ("edge, east", 118.5, 32.0, 40, 120, 4549, 358253.1336, 3542835.8176, 4528),
    ("edge, west", 118.4999999, 32.0, 39, 117, 4548, 641746.8569, 3542835.8175, 4527),
]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point[0])
def test_three_degree_zones(point):
    _, lon, lat, number, meridian, plain, east, north, prefix = point
    zone = Zone.at(lon)
    assert (zone.number, zone.central_meridian, zone.epsg) == (number, meridian, plain)
    assert Zone.at(lon, prefix=True).epsg == prefix
    assert crs.from_wgs84(lon, lat, f"EPSG:{plain}") == pytest.approx((east, north), abs=1e-3)
    assert crs.from_wgs84(lon, lat, f"EPSG:{prefix}") == pytest.approx((east + number * 1e6, north), abs=1e-3)
    assert crs.to_wgs84(east, north, zone.crs) == pytest.approx((lon, lat), abs=2e-9, rel=0)


def test_every_zone_is_what_epsg_says():
    zones = list(all_zones())
    assert [z.epsg for z in sorted(zones, key=lambda z: z.epsg)] == list(range(4491, 4555))
    for zone in zones:
        known = {p.name: p.value for p in CRS.from_epsg(zone.epsg).coordinate_operation.params}
        assert known["Longitude of natural origin"] == zone.central_meridian
        assert known["Scale factor at natural origin"] == 1
        assert known["False easting"] == 500_000 + (zone.number * 1_000_000 if zone.prefix else 0)
        assert Zone.of_epsg(zone.epsg) == zone
    assert Zone.of_epsg(4326) is None


def test_six_degree_zones():
    assert Zone.at(116.5, width=6).central_meridian == 117
    assert (Zone.at(116.5, width=6).epsg, Zone.at(116.5, width=6, prefix=True).epsg) == (4509, 4498)
    assert zone_numbers(np.array([72.0, 77.999, 78.0, 137.9]), width=6).tolist() == [13, 13, 14, 23]


@given(st.floats(73.5, 136.49))
def test_a_longitude_lies_in_its_zone(lon):
    assert abs(lon - Zone.at(lon).central_meridian) <= 1.5
    assert abs(lon - Zone.at(lon, width=6).central_meridian) <= 3


@pytest.mark.parametrize("lon", [73.4, 136.6, -116.0, 0.0])
def test_longitudes_outside_china_have_no_zone(lon):
    with pytest.raises(BadInput, match="25 to 45"):
        Zone.at(lon)


@pytest.mark.parametrize(
    ("easting", "epsg"),
    [
        (39_454_207, 4527),
        (36_359_272, 4524),
        (20_454_207, 4498),
        (454_207, None),
        (24_500_000, None),
        (46_500_000, None),
    ],
)
def test_the_prefix_of_an_easting_names_its_zone(easting, epsg):
    zone = prefix_zone(easting)
    assert (zone.epsg if zone else None) == epsg


ESRI = CRS.from_epsg(4548).to_wkt("WKT1_ESRI")
LOCAL = ESRI.replace("500000.0", "50000.0")

SPELLINGS = [
    ("gcj02", "GCJ-02"), ("GCJ-02", "GCJ-02"), ("火星坐标", "GCJ-02"), ("高德", "GCJ-02"), ("ＧＣＪ０２", "GCJ-02"),
    ("bd09ll", "BD-09"), ("BD-09", "BD-09"), ("百度坐标系", "BD-09"),
    ("WGS 84", "EPSG:4326"), ("wgs-84", "EPSG:4326"), ("EPSG:4326", "EPSG:4326"), ("OGC:CRS84", "EPSG:4326"),
    ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"), ("4326", "EPSG:4326"), (4548, "EPSG:4548"),
    ("CGCS2000", "EPSG:4490"), ("国家2000", "EPSG:4490"), ("http://www.opengis.net/def/crs/EPSG/0/4490", "EPSG:4490"),
    ("epsg:4548", "EPSG:4548"), ("urn:ogc:def:crs:EPSG::4548", "EPSG:4548"),
    ("CGCS2000 / 3-degree GK CM 117E", "EPSG:4548"), ("CGCS2000_3_Degree_GK_CM_117E", "EPSG:4548"),
    ("CGCS2000 / 3-degree Gauss-Kruger CM 117E", "EPSG:4548"), ("国家2000 3度带 中央经线117度", "EPSG:4548"),
    ("CGCS2000_3_Degree_GK_Zone_39", "EPSG:4527"), ("CGCS2000 3度带 39带", "EPSG:4527"),
    ("CGCS2000 6度带 第20带", "EPSG:4498"), ("CGCS2000 / Gauss-Kruger CM 117E", "EPSG:4509"),
    (ESRI, "EPSG:4548"), (CRS.from_epsg(4527).to_wkt(), "EPSG:4527"), (CRS.from_epsg(4490).to_wkt(), "EPSG:4490"),
    ("EPSG:3857", "EPSG:3857"), ("web mercator", "EPSG:3857"), ("EPSG:32650", "EPSG:32650"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "normal"), SPELLINGS)
def test_spellings(name, normal):
    assert crs.normalise(name) == normal
    assert crs.normalise(normal) == normal


@pytest.mark.parametrize(
    "name", ["", "foo", "EPSG:999999", "99999999999999999999", "EPSG:5773", "六安", "BD09MC", "[]"]
)
def test_unknown_names_are_named(name):
    with pytest.raises(BadInput) as refused:
        crs.to_wgs84([1.0], [1.0], name)
    assert refused.value.subject == name and refused.value.text.zh


def test_a_local_system_under_a_standard_name_keeps_its_own_numbers():
    name = crs.normalise(LOCAL)
    assert name.startswith("PROJCRS")
    assert crs.to_wgs84(4207.0338, 3512653.5696, LOCAL) == pytest.approx((116.5167665, 31.7357571), abs=2e-9, rel=0)
    assert crs.caution(LOCAL) is not None


def test_shifted_datums_go_through_the_exact_inverse():
    gcj, bd = (116.52185809966477, 31.733700005197935), (116.52826959892276, 31.740049619897594)
    for name, shifted in (("火星坐标", gcj), ("bd09", bd)):
        assert crs.to_wgs84(*shifted, name) == pytest.approx((116.5167665, 31.7357571), abs=1e-12, rel=0)
        assert crs.from_wgs84(116.5167665, 31.7357571, name) == pytest.approx(shifted, abs=1e-12, rel=0)


def test_cgcs2000_is_wgs84_and_says_so():
    lon, lat = crs.to_wgs84([116.5], [31.7], "EPSG:4490")
    assert (lon[0], lat[0]) == (116.5, 31.7)
    said = crs.caution("EPSG:4548")
    assert said is not None and "centimetres" in said.en and "厘米" in said.zh
    assert crs.caution("WGS 84") is None and crs.caution("GCJ-02") is None
    old = crs.caution("EPSG:2383")
    assert old is not None and "100 m" in old.en and "西安" in old.zh


def test_places_out_of_reach_are_nan():
    x, y = crs.to_wgs84([454207.0338, 1e30, np.nan, np.inf], [3512653.5696, 0, 1, 1], "EPSG:4548")
    assert np.isnan(x).tolist() == np.isnan(y).tolist() == [False, True, True, True]
    lon, _ = crs.to_wgs84([np.nan, 116.0], [1.0, np.inf], "EPSG:4326")
    assert np.isnan(lon).all()


def test_the_input_is_never_changed():
    lon = np.array([116.5, 117.0])
    out, _ = crs.to_wgs84(lon, lon / 4, "EPSG:4490")
    out[:] = 0
    assert lon.tolist() == [116.5, 117.0]


def test_titles():
    assert crs.title("EPSG:4548").zh == "CGCS2000 3 度带 中央经线 117° (EPSG:4548)"
    assert "zone 39" in crs.title("EPSG:4527").en and "39 带" in crs.title("EPSG:4527").zh
    assert crs.title("gcj02").zh == "GCJ-02(火星坐标)" and crs.title("WGS84").en == "WGS 84 (EPSG:4326)"


@given(st.floats(75, 134), st.floats(5, 52), st.sampled_from(["GCJ-02", "BD-09", "EPSG:4490", "EPSG:3857", "zone"]))
def test_there_and_back(lon, lat, name):
    name = Zone.at(lon, prefix=True).crs if name == "zone" else name
    assert crs.to_wgs84(*crs.from_wgs84(lon, lat, name), name) == pytest.approx((lon, lat), abs=1e-10, rel=0)
