"""An answer, in the form that is asked for: a GeoDataFrame, an Arrow table, GeoJSON."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import shapely

from gis.catalog import FieldType
from gis.query import answers
from gis.query.ask import CRS84
from gis.query.plan import Plan
from gis.query.query import ByField, ByTime
from gis.query.span import instant_text
from gis.store.database import Database

_ARROW = {
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.INSTANT: pa.timestamp("us", "UTC"),
}
_STANDARD = {
    "fid": pa.int64(),
    "valid_from": pa.timestamp("us", "UTC"),
    "valid_to": pa.timestamp("us", "UTC"),
    "cell": pa.string(),
    "division": pa.string(),
    "geometry": pa.binary(),
}
#: GeoParquet 1.1: without a CRS the coordinates are OGC:CRS84.
_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
}


@dataclass(frozen=True)
class Answer:
    """What a question brings. The database is asked once, when the first form is wanted.

    Times are UTC; cells are hexadecimal H3 ids; divisions are 12-digit codes; geometry is WGS 84, lon before lat,
    and in a frame in the CRS that was asked for.
    """

    plan: Plan
    database: Database
    crs: str = CRS84

    @cached_property
    def _rows(self) -> list[tuple[Any, ...]]:
        return self.database.rows(answers.groups(self.plan) if self.plan.query.grouped else answers.features(self.plan))

    def arrow(self) -> pa.Table:
        """The answer as an Arrow table; features carry `geometry` as WKB with GeoParquet's metadata."""
        schema = self._schema()
        columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

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
        names = self._schema().names
        rows = [dict(zip(names, row, strict=True)) for row in self._rows]
        if self.plan.query.grouped:
            return {"groups": [{k: _plain(v) for k, v in row.items()} for row in rows]}
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

    def _schema(self) -> pa.Schema:
        fields = self.plan.collection.by_name
        if self.plan.query.grouped:
            return self._group_schema()
        columns = [*_STANDARD.items(), *((name, _ARROW[fields[name].type]) for name in self.plan.fields)]
        geo = {
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
        }
        return pa.schema(columns, metadata={"geo": json.dumps(geo)})

    def _group_schema(self) -> pa.Schema:
        fields = self.plan.collection.by_name
        columns: list[tuple[str, pa.DataType]] = []
        for name, by in zip(answers.group_names(self.plan), self.plan.query.by, strict=True):
            kind = pa.timestamp("us", "UTC") if isinstance(by, ByTime) else pa.string()
            columns.append((name, _ARROW[fields[by.name].type] if isinstance(by, ByField) else kind))
        for measure in answers.measures(self.plan):
            if measure.function in ("count", "distinct"):
                columns.append((measure.name, pa.int64()))
            elif measure.function in ("sum", "mean"):
                columns.append((measure.name, pa.float64()))
            else:
                columns.append((measure.name, _ARROW[fields[measure.field or ""].type]))
        return pa.schema(columns)


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
