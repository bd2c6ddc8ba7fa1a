"""From the city's own metres to the coordinates that files carry.

The shifts to GCJ-02 and BD-09 are written here a second time, apart from the platform's own: a sample made with the
code that it is to test would prove nothing.
"""

import numpy as np
import pyproj
import shapely

from sample_city.lattice import CENTRE_E_M, CENTRE_N_M, Floats

_A, _EE = 6378245.0, 0.00669342162296594323
_BD = np.pi * 3000 / 180
_TO_LONLAT = pyproj.Transformer.from_crs(4548, 4490, always_xy=True)


def projected(xy: Floats, *, prefix: int = 0) -> Floats:
    """Easting and northing in EPSG:4548; with `prefix` 39 in EPSG:4527. To the centimetre."""
    moved: Floats = np.round(xy + np.array([CENTRE_E_M + prefix * 1_000_000, CENTRE_N_M]), 2)
    return moved


def lonlat(xy: Floats) -> Floats:
    """Longitude and latitude (CGCS2000, taken as WGS 84), seven decimals."""
    east, north = (np.asarray(xy) + np.array([CENTRE_E_M, CENTRE_N_M])).T
    return np.round(np.stack(_TO_LONLAT.transform(east, north), axis=-1), 7)


def gcj02(degrees: Floats) -> Floats:
    """GCJ-02 of WGS 84 points (longitude, latitude), not rounded."""
    x, y = degrees[:, 0] - 105, degrees[:, 1] - 35
    phi = np.radians(degrees[:, 1])
    m = 1 - _EE * np.sin(phi) ** 2
    common = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3 + 0.1 * np.sqrt(np.abs(x)) + 0.1 * x * y
    east = 300 + x + 2 * y + 0.1 * x * x + common + _waves(x, (150.0, 12), (300.0, 30))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + common + 0.1 * np.sqrt(np.abs(x)) + _waves(y, (160.0, 12), (320.0, 30))
    d_lon = east * 180 / (_A / np.sqrt(m) * np.cos(phi) * np.pi)
    d_lat = north * 180 / (_A * (1 - _EE) / (m * np.sqrt(m)) * np.pi)
    return np.stack([degrees[:, 0] + d_lon, degrees[:, 1] + d_lat], axis=-1)


def bd09(degrees: Floats) -> Floats:
    """BD-09 of WGS 84 points (longitude, latitude), not rounded."""
    x, y = gcj02(degrees).T
    z = np.hypot(x, y) + 2e-5 * np.sin(y * _BD)
    theta = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD)
    return np.stack([z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006], axis=-1)


def dms(degrees: float) -> str:
    """Degrees, minutes and seconds as surveyors write them: 116°31′00.36″."""
    hundredths = round(degrees * 360_000)
    whole, rest = divmod(hundredths, 360_000)
    minutes, seconds = divmod(rest, 6000)
    return f"{whole}°{minutes:02d}′{seconds / 100:05.2f}″"


def as_lonlat(shapes: list[shapely.Geometry]) -> list[shapely.Geometry]:
    """Shapes in metres from the centre as shapes in degrees."""
    return list(shapely.transform(np.array(shapes, dtype=object), lonlat))


def as_projected(shapes: list[shapely.Geometry], *, prefix: int = 0) -> list[shapely.Geometry]:
    """Shapes in metres from the centre as shapes in EPSG:4548, or 4527 with `prefix` 39."""
    return list(shapely.transform(np.array(shapes, dtype=object), lambda xy: projected(xy, prefix=prefix)))


def _waves(along: Floats, long: tuple[float, float], longest: tuple[float, float]) -> Floats:
    waves: Floats = 20 * np.sin(np.pi * along) + 40 * np.sin(np.pi * along / 3)
    for height, period in (long, longest):
        waves = waves + height * np.sin(np.pi * along / period)
    return waves * 2 / 3
