"""What has changed in a tile, as one number: the digests of the changes under everything that it may draw from."""

import math
import struct
from functools import lru_cache
from typing import Protocol

import xxhash

from tiles.grid import WEB_MERCATOR, Tile

#: Changes are kept by tile of WebMercatorQuad down to this zoom.
KEY_ZOOM = 12
#: Around a tile, changes count this many zooms finer: to a quarter of its side, which holds its margin of a 64th and
#: the H3 cells that are drawn over its edge.
_FINER = 2
_MOST_KEYS = 64

Key = tuple[int, int, int]


class Changes(Protocol):
    """What a server knows of changes: `gis.store.changes.Changes`, or what stands for it."""

    incarnation: str

    async def settled(self) -> None:
        """Return after a poll that began after this call. Raises Unavailable."""

    def digest(self, register: str, z: int, x: int, y: int) -> int:
        """64 bits that change with every change under a tile and in larger boxes over it."""

    def of(self, register: str) -> int:
        """64 bits that change with every change of a register."""


def digest(changes: Changes, register: str, tile: Tile) -> int:
    """64 bits that change whenever a change of the register may show in the tile."""
    found = [changes.digest(register, *key) for key in keys(tile)]
    return found[0] if len(found) == 1 else mixed(found)


def mixed(digests: list[int]) -> int:
    """Several digests as one, the order counting."""
    mask = (1 << 64) - 1
    return xxhash.xxh3_64_intdigest(struct.pack(f"<{len(digests)}Q", *(d & mask for d in digests)))


def keys(tile: Tile) -> tuple[Key, ...]:
    """The tiles (z, x, y) of WebMercatorQuad that hold the tile and a quarter of its side around it."""
    if tile.grid is WEB_MERCATOR:
        return _below(tile) if tile.z > KEY_ZOOM else _around(tile)
    return _covering(tile)


def _around(tile: Tile) -> tuple[Key, ...]:
    """The tile itself and a frame of finer ones."""
    level = min(tile.z + _FINER, KEY_ZOOM)
    parts, across = 1 << (level - tile.z), 1 << level
    frame = max(parts >> _FINER, 1)
    west, north = tile.x * parts, tile.y * parts
    inside_x, inside_y = range(west, west + parts), range(north, north + parts)
    return (
        (tile.z, tile.x, tile.y),
        *dict.fromkeys(
            (level, x % across, y)
            for y in range(max(north - frame, 0), min(north + parts + frame, across))
            for x in range(west - frame, west + parts + frame)
            if not (x in inside_x and y in inside_y)
        ),
    )


def _below(tile: Tile) -> tuple[Key, ...]:
    """The ancestors of a tile too small to have changes of its own, and of what lies around it."""
    down, across = tile.z - KEY_ZOOM + _FINER, 1 << KEY_ZOOM
    columns = range((tile.x * 4 - 1) >> down, (tile.x * 4 + 4 >> down) + 1)
    rows = range(max(tile.y * 4 - 1 >> down, 0), min(tile.y * 4 + 4 >> down, across - 1) + 1)
    return tuple((KEY_ZOOM, x % across, y) for y in rows for x in columns)


@lru_cache(maxsize=16_384)
def _covering(tile: Tile) -> tuple[Key, ...]:
    """For a tile of another grid: the finest tiles of the web's that cover it and are not too many."""
    west, south, east, north = tile.bounds
    quarter = tile.side / 4
    box = (west - quarter, south - quarter, east + quarter, north + quarter)
    for level in range(min(tile.mercator_zoom + _FINER, KEY_ZOOM), 0, -1):
        across, (_, rows) = 1 << level, WEB_MERCATOR.spans(level, box)
        # beyond the antimeridian it goes on at the other side
        first, last = (math.floor((lon + 180) / 360 * across) for lon in (box[0], box[2]))
        if (last + 1 - first) * len(rows) <= _MOST_KEYS:
            return tuple(dict.fromkeys((level, x % across, y) for y in rows for x in range(first, last + 1)))
    return ((0, 0, 0),)
