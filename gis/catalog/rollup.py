"""What is summed up in advance: a collection's rows by H3 cell, so that a whole city is counted or drawn at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from gis.catalog.field import Field, FieldType

#: From the coarsest cells to those of 0.1 km², a few street blocks.
RESOLUTIONS = tuple(range(10))

_MEASURABLE = (FieldType.NUMBER, FieldType.INTEGER)
_COUNTABLE = (FieldType.TEXT, FieldType.INTEGER, FieldType.BOOLEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """Sums of a collection's rows, kept by cell at several H3 resolutions beside its register.

    Rows are counted for each cell, division and combination of `dimensions`, which are coded fields of few values:
    what is grouped or filtered by these is answered without a look at the rows, and so is how many distinct values a
    dimension has. Of `measures`, which are numbers, the sum, the mean, the least and the largest are kept.
    `resolutions` go from coarse to fine; the last is the finest that deltas are written at.

    Maps show the cells below zoom `near_zoom`; from there on the features themselves, of points only where they are
    not too many for a tile.
    """

    resolutions: tuple[int, ...] = RESOLUTIONS
    measures: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    near_zoom: int = 10

    def __post_init__(self) -> None:
        """Refuse resolutions that are none, or not in order."""
        wrong = not self.resolutions or list(self.resolutions) != sorted(set(self.resolutions))
        if wrong or self.resolutions[0] < 0 or self.resolutions[-1] > 15:
            raise ValueError(f"resolutions {self.resolutions} are not H3 resolutions from coarse to fine")
        twice = set(self.measures) & set(self.dimensions)
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))}: a field is a measure or a dimension")

    @property
    def finest(self) -> int:
        """The finest resolution kept."""
        return self.resolutions[-1]

    def resolution_for(self, wanted: int) -> int | None:
        """The coarsest kept resolution from which cells of a wanted one can be summed; None where all are coarser."""
        return next((kept for kept in self.resolutions if kept >= wanted), None)

    def check(self, collection: str, fields: Sequence[Field], cell_resolution: int) -> None:
        """Refuse a declaration that the collection's rows cannot fill. Raises ValueError."""
        kinds = {f.name: f.type for f in fields}
        if self.finest > cell_resolution:
            raise ValueError(f"{collection}: its rows have no cells finer than {cell_resolution} to roll up")
        for names, possible in ((self.measures, _MEASURABLE), (self.dimensions, _COUNTABLE)):
            for name in names:
                if kinds.get(name) not in possible:
                    raise ValueError(f"{collection}: {name!r} cannot be rolled up as this")
