"""An answer, in the form that is asked for: a GeoDataFrame, an Arrow table, GeoJSON."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely

from gis.export import Export, Format, Progress
from gis.formats import parquet
from gis.formats.geometry import Gathered
from gis.query import answers, export
from gis.query.ask import CRS84
from gis.query.plan import Plan
from gis.query.released import Widened, foundation, is_anonymous, widened
from gis.query.span import instant_text
from gis.store.database import Database
from gis.store.released import ensure
from gis.tracing import PlanTrace

#: Answers of at most so many rows are read on a connection that is there already; larger ones in batches.
_SMALL = 10_000


@dataclass(frozen=True)
class Answer:
    """What a question brings. The database is asked once, when the first form is wanted.

    What is told of persons stands in the trace before it is told. Times are UTC; cells are hexadecimal H3 ids;
    divisions are 12-digit codes; geometry is WGS 84, lon before lat, and in a frame in the CRS that was asked for.
    """

    plan: Plan
    database: Database
    crs: str = CRS84

    @cached_property
    def anonymous(self) -> Widened | None:
        """What anonymous figures rest on: their set date, and how far the question was widened; None for exact ones.

        Raises BadQuery where nothing is released for so early a date.
        """
        if not is_anonymous(self.plan):
            return None
        ensure(self.database, self.plan.register, self.plan.now)
        return widened(self.plan, self.database.rows(foundation(self.plan)))

    @cached_property
    def _rows(self) -> list[tuple[Any, ...]]:
        _ = self.anonymous
        asked = answers.groups(self.plan) if self.plan.query.grouped else answers.features(self.plan)
        rows = self.database.rows(asked)
        self._trace.told(len(rows))
        return rows

    def arrow(self) -> pa.Table:
        """The answer as an Arrow table; features carry `geometry` as WKB with GeoParquet's metadata."""
        schema = export.schema(self.plan)
        if "_rows" in self.__dict__ or (self.plan.query.page.limit or _SMALL + 1) <= _SMALL:
            columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(schema)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            table = pa.Table.from_arrays(arrays, schema=schema)
        else:
            table = self._table
        return table if self.plan.query.grouped else table.replace_schema_metadata({"geo": json.dumps(_geo(table))})

    @cached_property
    def _table(self) -> pa.Table:
        _, schema = self.anonymous, export.schema(self.plan)
        with self.database.batches(export.columns(self.plan, ordered=True)) as batches:
            table = pa.Table.from_batches([batch.cast(schema) for batch in batches], schema)
        self._trace.told(table.num_rows)
        return table

    @property
    def _trace(self) -> PlanTrace:
        return PlanTrace(self.plan, self.database.url)

    def export(self, path: Path, form: Format, progress: Progress = lambda rows: None) -> int:
        """Write the answer to a file, whole or not at all; returns the number of rows. It is traced and marked.

        Raises BadQuery where the answer has no such form, Unavailable.
        """
        made = Export(self.plan, self.database, form, self.crs, progress=progress)
        made.mark, rows = self._trace.exported(), None
        try:
            rows = made.write(path)
        finally:
            self._trace.export_ended(made.mark, rows)
        return rows

    def frame(self) -> Any:
        """The answer as a GeoDataFrame indexed by fid; groups as a DataFrame (with hexagons where by cell: `cell`)."""
        import geopandas  # noqa: PLC0415  takes half a second, which loading and serving need not wait

        table = self.arrow()
        if self.plan.query.grouped:
            return table.to_pandas()
        data = table.drop_columns("geometry").to_pandas().set_index("fid")
        shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
        frame = geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, index=data.index), crs=CRS84)
        return frame if self.crs == CRS84 else frame.to_crs(self.crs)

    def geojson(self) -> dict[str, Any]:
        """The features as a GeoJSON FeatureCollection; groups as `{"groups": […]}`."""
        names = export.schema(self.plan).names
        rows = [dict(zip(names, row, strict=True)) for row in self._rows]
        if self.plan.query.grouped:
            said = self.anonymous.members() if self.anonymous else {}
            return {"groups": [{k: _plain(v) for k, v in row.items()} for row in rows], **said}
        return {
            "type": "FeatureCollection",
            "timeStamp": instant_text(self.plan.now),
            "numberReturned": len(rows),
            "features": [_feature(row) for row in rows],
        }

    def explain(self) -> str:
        """How the database would find the answer."""
        statement = answers.groups(self.plan) if self.plan.query.grouped else answers.features(self.plan)
        with self.database.connection() as conn:
            return "\n".join(row[0] for row in conn.execute(f"EXPLAIN {statement.sql}", statement.args))


def _geo(table: pa.Table) -> dict[str, Any]:
    gathered = Gathered()
    for chunk in table.column("geometry").chunks:
        gathered.add(chunk)
    return parquet.metadata(gathered, None)


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    geometry = row.pop("geometry")
    return {
        "type": "Feature",
        "id": row.pop("fid"),
        "geometry": None if geometry is None else json.loads(shapely.to_geojson(shapely.from_wkb(geometry))),
        "properties": {name: _plain(value) for name, value in row.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
