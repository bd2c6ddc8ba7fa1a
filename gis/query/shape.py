"""The shape of a question: what was asked of which collection and how, without a single value that was asked for.

It is what a log may keep: a name, an address, an identity number or a place that somebody looked for is none of its
readers' business. Words are written only where a declaration or the language of filters knows them.
"""

import json
from typing import Any

import shapely

from gis.catalog import Collection
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape, Within
from gis.query.filters import Filter, spatial, temporal
from gis.query.query import By, ByField, Query
from gis.query.span import TICK, Span
from gis.query.url import by_said

HIDDEN = "?"

#: Of filters, how they are written.
_BETWEEN = {"and": " AND ", "or": " OR ", "like": " LIKE ", "in": " IN ", **{f: f" {f} " for f in (
    "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^", "div",
)}}  # fmt: skip
_BEFORE = {"not", "isnull", "between", "casei", *spatial.FUNCTIONS, *temporal.FUNCTIONS}
_STANDARD = ("fid", "geom", "geometry", "valid_from", "valid_to", "time", "division")


def shape(query: Query, collection: Collection) -> str:
    """One line: `base.pois?bbox=0.1°×0.05°&filter=(name = ? AND kind IN ?×3)&sortby=name&limit=10`."""
    names = {*collection.by_name, *_STANDARD}
    said = {
        "area": query.area and _area(query.area),
        "datetime": query.time and _span(query.time),
        "as-of": query.as_of and HIDDEN,
        "scenario": query.scenario and HIDDEN,
        "filter": query.where and filter_shape(query.where, names),
        "properties": query.fields and f"{len(query.fields)} of {len(collection.fields)}",
        "by": ",".join(_by(by, names) for by in query.by),
        "measure": ",".join(f"{m.function}:{_known(m.field, names)}" if m.field else m.function for m in query.measure),
        "sortby": ",".join(("-" if s.descending else "") + _known(s.field, names) for s in query.sort),
        "limit": query.page.limit,
        "offset": query.page.offset,
        "after": query.page.after and HIDDEN,
    }
    parts = "&".join(f"{name}={value}" for name, value in said.items() if value)
    return f"{collection.id}?{parts}" if parts else collection.id


def filter_shape(where: Filter, names: set[str]) -> str:
    """A filter with all its values hidden; of what it names, only `names` are written."""
    return _node(json.loads(where.json), names)


def _node(node: Any, names: set[str]) -> str:
    if isinstance(node, list):
        return f"{HIDDEN}×{len(node)}"
    if not isinstance(node, dict):
        return HIDDEN
    if "property" in node:
        return _known(str(node["property"]), names)
    if "op" not in node:
        return HIDDEN
    args = [_node(arg, names) for arg in node.get("args", ())]
    op = str(node["op"]).lower()
    if op in _BETWEEN:
        return f"({_BETWEEN[op].join(args)})"
    return f"{op if op in _BEFORE else HIDDEN}({', '.join(args)})"


def _known(name: str | None, names: set[str]) -> str:
    return name if name in names and name else HIDDEN


def _by(by: By, names: set[str]) -> str:
    return by_said(ByField(_known(by.name, names)) if isinstance(by, ByField) else by)


def _span(span: Span) -> str:
    if span.start is None or span.end is None:
        return "open"
    length = span.end - span.start
    return "instant" if length == TICK else f"{length.total_seconds() / 86_400:.2g} d"


def _area(area: Area) -> str:
    """How large an area is, which says why a question took long; not where it is."""
    match area:
        case Box():
            return f"{(area.east - area.west) % 360:.2g}°×{area.north - area.south:.2g}°"
        case Circle():
            return f"circle of {area.radius_m:.2g} m"
        case Cells():
            return f"{len(area.ids)} cells"
        case Shape():
            return f"shape of {shapely.get_num_coordinates(shapely.from_wkb(area.wkb))} points"
        case Within():
            return f"a feature of {area.collection}"
        case Division():
            return "division"
