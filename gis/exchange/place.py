"""A source put on the map: its CRS settled, its coordinates in WGS 84 degrees, every geometry checked.

The order: type -> numbers -> conversion -> on the globe -> sound. Each step lists the rows that it refuses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.catalog import Geometry
from gis.errors import BadInput
from gis.exchange.crs_choice import Choice, choose_crs
from gis.exchange.readers.geometry import note_height
from gis.exchange.readers.source import Batch, Findings, Source
from gis.exchange.shape_checks import Repairs, of_type, on_globe, sound, with_numbers
from gis.geo.crs import CGCS2000, WGS84
from gis.geo.datum import Reference
from gis.geo.reading import Reading


@dataclass(slots=True)
class Placement:
    """A source on its way to the map. `source_crs` is the CRS that its coordinates were found to be in."""

    source: Source
    geometry: Geometry | None
    source_crs: str | None = None
    _choice: Choice | None = None
    _opened: Iterator[Batch] | None = field(default=None, repr=False)

    def batches(self) -> Iterator[Batch]:
        """The rows with longitude and latitude (WGS 84); those whose geometry cannot be taken are refused.

        The batches of a point collection have `points`, unless one has several in a row's geometry. Without a
        declared geometry the rows come without one.
        """
        opened, self._opened = self._opened or self.source.batches(), None
        findings, repairs = self.source.findings, Repairs()
        for batch in opened:
            self._say(findings)
            if self.geometry is None:
                yield Batch(rows=batch.rows, table=batch.table)
            else:
                yield self._placed(batch, self.geometry, findings, repairs)
        repairs.note(findings)

    def _placed(self, batch: Batch, geometry: Geometry, findings: Findings, repairs: Repairs) -> Batch:
        if len(batch) == 0 or self._choice is None:
            return batch
        with np.errstate(invalid="ignore"):
            batch = with_numbers(of_type(batch, geometry, findings), findings)
        batch = _as_points(_flat(batch, findings))
        placed = on_globe(_converted(batch, self._choice.reading), batch, findings)
        return sound(placed, findings, repairs)

    def _say(self, findings: Findings) -> None:
        """Note the choice; a source that is read again has forgotten what was noted since it was opened."""
        if self._choice is not None and self._choice.decision not in findings.decisions:
            findings.decisions.append(self._choice.decision)


def place(
    source: Source,
    *,
    geometry: Geometry | None,
    crs: str | None = None,
    reference: Reference | None = None,
) -> Placement:
    """Settle the CRS of a source (the user's `crs`, the declared one, the evidence) and get ready to convert it.

    `geometry` is the collection's type, None when its rows have none; `reference` is what is known of the place, in
    WGS 84. Raises BadInput when a geometry is needed and the source has none, and as `choose_crs` does.
    """
    placement = Placement(source, geometry)
    if geometry is None:
        return placement
    opened = source.batches()
    seen: list[Batch] = []
    for batch in opened:
        seen.append(batch)
        if len(batch):
            break
    if seen and len(seen[-1]):
        sample = seen[-1]
        if sample.points is None and sample.shapes is None:
            raise _without_geometry(source)
        placement._choice = choose_crs(source, sample, crs, reference)
        placement.source_crs = placement._choice.reading.crs
        placement._say(source.findings)
    placement._opened = chain(seen, opened)
    return placement


def _converted(batch: Batch, reading: Reading) -> Batch:
    if reading.crs in (WGS84, CGCS2000) and not reading.swapped:
        return batch
    if batch.points is not None:
        points = np.column_stack(reading.place(batch.points[:, 0], batch.points[:, 1]))
        return Batch(rows=batch.rows, table=batch.table, points=points)

    def place_all(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(reading.place(xy[:, 0], xy[:, 1]))

    return Batch(rows=batch.rows, table=batch.table, shapes=shapely.transform(batch.shapes, place_all))


def _flat(batch: Batch, findings: Findings) -> Batch:
    """Shapes without heights."""
    if batch.shapes is None or not shapely.has_z(batch.shapes).any():
        return batch
    note_height(findings)
    return Batch(rows=batch.rows, table=batch.table, shapes=shapely.force_2d(batch.shapes))


def _as_points(batch: Batch) -> Batch:
    """Shapes that are all single points, as an array of coordinates."""
    if batch.shapes is None or len(batch) == 0 or (shapely.get_type_id(batch.shapes) != 0).any():
        return batch
    return Batch(rows=batch.rows, table=batch.table, points=shapely.get_coordinates(batch.shapes))


def _without_geometry(source: Source) -> BadInput:
    columns = next((d.value for d in source.findings.decisions if d.about == "columns"), "")
    name = source.path.name
    return BadInput(
        f"{name} has no geometry; name its coordinate columns with --x and --y. Its columns: {columns or 'none'}",
        f"{name} 没有几何;请用 --x 与 --y 指定坐标列。现有列:{columns or '无'}",
        subject=str(source.path),
    )
