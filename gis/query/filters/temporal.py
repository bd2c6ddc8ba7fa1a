"""The temporal functions of CQL2 (21-065r2, 6.9): relations of instants, dates and intervals.

Intervals are closed, as the standard has them; `..` is an open end. `INTERVAL(valid_from, valid_to)` is a row's own
valid time, whose end is exclusive in the tables: its last microsecond is its end here, so that T_INTERSECTS of it
finds the rows that `datetime` finds. Where only dates meet they are compared as dates; a date that meets an instant is
the Shanghai day.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gis.catalog import FieldType
from gis.errors import BadQuery
from gis.query.filters.fault import Fault
from gis.query.filters.values import Values
from gis.query.span import Span
from gis.query.statement import Statement

#: With a and b, their start and end, and the edge: where what follows without a gap begins.
_FUNCTIONS = {
    "t_after": "{a.start} > {b.end}",
    "t_before": "{a.end} < {b.start}",
    "t_contains": "{a.start} < {b.start} AND {a.end} > {b.end}",
    "t_disjoint": "NOT ({a.start} <= {b.end} AND {a.end} >= {b.start})",
    "t_during": "{a.start} > {b.start} AND {a.end} < {b.end}",
    "t_equals": "{a.start} = {b.start} AND {a.end} = {b.end}",
    "t_finishedby": "{a.start} < {b.start} AND {a.end} = {b.end}",
    "t_finishes": "{a.start} > {b.start} AND {a.end} = {b.end}",
    "t_intersects": "{a.start} <= {b.end} AND {a.end} >= {b.start}",
    "t_meets": "{a.edge} = {b.start}",
    "t_metby": "{b.edge} = {a.start}",
    "t_overlappedby": "{a.start} > {b.start} AND {a.start} < {b.end} AND {a.end} > {b.end}",
    "t_overlaps": "{a.start} < {b.start} AND {a.end} > {b.start} AND {a.end} < {b.end}",
    "t_startedby": "{a.start} = {b.start} AND {a.end} > {b.end}",
    "t_starts": "{a.start} = {b.start} AND {a.end} < {b.end}",
}
FUNCTIONS = frozenset(_FUNCTIONS)
_OPEN = ("..", "")
_TICK = "interval '1 microsecond'"
_DAY = "interval '1 day'"


@dataclass(frozen=True, slots=True)
class _End:
    """One end of an interval: its SQL and values; `exclusive` where the interval ends just before it."""

    sql: str
    args: tuple[Any, ...] = ()
    is_date: bool = False
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A word of a function's formula, with the values that go with it."""

    start: Statement
    end: Statement
    edge: Statement


def relation(op: str, args: list[Any], values: Values) -> Statement:
    """A temporal function of two instants or intervals. Raises Fault."""
    first, second = (_ends(node, values) for node in args)
    # an open end is whatever its other end is
    as_dates = all(end.is_date for end in (*first, *second) if not _is_open(end))
    parts = {"a": _part(*first, as_dates), "b": _part(*second, as_dates)}
    return _filled(_FUNCTIONS[op], parts)


def _filled(formula: str, parts: dict[str, _Part]) -> Statement:
    """The formula with its words replaced, values in the order of the words."""
    sql, args = "", ()
    for piece in formula.split("{"):
        word, closing, rest = piece.partition("}")
        if not closing:
            sql += piece
            continue
        name, _, what = word.partition(".")
        found: Statement = getattr(parts[name], what)
        sql, args = sql + found.sql + rest, args + found.args
    return Statement(f"({sql})", args)


def _part(start: _End, end: _End, as_dates: bool) -> _Part:
    return _Part(_start(start, as_dates), _last(end, as_dates), _edge(end, as_dates))


def _start(end: _End, as_dates: bool) -> Statement:
    if as_dates or not end.is_date:
        return _typed(end, as_dates)
    return Statement(f"({end.sql}::timestamp AT TIME ZONE 'Asia/Shanghai')", end.args)


def _edge(end: _End, as_dates: bool) -> Statement:
    if as_dates or not end.is_date:
        return _typed(end, as_dates)
    return Statement(f"(({end.sql} + {_DAY}) AT TIME ZONE 'Asia/Shanghai')", end.args)


def _last(end: _End, as_dates: bool) -> Statement:
    edge = _edge(end, as_dates)
    is_before = end.exclusive or (end.is_date and not as_dates)
    return Statement(f"({edge.sql} - {_TICK})", edge.args) if is_before else edge


def _typed(end: _End, as_dates: bool) -> Statement:
    return (
        Statement(f"'{end.sql}'::{'date' if as_dates else 'timestamptz'}")
        if _is_open(end)
        else Statement(end.sql, end.args)
    )


def _is_open(end: _End) -> bool:
    return end.sql in ("-infinity", "infinity")


def _ends(node: Any, values: Values) -> tuple[_End, _End]:
    if isinstance(node, dict) and "interval" in node:
        first, last = node["interval"]
        return _bound(first, values, "-infinity"), _bound(last, values, "infinity")
    found = _bound(node, values, "")
    if _is_open(found) or not found.sql:
        raise _refusal(node)
    return found, found


def _bound(node: Any, values: Values, open_: str) -> _End:
    """One end of an interval, or an instant."""
    if isinstance(node, str) and node in _OPEN:
        return _End(open_)
    if isinstance(node, str):
        return _moment(node)
    if isinstance(node, dict) and "property" in node:
        return _property(node["property"], values, open_)
    if isinstance(node, dict) and isinstance(node.get("date"), str):
        return _End("%s::date", (_day(node["date"]),), is_date=True)
    if isinstance(node, dict) and isinstance(node.get("timestamp"), str):
        return _moment(node["timestamp"])
    raise _refusal(node)


def _property(name: Any, values: Values, open_: str) -> _End:
    field = values.field(name)
    if open_ and field.name in ("valid_from", "valid_to"):
        # an infinite bound is one here, not a missing value
        return _End(field.name, exclusive=field.name == "valid_to" and open_ == "infinity")
    if field.type not in (FieldType.DATE, FieldType.INSTANT):
        raise Fault(f"{field.name} is neither a date nor an instant", f"{field.name} 既不是日期也不是时刻")
    return _End(values.column(field), is_date=field.type is FieldType.DATE)


def _moment(text: str) -> _End:
    try:
        return _End("%s::date", (date.fromisoformat(text),), is_date=True)
    except ValueError:
        pass
    try:
        span = Span.parse(text) if "/" not in text else Span()
    except BadQuery as error:
        raise Fault(error.text.en, error.text.zh) from None
    if span.start is None:
        raise _refusal(text)
    return _End("%s::timestamptz", (span.start,))


def _day(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise _refusal(text) from None


def _refusal(node: Any) -> Fault:
    return Fault(f"{str(node)[:60]!r} is neither an instant nor an interval", f"{str(node)[:60]!r} 不是时刻或时间段")
