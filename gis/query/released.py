"""Questions of those who are told counts alone: sums over what is released (see `gis.access.anonymity`).

Whatever is asked is widened to the lattice that figures are told on: shapes to cells, times to set dates. A figure is
the sum of what is told of places within its own place; what is too few to be told there stands in coarser places only.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gis.access.rules import coarse_fields
from gis.catalog import Anonymous, FieldType
from gis.codes import division_column
from gis.codes.division import SPANS
from gis.codes.division import Division as DivisionCode
from gis.errors import BadQuery, UnknownName
from gis.geo.area import Area, Cells, Division, Within
from gis.geo.cells import parent_sql
from gis.query.lattice import covering
from gis.query.plan import Plan
from gis.query.query import By, ByCell, ByDivision, ByField, Measure
from gis.query.rollups import named
from gis.query.span import SHANGHAI, TICK
from gis.query.statement import Statement, conjunction
from gis.text import Text

_RELEASE = (
    'SELECT rank, on_date FROM "access"."release" WHERE collection = %s AND k >= %s AND resolution <= %s'
    " AND diversity >= %s AND on_date <= %s AND made_at <= %s ORDER BY on_date DESC, rank LIMIT 1"
)
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Widened:
    """What an answer rests on: the set date of its figures, and whether more was counted than the shape asked for."""

    day: date
    k: int
    resolution: int
    told: int
    area: bool

    def members(self) -> dict[str, Any]:
        """The members of an answer that say it; `told` is how many there are in all, coarser places included."""
        note = _WIDENED if self.area else _PLAIN
        return {
            "onemap:anonymous": {
                "date": self.day.isoformat(),
                "smallest": self.k,
                "resolution": self.resolution,
                "told": self.told,
                "areaWidened": self.area,
                "note": {"zh": note.zh, "en": note.en},
            }
        }


_PLAIN = Text(
    "统计数据为固定日期、固定网格上的匿名统计;人数过少的单元不单独列出,只计入上级网格或区划",
    "anonymous figures of a set date on a fixed lattice; what is too few to be told is counted in coarser places only",
)
_WIDENED = Text(
    f"查询范围已扩大到固定网格;{_PLAIN.zh}",
    f"the area asked for was widened to cells of the lattice; {_PLAIN.en}",
)


def is_anonymous(plan: Plan) -> bool:
    """Whether the caller is told counts alone."""
    return plan.rules.anonymous is not None and not plan.counting


def scheme_of(plan: Plan) -> Anonymous:
    """How coarse what the caller is told has to be."""
    found = plan.rules.anonymous
    assert found is not None
    return found


def check(plan: Plan) -> None:
    """That a question can be answered from what is released. Raises Forbidden for rows, BadQuery, UnknownName."""
    scheme, query = scheme_of(plan), plan.query
    if not query.grouped:
        plan.check_rows()
    if query.scenario is not None:
        raise BadQuery("anonymous figures are of the city as it is; leave scenario out",
                       "匿名统计只针对现状,请去掉 scenario", subject="scenario")  # fmt: skip
    for by in query.by:
        if isinstance(by, ByField):
            coarse(plan, by.name)
        elif isinstance(by, ByCell) and not 0 <= by.resolution <= scheme.resolution:
            raise BadQuery(
                f"{plan.collection.id} is told in cells of resolution 0 to {scheme.resolution}, not {by.resolution}",
                f"{plan.collection.id} 只按 0 至 {scheme.resolution} 级网格统计,没有 {by.resolution} 级",
                subject="res",
            )
        elif isinstance(by, ByDivision) and not 1 <= by.level <= 5:
            raise BadQuery("a division level is 1 to 5", "区划级别为 1 至 5", subject="by")
        elif not isinstance(by, ByField | ByCell | ByDivision):
            raise BadQuery("anonymous figures are not told by time", "匿名统计不按时间分组", subject="by")
    for measure in query.measure:
        if measure.field is not None:
            coarse(plan, measure.field)
            raise BadQuery("anonymous figures are counts only", "匿名统计只提供计数", subject="measure")


def coarse(plan: Plan, name: str) -> str:
    """A field by which figures are told apart. Raises UnknownName for every other alike."""
    among = [field for field in coarse_fields(plan.register) if field in plan.rules.fields]
    if name not in among:
        known = ", ".join(among)
        raise UnknownName(
            f"{plan.collection.id} has no field {name!r}; it has {known}",
            f"{plan.collection.id} 没有字段 {name!r};可用字段:{known}",
            subject=name,
        )
    return name


def groups(plan: Plan) -> Statement:
    """One row a group: its keys as in the register, in no order, then counts. Raises as `check` does."""
    check(plan)
    query = plan.query
    keys = [f'{_key(by)} AS "{by.column}"' for by in query.by]
    counts = [f'coalesce(sum(count), 0)::bigint AS "{measure.name}"' for measure in query.measure or (Measure(),)]
    told = _told(plan, [_fine_enough(by) for by in query.by])
    sql = f"SELECT {', '.join([*keys, *counts])} FROM ({told.sql}) q"
    if keys:
        sql += f" GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))} HAVING sum(count) > 0"
    return Statement(sql, told.args)


def foundation(plan: Plan) -> Statement:
    """One row, or none where nothing is released so early: the set date, k, the resolution, how many are told of in
    all within the area and filter, at whatever level.
    """
    check(plan)
    told = _told(plan, [])
    return Statement(
        f"SELECT r.on_date, r.k, r.resolution, (SELECT coalesce(sum(count), 0)::bigint FROM ({told.sql}) t)"
        f' FROM "access"."release" r WHERE r.collection = %s AND (r.rank, r.on_date) = ({_RELEASE})',
        (*told.args, plan.collection.id, *_chosen(plan)),
    )


def widened(plan: Plan, rows: list[tuple[Any, ...]]) -> Widened:
    """What `foundation` brought. Raises BadQuery where there is no release of so early a date."""
    if not rows:
        raise BadQuery(
            "nothing is released for so early a date; leave datetime and as-of out for the newest figures",
            "该日期之前没有发布的统计,去掉 datetime 与 as-of 可得最新统计",
            subject="datetime",
        )
    day, k, resolution, told = rows[0]
    return Widened(day, k, resolution, told, _is_widened(plan.query.area, resolution))


def _told(plan: Plan, also: list[Statement]) -> Statement:
    """The figures within the area, the duty's divisions and the filter, with the coarse fields as columns."""
    query, collection = plan.query, plan.register
    conditions = [
        Statement("r.collection = %s", (collection.id,)),
        Statement(f"(r.rank, r.on_date) = ({_RELEASE})", _chosen(plan)),
        *also,
    ]
    if plan.rules.divisions is not None:
        conditions.append(_in_ranges(plan.rules.divisions))
    if query.area is not None:
        conditions.append(_area(query.area, scheme_of(plan).resolution))
    fields = tuple(name for name in coarse_fields(collection) if name in plan.rules.fields)
    if query.where is not None:
        used = sorted(named(query.where.json))
        conditions += [Statement("jsonb_exists(r.label, %s)", (coarse(plan, name),)) for name in used]
        conditions.append(query.where.sql(collection, frozenset(fields)))
    typed = [f"""(label ->> '{name}')::{_sql_type(plan, name)} AS "{name}\"""" for name in fields]
    where = conjunction(conditions)
    return Statement(
        f"""SELECT r.* FROM (SELECT {", ".join(["f.*", *typed])} FROM "access"."released" f) r WHERE {where.sql}""",
        where.args,
    )


def _sql_type(plan: Plan, name: str) -> str:
    kind: FieldType = plan.register.field(name).type
    return kind.sql


def _chosen(plan: Plan) -> tuple[Any, ...]:
    """The values of `_RELEASE`: the finest release that the caller may be told, of the last set date asked about."""
    scheme, query = scheme_of(plan), plan.query
    end = plan.now if query.time is None else (query.time.end or _FOR_EVER) - TICK
    day = end.astimezone(SHANGHAI).date()
    return plan.register.id, scheme.k, scheme.resolution, scheme.diversity, day, query.as_of or _FOR_EVER


def _in_ranges(ranges: tuple[tuple[int, int], ...]) -> Statement:
    if not ranges:
        return Statement("false")
    return Statement(
        f"({' OR '.join('r.division BETWEEN %s AND %s' for _ in ranges)})", tuple(v for one in ranges for v in one)
    )


def _area(area: Area, finest: int) -> Statement:
    if isinstance(area, Division):
        return Statement("r.division BETWEEN %s AND %s", DivisionCode.from_int(area.code).range_)
    if isinstance(area, Within):
        raise BadQuery(
            "anonymous figures are told of cells, divisions, boxes and shapes; give the area as one of these",
            "匿名统计按网格、区划、范围框或图形查询,请改用其中之一",
            subject="area",
        )
    by_resolution: dict[int, list[int]] = {}
    for cell in covering(area, finest).ids:
        by_resolution.setdefault(cell >> 52 & 15, []).append(cell)
    tests = [
        f"(r.resolution >= {resolution} AND {parent_sql('r.cell', resolution)} = ANY(%s::bigint[]))"
        for resolution in by_resolution
    ]
    return Statement(f"({' OR '.join(tests)})" if tests else "false", tuple(by_resolution.values()))


def _is_widened(area: Area | None, finest: int) -> bool:
    """Whether more is counted than the area asked for."""
    if isinstance(area, Cells):
        return any(cell >> 52 & 15 > finest for cell in area.ids)
    return not isinstance(area, Division | None)


def _key(by: By) -> str:
    if isinstance(by, ByCell):
        return parent_sql("cell", by.resolution)
    if isinstance(by, ByDivision):
        return division_column.at_level_sql("division", by.level)
    assert isinstance(by, ByField)
    return f'"{by.name}"'


def _fine_enough(by: By) -> Statement:
    """Only what is told within one group of a key."""
    if isinstance(by, ByCell):
        return Statement("r.resolution >= %s", (by.resolution,))
    if isinstance(by, ByDivision):
        # `SPANS` has an entry for each level
        assert by.level <= len(SPANS)
        return Statement("r.level >= %s", (by.level,))
    assert isinstance(by, ByField)
    return Statement("jsonb_exists(r.label, %s)", (by.name,))
