"""Values in a filter: properties, constants read as the type that they are compared with, arithmetic, `casei`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gis.catalog import Collection, Field, FieldType
from gis.query.filters.fault import Fault
from gis.query.queryables import COLUMNS, queryables, standard
from gis.query.span import Span
from gis.query.statement import Statement

Node = Any

NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
_LARGEST = 2**63
_TITLES = {
    FieldType.TEXT: "text", FieldType.INTEGER: "a number", FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false", FieldType.DATE: "a date", FieldType.INSTANT: "an instant",
}  # fmt: skip
_TITLES_ZH = {
    FieldType.TEXT: "文本", FieldType.INTEGER: "数值", FieldType.NUMBER: "数值",
    FieldType.BOOLEAN: "真假值", FieldType.DATE: "日期", FieldType.INSTANT: "时刻",
}  # fmt: skip

#: Each operand once, whatever the formula repeats; OFFSET 0 keeps the planner from writing it out again.
_OPERANDS = "(SELECT {} FROM (SELECT {}::double precision AS a, {}::double precision AS b OFFSET 0) o)"
#: By zero there is no quotient, and of a negative number no broken power: the value is missing.
_ARITHMETIC = {
    "+": "({} + {})",
    "-": "({} - {})",
    "*": "({} * {})",
    "/": "({} / NULLIF({}, 0))",
    "div": "trunc({} / NULLIF({}, 0))",
    "%": _OPERANDS.format("a - b * trunc(a / NULLIF(b, 0))", "{}", "{}"),
    "^": _OPERANDS.format("CASE WHEN (a >= 0 OR b = trunc(b)) AND (a <> 0 OR b >= 0) THEN power(a, b) END", "{}", "{}"),
}


class Values:
    """Reads values; every name is checked against the declaration and the caller's rights, every constant is bound."""

    def __init__(
        self, collection: Collection, columns: frozenset[str], condition: Callable[[Node], Statement | None]
    ) -> None:
        self.collection, self._condition = collection, condition
        allowed = columns | {field.name for field in standard(collection)}
        self._known = {name: field for name, field in queryables(collection).items() if name in allowed}

    def field(self, name: Any) -> Field:
        """The field of that name. Raises Fault alike for hidden and for undeclared names."""
        found = self._known.get(name) if isinstance(name, str) else None
        if found is None:
            listed = ", ".join(self._known)
            raise Fault(f"{self.collection.id} has no field {name!r}; it has {listed}",
                        f"{self.collection.id} 没有字段 {name!r};可用字段:{listed}")  # fmt: skip
        return found

    def column(self, field: Field) -> str:
        """The SQL of a field."""
        return COLUMNS.get(field.name, f'"{field.name}"')

    def common(self, nodes: list[Node]) -> FieldType:
        """The type in which values are compared with each other. Raises Fault where they have none in common."""
        kinds = [kind for kind in map(self.kind, nodes) if kind is not None]
        if not kinds:
            return FieldType.TEXT if any(isinstance(node, str) for node in nodes) else FieldType.NUMBER
        first = FieldType.NUMBER if len(set(kinds)) > 1 and set(kinds) <= set(NUMERIC) else kinds[0]
        for kind in kinds:
            if kind is not first and not (kind in NUMERIC and first in NUMERIC):
                hint = "; use T_AFTER, T_BEFORE or T_INTERSECTS" if {kind, first} == _TIMES else ""
                raise Fault(f"{_TITLES[first]} is compared with {_TITLES[kind]}{hint}",
                            f"{_TITLES_ZH[first]}不能与{_TITLES_ZH[kind]}比较")  # fmt: skip
        return first

    def kind(self, node: Node) -> FieldType | None:
        """What a value is by itself; None for a constant that is read as what it is compared with."""
        if isinstance(node, bool):
            return FieldType.BOOLEAN
        if not isinstance(node, dict):
            return None
        if "property" in node:
            return self.field(node["property"]).type
        op = node.get("op")
        said = {"date" in node: FieldType.DATE, "timestamp" in node: FieldType.INSTANT,
                op in _ARITHMETIC: FieldType.NUMBER, op == "casei": FieldType.TEXT}  # fmt: skip
        return said.get(True, FieldType.BOOLEAN)

    def read(self, node: Node, kind: FieldType) -> Statement:
        """A value as `kind`. Raises Fault where it is none."""
        if isinstance(node, dict):
            return self._composite(node, kind)
        if isinstance(node, bool) and kind is FieldType.BOOLEAN:
            return Statement("%s::boolean", (node,))
        if isinstance(node, str | int | float) and not isinstance(node, bool):
            return _constant(node, kind)
        raise _unfit(node, kind)

    def _composite(self, node: dict[str, Any], kind: FieldType) -> Statement:
        if "property" in node:
            field = self.field(node["property"])
            if field.type is not kind and not (field.type in NUMERIC and kind in NUMERIC):
                raise Fault(f"{field.name} is {_TITLES[field.type]}, not {_TITLES[kind]}",
                            f"{field.name} 为{_TITLES_ZH[field.type]},不是{_TITLES_ZH[kind]}")  # fmt: skip
            return Statement(self.column(field))
        if "date" in node or "timestamp" in node:
            given = FieldType.DATE if "date" in node else FieldType.INSTANT
            if given is not kind:
                raise _unfit(node, kind)
            return _constant(node.get("date", node.get("timestamp")), kind)
        op, args = node.get("op"), node.get("args", [])
        if op in _ARITHMETIC and kind in NUMERIC:
            return self._arithmetic(op, args)
        if op == "casei" and kind is FieldType.TEXT:
            (inner,) = (self.read(a, FieldType.TEXT) for a in args)
            return Statement(f"lower({inner.sql})", inner.args)
        if kind is FieldType.BOOLEAN and (condition := self._condition(node)):
            return Statement(f"({condition.sql})", condition.args)
        raise _unfit(node, kind)

    def _arithmetic(self, op: str, args: list[Node]) -> Statement:
        left, right = (self._number(a) for a in args)
        return Statement(_ARITHMETIC[op].format(left.sql, right.sql), left.args + right.args)

    def _number(self, node: Node) -> Statement:
        """A number as a real one: 7 / 2 is 3.5 for whole fields too."""
        found = self.read(node, FieldType.NUMBER)
        is_whole = isinstance(node, dict) and "property" in node and self.kind(node) is FieldType.INTEGER
        return Statement(f"{found.sql}::double precision", found.args) if is_whole else found


_TIMES = {FieldType.DATE, FieldType.INSTANT}


def _constant(value: Any, kind: FieldType) -> Statement:
    """A constant bound as `kind`: of a type that the column's index can use."""
    try:
        if kind is FieldType.TEXT:
            return Statement("%s::text", (value if isinstance(value, str) else _written(value),))
        if kind in NUMERIC:
            return _number(float(value), kind)
        if isinstance(value, str) and kind is FieldType.DATE:
            return Statement("%s::date", (datetime.fromisoformat(value).date(),))
        if isinstance(value, str) and kind is FieldType.INSTANT and (start := Span.parse(value).start):
            return Statement("%s::timestamptz", (start,))
    except ValueError:
        pass
    raise _unfit(value, kind)


def _number(number: float, kind: FieldType) -> Statement:
    if kind is FieldType.INTEGER and number.is_integer() and abs(number) < _LARGEST:
        return Statement("%s::bigint", (int(number),))
    return Statement("%s::double precision", (number,))


def _written(number: float) -> str:
    """A number as people write it in a code: without a fraction where it is whole."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _unfit(node: Node, kind: FieldType) -> Fault:
    if isinstance(node, dict) and isinstance(op := node.get("op"), str):
        return Fault(f"{op!r} is not offered as {_TITLES[kind]}", f"不支持以 {op!r} 作为{_TITLES_ZH[kind]}")
    return Fault(f"{str(node)[:60]!r} is not {_TITLES[kind]}", f"{str(node)[:60]!r} 不是{_TITLES_ZH[kind]}")
