"""Keys of squares of the map, as the log of changes writes them, and which of them can change what a tile shows.

The square of tile (z, x, y) of WebMercatorQuad (OGC 17-083r4, rows from the north) has the key 4^z + morton(x, y): the
world is 1, and the parent of k is k >> 2. The log goes down to zoom 12; rows without a place count to the world.
"""

import math
from functools import lru_cache
from typing import NamedTuple

from gis.geo.mercator import HALF_WIDTH_M, to_mercator

#: The deepest zoom of the log's keys.
DEEPEST = 12
WORLD = 1
#: What lies this share of a tile beyond its edge may reach into it: margins, and cells that are drawn whole.
REACH = 0.25


class Cover(NamedTuple):
    """Keys of disjoint squares that together hold a box, and the keys of all larger squares around these."""

    squares: tuple[int, ...]
    around: tuple[int, ...]


def tile_key(z: int, x: int, y: int) -> int:
    """The key of a tile of WebMercatorQuad.

    >>> tile_key(0, 0, 0), tile_key(1, 1, 0), tile_key(2, 2, 1) >> 2
    (1, 5, 5)
    """
    key = 1 << (2 * z)
    for bit in range(z):
        key |= ((x >> bit) & 1) << (2 * bit) | ((y >> bit) & 1) << (2 * bit + 1)
    return key


def tile_of(key: int) -> tuple[int, int, int]:
    """The tile (z, x, y) of a key.

    >>> tile_of(tile_key(12, 3375, 1662))
    (12, 3375, 1662)
    """
    z = (key.bit_length() - 1) // 2
    x = sum(((key >> (2 * bit)) & 1) << bit for bit in range(z))
    y = sum(((key >> (2 * bit + 1)) & 1) << bit for bit in range(z))
    return z, x, y


@lru_cache(maxsize=1 << 16)
def tile_cover(z: int, x: int, y: int) -> Cover:
    """The squares in which a change can change a tile."""
    side = 0.5**z
    return _cover(x * side, y * side, (x + 1) * side, (y + 1) * side)


@lru_cache(maxsize=1 << 14)
def box_cover(west: float, south: float, east: float, north: float) -> Cover:
    """The squares in which a change can change what is shown of a box in degrees (WGS 84)."""
    (left, right), (bottom, top) = to_mercator([west, east], [south, north])
    sides = (left, -top, right, -bottom)
    return _cover(*(float(side) / (2 * HALF_WIDTH_M) + 0.5 for side in sides))


def _cover(left: float, top: float, right: float, bottom: float) -> Cover:
    """Of a box in shares of the world, widened by REACH; it goes on at the other side of the antimeridian."""
    side = max(right - left, bottom - top, 0.5**DEEPEST)
    deepest = min(DEEPEST, max(0, math.ceil(-math.log2(side)) + 2))
    reach = REACH * side
    squares: dict[int, None] = {}
    for turn in (-1.0, 0.0, 1.0):
        box = (left - reach + turn, top - reach, right + reach + turn, bottom + reach)
        _collect((0, 0, 0), box, deepest, squares)
    around = {key >> (2 * up): None for key in squares for up in range(1, key.bit_length() // 2 + 1)}
    return Cover(tuple(squares), tuple(around))


def _collect(
    tile: tuple[int, int, int], box: tuple[float, float, float, float], deepest: int, into: dict[int, None]
) -> None:
    """The largest squares that lie within the box, and on its edge those of the deepest zoom."""
    z, x, y = tile
    side = 0.5**z
    left, top, right, bottom = box
    if x * side >= right or (x + 1) * side <= left or y * side >= bottom or (y + 1) * side <= top:
        return
    inside = left <= x * side and (x + 1) * side <= right and top <= y * side and (y + 1) * side <= bottom
    if inside or z == deepest:
        into[tile_key(z, x, y)] = None
        return
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        _collect((z + 1, 2 * x + dx, 2 * y + dy), box, deepest, into)
