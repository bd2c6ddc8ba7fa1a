"""The spatial functions of CQL2: relations of a feature's shape and written ones (OGC 06-103r4)."""

from typing import Any

from gis.catalog import Collection
from gis.query.filters.fault import Fault
from gis.query.filters.shapes import literal
from gis.query.statement import Statement

FUNCTIONS = {
    "s_intersects": "ST_Intersects",
    "s_equals": "ST_Equals",
    "s_disjoint": "ST_Disjoint",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
    "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses",
    "s_contains": "ST_Contains",
}
#: The names under which a filter means the feature's shape.
GEOMETRY = ("geometry", "geom")


def relation(op: str, args: list[Any], collection: Collection) -> Statement:
    """A spatial function of two shapes. Raises Fault, BadQuery."""
    left, right = (shape(node, collection) for node in args)
    return Statement(f"{FUNCTIONS[op]}({left.sql}, {right.sql})", left.args + right.args)


def shape(node: Any, collection: Collection) -> Statement:
    """The feature's shape or a written one as SQL. Raises Fault."""
    if isinstance(node, dict) and node.get("property") in GEOMETRY:
        if collection.geometry is None:
            raise Fault(f"{collection.id} has no geometry", f"{collection.id} 没有几何图形")
        return Statement("geom")
    wkb = literal(node) if isinstance(node, dict) else None
    if wkb is None:
        raise Fault("a geometry is expected", "此处应为几何图形")
    return Statement("ST_GeomFromWKB(%s, 4326)", (wkb,))
