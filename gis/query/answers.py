"""What is made of the protected relation: a page of features, groups with their figures, a count."""

from dataclasses import replace

from gis.catalog import FieldType
from gis.codes import division_column
from gis.errors import BadQuery
from gis.geo import cells
from gis.query import released, rollup_bounds, rollups
from gis.query.features import CELL, CODE, count, features
from gis.query.plan import Plan
from gis.query.query import By, ByCell, ByDivision, ByField, ByTime, Measure
from gis.query.statement import Statement

__all__ = ["count", "features", "group_names", "groups", "groups_of_rows", "measures"]

_SQL_FUNCTION = {
    "count": "count(*)",
    "sum": "sum({})::double precision",
    "mean": "avg({})::double precision",
    "min": "min({})",
    "max": "max({})",
    "distinct": "count(DISTINCT {})",
}


def groups(plan: Plan) -> Statement:
    """One row a group: its keys, then its measures (a count where none is asked). Groups come in the keys' order.

    They are read from the collection's rollup where that can tell them, else from the rows; of a collection with a
    rollup only up to `rollup_bounds.MOST_ROWS` of these, beyond which the statement fails as BadQuery. Who is told
    counts alone is told those that are released.
    """
    names, asked = group_names(plan), measures(plan)
    summed = released.groups(plan) if released.is_anonymous(plan) else _summed(plan, names, asked)
    words = [_word(name, by) for name, by in zip(names, plan.query.by, strict=True)]
    sql = f"SELECT {', '.join([*words, *(f'{chr(34)}{m.name}{chr(34)}' for m in asked)])} FROM ({summed.sql}) g"
    if names:
        # by the keys themselves, not by their words
        sql += f" ORDER BY {', '.join(f'g.{chr(34)}{name}{chr(34)}' for name in names)}"
    args = summed.args
    if plan.query.page.limit is not None:
        sql, args = f"{sql} LIMIT %s OFFSET %s", (*args, plan.query.page.limit, plan.query.page.offset)
    return Statement(sql, args)


def _summed(plan: Plan, names: list[str], asked: tuple[Measure, ...]) -> Statement:
    read = groups_of_rows(plan)
    return rollups.grouped(plan, names, asked) or read


def groups_of_rows(plan: Plan) -> Statement:
    """The groups as the rows themselves have them, in no order; keys as in the register. Raises BadQuery."""
    keys = [f'{_key(by, plan)} AS "{name}"' for name, by in zip(group_names(plan), plan.query.by, strict=True)]
    asked = measures(plan)
    needed = {b.name for b in plan.query.by if isinstance(b, ByField)} | {m.field for m in asked if m.field}
    fields = tuple(sorted(plan.visible(n) for n in needed))
    inner = replace(plan, query=plan.query.but(fields=fields)).relation(also=rollup_bounds.bounded(plan))
    sql = f"SELECT {', '.join([*keys, *(_measure(m, plan) for m in asked)])} FROM ({inner.sql}) q"
    if keys:
        sql += f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}"
    return Statement(sql, inner.args)


def measures(plan: Plan) -> tuple[Measure, ...]:
    """The figures of each group: those asked for, else a count."""
    return plan.query.measure or (Measure(),)


def group_names(plan: Plan) -> list[str]:
    """The columns of the groups' keys: `cell`, `division`, the field's name, `time`, `hour_of_week`."""
    return [by.column for by in plan.query.by]


def _word(name: str, by: By) -> str:
    """A group's key as people and programs read it."""
    if isinstance(by, ByCell):
        return f"{CELL.format(name)} AS {name}"
    if isinstance(by, ByDivision):
        return f"{CODE.format(name)} AS {name}"
    if isinstance(by, ByTime) and name == "time":
        return 'nullif("time", \'-infinity\') AS "time"'
    return f'"{name}"'


def _key(by: By, plan: Plan) -> str:
    if isinstance(by, ByField):
        return f'"{plan.visible(by.name)}"'
    if isinstance(by, ByCell):
        finest = plan.collection.cell_resolution
        if not 0 <= by.resolution <= finest:
            raise BadQuery(
                f"{plan.collection.id} has cells of resolution 0 to {finest}, not {by.resolution}",
                f"{plan.collection.id} 的网格分辨率为 0 至 {finest},没有 {by.resolution}",
                subject="res",
            )
        return cells.parent_sql("cell", by.resolution)
    if isinstance(by, ByDivision):
        if not 1 <= by.level <= 5:
            raise BadQuery("a division level is 1 to 5", "区划级别为 1 至 5", subject="by")
        return division_column.at_level_sql("division", by.level)
    if not plan.collection.timed:
        raise BadQuery(f"{plan.collection.id} has no valid time", f"{plan.collection.id} 没有有效时间", subject="by")
    if by.bin == "hour-of-week":
        local = "valid_from AT TIME ZONE 'Asia/Shanghai'"
        return f"((extract(isodow FROM {local}) - 1) * 24 + extract(hour FROM {local}))::bigint"
    return f"date_trunc('{by.bin}', valid_from, 'Asia/Shanghai')"


def _measure(measure: Measure, plan: Plan) -> str:
    if measure.field is None:
        return 'count(*) AS "count"'
    field = plan.collection.field(plan.visible(measure.field))
    if measure.function in ("sum", "mean") and field.type not in (FieldType.NUMBER, FieldType.INTEGER):
        raise BadQuery(
            f"{measure.function} needs a number; {field.name} is {field.type.value}",
            f"{measure.function} 需要数值字段,{field.name} 为 {field.type.value}",
            subject="measure",
        )
    if measure.function in ("min", "max") and field.type is FieldType.BOOLEAN:
        raise BadQuery(
            f"{measure.function} needs values in an order; {field.name} is true or false",
            f"{measure.function} 需要可比较大小的字段,{field.name} 为真假值",
            subject="measure",
        )
    return f'{_SQL_FUNCTION[measure.function].format(f"{chr(34)}{field.name}{chr(34)}")} AS "{measure.name}"'
