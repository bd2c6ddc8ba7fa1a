"""What has changed in a tile, as one number: the token by which a tile at hand is known to be the newest."""

import struct
from collections.abc import Awaitable, Sequence
from typing import Protocol

import xxhash

from tiles.grid import WEB_MERCATOR, Tile


class Changes(Protocol):
    """What a server knows of changes: `gis.store.changes.Changes`, or what stands for it."""

    @property
    def incarnation(self) -> str:
        """Names the life of the database that the digests belong to."""

    @property
    def moves(self) -> int:
        """Counts up whenever a digest or the incarnation may have become another."""

    def reading(self) -> Awaitable[None]:
        """Ends after a poll that began after this call. Brings Unavailable."""

    def digest(self, register: str, z: int, x: int, y: int) -> int:
        """64 bits that change with every change under a tile of WebMercatorQuad, near its edge, or around it."""

    def digest_of_box(self, register: str, west: float, south: float, east: float, north: float) -> int:
        """The same for a box in degrees."""

    def of(self, register: str) -> int:
        """64 bits that change with every change of a register."""


def digest(changes: Changes, register: str, tile: Tile) -> int:
    """64 bits that change whenever a change of the register may show in the tile."""
    if tile.grid is WEB_MERCATOR:
        return changes.digest(register, tile.z, tile.x, tile.y)
    return changes.digest_of_box(register, *tile.bounds)


def mixed(digests: Sequence[int]) -> int:
    """Several digests as one, the order counting."""
    return xxhash.xxh3_64_intdigest(struct.pack(f"<{len(digests)}Q", *digests))
