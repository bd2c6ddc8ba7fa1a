import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.geo import cells, offset

WGS_GCJ = [
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.5167665, 31.7357571), (116.52185809966477, 31.733700005197935)),
    ((106.5478343, 29.565849), (106.55155903078311, 29.563008979271604)),
]
GCJ_BD = [
    ((116.404, 39.915), (116.41036949371029, 39.92133699351021)),
    ((116.52185809966477, 31.733700005197935), (116.52826959892276, 31.740049619897594)),
    ((106.55155903078311, 29.563008979271604), (106.55799383477105, 29.569302072641655)),
]


@pytest.mark.parametrize(("wgs", "gcj"), WGS_GCJ)
def test_gcj02_vectors(wgs, gcj):
    assert offset.wgs84_to_gcj02(*wgs) == pytest.approx(gcj, abs=1e-12, rel=0)
    assert offset.gcj02_to_wgs84(*gcj) == pytest.approx(wgs, abs=1e-12, rel=0)


@pytest.mark.parametrize(("gcj", "bd"), GCJ_BD)
def test_bd09_vectors(gcj, bd):
    assert offset.gcj02_to_bd09(*gcj) == pytest.approx(bd, abs=1e-12, rel=0)
    assert offset.bd09_to_gcj02(*bd) == pytest.approx(gcj, abs=1e-12, rel=0)


def test_the_published_bd09_inverse_is_near_the_exact_one():
    published = (116.39762729119315, 39.90865673957631)
    closed = offset._bd09_closed_inverse(np.array([116.404]), np.array([39.915]))
    assert (closed[0][0], closed[1][0]) == pytest.approx(published, abs=1e-12, rel=0)
    exact = offset.bd09_to_gcj02(116.404, 39.915)
    assert exact == pytest.approx(published, abs=1e-6, rel=0)
    assert offset.gcj02_to_bd09(*exact) == pytest.approx((116.404, 39.915), abs=1e-12, rel=0)


def test_bd09_of_wgs84_in_one_step():
    (lon, lat), bd = WGS_GCJ[4][0], GCJ_BD[1][1]
    assert offset.wgs84_to_bd09(lon, lat) == pytest.approx(bd, abs=1e-12, rel=0)
    assert offset.bd09_to_wgs84(*bd) == pytest.approx((lon, lat), abs=1e-12, rel=0)


def test_inverse_is_exact_over_all_china():
    rng = np.random.default_rng(20_000)
    lon, lat = rng.uniform(73, 135, 20_000), rng.uniform(3, 54, 20_000)
    for there, back in (
        (offset.wgs84_to_gcj02, offset.gcj02_to_wgs84),
        (offset.gcj02_to_bd09, offset.bd09_to_gcj02),
        (offset.wgs84_to_bd09, offset.bd09_to_wgs84),
    ):
        again_lon, again_lat = back(*there(lon, lat))
        assert max(np.abs(again_lon - lon).max(), np.abs(again_lat - lat).max()) < 2e-13


west, south, east, north = offset.BOX


@given(st.floats(west, east), st.floats(south, north))
def test_inverse_holds_up_to_the_edge_of_the_box(lon, lat):
    assert offset.gcj02_to_wgs84(*offset.wgs84_to_gcj02(lon, lat)) == pytest.approx((lon, lat), abs=1e-11, rel=0)


@pytest.mark.parametrize(
    ("lon", "lat"), [(72.0, 30), (139, 35.7), (0, 0), (-116, 40), (116, -31), (116, 56), (180, 90)]
)
def test_nothing_is_shifted_abroad(lon, lat):
    assert offset.wgs84_to_gcj02(lon, lat) == (lon, lat)
    assert offset.gcj02_to_wgs84(lon, lat) == (lon, lat)


def test_shapes_are_kept_and_unusable_values_become_nan():
    lon = np.array([[116.5, np.nan, np.inf], [0.0, 116.5, 1e300]])
    for convert in (offset.wgs84_to_gcj02, offset.gcj02_to_wgs84, offset.gcj02_to_bd09, offset.bd09_to_gcj02):
        x, y = convert(lon, 31.7)
        assert x.shape == y.shape == (2, 3)
        assert np.isnan(x[0, 1:]).all() and np.isnan(y[0, 1:]).all()
    assert offset.gcj02_to_wgs84([], [])[0].size == 0


@pytest.mark.parametrize(("wgs", "metres"), [((116.5167665, 31.7357571), 534), ((106.5478343, 29.565849), 479)])
def test_the_shift_is_another_cell(wgs, metres):
    lon, lat = offset.wgs84_to_gcj02(*wgs)
    east_m = (lon - wgs[0]) * 111_320 * np.cos(np.radians(wgs[1]))
    assert np.hypot(east_m, (lat - wgs[1]) * 110_900) == pytest.approx(metres, abs=3)
    assert cells.cells(*wgs, 9) != cells.cells(lon, lat, 9)


@pytest.mark.realdata
def test_cities_as_map_vendors_give_them(realdata):
    rows = json.loads((realdata / "crs" / "china_cities_wgs84_gcj02_bd09.json").read_text(encoding="utf-8"))
    wgs, gcj, bd = (np.array([row["coords"][datum] for row in rows]).T for datum in ("WGS84", "GCJ02", "BD09"))
    assert len(rows) == 664
    assert np.abs(np.array(offset.wgs84_to_gcj02(*wgs)) - gcj).max() < 7.4e-6
    assert np.abs(np.array(offset.gcj02_to_wgs84(*gcj)) - wgs).max() < 7.4e-6
    assert np.abs(np.array(offset.gcj02_to_bd09(*gcj)) - bd).max() < 9.9e-8
    assert np.abs(np.array(offset.bd09_to_gcj02(*bd)) - gcj).max() < 9.9e-8
