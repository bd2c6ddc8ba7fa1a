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
#: The one relation that does not take that the boxes touch, and the column of the shape.
_APART, GEOM = "s_disjoint", "geom"
#: The names under which a filter means the feature's shape.
GEOMETRY = ("geometry", "geom")


def relation(op: str, args: list[Any], collection: Collection) -> Statement:
    """A spatial function of two shapes. Raises Fault, BadQuery."""
    left, right = (shape(node, collection) for node in args)
    exactly = Statement(f"{FUNCTIONS[op]}({left.sql}, {right.sql})", left.args + right.args)
    if op == _APART or (left.sql == right.sql == GEOM) or GEOM not in (left.sql, right.sql):
        return exactly
    # by box first, for the indexes that row-level security leaves (`gis.query.areas.touching`); of a row without a
    # shape it stays unknown whether it does, so that the opposite is not true of it either
    sql = f"({left.sql} && {right.sql} AND (CASE WHEN {exactly.sql} THEN 0 END IS NOT NULL OR {GEOM} IS NULL))"
    return Statement(sql, (*left.args, *right.args, *exactly.args))


def shape(node: Any, collection: Collection) -> Statement:
    """The feature's shape or a written one as SQL. Raises Fault."""
    if isinstance(node, dict) and node.get("property") in GEOMETRY:
        if collection.geometry is None:
            raise Fault(f"{collection.id} has no geometry", f"{collection.id} 没有几何图形")
        return Statement(GEOM)
    wkb = literal(node) if isinstance(node, dict) else None
    if wkb is None:
        raise Fault("a geometry is expected", "此处应为几何图形")
    return Statement("ST_GeomFromWKB(%s, 4326)", (wkb,))
