"""From the text of a filter to its tree, behind a look at what the library's parser cannot bear."""

import re
from itertools import accumulate
from typing import Any

import cql2
import shapely

from gis.geo.area import Box
from gis.query import crs
from gis.query.filters.shapes import box_of, geojson_of, shape_of

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DESCENDING = re.compile(r"[+*/^%=<>|-]|\b(?:not|div|and|or|is|in|like|between)\b", re.IGNORECASE)
_MAX_BRACKETS, _MAX_DESCENDING = 10, 500
_LEAST, _MOST = 1e-290, 1.79769313486231e308
#: Whole numbers are told exactly to 2^53, which has 16 digits: the number of a feature may be any of them.
_WHOLE_FROM, _WHOLE_TO = 1e15, 2.0**53


def tree_of(text: str, language: str, written_in: str) -> Any:
    """The tree with its numbers to 15 digits and its shapes in longitude and latitude.

    Raises ValueError and what the library raises, for what is no filter; BadQuery for shapes outside their CRS.
    """
    # not validate(): it compiles the whole JSON schema at each call (0.1 s); the compiler checks as well
    tree = _parsed(text, language).to_json()
    return _with_plain_numbers(tree if written_in == crs.CRS84 else _moved(tree, written_in))


def reason(error: Exception, text: str) -> str:
    """What the library says of a text that it cannot read: the line and column first, where it knows them."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    said = str(error).strip()
    place = re.match(r"-->\s*(\d+):(\d+)", said)
    if not place:
        return (said.splitlines() or ["it cannot be read"])[0][:200]
    line, column = int(place[1]), int(place[2])
    near = (text.splitlines()[line - 1 : line] or [""])[0][max(0, column - 12) : column + 8].strip()
    return f"line {line}, column {column}, near {near!r}" if near else f"line {line}, column {column}"


def _parsed(text: str, language: str) -> cql2.Expr:
    """The library's expression.

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


def _moved(node: Any, written_in: str) -> Any:
    """The tree with its shapes brought to longitude and latitude."""
    if isinstance(node, list):
        return [_moved(value, written_in) for value in node]
    if not isinstance(node, dict):
        return node
    edges = box_of(node)
    if edges is not None:
        area = crs.box(edges, written_in, "filter-crs")
        return {"bbox": list(area.edges)} if isinstance(area, Box) else geojson_of(shapely.from_wkb(area.wkb))
    if "type" in node and ("coordinates" in node or "geometries" in node):
        return geojson_of(crs.to_crs84(shape_of(node), written_in))
    return {name: _moved(value, written_in) for name, value in node.items()}


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
    """To 15 digits, or to the whole number; within what that can say: too small is 0, too large the largest."""
    if abs(number) <= _LEAST:
        return 0.0
    if _WHOLE_FROM <= abs(number) <= _WHOLE_TO:
        # written without a point: the library's reader takes whole numbers as they stand
        return round(number)
    return max(-_MOST, min(_MOST, float(f"{number:.15g}")))
