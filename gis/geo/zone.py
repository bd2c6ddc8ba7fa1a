"""Gauss-Krüger zones of CGCS2000: which zone a longitude falls in, and the EPSG code of its projected CRS.

EPSG 4491-4501 are 6-degree zones 13-23 with the zone number before the easting, 4502-4512 the same by central
meridian; 4513-4533 are 3-degree zones 25-45 with the number, 4534-4554 by central meridian. EPSG defines all of them
with northing before easting: x is always the easting here, and only this package swaps.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gis.errors import BadInput

FALSE_EASTING_M = 500_000.0
PREFIX_M = 1_000_000.0
"""The zone number is put before the easting in millions of metres."""

Width = Literal[3, 6]
_NUMBERS = {3: range(25, 46), 6: range(13, 24)}
_FIRST_EPSG = {(6, True): 4491, (6, False): 4502, (3, True): 4513, (3, False): 4534}


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone: its width in degrees, its number, and whether eastings carry the number."""

    width: Width
    number: int
    prefix: bool

    def __post_init__(self) -> None:
        if self.number not in _NUMBERS[self.width]:
            low, high = _NUMBERS[self.width][0], _NUMBERS[self.width][-1]
            raise BadInput(
                f"there is no CGCS2000 {self.width}-degree zone {self.number}; they run from {low} to {high}",
                f"CGCS2000 没有 {self.width} 度带第 {self.number} 带;带号为 {low} 到 {high}",
                subject=str(self.number),
            )

    @classmethod
    def at(cls, lon: float, *, width: Width = 3, prefix: bool = False) -> "Zone":
        """The zone of a longitude in degrees; raises BadInput outside 73.5 to 136.5 (72 to 138 for 6-degree zones)."""
        return cls(width, int(zone_numbers(lon, width=width)), prefix)

    @classmethod
    def of_epsg(cls, code: int) -> "Zone | None":
        """The zone that an EPSG code stands for; None when it is none of CGCS2000."""
        return next((zone for zone in all_zones() if zone.epsg == code), None)

    @property
    def central_meridian(self) -> int:
        """The central meridian in degrees east."""
        return self.number * 3 if self.width == 3 else self.number * 6 - 3

    @property
    def epsg(self) -> int:
        """The EPSG code of its projected CRS."""
        return _FIRST_EPSG[self.width, self.prefix] + self.number - _NUMBERS[self.width][0]

    @property
    def crs(self) -> str:
        """Its CRS as `crs.normalise` writes it."""
        return f"EPSG:{self.epsg}"


def all_zones() -> Iterator[Zone]:
    """Every CGCS2000 zone with and without prefix, 3-degree zones first."""
    for width in (3, 6):
        for prefix in (False, True):
            yield from (Zone(width, number, prefix) for number in _NUMBERS[width])


def zone_numbers(lon: ArrayLike, *, width: Width = 3) -> NDArray[np.int64]:
    """The zone number of each longitude: floor((lon + 1.5) / 3), or floor(lon / 6) + 1; not checked against China."""
    degrees = np.asarray(lon, dtype=np.float64)
    numbers = np.floor((degrees + 1.5) / 3.0) if width == 3 else np.floor(degrees / 6.0) + 1.0
    return np.asarray(numbers).astype(np.int64)


def prefix_zone(easting_m: float) -> Zone | None:
    """The zone that the millions of an easting name: 25-45 is a 3-degree zone, 13-23 a 6-degree one; else None."""
    number = int(easting_m // PREFIX_M)
    width: Width = 3 if number >= _NUMBERS[3][0] else 6
    return Zone(width, number, True) if number in _NUMBERS[width] else None


_WORDS = re.compile(r"cgcs2000|国家2000|2000国家|大地2000|2000坐标")
_WIDTH = re.compile(r"([36])(?:度|degree)")
_MERIDIAN = re.compile(r"(?:cm|中央经线|中央子午线)(\d{2,3})(?:e|度|°|$)")
_NUMBER = re.compile(r"(?:zone|第)(\d{2})|(\d{2})(?:带|号带)")


def named_zone(folded: str) -> Zone | None:
    """The zone that a name in people's words stands for: "cgcs20003度带中央经线117度", "国家20003度带39带".

    `folded` is lower case without blanks and punctuation. A zone named by number carries the prefix, one named by
    central meridian does not.
    """
    width = _WIDTH.search(folded)
    if not (_WORDS.search(folded) and width):
        return None
    meridian, number = _MERIDIAN.search(folded), _NUMBER.search(folded, width.end())
    if meridian:
        named = [z for z in all_zones() if z.central_meridian == int(meridian[1]) and not z.prefix]
        return next((z for z in named if z.width == int(width[1])), None)
    if not number:
        return None
    wanted = int(number[1] or number[2])
    return next((z for z in all_zones() if (z.width, z.number, z.prefix) == (int(width[1]), wanted, True)), None)
