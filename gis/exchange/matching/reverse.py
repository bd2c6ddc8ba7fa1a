"""From a point to what is there: the nearest address, building and street, and the divisions around it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gis.codes.address_levels import AddressLevel
from gis.errors import BadQuery
from gis.exchange.matching.answers import Place
from gis.exchange.matching.index import AddressIndex
from gis.exchange.matching.nodes import NO_NODE, Floats
from gis.exchange.matching.vocabulary import Ints

REACH_M = 500.0
_METRES_A_DEGREE = 111_320.0
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Near:
    """A place and how far it is from the point, in metres."""

    place: Place
    distance_m: float


@dataclass(frozen=True, slots=True)
class Here:
    """What is at or near a point; None where nothing is within reach.

    `divisions` go from the province down. They hold the point where the geocoder has borders; else they are those of
    the nearest address, and `by_address` says so.
    """

    address: Near | None
    building: Near | None
    street: Near | None
    divisions: tuple[Place, ...]
    by_address: bool


@dataclass(frozen=True, slots=True)
class _Layer:
    """Shapes of places of one kind in metres, and the node of each."""

    tree: shapely.STRtree
    node: NDArray[np.int32]

    def nearest(self, points: Shapes, reach_m: float) -> tuple[NDArray[np.int32], Floats]:
        """The nearest place of each point within reach (−1 none) and its distance."""
        node, distance = np.full(len(points), NO_NODE, dtype=np.int32), np.full(len(points), np.nan)
        if len(self.node):
            (asked, found), far = self.tree.query_nearest(
                points, max_distance=reach_m, return_distance=True, all_matches=False
            )
            node[asked], distance[asked] = self.node[found], far
        return node, distance


class ReverseGeocoder:
    """Answers for points in WGS 84; distances are in metres, in a plane about the city (0.1 % at 50 km)."""

    def __init__(
        self,
        index: AddressIndex,
        *,
        streets: tuple[list[str], Shapes] | None = None,
        divisions: tuple[Ints, Shapes] | None = None,
    ) -> None:
        """`streets` are names and lines, `divisions` codes and polygons, both lon/lat WGS 84. Without lines a street is
        as far as its nearest door plate.
        """
        self._index = index
        nodes = index.nodes
        self._middle = float(np.nanmean(nodes.lat)) if len(nodes) else 0.0
        every = np.arange(len(nodes), dtype=np.int32)
        placed = np.isfinite(nodes.lon) & np.isfinite(nodes.lat)
        self._doors = self._points(every[placed & np.isin(nodes.level, (AddressLevel.PLATE, AddressLevel.BUILDING))])
        # a house with a plate of its own is a building too
        known = (nodes.fid >= 0) | pc.not_equal(nodes.code, "").to_numpy(zero_copy_only=False)
        alone = (nodes.level == AddressLevel.PLATE) & known | (nodes.level == AddressLevel.BUILDING)
        self._buildings = self._points(every[placed & alone])
        self._plates = self._points(every[placed & (nodes.level == AddressLevel.PLATE) & (nodes.street_node >= 0)])
        self._streets = self._lines(*streets) if streets else None
        self._borders = self._layer(*divisions) if divisions else None

    def at(self, lon: float, lat: float, *, reach_m: float = REACH_M) -> Here:
        """What is at one point. Raises BadQuery for a point that is not on the globe."""
        return self.at_points(np.array([lon]), np.array([lat]), reach_m=reach_m)[0]

    def at_points(self, lon: Floats, lat: Floats, *, reach_m: float = REACH_M) -> list[Here]:
        """What is at each point. Raises BadQuery naming the first that is not on the globe."""
        bad = np.flatnonzero(~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)))
        if bad.size:
            where = f"{lon[bad[0]]}, {lat[bad[0]]}"
            raise BadQuery(f"{where} is not lon, lat in degrees", f"{where} 不是经度、纬度(度)", subject="point")
        points = self._plane(shapely.points(lon, lat))
        doors, buildings = self._doors.nearest(points, reach_m), self._buildings.nearest(points, reach_m)
        streets = self._nearest_streets(points, reach_m)
        inside = self._inside(lon, lat)
        return [
            Here(
                self._near(doors, n),
                self._near(buildings, n),
                self._near(streets, n),
                *self._divisions(int(inside[n]) if inside is not None else 0, int(doors[0][n])),
            )
            for n in range(len(lon))
        ]

    def _nearest_streets(self, points: Shapes, reach_m: float) -> tuple[NDArray[np.int32], Floats]:
        if self._streets is not None:
            return self._streets.nearest(points, reach_m)
        plate, distance = self._plates.nearest(points, reach_m)
        pointers = self._index.nodes.street_node
        return np.where(plate >= 0, pointers.take(plate, mode="clip") if len(pointers) else plate, NO_NODE), distance

    def _near(self, found: tuple[NDArray[np.int32], Floats], n: int) -> Near | None:
        node = int(found[0][n])
        return Near(self._index.place(node), round(float(found[1][n]), 2)) if node >= 0 else None

    def _divisions(self, code: int, door: int) -> tuple[tuple[Place, ...], bool]:
        by_address = code == 0
        if by_address:
            code = int(self._index.nodes.division[door]) if door >= 0 else 0
        return self._index.divisions_of(code), by_address and code > 0

    def _inside(self, lon: Floats, lat: Floats) -> Ints | None:
        """The code of the finest division that holds each point; 0 outside all."""
        if self._borders is None:
            return None
        tree, codes = self._borders
        found = np.zeros(len(lon), dtype=np.int64)
        asked, there = tree.query(shapely.points(lon, lat), predicate="intersects")
        # the finest has the fewest zeros at its end; all that hold a point share its beginning
        np.maximum.at(found, asked, codes[there])
        return found

    def _layer(self, codes: Ints, shapes: Shapes) -> tuple[shapely.STRtree, Ints]:
        return shapely.STRtree(shapes), codes

    def _points(self, node: NDArray[np.int32]) -> _Layer:
        nodes = self._index.nodes
        return _Layer(shapely.STRtree(self._plane(shapely.points(nodes.lon[node], nodes.lat[node]))), node)

    def _lines(self, names: list[str], lines: Shapes) -> _Layer:
        """Lines of streets that the index knows; of two streets with one name a line is that which is nearer to it."""
        nodes = self._index.nodes
        rows = np.flatnonzero(nodes.level == AddressLevel.ROAD)
        known: dict[str, list[int]] = {}
        for row, name in zip(rows.tolist(), nodes.name.take(rows).to_pylist(), strict=True):
            known.setdefault(name, []).append(row)
        kept = [n for n, name in enumerate(names) if name in known]
        middle = shapely.centroid(lines[kept])
        found = [
            min(known[names[n]], key=lambda row: (nodes.lon[row] - x) ** 2 + (nodes.lat[row] - y) ** 2)
            for n, x, y in zip(kept, shapely.get_x(middle).tolist(), shapely.get_y(middle).tolist(), strict=True)
        ]
        return _Layer(shapely.STRtree(self._plane(lines[kept])), np.array(found, dtype=np.int32))

    def _plane(self, shapes: Shapes) -> Shapes:
        scale = np.array([np.cos(np.radians(self._middle)), 1.0]) * _METRES_A_DEGREE
        found: Any = shapely.transform(shapes, lambda lonlat: lonlat * scale)
        return np.atleast_1d(found)
