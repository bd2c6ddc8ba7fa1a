"""The grids that tiles are cut on: OGC Two Dimensional Tile Matrix Set 2.0 (17-083r4); rows from the north.

Two are served: WebMercatorQuad, which web maps use, and CGCS2000Quad, the same division of longitude and latitude as
WorldCRS84Quad in China's geodetic system (EPSG:4490), which national base maps use.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from gis.errors import NotFound
from gis.geo.mercator import HALF_WIDTH_M, RADIUS_M, to_mercator
from gis.text import Text

Box = tuple[float, float, float, float]

MAX_ZOOM = 24
#: Units of a tile's own grid, and how far beyond its edge shapes go on, so that no line or symbol is cut at it.
EXTENT = 4096
MARGIN = 64

_CRS = "http://www.opengis.net/def/crs/EPSG/0/"
_SETS = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """One tile matrix set. Each zoom halves the tiles of the one before.

    `column` holds geometry in the grid's CRS, whose code in the database is `srid`: CGCS2000 is taken as WGS 84 there.
    `west`, `north` and `side` (of a tile at zoom 0) are in the CRS's own units, `unit_m` metres each at the equator;
    `columns` and `rows` are those of zoom 0; `around` is once around the globe.
    """

    id: str
    title: Text
    uri: str
    crs: str
    srid: int
    column: str
    columns: int
    rows: int
    west: float
    north: float
    side: float
    unit_m: float
    axes: tuple[str, str]

    @property
    def around(self) -> float:
        """Once around the globe, in the CRS's units."""
        return self.side * self.columns

    def spans(self, zoom: int, bounds: Box) -> tuple[range, range]:
        """The columns and the rows of the tiles that touch a box of degrees: west, south, east, north."""
        west, south, east, north = bounds
        if self.srid == 3857:
            x, y = to_mercator([west, east], [south, north])
            (west, east), (south, north) = x.tolist(), y.tolist()
        side = self.side / (1 << zoom)
        last_column, last_row = (self.columns << zoom) - 1, (self.rows << zoom) - 1
        left, right = (_within(math.floor((x - self.west) / side), last_column) for x in (west, east))
        top, bottom = (_within(math.floor((self.north - y) / side), last_row) for y in (north, south))
        return range(left, right + 1), range(top, bottom + 1)

    @property
    def envelope_sql(self) -> str:
        """A tile's square in SQL, in the CRS of the geometry column; its values are the tile's `envelope_args`."""
        return "ST_TileEnvelope(%s, %s, %s)" if self.srid == 3857 else "ST_MakeEnvelope(%s, %s, %s, %s, 4326)"


WEB_MERCATOR: Final = Grid(
    id="WebMercatorQuad", title=Text("Web 墨卡托瓦片矩阵集", "Google Maps compatible tiles in Web Mercator"),
    uri=f"{_SETS}WebMercatorQuad", crs=f"{_CRS}3857", srid=3857, column="geom_3857", columns=1, rows=1,
    west=-HALF_WIDTH_M, north=HALF_WIDTH_M, side=2 * HALF_WIDTH_M, unit_m=1.0, axes=("X", "Y"),
)  # fmt: skip

#: No register of names holds it, so its URI is a name of ours; everything else of it is in its definition.
CGCS2000: Final = Grid(
    id="CGCS2000Quad", title=Text("2000 国家大地坐标系经纬度瓦片矩阵集", "Longitude and latitude in CGCS2000"),
    uri="urn:onemap:def:tilematrixset:CGCS2000Quad", crs=f"{_CRS}4490", srid=4326, column="geom", columns=2, rows=1,
    west=-180.0, north=90.0, side=180.0, unit_m=math.radians(RADIUS_M), axes=("Lat", "Lon"),
)  # fmt: skip

GRIDS: Final[dict[str, Grid]] = {grid.id: grid for grid in (WEB_MERCATOR, CGCS2000)}

MATRIX_SET: Final = WEB_MERCATOR.id
MATRIX_SET_URI: Final = WEB_MERCATOR.uri


@dataclass(frozen=True, slots=True)
class Tile:
    """One square of a grid. Raises NotFound where the grid has no such tile."""

    z: int
    x: int
    y: int
    grid: Grid = WEB_MERCATOR

    def __post_init__(self) -> None:
        """Refuse what lies outside the grid."""
        grid = self.grid
        if 0 <= self.z <= MAX_ZOOM and 0 <= self.x < grid.columns << self.z and 0 <= self.y < grid.rows << self.z:
            return
        raise NotFound(
            f"{grid.id} has no tile {self.text}: zoom is 0 to {MAX_ZOOM}, row below {grid.rows}×2^zoom, column below"
            f" {grid.columns}×2^zoom",
            f"{grid.id} 没有瓦片 {self.text}:级别为 0 至 {MAX_ZOOM},行号小于 {grid.rows}×2^级别,列号小于"
            f" {grid.columns}×2^级别",
            subject=self.text,
        )

    @property
    def text(self) -> str:
        """`z/y/x`, as OGC paths have it: level, row, column."""
        return f"{self.z}/{self.y}/{self.x}"

    @property
    def side(self) -> float:
        """The tile's side in units of the grid's CRS."""
        return self.grid.side / (1 << self.z)

    @property
    def side_m(self) -> float:
        """The tile's side in metres at the equator; for WebMercatorQuad those of EPSG:3857."""
        return self.side * self.grid.unit_m

    @property
    def mercator_zoom(self) -> int:
        """The zoom of WebMercatorQuad whose tiles are as wide: what is declared by zoom means that one."""
        return self.z + self.grid.columns - 1

    @property
    def envelope(self) -> Box:
        """West, south, east, north in the grid's CRS, easting first."""
        west, north = self.grid.west + self.x * self.side, self.grid.north - self.y * self.side
        return west, north - self.side, west + self.side, north

    @property
    def envelope_args(self) -> tuple[Any, ...]:
        """The values of the grid's `envelope_sql`."""
        return (self.z, self.x, self.y) if self.grid is WEB_MERCATOR else self.envelope

    @property
    def bounds_3857(self) -> Box:
        """West, south, east, north in metres of EPSG:3857; of a tile of WebMercatorQuad."""
        return self.envelope

    @property
    def bounds(self) -> Box:
        """West, south, east, north in degrees."""
        return self._degrees(self.envelope)

    @property
    def shifts(self) -> tuple[float, ...]:
        """How far east shapes are drawn, in units of the CRS: where they are, and at the antimeridian once around."""
        around, last = self.grid.around, (self.grid.columns << self.z) - 1
        return (0.0, *([-around] if self.x == 0 else []), *([around] if self.x == last else []))

    @property
    def shifts_m(self) -> tuple[float, ...]:
        """The shifts of a tile of WebMercatorQuad, in metres of EPSG:3857."""
        return self.shifts

    @property
    def reach(self) -> tuple[Box, ...]:
        """The boxes in degrees that hold everything to be drawn, margin included, one for each shift."""
        west, south, east, north = self.envelope
        grid, margin = self.grid, self.side * MARGIN / EXTENT
        return tuple(
            self._degrees((
                max(west - margin - shift, grid.west),
                south - margin,
                min(east + margin - shift, grid.west + grid.around),
                north + margin,
            ))
            for shift in self.shifts
        )  # fmt: skip

    def _degrees(self, box: Box) -> Box:
        west, south, east, north = box
        if self.grid is WEB_MERCATOR:
            return _lon(west), _lat(south), _lon(east), _lat(north)
        return west, max(south, -90.0), east, min(north, 90.0)


def _within(number: int, last: int) -> int:
    return min(max(number, 0), last)


def _lon(x_m: float) -> float:
    return x_m / HALF_WIDTH_M * 180.0


def _lat(y_m: float) -> float:
    return math.degrees(math.atan(math.sinh(y_m / HALF_WIDTH_M * math.pi)))
