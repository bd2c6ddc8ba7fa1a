"""Groups on their way out as typed columns or text, batch after batch; those of cells with each cell's own figures."""

from collections.abc import Iterator
from dataclasses import dataclass

import h3
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from gis.export import Export
from gis.geo.cell_shapes import boundaries
from gis.geo.cells import from_hex
from gis.query import answers, export
from gis.query.query import ByCell, Measure
from gis.query.statement import Statement


@dataclass(slots=True)
class CellExport(Export):
    """An export of groups: where there are cells, also their area, density and, but for text, shape (WKB)."""

    @property
    def schema(self) -> pa.Schema:
        """The groups' columns, then those of the cells."""
        found = export.schema(self.plan)
        if not any(isinstance(by, ByCell) for by in self.plan.query.by):
            return found
        names = ["area_km2"] + ["per_km2"] * (Measure() in answers.measures(self.plan))
        for name in names:
            found = found.append(pa.field(name, pa.float64()))
        return found if self.format.name == "csv" else found.append(pa.field("geometry", pa.binary()))

    def _typed(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        groups, whole = export.schema(self.plan), self.schema
        return (_told(batch.cast(groups), whole) for batch in self._read(statement))


def _told(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with those columns of the schema that it lacks."""
    missing = schema.names[batch.num_columns :]
    if not missing:
        return batch
    names = batch.column("cell").to_pylist()
    known = sorted(set(names) - {None})
    of_each = pa.array(names, pa.string())
    position = pc.index_in(of_each, pa.array(known, pa.string()))
    found = {"area_km2": pa.array([area_km2(name) for name in known], pa.float64()).take(position)}
    if "per_km2" in missing:
        found["per_km2"] = pc.divide(batch.column("count").cast(pa.float64()), found["area_km2"])
    if "geometry" in missing:
        shapes = shapely.to_wkb(boundaries(from_hex(known))) if known else []
        found["geometry"] = pa.array(list(shapes), pa.binary()).take(position)
    return pa.RecordBatch.from_arrays([*batch.columns, *(found[name] for name in missing)], schema=schema)


def area_km2(cell: str) -> float:
    """A cell's own area, on the sphere of H3's grid, to a square millimetre's worth of digits."""
    return round(float(h3.cell_area(cell, "km^2")), 9)
