"""Features as GeoJSON text, written by the database: no row becomes an object on its way to the client."""

from datetime import datetime
from functools import lru_cache

from gis.catalog import Collection, FieldType
from gis.query import answers
from gis.query import crs as crs_sql
from gis.query.features import count, epoch_seen
from gis.query.plan import Plan
from gis.query.statement import Statement

#: What values of a page's place and time are to the database; one that is missing is cast where it stands.
_TYPES = {int: "bigint", datetime: "timestamptz", type(None): "text"}
#: How each feature begins.
_BEGINS = '{"type":"Feature","id":'
#: Decimals of a degree in the text: about a centimetre.
DECIMALS = 7


def page(plan: Plan, crs: str = crs_sql.CRS84, *, counted_to: int = 0) -> Statement:
    """One row for a page of at most `plan.query.page.limit` features, which must be set.

    Columns: the features as UTF-8 text separated by commas (null: none), how many these are (one above the limit where
    there are more: see `without_next`), fid, valid_from and sort keys (null: none asked for) of the page's last feature
    where there are more, the last recorded change that was seen, and where there are more and `counted_to` is given how
    many features match whatever the page, counted so far.
    """
    limit = plan.query.page.limit or 1
    found = answers.features(plan, geometry(crs), keyed=bool(plan.query.sort), beyond=1)
    if _walks(plan):
        found = _planned_once(found, limit + 1)
    keys = f"(array_agg(to_json(key)))[{limit:d}]" if plan.query.sort else "NULL"
    epoch = epoch_seen(plan)
    matching = count(plan, counted_to) if counted_to else Statement("NULL")
    # a sub-select that needs nothing of the rows is run when, and only where, its value is wanted
    matching = Statement(f"CASE WHEN count(*) > {limit:d} THEN ({matching.sql}) END", matching.args)
    # the rows come in order, and the aggregates keep it: to sort or to number them costs a part of the page
    return Statement(
        f"SELECT convert_to(string_agg({feature_text(plan)}, ','), 'UTF8'), count(*),"
        f" (array_agg(fid))[{limit:d}], (array_agg(valid_from))[{limit:d}], {keys},"
        f" ({epoch.sql}), {matching.sql} FROM ({found.sql}) g",
        (*epoch.args, *matching.args, *found.args),
    )


def without_next(features: bytes, found: int, limit: int) -> bytes:
    """A page's features as `page` gives them, without the one that is there to tell that there are more.

    Quotes in a property's value are escaped, and no geometry is of that type: so the mark begins a feature and nothing
    else. For the database to leave the feature out takes it as long as to write ten.
    """
    return features if found <= limit else features[: features.rindex(b"," + _BEGINS.encode())]


def feature(plan: Plan, fid: int, crs: str = crs_sql.CRS84) -> Statement:
    """Rows of (feature as UTF-8 text, its provenance, its version, its state), one for each version in the asked time.

    The provenance is a JSON object: source, licence, file, row of the file, CRS of the file, when it was loaded and
    since when it is recorded so. The state is a text that changes whenever anything recorded of the feature changes,
    the version one that names this row among all that it has had.
    """
    found = plan.relation(also=Statement("fid = %s", (fid,)))
    found_features = answers.features(plan, geometry(crs), Statement("fid = %s", (fid,)))
    state = feature_state(plan.collection, fid)
    return Statement(
        f"SELECT convert_to({feature_text(plan)}, 'UTF8'), convert_to(p.provenance, 'UTF8'),"
        f" p.version, ({state.sql}) FROM ({found_features.sql}) g"
        " JOIN (SELECT nullif(q.valid_from, '-infinity') AS since, json_build_object("
        "'source', l.source, 'licence', l.licence, 'file', l.file, 'row', q.src_row, 'sourceCrs', l.source_crs,"
        " 'loaded', l.loaded_at, 'recorded', e.recorded_at)::text AS provenance,"
        " concat_ws(' ', q.rec_from, q.load, q.valid_from, q.valid_to) AS version"
        f" FROM ({found.sql}) q LEFT JOIN core.load l ON l.id = q.load"
        " LEFT JOIN core.epoch e ON e.register = %s AND e.epoch = q.rec_from) p"
        " ON p.since IS NOT DISTINCT FROM g.valid_from ORDER BY g.valid_from NULLS FIRST",
        (*state.args, *found_features.args, *found.args, plan.collection.id),
    )


def feature_state(collection: Collection, fid: int) -> Statement:
    """A text that changes whenever anything recorded of a feature changes: of all its open rows, whenever valid.

    The transaction that wrote a row tells of writers who keep no digest: psql, QGIS.
    """
    return Statement(
        "SELECT string_agg(concat_ws(' ', scenario, valid_from, rec_from, digest, xmin), ','"
        " ORDER BY scenario, valid_from)"
        f' FROM "{collection.layer}"."{collection.noun}" WHERE fid = %s',
        (fid,),
    )


def _walks(plan: Plan) -> bool:
    """Whether the page is found by its place in the order of numbers alone, the one index that there is for it."""
    asked = plan.query
    narrowed = asked.area or asked.where or asked.sort or asked.scenario or asked.as_of or asked.page.offset
    pinned = asked.page.after and asked.page.after.epoch is not None
    return not (narrowed or pinned or plan.rules.divisions is not None or asked.page.limit is None)


def _planned_once(found: Statement, limit: int) -> Statement:
    """The same rows by a statement whose plan is kept once it is prepared: to plan it takes as long as to run it.

    PostgreSQL plans anew where values may matter. Those of a sub-select it does not look at beforehand; the limit it
    has to know.
    """
    *before, last = found.sql.removesuffix(" LIMIT %s").split("%s")
    unseen = "".join(
        f"{text}(SELECT %s::{_TYPES[type(value)]})" for text, value in zip(before, found.args[:-1], strict=True)
    )
    return Statement(f"{unseen}{last} LIMIT {limit:d}", found.args[:-1])


def property_names(plan: Plan) -> tuple[str, ...]:
    """What a feature's properties are: the asked fields alone, or all fields with validity, division and cell."""
    if plan.query.fields is not None:
        return plan.fields
    return (*plan.fields, *(("valid_from", "valid_to") if plan.collection.timed else ()), "division", "cell")


def geometry(crs: str = crs_sql.CRS84) -> str:
    """The SQL expression of a geometry as GeoJSON text in a CRS, axes in its own order."""
    return f"ST_AsGeoJSON({crs_sql.geometry(crs)}, {crs_sql.decimals(crs)}, 0)"


def feature_text(plan: Plan) -> str:
    """The SQL expression of a feature's text, over rows of `features` named g."""
    seen, masked = plan.collection.by_name, plan.collection.masked
    types = {name: field.type for name, field in seen.items() if name not in masked}
    return _feature_text(tuple((name, types.get(name)) for name in property_names(plan)))


@lru_cache(maxsize=256)
def _feature_text(columns: tuple[tuple[str, FieldType | None], ...]) -> str:
    # member by member: a row made of them, for row_to_json to take apart again, takes as long as to find the features
    members = ",".join(f"\"{name}\":' || {_value(name, kind)} || '" for name, kind in columns)
    return (
        f"""'{_BEGINS}' || g.fid || ',"geometry":' || coalesce(g.geometry, 'null')"""
        f""" || ',"properties":{{{members}}}}}'"""
    )


def _value(name: str, kind: FieldType | None) -> str:
    """The SQL expression of a property's value as JSON; what is masked, and standard columns, are of no kind."""
    if name in ("division", "cell"):
        return f"""coalesce('"' || g."{name}" || '"', 'null')"""
    if kind in (FieldType.INTEGER, FieldType.BOOLEAN):
        return f"""coalesce(g."{name}"::text, 'null')"""
    return f"""coalesce(to_json(g."{name}")::text, 'null')"""
