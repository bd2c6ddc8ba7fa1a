"""The grid of tiles that web maps use: WebMercatorQuad of OGC 17-083r4, zoom 0 to 24, y from the north."""

import math
from dataclasses import dataclass

from gis.errors import NotFound
from gis.geo.mercator import HALF_WIDTH_M

MATRIX_SET = "WebMercatorQuad"
MATRIX_SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MAX_ZOOM = 24
#: Units of a tile's own grid, and how far beyond its edge shapes go on, so that no line or symbol is cut at it.
EXTENT = 4096
MARGIN = 64

_WIDTH_M = 2 * HALF_WIDTH_M


@dataclass(frozen=True, slots=True)
class Tile:
    """One square of the grid. Raises NotFound where the grid has no such tile."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        """Refuse what lies outside the grid."""
        if not (0 <= self.z <= MAX_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise NotFound(
                f"{MATRIX_SET} has no tile {self.text}: zoom is 0 to {MAX_ZOOM}, row and column below 2^zoom",
                f"{MATRIX_SET} 没有瓦片 {self.text}:级别为 0 至 {MAX_ZOOM},行列号小于 2 的级别次方",
                subject=self.text,
            )

    @property
    def text(self) -> str:
        """`z/y/x`, as OGC paths have it: level, row, column."""
        return f"{self.z}/{self.y}/{self.x}"

    @property
    def side_m(self) -> float:
        """The tile's side in metres of EPSG:3857."""
        return _WIDTH_M / (1 << self.z)

    @property
    def bounds_3857(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres of EPSG:3857."""
        west, north = self.x * self.side_m - HALF_WIDTH_M, HALF_WIDTH_M - self.y * self.side_m
        return west, north - self.side_m, west + self.side_m, north

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south, east, north = self.bounds_3857
        return _lon(west), _lat(south), _lon(east), _lat(north)

    @property
    def shifts_m(self) -> tuple[float, ...]:
        """By how many metres east shapes are drawn: where they are, and at the antimeridian once around the globe."""
        west_edge, east_edge = self.x == 0, self.x == (1 << self.z) - 1
        return (0.0, *([-_WIDTH_M] if west_edge else []), *([_WIDTH_M] if east_edge else []))

    @property
    def reach(self) -> tuple[tuple[float, float, float, float], ...]:
        """The boxes in degrees that hold everything to be drawn, margin included, one for each shift."""
        west, south, east, north = self.bounds_3857
        margin = self.side_m * MARGIN / EXTENT
        return tuple(
            (
                _lon(max(west - margin - shift, -HALF_WIDTH_M)),
                _lat(south - margin),
                _lon(min(east + margin - shift, HALF_WIDTH_M)),
                _lat(north + margin),
            )
            for shift in self.shifts_m
        )


def _lon(x_m: float) -> float:
    return x_m / HALF_WIDTH_M * 180.0


def _lat(y_m: float) -> float:
    return math.degrees(math.atan(math.sinh(y_m / HALF_WIDTH_M * math.pi)))
