import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from gis.geo import mercator

PROJ = Transformer.from_crs(4326, 3857, always_xy=True)


def test_agrees_with_proj():
    rng = np.random.default_rng(3857)
    lon, lat = rng.uniform(-180, 180, 100_000), rng.uniform(-mercator.MAX_LATITUDE, mercator.MAX_LATITUDE, 100_000)
    x, y = mercator.to_mercator(lon, lat)
    expected_x, expected_y = PROJ.transform(lon, lat)
    assert max(np.abs(x - expected_x).max(), np.abs(y - expected_y).max()) < 1e-6
    lon_again, lat_again = mercator.from_mercator(expected_x, expected_y)
    assert max(np.abs(lon_again - lon).max(), np.abs(lat_again - lat).max()) < 1e-11


@pytest.mark.parametrize(
    ("lon", "lat", "x", "y"),
    [
        (0, 0, 0, 0),
        (180, 85.0511287798066, 20037508.342789244, 20037508.342789244),
        (-180, -90, -20037508.342789244, -20037508.342789244),
        (200, 90, 20037508.342789244, 20037508.342789244),
    ],
)
def test_corners_are_clamped_to_the_tile_limit(lon, lat, x, y):
    assert mercator.to_mercator(lon, lat) == pytest.approx((x, y), abs=1e-6)


def test_nan_and_infinity():
    x, y = mercator.to_mercator([np.nan, np.inf, 1.0], [1.0, -np.inf, np.nan])
    assert np.isnan(x).tolist() == [True, False, False] and np.isnan(y).tolist() == [False, False, True]
    assert mercator.from_mercator([np.nan, 1e30], [0.0, -1e30])[1].tolist() == pytest.approx(
        [0.0, -mercator.MAX_LATITUDE]
    )


@given(st.floats(-180, 180), st.floats(-85.05, 85.05))
def test_there_and_back(lon, lat):
    assert mercator.from_mercator(*mercator.to_mercator(lon, lat)) == pytest.approx((lon, lat), abs=1e-11, rel=0)
