"""How many rows a question may read one by one, where no rollup answers it."""

from collections.abc import Sequence

from gis.geo.area import Cells, Division
from gis.geo.cell_windows import BoxDeg, window
from gis.query.areas import area_condition, bounds_of
from gis.query.plan import Plan
from gis.query.rollup_tables import ROWS, RollupTables, level
from gis.query.statement import Statement

#: How many rows may be read one by one where a rollup cannot answer.
MOST_ROWS = 1_000_000
_MOST_COVERING = 300


def bounded(plan: Plan) -> Statement | None:
    """A condition that lets a question be answered from the rows only where they are not too many; else it fails.

    None where nothing is known of how many they are: without a rollup. Its failure reaches the caller as BadQuery.
    """
    if plan.collection.rollup is None:
        return None
    counted = _about(plan)
    return Statement(f"(SELECT core.bounded(coalesce(sum({ROWS}), 0), {MOST_ROWS}) FROM {counted.sql})", counted.args)


def bounded_in(plan: Plan, boxes: Sequence[BoxDeg]) -> Statement | None:
    """The same condition for what a question leaves in boxes alone."""
    rollup = plan.collection.rollup
    if rollup is None:
        return None
    counted = _in(plan, [window(box, _MOST_COVERING, rollup.resolutions) for box in boxes])
    return Statement(f"(SELECT core.bounded(coalesce(sum({ROWS}), 0), {MOST_ROWS}) FROM {counted.sql})", counted.args)


def _about(plan: Plan) -> Statement:
    """Where to count the rows that an area leaves, as a FROM item and its condition."""
    assert plan.collection.rollup is not None
    area, tables, resolutions = plan.query.area, RollupTables(plan.register), plan.collection.rollup.resolutions
    if isinstance(area, Division):
        condition = area_condition(area, plan.collection)
        return Statement(f"{tables.table()} WHERE {_whole(tables)} AND {condition.sql}", condition.args)
    if isinstance(area, Cells):
        return _in(plan, [area.ids])
    if area is None:
        return _in(plan, [None])
    return _in(plan, [window(box, _MOST_COVERING, resolutions) for box in bounds_of(area)])


def _in(plan: Plan, windows: Sequence[tuple[int, ...] | None]) -> Statement:
    """Where to count the rows of cells; of all, where one of the windows is all."""
    tables = RollupTables(plan.register)
    found = [cell for cells in windows for cell in cells or ()]
    if None in windows:
        return Statement(f"{tables.table('_cell')} WHERE {_whole(tables)}")
    return Statement(f"{tables.table('_cell')} WHERE cell = ANY(%s)", (found,))


def _whole(tables: RollupTables) -> str:
    low, high = level(tables.rollup.resolutions[0])
    return f"(cell BETWEEN {low} AND {high} OR cell = 0)"
