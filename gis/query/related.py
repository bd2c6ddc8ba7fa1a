"""What belongs to a feature and stands elsewhere: rows of other registers that name it, values measured at it.

Both are SQL over one row named `n` with fid, key and geom, to stand beside what else is told of that feature.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gis.access import Identity, rules_for, rules_in, seen_in
from gis.catalog import Catalogue, Collection
from gis.errors import Forbidden
from gis.query import series
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.statement import Statement

#: What refers to a feature is counted no further than this.
RELATED = 1_000

#: A register's row is placed where that is which it refers to; ten metres are for what was drawn anew since.
_SAME_PLACE_DEG = 1e-4


def may_see(identity: Identity, collection: Collection) -> bool:
    """Whether the rules let somebody ask a collection at all."""
    try:
        rules_for(identity, collection)
    except Forbidden:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of one collection that holds the key of another's features."""

    source: Collection
    field: str


@lru_cache(maxsize=1_024)
def references(catalogue: Catalogue, identity: Identity, collection_id: str) -> tuple[Reference, ...]:
    """The fields of placed collections that refer to this one, as far as the caller may see them."""
    return tuple(
        Reference(source, field.name)
        for source in catalogue
        if source.geometry is not None and _is_placed(catalogue, identity, source)
        for field in source.fields
        if field.refers == collection_id and field.name in rules_in(catalogue, identity, source.id).fields
    )


def _is_placed(catalogue: Catalogue, identity: Identity, collection: Collection) -> bool:
    """Whether the caller may see rows of it, and exactly where they are: what lies at a feature is told by that."""
    if not may_see(identity, collection):
        return False
    rules = rules_in(catalogue, identity, collection.id)
    return rules.precision == "exact" and rules.anonymous is None


def related(plan: Plan) -> Statement:
    """JSON {"base.dwellings.building": count, …} of what names the feature and lies at it, and what names that.

    Null where the caller may not know by which key it is named, or where exactly it is.
    """
    found: list[tuple[str, Statement]] = []
    if plan.collection.key != plan.register.key or plan.rules.precision != "exact":
        return Statement("NULL::json")
    for first in references(plan.catalogue, plan.identity, plan.collection.id):
        name = f"{first.source.id}.{first.field}"
        there = _referring(plan, first, Statement("= n.key"), _key_fields(first.source))
        found.append((name, there))
        # who lives in the dwellings of a building is told; what names that which names an address itself is not
        known = rules_in(plan.catalogue, plan.identity, first.source.id).fields
        onward = first.source.key and first.source.id != plan.collection.id and known.issuperset(first.source.key)
        for second in references(plan.catalogue, plan.identity, first.source.id) if onward else ():
            if second.source.id not in (first.source.id, plan.collection.id):
                keys = Statement(f"= ANY(ARRAY(SELECT {key(first.source, 'k')} FROM ({there.sql}) k))", there.args)
                found.append((f"{second.source.id}.{second.field}", _referring(plan, second, keys, ())))
    if not found:
        return Statement("NULL::json")
    counts = [f"'{name}', (SELECT count(*) FROM ({s.sql} LIMIT {RELATED}) c)" for name, s in found]
    return Statement(f"json_build_object({', '.join(counts)})", tuple(v for _, s in found for v in s.args))


def _key_fields(collection: Collection) -> tuple[str, ...]:
    return collection.key if len(collection.key) == 1 else ()


def _referring(plan: Plan, reference: Reference, keys: Statement, fields: tuple[str, ...]) -> Statement:
    """The rows that refer to one of some keys and lie where `n` is; the spatial index finds them."""
    time = plan.query.time if reference.source.timed else None
    allowed = rules_in(plan.catalogue, plan.identity, reference.source.id).fields
    fields = tuple(name for name in fields if name in allowed)
    query = Query(collection=reference.source.id, time=time, as_of=plan.query.as_of, fields=fields)
    there = Statement(
        f'geom && ST_Expand(n.geom, {_SAME_PLACE_DEG}) AND "{reference.field}"::text {keys.sql}', keys.args
    )
    return replace(plan, query=query).relation(also=there)


def measured(plan: Plan) -> Statement:
    """JSON {collection: {time, value of each parameter …}} of the newest measurements at the feature; null if none."""
    found = [
        series.Series.of(c, plan.query.but(area=None), lambda query: replace(plan, query=query))
        for c in plan.catalogue
        if c.measured is not None and c.measured.of == plan.collection.id and _is_measured(plan, c)
    ]
    if not found:
        return Statement("NULL::json")
    parts: list[str] = []
    args: list[Any] = []
    for one in found:
        newest = series.newest(one, "n.fid", plan.query.time)
        columns = ("valid_from", "valid_to", *one.columns)
        parts.append(f"'{one.values.collection.id}', (SELECT {json_row('v', columns)} FROM ({newest.sql}) v)")
        args += newest.args
    return Statement(f"json_build_object({', '.join(parts)})", tuple(args))


def _is_measured(plan: Plan, collection: Collection) -> bool:
    """Whether the caller may see rows of measurements, and any of their parameters."""
    if not may_see(plan.identity, collection):
        return False
    seen = seen_in(plan.catalogue, plan.identity, collection.id)
    return seen.measured is not None and rules_in(plan.catalogue, plan.identity, seen.id).anonymous is None


def json_row(alias: str, names: Sequence[str]) -> str:
    """SQL for some columns of a row as a JSON object."""
    if not names:
        return "'{}'::json"
    return f"""row_to_json((SELECT p FROM (SELECT {", ".join(f'{alias}."{name}"' for name in names)}) p))"""


def key(collection: Collection, alias: str) -> str:
    """The value by which other registers refer to a row: its key, if that is one field, else its fid."""
    return f'{alias}."{collection.key[0]}"::text' if len(collection.key) == 1 else f"{alias}.fid::text"
