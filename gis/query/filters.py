"""Filters in OGC CQL2: parsed by the `cql2` library into one canonical value, compiled to SQL with bound values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

import cql2
import shapely

from gis.catalog import Collection, Field, FieldType
from gis.errors import BadQuery
from gis.geo.area import Box, Shape
from gis.query.span import Span
from gis.query.statement import Statement


@dataclass(frozen=True, slots=True)
class Filter:
    """A CQL2 filter as canonical JSON text, so that equal questions are equal values."""

    json: str

    @classmethod
    def parse(cls, text: str, language: str = "cql2-text") -> Filter:
        """A filter from CQL2 text or JSON. Raises BadQuery with the parser's reason."""
        try:
            # not validate(): it compiles the whole JSON schema at each call (0.1 s); the compiler below checks as well
            tree = _with_plain_numbers(_parsed(text, language).to_json())
            canonical = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
            cql2.parse_json(canonical)  # refuses what is nested too deeply to be read again
        except (cql2.ParseError, ValueError, TypeError, RecursionError) as error:
            why = (str(error).strip().splitlines() or ["it cannot be read"])[0][:200]
            raise BadQuery(f"the filter {text[:200]!r} is not {language}: {why}",
                           f"过滤条件 {text[:200]!r} 不符合 {language}:{why}", subject="filter") from None  # fmt: skip
        return cls(canonical)

    @property
    def text(self) -> str:
        """The filter as CQL2 text."""
        return str(cql2.parse_json(self.json).to_text())

    def sql(self, collection: Collection, columns: frozenset[str]) -> Statement:
        """The condition as SQL over the collection's columns; only `columns` may be named."""
        try:
            return _Compiler(collection, columns).condition(json.loads(self.json))
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise _refusal(f"wrong arguments ({error})", f"参数有误({error})") from None


def _parsed(text: str, language: str) -> cql2.Expr:
    """The library's expression, after a look at what its parser cannot bear.

    It tries every reading of a bracket again at each level, so that broken text takes twice as long a level; and it
    descends without limit, which ends the process.
    """
    if "\0" in text:
        raise ValueError("it holds a NUL character")
    if language == "cql2-json":
        return cql2.parse_json(text)
    bare = _QUOTED.sub("", text)
    depth = list(accumulate({"(": 1, ")": -1}.get(c, 0) for c in bare))
    if max(depth, default=0) > _MAX_BRACKETS or len(_DESCENDING.findall(bare)) > _MAX_DESCENDING:
        raise ValueError("it is nested too deeply; write it as cql2-json")
    if depth and (depth[-1] != 0 or min(depth) < 0):
        raise ValueError("a bracket is not closed, or not opened")
    return cql2.parse_text(text)


def _with_plain_numbers(node: Any) -> Any:
    """The tree with its numbers to 15 digits: the library's JSON reader may miss the last bit at each reading."""
    if isinstance(node, dict):
        return {name: _with_plain_numbers(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_plain_numbers(value) for value in node]
    if isinstance(node, float):
        return _rounded(node)
    return node


def _rounded(number: float) -> float:
    """To 15 digits, within what 15 digits can say: too small is 0, too large the largest."""
    if abs(number) <= _LEAST:
        return 0.0
    return max(-_MOST, min(_MOST, float(f"{number:.15g}")))


_LEAST, _MOST = 1e-290, 1.79769313486231e308
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DESCENDING = re.compile(r"[+*/^%=<>|-]|\b(?:not|div|and|or|is|in|like|between)\b", re.IGNORECASE)
_MAX_BRACKETS = 10
_MAX_DESCENDING = 500

Node = Any
_COMPARE = {"=": "=", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ARITHMETIC = {"+": "+", "-": "-", "*": "*", "/": "/"}
_SPATIAL = {"s_intersects", "s_within", "s_contains", "s_disjoint", "s_touches", "s_overlaps", "s_crosses", "s_equals"}
_MAX_DEPTH = 60


class _Compiler:
    """Turns one filter tree into SQL; every name is checked against the declaration, every value is bound."""

    def __init__(self, collection: Collection, columns: frozenset[str]) -> None:
        self.collection = collection
        self.columns = columns
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
        """A true-or-false expression."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _refusal("it is nested too deeply", "嵌套过深")
        try:
            if isinstance(node, bool):
                return Statement("true" if node else "false")
            if isinstance(node, dict) and "property" in node:
                field = self._field(node["property"])
                if field.type is FieldType.BOOLEAN:
                    return Statement(f'"{field.name}"')
            if not (isinstance(node, dict) and isinstance(node.get("op"), str)):
                raise _refusal("a condition is expected", "此处应为条件")
            return self._operation(node["op"], node.get("args", []))
        finally:
            self.depth -= 1

    def _operation(self, op: str, args: list[Node]) -> Statement:
        if op in self.logical:
            return self.logical[op](args)
        if op in _COMPARE:
            return self._compare(_COMPARE[op], args)
        if op.lower() in _SPATIAL:
            return self._spatial(op.lower(), args)
        raise _refusal(f"the operator {op!r} is not offered", f"不支持运算符 {op!r}")

    def _joined(self, word: str, args: list[Node]) -> Statement:
        parts = [self.condition(a) for a in args]
        return Statement("(" + word.join(p.sql for p in parts) + ")", tuple(v for p in parts for v in p.args))

    def _not(self, args: list[Node]) -> Statement:
        inner = self.condition(args[0])
        return Statement(f"(NOT {inner.sql})", inner.args)

    def _between(self, args: list[Node]) -> Statement:
        value, low, high = (self._value(a, self._type_of(args)) for a in args)
        return Statement(f"({value.sql} BETWEEN {low.sql} AND {high.sql})", value.args + low.args + high.args)

    def _in(self, args: list[Node]) -> Statement:
        value = self._value(args[0], None)
        kind = self._type_of(args[:1])
        options = [self._value(a, kind) for a in args[1]]
        if not options:
            return Statement("false")
        return Statement(
            f"({value.sql} IN ({', '.join(o.sql for o in options)}))",
            value.args + tuple(v for o in options for v in o.args),
        )

    def _like(self, args: list[Node]) -> Statement:
        value, pattern = self._value(args[0], FieldType.TEXT), self._value(args[1], FieldType.TEXT)
        return Statement(f"({value.sql} LIKE {pattern.sql})", value.args + pattern.args)

    def _is_null(self, args: list[Node]) -> Statement:
        value = self._value(args[0], None)
        return Statement(f"({value.sql} IS NULL)", value.args)

    def _compare(self, sign: str, args: list[Node]) -> Statement:
        kind = self._type_of(args)
        left, right = self._value(args[0], kind), self._value(args[1], kind)
        return Statement(f"({left.sql} {sign} {right.sql})", left.args + right.args)

    def _spatial(self, op: str, args: list[Node]) -> Statement:
        sides = [self._geometry(a) for a in args]
        function = "ST_" + op.removeprefix("s_").capitalize()
        return Statement(f"{function}({sides[0].sql}, {sides[1].sql})", sides[0].args + sides[1].args)

    def _geometry(self, node: Node) -> Statement:
        if isinstance(node, dict) and node.get("property") in ("geometry", "geom"):
            return Statement("geom")
        if isinstance(node, dict) and "bbox" in node and len(node["bbox"]) == 4:
            box = Box(*(float(v) for v in node["bbox"]))
            return Statement("ST_MakeEnvelope(%s, %s, %s, %s, 4326)", (box.west, box.south, box.east, box.north))
        if isinstance(node, dict) and "type" in node:
            return Statement("ST_GeomFromWKB(%s, 4326)", (Shape.of(_geojson_shape(node)).wkb,))
        raise _refusal("a geometry is expected", "此处应为几何图形")

    def _field(self, name: str) -> Field:
        if name not in self.columns:
            self.collection.field(name if name not in self.collection.by_name else "")
        return self.collection.field(name)

    def _type_of(self, args: list[Node]) -> FieldType | None:
        for node in args:
            if isinstance(node, dict) and "property" in node:
                return self._field(node["property"]).type
        return None

    def _value(self, node: Node, kind: FieldType | None) -> Statement:
        """A value: a property, a constant read as `kind`, arithmetic, or a case-insensitive form of one."""
        if isinstance(node, dict):
            return self._composite(node, kind)
        if isinstance(node, bool):
            return Statement("%s::boolean", (node,))
        if isinstance(node, int | float):
            if kind is FieldType.TEXT:
                return Statement("%s::text", (_written(node),))
            return Statement("%s::double precision", (float(node),))
        if isinstance(node, str):
            return _constant(node, kind)
        raise _refusal(f"{str(node)[:60]!r} is not a value", f"{str(node)[:60]!r} 不是值")

    def _composite(self, node: dict[str, Any], kind: FieldType | None) -> Statement:
        if "property" in node:
            return Statement(f'"{self._field(node["property"]).name}"')
        if "date" in node:
            return _constant(node["date"], FieldType.DATE)
        if "timestamp" in node:
            return _constant(node["timestamp"], FieldType.INSTANT)
        op, args = node.get("op"), node.get("args", [])
        if op == "casei":
            inner = self._value(args[0], FieldType.TEXT)
            return Statement(f"lower({inner.sql})", inner.args)
        if op in _ARITHMETIC:
            left, right = (self._value(a, FieldType.NUMBER) for a in args)
            divisor = f"NULLIF({right.sql}, 0)" if op == "/" else right.sql
            return Statement(f"({left.sql} {_ARITHMETIC[op]} {divisor})", left.args + right.args)
        raise _refusal(f"{op or 'this'!r} is not offered as a value", f"不支持以 {op or '此'!r} 作为值")


def _constant(text: str, kind: FieldType | None) -> Statement:
    try:
        if kind is FieldType.DATE:
            return Statement("%s::date", (datetime.fromisoformat(text).date(),))
        if kind is FieldType.INSTANT:
            return Statement("%s::timestamptz", (Span.parse(text).start,))
        if kind in (FieldType.INTEGER, FieldType.NUMBER):
            return Statement("%s::double precision", (float(text),))
    except ValueError:
        raise _refusal(f"{text!r} is not a {kind}", f"{text!r} 不是 {kind} 类型的值") from None
    return Statement("%s::text", (text,))


def _geojson_shape(node: dict[str, Any]) -> shapely.Geometry:
    try:
        return shapely.from_geojson(json.dumps(node))
    except shapely.errors.GEOSException:
        raise _refusal("a geometry in it is broken", "其中的几何图形有误") from None


def _written(number: float) -> str:
    """A number as people write it in a code: without a fraction where it is whole."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _refusal(en: str, zh: str) -> BadQuery:
    return BadQuery(f"the filter cannot be used: {en}", f"过滤条件不可用:{zh}", subject="filter")
