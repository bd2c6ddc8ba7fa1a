"""How much of a collection's shapes is drawn at which zoom: bands of zooms that share shapes, and what goes first.

A zoom here is one of WebMercatorQuad (OGC 17-083r4); a tile is 4096 units wide, about 8 of them to a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gis.catalog.field import Field, FieldType

#: A tile unit of zoom 0 in metres of EPSG:3857: the width of the world over the units of a tile.
UNIT_M = 40_075_016.685578488 / 4096
#: The last zoom of each band; shapes of closer zooms are exact.
_LAST_ZOOMS = (4, 7, 10, 12)


@dataclass(frozen=True, slots=True)
class Band:
    """The zooms `first` to `last`, drawn from the same generalised shapes."""

    first: int
    last: int

    @property
    def unit_m(self) -> float:
        """A tile unit of the band's closest zoom, in metres of EPSG:3857."""
        return UNIT_M / (1 << self.last)

    @property
    def tolerance_m(self) -> float:
        """How far a generalised shape may lie from the true one, in metres of EPSG:3857.

        An eighth of a unit: little beside the half that encoding a tile may move it, and the rounding to whole units.
        """
        return self.unit_m / 8


@dataclass(frozen=True, kw_only=True)
class Detail:
    """What of a collection is drawn from how far.

    `last_zooms` ends each band of generalised lines or polygons; closer zooms show the exact ones. In a band, `small`
    shapes, whose box is less than `smallest` tile units wide and high, are dropped or kept (drawn one unit large).
    `rank` names the field that says what is left out last when a tile would be too large: the largest number, or the
    first of the declared values of a coded field; without it that is the largest shape, and of points an even pick.
    `first_zooms` are the zooms from which on values of `rank` are drawn at all, within the bands; a value that is not
    among them is drawn from the zoom after the last band.
    """

    last_zooms: tuple[int, ...] = _LAST_ZOOMS
    smallest: float = 1.0
    small: Literal["drop", "keep"] = "drop"
    rank: str | None = None
    first_zooms: tuple[tuple[str, int], ...] = ()

    def check(self, collection_id: str, fields: Sequence[Field]) -> None:
        """Refuse what cannot be. Raises ValueError."""
        if list(self.last_zooms) != sorted(set(self.last_zooms)) or any(not 0 <= z <= 24 for z in self.last_zooms):
            raise ValueError(f"{collection_id}: the last zooms of bands must rise, from 0 to 24")
        if self.smallest < 0:
            raise ValueError(f"{collection_id}: the smallest shape cannot be less than nothing")
        if self.rank is None:
            if self.first_zooms:
                raise ValueError(f"{collection_id}: first zooms belong to the values of a rank")
            return
        field = next((f for f in fields if f.name == self.rank), None)
        if field is None:
            raise ValueError(f"{collection_id}: {self.rank!r} is no field that could rank")
        if field.type not in (FieldType.INTEGER, FieldType.NUMBER) and not field.values:
            raise ValueError(f"{collection_id}: {self.rank!r} has neither numbers nor declared values to rank by")
        unknown = [value for value, _ in self.first_zooms if value not in field.values]
        if unknown:
            raise ValueError(f"{collection_id}: {self.rank} has no values {', '.join(unknown)}")

    def bands(self, min_zoom: int) -> tuple[Band, ...]:
        """The bands from the collection's first zoom on."""
        starts = (0, *(last + 1 for last in self.last_zooms))
        return tuple(
            Band(max(first, min_zoom), last)
            for first, last in zip(starts, self.last_zooms, strict=False)
            if last >= min_zoom
        )
