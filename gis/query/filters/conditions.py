"""Conditions in a filter: logic, comparison, and the spatial and temporal functions, as SQL with bound values."""

from collections.abc import Callable

from gis.catalog import Collection, FieldType
from gis.query.filters import spatial, temporal
from gis.query.filters.fault import Fault
from gis.query.filters.values import Node, Values
from gis.query.statement import Statement

_COMPARE = frozenset({"=", "<>", "<", "<=", ">", ">="})
_MAX_DEPTH = 60


class Conditions:
    """Turns one filter's tree into SQL."""

    def __init__(self, collection: Collection, columns: frozenset[str]) -> None:
        self.collection = collection
        self.values = Values(collection, columns, self.condition)
        self.depth = 0
        self.logical: dict[str, Callable[[list[Node]], Statement]] = {
            "and": lambda a: self._joined(" AND ", a),
            "or": lambda a: self._joined(" OR ", a),
            "not": self._not,
            "between": self._between,
            "in": self._in,
            "like": self._like,
            "isNull": self._is_null,
        }

    def condition(self, node: Node) -> Statement:
        """A true-or-false expression. Raises Fault, which knows the place."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Fault("it is nested too deeply", "嵌套过深")
        try:
            if isinstance(node, bool):
                return Statement("true" if node else "false")
            if isinstance(node, dict) and "property" in node:
                return self.values.read(node, FieldType.BOOLEAN)
            if not (isinstance(node, dict) and isinstance(node.get("op"), str)):
                raise Fault("a condition is expected", "此处应为条件")
            return self._operation(node["op"], node.get("args", []))
        except Fault as fault:
            fault.place = node if fault.place is None else fault.place
            raise
        finally:
            self.depth -= 1

    def _operation(self, op: str, args: list[Node]) -> Statement:
        if op in self.logical:
            return self.logical[op](args)
        if op in _COMPARE:
            return self._compare(op, args)
        if op.lower() in spatial.FUNCTIONS:
            return spatial.relation(op.lower(), args, self.collection)
        if op.lower() in temporal.FUNCTIONS:
            return temporal.relation(op.lower(), args, self.values)
        if op.lower().startswith("a_"):
            raise Fault("no field holds an array", "没有数组类型的字段")
        raise Fault(f"the function {op!r} is not offered", f"不支持函数 {op!r}")

    def _joined(self, word: str, args: list[Node]) -> Statement:
        parts = [self.condition(a) for a in args]
        if not parts:
            raise Fault("nothing is joined", "缺少条件")
        return Statement("(" + word.join(p.sql for p in parts) + ")", tuple(v for p in parts for v in p.args))

    def _not(self, args: list[Node]) -> Statement:
        (inner,) = (self.condition(a) for a in args)
        return Statement(f"(NOT {inner.sql})", inner.args)

    def _between(self, args: list[Node]) -> Statement:
        kind = self.values.common(args)
        value, low, high = (self.values.read(a, kind) for a in args)
        return Statement(f"({value.sql} BETWEEN {low.sql} AND {high.sql})", value.args + low.args + high.args)

    def _in(self, args: list[Node]) -> Statement:
        value, options = args
        kind = self.values.common([value, *options])
        left, among = self.values.read(value, kind), [self.values.read(option, kind) for option in options]
        if not among:
            return Statement("false")
        return Statement(
            f"({left.sql} IN ({', '.join(o.sql for o in among)}))",
            left.args + tuple(v for o in among for v in o.args),
        )

    def _like(self, args: list[Node]) -> Statement:
        value, pattern = (self.values.read(a, FieldType.TEXT) for a in args)
        for text in pattern.args:
            if (len(text) - len(text.rstrip("\\"))) % 2:
                raise Fault("the pattern ends with an escape character", "模式以转义符结尾")
        return Statement(f"({value.sql} LIKE {pattern.sql})", value.args + pattern.args)

    def _is_null(self, args: list[Node]) -> Statement:
        (node,) = args
        if isinstance(node, dict) and node.get("property") in spatial.GEOMETRY and self.collection.geometry:
            return Statement("(geom IS NULL)")
        value = self.values.read(node, self.values.common([node]))
        return Statement(f"({value.sql} IS NULL)", value.args)

    def _compare(self, sign: str, args: list[Node]) -> Statement:
        kind = self.values.common(args)
        left, right = (self.values.read(a, kind) for a in args)
        return Statement(f"({left.sql} {sign} {right.sql})", left.args + right.args)
