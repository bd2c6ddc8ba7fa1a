"""Features as GeoJSON text, written by the database: no row becomes an object on its way to the client."""

from dataclasses import replace

from gis.query import answers
from gis.query.plan import Plan
from gis.query.statement import Statement

#: Decimals of a degree in the text: about a centimetre.
DECIMALS = 7


def page(plan: Plan, count_to: int) -> Statement:
    """One row for a page of at most `plan.query.page.limit` features, which must be set.

    Columns: the features as UTF-8 text separated by commas (null: none), how many were found (one above the limit
    where there are more), fid and valid_from of the page's last feature where there are more, and how many features
    match in all, counted no further than `count_to`.
    """
    limit = plan.query.page.limit or 1
    one_more = plan.query.but(page=replace(plan.query.page, limit=limit + 1))
    found = answers.features(Plan(one_more, plan.catalogue, plan.identity, plan.now), f"ST_AsGeoJSON(geom, {DECIMALS})")
    matched = answers.count(plan, count_to)
    return Statement(
        f"SELECT convert_to(string_agg({_feature(plan)}, ',' ORDER BY n) FILTER (WHERE n <= %s), 'UTF8'), count(*),"
        " max(fid) FILTER (WHERE n = %s), max(valid_from) FILTER (WHERE n = %s),"
        f" ({matched.sql}) FROM (SELECT row_number() OVER () AS n, f.* FROM ({found.sql}) f) g",
        (limit, limit, limit, *matched.args, *found.args),
    )


def feature(plan: Plan, fid: int) -> Statement:
    """Rows of (one feature as UTF-8 text, its provenance as text), one for each of its versions in the asked time.

    The provenance is a JSON object: source, licence, file, row of the file, CRS of the file, when it was loaded and
    since when it is recorded so.
    """
    found = plan.relation(also=Statement("fid = %s", (fid,)))
    found_features = answers.features(plan, f"ST_AsGeoJSON(geom, {DECIMALS})", Statement("fid = %s", (fid,)))
    return Statement(
        f"SELECT convert_to({_feature(plan)}, 'UTF8'), convert_to(p.provenance, 'UTF8') FROM ({found_features.sql}) g"
        " JOIN (SELECT nullif(q.valid_from, '-infinity') AS since, json_build_object("
        "'source', l.source, 'licence', l.licence, 'file', l.file, 'row', q.src_row, 'sourceCrs', l.source_crs,"
        " 'loaded', l.loaded_at, 'recorded', e.recorded_at)::text AS provenance"
        f" FROM ({found.sql}) q LEFT JOIN core.load l ON l.id = q.load"
        " LEFT JOIN core.epoch e ON e.register = %s AND e.epoch = q.rec_from) p"
        " ON p.since IS NOT DISTINCT FROM g.valid_from ORDER BY g.valid_from NULLS FIRST",
        (*found_features.args, *found.args, plan.collection.id),
    )


def property_names(plan: Plan) -> tuple[str, ...]:
    """What a feature's properties are: the asked fields alone, or all fields with validity, division and cell."""
    if plan.query.fields is not None:
        return plan.fields
    return (*plan.fields, *(("valid_from", "valid_to") if plan.collection.timed else ()), "division", "cell")


def _feature(plan: Plan) -> str:
    names = property_names(plan)
    row = (
        f"row_to_json((SELECT p FROM (SELECT {', '.join(_qualified(n) for n in names)}) p))::text" if names else "'{}'"
    )
    return (
        """'{"type":"Feature","id":' || g.fid || ',"geometry":' || coalesce(g.geometry, 'null')"""
        f""" || ',"properties":' || {row} || '}}'"""
    )


def _qualified(name: str) -> str:
    return f'g."{name}"'
