"""What the one map holds at a place: one statement over the protected relations of all collections that may be seen.

For each collection: how many rows, of each class of its legend how many and the nearest, the nearest few of all, what
refers to them from other registers and lies there, and the newest values measured at them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gis.catalog import Collection, FieldType, Sensitivity
from gis.geo.area import Area, Division, Within
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.related import json_row, key, measured, related
from gis.query.span import Span
from gis.query.statement import Statement

#: Rows are counted, and looked at from the nearest on, no further than this.
COUNTED = 10_000
#: Of each class at most so many that may be the nearest are looked at: more lie at the very same place.
_AS_NEAR = 40
_DIVISIONS = "base.divisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where and when is asked; `lon` and `lat` are the point from which distances are told (None: within the area).

    `nearest` is how many features of each collection are named; `shapes` whether with their geometry.
    """

    area: Area
    lon: float | None = None
    lat: float | None = None
    time: Span | None = None
    as_of: datetime | None = None
    nearest: int = 3
    shapes: bool = False

    def plans(self, collections: Iterable[Collection], plan: Callable[[Query], Plan]) -> list[Plan]:
        """A plan for each of the collections that has places, made by `plan`; all of them for the same moment.

        Left out are those of which the caller is told counts alone, or no places.
        """
        made = [plan(self.query(c)) for c in collections if c.geometry is not None]
        made = [one for one in made if one.rules.anonymous is None and one.collection.geometry is not None]
        return [replace(one, now=made[0].now) for one in made]

    def query(self, collection: Collection) -> Query:
        """The question to one collection; what has no valid time is asked without one."""
        time = self.time if collection.timed else None
        return Query(collection=collection.id, area=self.area, time=time, as_of=self.as_of)


def statement(here: Here, plans: Sequence[Plan]) -> Statement:
    """One row for each plan, in their order: number, lon and lat of the spot, count, kinds, nearest.

    `kinds` is a JSON array of {value, count, nearest: {fid, distance_m}}; `nearest` one of {fid, distance_m,
    bearing_deg (null at the spot itself), lon, lat (of the feature's point nearest to it), geometry, properties,
    related, measured}. A count of `COUNTED` means that or more.
    """
    spot = _spot(here, plans)
    parts = [_part(number, plan, here) for number, plan in enumerate(plans)] or [_NOTHING]
    sql = (
        f"WITH spot AS MATERIALIZED ({spot.sql})"
        f" SELECT part.n, ST_X(spot.p), ST_Y(spot.p), part.count, part.kinds, part.nearest"
        f" FROM spot LEFT JOIN ({' UNION ALL '.join(p.sql for p in parts)}) part ON true ORDER BY part.n"
    )
    return Statement(sql, (*spot.args, *(value for p in parts for value in p.args)))


def _spot(here: Here, plans: Sequence[Plan]) -> Statement:
    """SELECT p: the point from which distances are measured; null where the area's own feature is not to be seen."""
    if here.lon is not None:
        return Statement("SELECT ST_SetSRID(ST_MakePoint(%s, %s), 4326) AS p", (here.lon, here.lat))
    area = here.area
    for plan in plans:
        of = plan.query.but(area=None, fields=())
        if isinstance(area, Division) and plan.collection.id == _DIVISIONS and "code" in plan.rules.fields:
            found = replace(plan, query=of).relation(also=Statement("code = %s", (area.text,)))
        elif isinstance(area, Within) and plan.collection.id == area.collection:
            found = replace(plan, query=of).relation(also=Statement("fid = %s", (area.fid,)))
        else:
            continue
        return Statement(f"SELECT (SELECT ST_PointOnSurface(w.geom) FROM ({found.sql}) w LIMIT 1) AS p", found.args)
    return Statement("SELECT NULL::geometry AS p")


def _part(number: int, plan: Plan, here: Here) -> Statement:
    """One collection's row. Nearest first by degrees, of which the index tells; then exactly, by metres, the few."""
    if plan.collection.sensitivity is Sensitivity.PERSONAL or not here.nearest:
        return _counted(number, plan)
    by = _class_field(plan.collection)
    inner = replace(plan, query=plan.query.but(fields=(by,) if by else ())).relation()
    kind = f"""coalesce(q."{by}", '')""" if by else "''"
    near, nearest = _near(plan, here.nearest), _nearest(plan, here)
    kinds = _KINDS if by else "NULL::json"
    sql = (
        f"(WITH found AS MATERIALIZED (SELECT q.fid, q.valid_from, {kind} AS kind, q.geom <-> {_SPOT} AS d"
        f" FROM ({inner.sql}) q ORDER BY q.geom <-> {_SPOT} LIMIT {COUNTED}),"
        f" kind AS MATERIALIZED (SELECT kind, count, d * {_STRETCH} AS reach FROM (SELECT kind, count(*) AS count,"
        f" greatest(min(d), (SELECT max(d) FROM (SELECT d FROM found ORDER BY d LIMIT {here.nearest}) n)) AS d"
        " FROM found GROUP BY kind) k),"
        f" near AS MATERIALIZED ({near.sql})"
        f" SELECT {number} AS n, (SELECT count(*) FROM found) AS count, {kinds} AS kinds, {nearest.sql} AS nearest)"
    )
    return Statement(sql, (*inner.args, *near.args, *nearest.args))


def _counted(number: int, plan: Plan) -> Statement:
    """The row of a collection of which nothing but a count is told."""
    inner = replace(plan, query=plan.query.but(fields=())).relation()
    count = f"SELECT count(*) FROM (SELECT 1 FROM ({inner.sql}) q LIMIT {COUNTED}) c"
    return Statement(
        f"SELECT {number} AS n, ({count}) AS count, NULL::json AS kinds, NULL::json AS nearest", inner.args
    )


def _class_field(collection: Collection) -> str | None:
    """The coded field by which the legend tells features apart."""
    by = collection.style.by if collection.style else None
    return by if by and collection.field(by).values and collection.field(by).type is FieldType.TEXT else None


_SPOT = "(SELECT p FROM spot)"
#: Where nothing is asked, or nothing of what is asked may be told here.
_NOTHING = Statement("SELECT NULL::integer AS n, NULL::bigint AS count, NULL::json AS kinds, NULL::json AS nearest")
#: How much further than `d` degrees a row may be that is as near in metres: a degree of longitude is shorter than one
#: of latitude, the more so the further from the equator.
_STRETCH = f"1.01 / greatest(cos(radians(least(abs(ST_Y({_SPOT})) + d, 90))), 0.01)"
_KINDS = (
    "(SELECT json_agg(json_build_object('value', nullif(k.kind, ''), 'count', k.count, 'nearest',"
    " json_build_object('fid', f.fid, 'distance_m', round(f.m::numeric, 1))) ORDER BY k.count DESC, k.kind) FROM kind k"
    " LEFT JOIN (SELECT DISTINCT ON (kind) kind, fid, m FROM near ORDER BY kind, m, fid) f ON f.kind = k.kind)"
)


def _near(plan: Plan, nearest: int) -> Statement:
    """The rows that may be the nearest, of all or of their class, in metres from the spot (m)."""
    again = replace(plan, query=plan.query.but(area=None))
    row = again.relation(also=Statement("fid = c.fid AND valid_from = c.valid_from"))
    return Statement(
        f"SELECT c.fid, c.kind, r.geom, ST_Distance(r.geom::geography, {_SPOT}::geography) AS m,"
        f" {json_row('r', plan.fields)} AS properties, {key(plan.collection, 'r')} AS key FROM ("
        "SELECT f.fid, f.valid_from, f.kind, row_number() OVER (PARTITION BY f.kind ORDER BY f.d) AS n"
        " FROM found f JOIN kind k ON k.kind = f.kind WHERE f.d <= k.reach OR f.d IS NULL"
        f") c CROSS JOIN LATERAL ({row.sql}) r WHERE c.n <= {max(_AS_NEAR, nearest)}",
        row.args,
    )


def _nearest(plan: Plan, here: Here) -> Statement:
    """The nearest few with all that is told of each."""
    naming, values = related(plan), measured(plan)
    shape = "ST_AsGeoJSON(n.geom, 7)::json" if here.shapes else "NULL"
    return Statement(
        "(SELECT json_agg(json_build_object('fid', n.fid, 'distance_m', round(n.m::numeric, 1), 'bearing_deg',"
        f" round(degrees(ST_Azimuth({_SPOT}::geography, x.at::geography))::numeric, 1),"
        f" 'lon', round(ST_X(x.at)::numeric, 7), 'lat', round(ST_Y(x.at)::numeric, 7), 'geometry', {shape},"
        f" 'properties', n.properties, 'related', {naming.sql}, 'measured', {values.sql}) ORDER BY n.m, n.fid)"
        f" FROM (SELECT * FROM near ORDER BY m, fid LIMIT {here.nearest}) n CROSS JOIN LATERAL"
        f" (SELECT coalesce(ST_ClosestPoint(n.geom, {_SPOT}), ST_PointOnSurface(n.geom)) AS at) x)",
        (*naming.args, *values.args),
    )
