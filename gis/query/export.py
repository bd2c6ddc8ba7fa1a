"""Everything that a question means, to be read in one pass: as typed columns, or as lines of text.

Rows come in the order that was asked for; where none was asked for, as they lie in the table, which needs no sorting.
"""

import pyarrow as pa

from gis.catalog import FieldType
from gis.query import answers, geojson
from gis.query.crs import CRS84, easting_first
from gis.query.plan import Plan
from gis.query.query import ByField, ByTime
from gis.query.statement import Statement

#: The Arrow type of a field's values.
ARROW: dict[FieldType, pa.DataType] = {
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.INSTANT: pa.timestamp("us", "UTC"),
}
_INSTANT = ARROW[FieldType.INSTANT]
_STANDARD = {
    "fid": pa.int64(),
    "valid_from": _INSTANT,
    "valid_to": _INSTANT,
    "cell": pa.string(),
    "division": pa.string(),
    "geometry": pa.binary(),
}
_SQL = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    _INSTANT: "timestamptz",
}


def schema(plan: Plan) -> pa.Schema:
    """The columns of the answer: those of every feature, its geometry as WKB and the asked fields; or the groups'."""
    fields = plan.collection.by_name
    if not plan.query.grouped:
        return pa.schema([*_STANDARD.items(), *((name, ARROW[fields[name].type]) for name in plan.fields)])
    columns: list[tuple[str, pa.DataType]] = []
    for name, by in zip(answers.group_names(plan), plan.query.by, strict=True):
        kind = {"time": _INSTANT, "hour_of_week": pa.int64()}[name] if isinstance(by, ByTime) else pa.string()
        columns.append((name, ARROW[fields[by.name].type] if isinstance(by, ByField) else kind))
    for measure in answers.measures(plan):
        if measure.function in ("count", "distinct"):
            columns.append((measure.name, pa.int64()))
        elif measure.function in ("sum", "mean"):
            columns.append((measure.name, pa.float64()))
        else:
            columns.append((measure.name, ARROW[fields[measure.field or ""].type]))
    return pa.schema(columns)


def columns(plan: Plan, crs: str = CRS84, *, as_text: bool = False, ordered: bool | None = None) -> Statement:
    """The rows with the columns of `schema`; geometry in a CRS with x east and y north, as WKB or as text (WKT).

    `ordered` says whether the order matters where the question asks for none.
    """
    if plan.query.grouped:
        found = answers.groups(plan)
        cast = ", ".join(f'x."{field.name}"::{_SQL[field.type]} AS "{field.name}"' for field in schema(plan))
        return Statement(f"SELECT {cast} FROM ({found.sql}) x", found.args)
    shape = easting_first(crs)
    written = f"ST_AsText({shape}, {geojson.DECIMALS})" if as_text else f"ST_AsBinary({shape}, 'NDR')"
    return answers.features(plan, written, ordered=in_order(plan) if ordered is None else ordered)


def lines(plan: Plan, crs: str = CRS84, *, before: str = "", after: str = "\n", member: str = "") -> Statement:
    """One text column: each feature as GeoJSON on a line of its own, `before` and `after` around it.

    `member` is a further member of each, as JSON text (`"name":"value"`); then a second column is the fid.
    """
    found = answers.features(plan, geojson.geometry(crs), ordered=in_order(plan))
    text = geojson.feature_text(plan)
    fid = ""
    if member:
        text, after, fid = f"left({text}, -1)", f",{member}}}{after}", ", g.fid"
    return Statement(f"SELECT %s || {text} || %s{fid} FROM ({found.sql}) g", (before, after, *found.args))


def in_order(plan: Plan) -> bool:
    """Whether it matters which rows come first: an order was asked for, or a part of the rows."""
    page = plan.query.page
    return bool(plan.query.sort or page.limit is not None or page.offset or page.after)
