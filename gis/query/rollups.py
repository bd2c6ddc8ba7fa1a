"""Groups answered from a rollup: where filter, rights, time and grouping allow, as the same figures as from the rows.

What cannot be is read from the rows, within the bounds of `rollup_bounds`.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from gis.codes import division_column
from gis.geo import cells
from gis.geo.area import Cells, Division
from gis.query.plan import Plan
from gis.query.query import By, ByCell, ByDivision, ByField, ByTime, Measure
from gis.query.rollup_sums import Sums
from gis.query.rollup_tables import ROWS, quoted
from gis.query.statement import Statement

#: A rollup holds what has begun two days ago; a question whose now is older than this is answered from the rows.
_RECENT = timedelta(hours=12)


def answerable(plan: Plan) -> bool:
    """Whether the rows asked for are those that the rollup sums up, or a part of them that it tells apart."""
    query, rollup = plan.query, plan.collection.rollup
    if rollup is None or query.time or query.as_of or query.scenario or query.page.after:
        return False
    if plan.collection.timed and datetime.now(UTC) - plan.now > _RECENT:
        return False
    if isinstance(query.area, Cells) and any(cell >> 52 & 15 > rollup.finest for cell in query.area.ids):
        return False
    if not isinstance(query.area, Cells | Division | None):
        return False
    return query.where is None or named(query.where.json) <= set(rollup.dimensions)


def named(tree: str) -> set[str]:
    """The properties that a filter names, as CQL2 JSON."""
    return set(_properties(json.loads(tree)))


def _properties(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("property"), str):
            yield node["property"]
        for value in node.values():
            yield from _properties(value)
    elif isinstance(node, list):
        for value in node:
            yield from _properties(value)


def grouped(plan: Plan, names: list[str], asked: tuple[Measure, ...]) -> Statement | None:
    """One row a group from the rollup: its keys under the given names, then its measures; None where it cannot.

    Keys are as in the register: bigint cells and divisions, null where there is none.
    """
    rollup = plan.collection.rollup
    if rollup is None or not answerable(plan):
        return None
    dimensions = {by.name for by in plan.query.by if isinstance(by, ByField)}
    counted = {m.field for m in asked if m.field in rollup.dimensions}
    resolution = rollup.resolution_for(_wanted(plan))
    possible = dimensions <= set(rollup.dimensions) and all(_kept(m, plan) for m in asked)
    if not possible or resolution is None or any(isinstance(by, ByTime) for by in plan.query.by):
        return None
    sums = Sums(
        plan, resolution, tuple(sorted(dimensions | counted)), any(isinstance(by, ByDivision) for by in plan.query.by),
        tuple(dict.fromkeys([ROWS, *(column for m in asked for column in _columns(m, plan))])),
    )  # fmt: skip
    source = sums.statement()
    keys = [f'{_key(by)} AS "{name}"' for name, by in zip(names, plan.query.by, strict=True)]
    apart = [f'{quoted(name)} AS "_of_{name}"' for name in sorted(counted)]
    by_column = {column: f"{how}({column})::{kind} AS {column}" for column, kind, how, _ in sums.tables.figures}
    figures = [by_column[column] for column in sums.figures]
    # groups of what a delta took away again are none; of no rows at all there is one group, where nothing keys it
    inner = f"SELECT {', '.join([*keys, *apart, *figures])} FROM ({source.sql}) q"
    if keys or apart:
        inner += f" GROUP BY {_numbers(len(keys) + len(apart))} HAVING sum({ROWS}) <> 0"
    columns = [*(f'"{name}"' for name in names), *(f'{_measure(m, plan)} AS "{m.name}"' for m in asked)]
    outer = f"SELECT {', '.join(columns)} FROM ({inner}) g"
    return Statement(f"{outer} GROUP BY {_numbers(len(keys))}" if keys else outer, source.args)


def _wanted(plan: Plan) -> int:
    """The resolution that keys and area need at least."""
    area = plan.query.area
    asked = [by.resolution for by in plan.query.by if isinstance(by, ByCell)]
    return max([0, *asked, *(cell >> 52 & 15 for cell in (area.ids if isinstance(area, Cells) else ()))])


def _kept(measure: Measure, plan: Plan) -> bool:
    """Whether a figure can be told from the rollup."""
    rollup = plan.collection.rollup
    if measure.field is None or rollup is None:
        return rollup is not None
    if measure.function in ("min", "max", "distinct") and measure.field in rollup.dimensions:
        return True
    return measure.function != "distinct" and measure.field in rollup.measures


def _columns(measure: Measure, plan: Plan) -> list[str]:
    """The figures that a measure is made of."""
    rollup = plan.collection.rollup
    if measure.field is None or (rollup and measure.field in rollup.dimensions):
        return []
    kinds = {"sum": ("count", "sum"), "mean": ("count", "sum"), "min": ("min",), "max": ("max",)}
    return [f'"_{kind}_{measure.field}"' for kind in kinds[measure.function]]


def _measure(measure: Measure, plan: Plan) -> str:
    field, rollup = measure.field, plan.collection.rollup
    if field is None:
        return f"coalesce(sum({ROWS}), 0)::bigint"
    if rollup and field in rollup.dimensions:
        of = f'"_of_{field}"'
        return f"count(DISTINCT {of})" if measure.function == "distinct" else f"{measure.function}({of})"
    if measure.function in ("min", "max"):
        return f'{measure.function}("_{measure.function}_{field}")'
    count, total = f'sum("_count_{field}")', f'sum("_sum_{field}")'
    if measure.function == "mean":
        return f"({total} / nullif({count}, 0))::double precision"
    return f"CASE WHEN {count} > 0 THEN {total}::double precision END"


def _key(by: By) -> str:
    if isinstance(by, ByField):
        return quoted(by.name)
    if isinstance(by, ByCell):
        return cells.parent_sql("nullif(cell, 0)", by.resolution)
    assert isinstance(by, ByDivision)
    return division_column.at_level_sql("nullif(division, 0)", by.level)


def _numbers(count: int) -> str:
    return ", ".join(str(number + 1) for number in range(count))
