"""Which of two coordinate columns points east: by what the values can be, since names often say the contrary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.exchange.readers.angles import Readings
from gis.exchange.readers.coordinate_names import Role
from gis.text import Text

#: Extent of China in degrees and in Gauss-Krüger metres (GB/T 17278, CGCS2000: false easting 500 km).
CHINA_LONGITUDES = (73.0, 136.0)
CHINA_LATITUDES = (3.0, 54.0)
NORTHINGS_M = (2_000_000.0, 6_000_000.0)
EASTINGS_M = (100_000.0, 900_000.0)
ZONED_EASTINGS_M = (13_000_000.0, 46_000_000.0)

_NEARLY_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Axes:
    """Whether the two columns change places to become x (east) and y (north), and whether they are metres.

    `easting_m` is a typical easting when they are. `evidence` is None when names and values simply agree.
    """

    swapped: bool
    metres: bool
    easting_m: float | None = None
    evidence: Text | None = None
    sure: bool = True


def settle_axes(x: Readings, y: Readings, role: Role) -> Axes:
    """The axes of two columns, of which `x` is the eastern one by its name; `role` is that name's meaning."""
    a, b = _present(x), _present(y)
    if not len(a) or not len(b):
        return Axes(False, role is Role.EASTING)
    median_a, median_b = float(np.median(a)), float(np.median(b))
    if abs(median_a) <= 180 and abs(median_b) <= 180:
        return _degrees(x, y, role)
    return _metres(median_a, median_b, role)


def share_within(values: NDArray[np.float64], low: float, high: float) -> float:
    """The share of values in a closed range; 0 for none at all."""
    return float(np.mean((values >= low) & (values <= high))) if len(values) else 0.0


def _present(readings: Readings) -> NDArray[np.float64]:
    values = readings.values
    kept: NDArray[np.float64] = values[~np.isnan(values) & (values != 0)]
    return kept


def _degrees(x: Readings, y: Readings, role: Role) -> Axes:
    if x.axis == "y" and y.axis == "x":
        return Axes(True, False, None, Text("数值自带 N/S 与 E/W 标记", "the values carry N/S and E/W themselves"))
    a, b = _present(x), _present(y)
    beyond = share_within(np.abs(b), 90.000001, 180) >= _NEARLY_ALL and share_within(a, -90, 90) >= _NEARLY_ALL
    mirrored = share_within(a, *CHINA_LATITUDES) >= _NEARLY_ALL and share_within(b, *CHINA_LONGITUDES) >= _NEARLY_ALL
    if not (beyond or mirrored):
        return Axes(False, False)
    example = f"{a[0]:g} / {b[0]:g}"
    if role is Role.X:
        return Axes(True, False, None, Text(
            f"数值(如 {example})表明 X 为纬度、Y 为经度",
            f"the values (such as {example}) say that X is north and Y east",
        ))  # fmt: skip
    return Axes(True, False, None, Text(
        f"列名与数值相反:几乎所有行的经度像纬度、纬度像经度(如 {example}),已对调",
        f"names and values disagree: nearly all longitudes read as latitudes and vice versa ({example}); swapped",
    ), sure=False)  # fmt: skip


def _metres(a: float, b: float, role: Role) -> Axes:
    if _is_easting(a) and _is_northing(b):
        return Axes(False, True, a)
    if _is_northing(a) and _is_easting(b):
        by_survey = role is not Role.EASTING
        return Axes(True, True, b, Text(
            f"{a:.0f} 为北坐标、{b:.0f} 为东坐标:" + ("测量惯例 X 指北、Y 指东" if by_survey else "与列名相反,已对调"),
            f"{a:.0f} is a northing and {b:.0f} an easting: "
            + ("surveyors' X points north and Y east" if by_survey else "the names say the contrary; swapped"),
        ), sure=by_survey)  # fmt: skip
    return Axes(False, True, a, Text(
        f"数值 {a:.0f} / {b:.0f} 不像我国高斯投影坐标,按列名取东、北",
        f"{a:.0f} / {b:.0f} are no Gauss-Krüger coordinates of China; east and north are taken as named",
    ), sure=False)  # fmt: skip


def _is_northing(value: float) -> bool:
    return NORTHINGS_M[0] <= value <= NORTHINGS_M[1]


def _is_easting(value: float) -> bool:
    return EASTINGS_M[0] <= value <= EASTINGS_M[1] or ZONED_EASTINGS_M[0] <= value <= ZONED_EASTINGS_M[1]
