"""A filter evaluated row by row in Python, in three-valued logic: slow, plain, and apart from the code under test."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import shapely

from gis.query.span import SHANGHAI

Truth = bool | None
Row = Mapping[str, Any]
TICK = timedelta(microseconds=1)
#: Before and after all times of a row.
NEVER, ALWAYS = datetime.min, datetime.max


def holds(node: Any, row: Row) -> Truth:
    """Whether a filter's tree is true of a row; None where that is unknown."""
    if isinstance(node, bool):
        return node
    if "property" in node:
        return row[node["property"]]
    op, args = node["op"], node["args"]
    if op in ("and", "or"):
        return _joined(op, [holds(a, row) for a in args])
    if op[:2] in ("s_", "t_"):
        return _spatial(op, *(_shape(a, row) for a in args)) if op[0] == "s" else _related(op, args, row)
    return _OTHERS[op](args, row) if op in _OTHERS else _compared(op, args[0], args[1], row)


def _not(args: list[Any], row: Row) -> Truth:
    inner = holds(args[0], row)
    return None if inner is None else not inner


def _between(args: list[Any], row: Row) -> Truth:
    return _joined("and", [_compared(">=", args[0], args[1], row), _compared("<=", args[0], args[2], row)])


def _in(args: list[Any], row: Row) -> Truth:
    return _joined("or", [_compared("=", args[0], option, row) for option in args[1]])


def _like(args: list[Any], row: Row) -> Truth:
    text, pattern = value(args[0], row), value(args[1], row)
    return None if text is None else bool(re.fullmatch(_regex(pattern), text, re.DOTALL))


_OTHERS: dict[str, Callable[[list[Any], Row], Truth]] = {
    "not": _not, "between": _between, "in": _in, "like": _like,
    "isNull": lambda args, row: value(args[0], row) is None,
}  # fmt: skip


def _related(op: str, args: list[Any], row: Row) -> Truth:
    return _temporal(op, *(_interval(a, row) for a in args))


def value(node: Any, row: Row) -> Any:
    """What a value's tree is for a row; None where it is missing."""
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return row[node["property"]]
    if "date" in node:
        return date.fromisoformat(node["date"])
    if "timestamp" in node:
        return datetime.fromisoformat(node["timestamp"])
    args = [value(a, row) for a in node["args"]]
    if node["op"] == "casei":
        return None if args[0] is None else args[0].lower()
    return None if None in args else _arithmetic(node["op"], *map(float, args))


def _arithmetic(op: str, a: float, b: float) -> float | None:
    if op in ("/", "div", "%") and b == 0:
        return None
    if op == "^" and ((a < 0 and b != math.trunc(b)) or (a == 0 and b < 0)):
        return None
    plain = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b, "^": lambda: a**b,
             "div": lambda: float(math.trunc(a / b)), "%": lambda: a - b * math.trunc(a / b)}  # fmt: skip
    found = plain[op]()
    vanished = found == 0 and ((op == "^" and a != 0) or (op == "*" and a != 0 != b) or (op == "/" and a != 0))
    if math.isinf(found) or vanished:
        raise OverflowError(f"{a} {op} {b}")
    return found


def _compared(sign: str, left: Any, right: Any, row: Row) -> Truth:
    a, b = value(left, row), value(right, row)
    if a is None or b is None:
        return None
    return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]


def _joined(op: str, parts: list[Truth]) -> Truth:
    decisive = op == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def _regex(pattern: str) -> str:
    """A LIKE pattern: % any text, _ one character, \\ before either means itself."""
    return "".join(
        {"%": ".*", "_": "."}.get(found[0]) or re.escape(found[0].removeprefix("\\"))
        for found in re.finditer(r"\\.|.", pattern, re.DOTALL)
    )


def _shape(node: Any, row: Row) -> shapely.Geometry | None:
    if "property" in node:
        return row["geometry"]
    return shapely.box(*node["bbox"]) if "bbox" in node else shapely.geometry.shape(node)


def _spatial(op: str, a: shapely.Geometry | None, b: shapely.Geometry | None) -> Truth:
    return None if a is None or b is None else bool(getattr(shapely, op.removeprefix("s_"))(a, b))


def _interval(node: Any, row: Row) -> tuple[datetime, datetime] | None:
    """First and last microsecond, in UTC without a zone; None where an end is unknown."""
    first, last = node.get("interval", (node, node))
    start, end = _ends(first, row, NEVER), _ends(last, row, ALWAYS)
    if start is None or end is None:
        return None
    # a row's own valid time ends just before valid_to
    is_valid_to = isinstance(last, dict) and last.get("property") == "valid_to" and "interval" in node
    return start[0], end[1] - TICK if is_valid_to and end[1] != ALWAYS else end[1]


def _ends(node: Any, row: Row, open_: datetime) -> tuple[datetime, datetime] | None:
    if node == "..":
        return open_, open_
    found = value(node, row) if isinstance(node, dict) else _moment(node)
    if found is None:
        name = node["property"]
        return {"valid_from": (NEVER, NEVER), "valid_to": (ALWAYS, ALWAYS)}.get(name)
    if isinstance(found, datetime):
        return _plain(found), _plain(found)
    midnight = datetime(found.year, found.month, found.day, tzinfo=SHANGHAI)
    return _plain(midnight), _plain(midnight + timedelta(days=1)) - TICK


def _moment(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def _plain(when: datetime) -> datetime:
    return when.replace(tzinfo=None) - (when.utcoffset() or timedelta())


def _temporal(op: str, a: tuple[datetime, datetime] | None, b: tuple[datetime, datetime] | None) -> Truth:
    if a is None or b is None:
        return None
    return {
        "t_after": a[0] > b[1],
        "t_before": a[1] < b[0],
        "t_contains": a[0] < b[0] and a[1] > b[1],
        "t_disjoint": a[1] < b[0] or a[0] > b[1],
        "t_during": a[0] > b[0] and a[1] < b[1],
        "t_equals": a == b,
        "t_finishedby": a[0] < b[0] and a[1] == b[1],
        "t_finishes": a[0] > b[0] and a[1] == b[1],
        "t_intersects": a[0] <= b[1] and a[1] >= b[0],
        "t_overlappedby": b[0] < a[0] < b[1] < a[1],
        "t_overlaps": a[0] < b[0] < a[1] < b[1],
        "t_startedby": a[0] == b[0] and a[1] > b[1],
        "t_starts": a[0] == b[0] and a[1] < b[1],
    }[op.lower()]
