"""What is made of the protected relation: a page of features, groups with their figures, a count."""

from gis.catalog import FieldType
from gis.codes import division_column
from gis.errors import BadQuery
from gis.geo import cells
from gis.query.plan import Plan
from gis.query.query import By, ByCell, ByDivision, ByField, ByTime, Measure
from gis.query.statement import Statement, conjunction

_CELL, _CODE = "to_hex({})", "lpad(({})::text, 12, '0')"

#: The standard columns as people and programs read them.
_READABLE = (
    "fid",
    "nullif(q.valid_from, '-infinity') AS valid_from",
    "nullif(q.valid_to, 'infinity') AS valid_to",
    f"{_CELL.format('cell')} AS cell",
    f"{_CODE.format('division')} AS division",
)
_SQL_FUNCTION = {
    "count": "count(*)",
    "sum": "sum({})",
    "mean": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "distinct": "count(DISTINCT {})",
}


def features(plan: Plan, geometry: str = "ST_AsBinary(geom)", also: Statement | None = None) -> Statement:
    """The rows of a page, in the asked order; features of equal rank follow their fid, so that paging is stable.

    Columns: fid, valid_from and valid_to (null where there is no bound), cell (hexadecimal), division (12 digits),
    geometry (as the SQL expression says; WKB), the fields. `also` narrows the rows further.
    """
    page = plan.query.page
    narrower = [condition for condition in (_after(plan), also) if condition]
    relation = plan.relation(also=conjunction(narrower) if narrower else None)
    names = [*_READABLE, f"{geometry} AS geometry", *(f'"{name}"' for name in plan.fields)]
    sql = f"SELECT {', '.join(names)} FROM ({relation.sql}) q ORDER BY {_order(plan)}"
    args = relation.args
    if page.limit is not None:
        sql, args = f"{sql} LIMIT %s", (*args, page.limit)
    if page.offset:
        sql, args = f"{sql} OFFSET %s", (*args, page.offset)
    return Statement(sql, args)


def count(plan: Plan, at_most: int) -> Statement:
    """How many rows there are, counted no further than `at_most`."""
    relation = plan.relation()
    return Statement(
        f"SELECT count(*) FROM (SELECT 1 FROM ({relation.sql}) q LIMIT %s) n",
        (*relation.args, at_most),
    )


def groups(plan: Plan) -> Statement:
    """One row a group: its keys, then its measures (a count where none is asked). Groups come in the keys' order."""
    plan_keys = [(name, _key(by, plan)) for name, by in zip(group_names(plan), plan.query.by, strict=True)]
    asked = measures(plan)
    needed = {b.name for b in plan.query.by if isinstance(b, ByField)} | {m.field for m in asked if m.field}
    inner = Plan(
        plan.query.but(fields=tuple(sorted(plan.visible(n) for n in needed))), plan.catalogue, plan.identity, plan.now
    ).relation()
    columns = [f'{sql} AS "{name}"' for name, sql in plan_keys] + [_measure(m, plan) for m in asked]
    grouped = f"SELECT {', '.join(columns)} FROM ({inner.sql}) q"
    args = inner.args
    if plan_keys:
        numbers = ", ".join(str(i + 1) for i in range(len(plan_keys)))
        grouped = f"{grouped} GROUP BY {numbers} ORDER BY {numbers}"
    words = [_word(name, by) for name, by in zip(group_names(plan), plan.query.by, strict=True)]
    sql = f"SELECT {', '.join([*words, *(f'{chr(34)}{m.name}{chr(34)}' for m in asked)])} FROM ({grouped}) g"
    if plan.query.page.limit is not None:
        sql, args = f"{sql} LIMIT %s OFFSET %s", (*args, plan.query.page.limit, plan.query.page.offset)
    return Statement(sql, args)


def measures(plan: Plan) -> tuple[Measure, ...]:
    """The figures of each group: those asked for, else a count."""
    return plan.query.measure or (Measure(),)


def group_names(plan: Plan) -> list[str]:
    """The columns of the groups' keys: `cell`, `division`, the field's name, `time`."""
    kinds = {ByCell: "cell", ByDivision: "division", ByTime: "time"}
    return [by.name if isinstance(by, ByField) else kinds[type(by)] for by in plan.query.by]


def _word(name: str, by: By) -> str:
    """A group's key as people and programs read it."""
    if isinstance(by, ByCell):
        return f"{_CELL.format(name)} AS {name}"
    if isinstance(by, ByDivision):
        return f"{_CODE.format(name)} AS {name}"
    if isinstance(by, ByTime):
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
    return f'{_SQL_FUNCTION[measure.function].format(f"{chr(34)}{field.name}{chr(34)}")} AS "{measure.name}"'


def _order(plan: Plan) -> str:
    keys = []
    for sort in plan.query.sort:
        field = plan.collection.field(plan.visible(sort.field))
        if not field.sortable:
            raise BadQuery(
                f"{plan.collection.id} cannot be sorted by {field.name}",
                f"{plan.collection.id} 不能按 {field.name} 排序",
                subject="sortby",
            )
        keys.append(f'"{field.name}" {"DESC NULLS LAST" if sort.descending else "ASC NULLS LAST"}')
    return ", ".join([*keys, "q.fid", "q.valid_from"])


def _after(plan: Plan) -> Statement | None:
    """Rows behind the last one of the page before."""
    after = plan.query.page.after
    if after is None:
        return None
    if plan.query.sort:
        raise BadQuery("paging by key goes in the order of fid", "按键翻页仅支持 fid 顺序", subject="after")
    return Statement("(fid, valid_from) > (%s::bigint, coalesce(%s::timestamptz, '-infinity'))", after)
