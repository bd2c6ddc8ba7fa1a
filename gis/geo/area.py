"""Where a question looks: a box, a shape, a circle, cells, or the extent of another feature. Always lon/lat, WGS 84."""

from dataclasses import dataclass

import numpy as np
import shapely

from gis.errors import BadQuery

WORLD = (-180.0, -90.0, 180.0, 90.0)
_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Box:
    """A box in degrees; `west` above `east` means that it crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        """Refuse a box that is no box."""
        inside = all(-180 <= v <= 180 for v in (self.west, self.east)) and -90 <= self.south <= self.north <= 90
        if not inside:
            raise BadQuery(
                f"bbox {self.text} is not west,south,east,north in degrees",
                f"范围 {self.text} 应为 西,南,东,北(度)",
                subject="bbox",
            )

    @property
    def parts(self) -> tuple["Box", ...]:
        """The same area as boxes that do not cross the antimeridian."""
        if self.west <= self.east:
            return (self,)
        return (Box(self.west, self.south, 180.0, self.north), Box(-180.0, self.south, self.east, self.north))

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self.west, self.south, self.east, self.north

    @property
    def text(self) -> str:
        """`west,south,east,north`, exact."""
        return ",".join(repr(float(v)) for v in self.edges)


#: Of a question's own shape. What it costs to compare grows with both, a row at a time.
MOST_VERTICES, MOST_PARTS = 10_000, 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """Any geometry, as WKB without SRID."""

    wkb: bytes

    @classmethod
    def of(cls, geometry: shapely.Geometry) -> "Shape":
        """The area of a shapely geometry in lon/lat, to 1e-12 degrees.

        Raises BadQuery where it is empty, invalid or not on the globe, or more than any question needs.
        """
        vertices, parts = shapely.get_num_coordinates(geometry), shapely.get_num_geometries(geometry)
        if vertices > MOST_VERTICES or parts > MOST_PARTS:
            raise BadQuery(
                f"the area has {vertices:,} vertices in {parts:,} parts; at most {MOST_VERTICES:,} in {MOST_PARTS:,}"
                " are taken: simplify it, or ask in parts",
                f"区域图形有 {parts:,} 个部分、{vertices:,} 个顶点,最多 {MOST_PARTS:,} 个部分、"
                f"{MOST_VERTICES:,} 个顶点;请简化图形或分批查询",
                subject="area",
            )
        if not geometry.is_empty:
            Box(*geometry.bounds)  # what is far off the globe cannot even be rounded
        # decimals that text can say exactly; adding 0.0 makes -0.0 plain
        geometry = shapely.transform(geometry, lambda lonlat: np.round(lonlat, _DECIMALS) + 0.0)
        if geometry.is_empty or not geometry.is_valid:
            why = "it is empty" if geometry.is_empty else shapely.is_valid_reason(geometry)
            raise BadQuery(f"the area is not a valid shape: {why}", f"区域图形无效:{why}", subject="area")
        west, south, east, north = geometry.bounds
        Box(west, south, east, north)
        return cls(shapely.to_wkb(geometry, output_dimension=2, byte_order=1))

    @property
    def text(self) -> str:
        """The shape as WKT, exact."""
        return str(shapely.to_wkt(shapely.from_wkb(self.wkb), rounding_precision=_DECIMALS))


@dataclass(frozen=True, slots=True)
class Circle:
    """All within `radius_m` metres of a point, on the ellipsoid."""

    lon: float
    lat: float
    radius_m: float

    def __post_init__(self) -> None:
        """Refuse a circle off the globe or without size."""
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90 and 0 < self.radius_m <= 1_000_000):
            raise BadQuery(
                f"near={self.text} is not lon,lat,radius with a radius up to 1 000 000 m",
                f"near={self.text} 应为 经度,纬度,半径(米,不超过 1 000 000)",
                subject="near",
            )

    @property
    def text(self) -> str:
        """`lon,lat,radius_m`, exact."""
        return ",".join(repr(float(v)) for v in (self.lon, self.lat, self.radius_m))


@dataclass(frozen=True, slots=True)
class Cells:
    """All rows whose cell is one of these H3 cells or below one; membership is ancestry of ids, never geometry."""

    ids: tuple[int, ...]

    @property
    def text(self) -> str:
        """The cells' hexadecimal ids, separated by commas."""
        return ",".join(f"{i:x}" for i in self.ids)


@dataclass(frozen=True, slots=True)
class Within:
    """The extent of a feature of another collection."""

    collection: str
    fid: int

    @property
    def text(self) -> str:
        """`collection/fid`."""
        return f"{self.collection}/{self.fid}"


@dataclass(frozen=True, slots=True)
class Division:
    """A division and all below it, by the code that the rows carry."""

    code: int

    @property
    def text(self) -> str:
        """The 12-digit code."""
        return f"{self.code:012d}"


Area = Box | Shape | Circle | Cells | Within | Division
