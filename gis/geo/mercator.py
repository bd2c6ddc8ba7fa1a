"""Longitude and latitude to Web Mercator (EPSG:3857) and back in numpy; several times as fast as a general transformer.

EPSG method 1024, Popular Visualisation Pseudo-Mercator, on the sphere of 6378137 m. Values beyond the square of the
tile scheme (OGC 17-083r2, WebMercatorQuad) are clamped to its edge.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

RADIUS_M = 6378137.0
HALF_WIDTH_M = float(np.pi * RADIUS_M)
"""Half the side of the square that the tiles cover, 20037508.34 m."""
MAX_LATITUDE = float(np.degrees(2.0 * np.arctan(np.exp(np.pi)) - np.pi / 2.0))
"""The latitude of the tile limit, 85.0511 degrees."""


def to_mercator(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees (WGS 84) to metres east and north; clamped to longitude ±180 and the tile limit. NaN stays NaN."""
    east = np.clip(np.asarray(lon, dtype=np.float64), -180.0, 180.0)
    north = np.clip(np.asarray(lat, dtype=np.float64), -MAX_LATITUDE, MAX_LATITUDE)
    x = np.asarray(east * (HALF_WIDTH_M / 180.0))
    y = np.asarray(RADIUS_M * np.arctanh(np.sin(np.radians(north))))
    return x, np.clip(y, -HALF_WIDTH_M, HALF_WIDTH_M)


def from_mercator(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres east and north to degrees (WGS 84); clamped to the square of the tile scheme. NaN stays NaN."""
    east = np.clip(np.asarray(x, dtype=np.float64), -HALF_WIDTH_M, HALF_WIDTH_M)
    north = np.clip(np.asarray(y, dtype=np.float64), -HALF_WIDTH_M, HALF_WIDTH_M)
    lat = np.degrees(np.arctan(np.sinh(north / RADIUS_M)))
    return np.asarray(east * (180.0 / HALF_WIDTH_M)), np.asarray(lat)
