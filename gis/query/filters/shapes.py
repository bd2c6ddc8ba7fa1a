"""Shapes that a filter writes down: GeoJSON, WKT (which the library turns into GeoJSON), boxes."""

import json
from typing import Any

import shapely

from gis.geo.area import Box, Shape
from gis.query.filters.fault import Fault

_EDGES = (4, 6)


def box_of(node: dict[str, Any]) -> list[float] | None:
    """West, south, east, north of a `BBOX`, heights left out; None for what is none."""
    edges = node.get("bbox") if "bbox" in node and "type" not in node else None
    if str(node.get("op", "")).lower() in ("bbox", "envelope"):
        edges = node.get("args")
    if edges is None:
        return None
    if not isinstance(edges, list) or len(edges) not in _EDGES or not all(_is_number(e) for e in edges):
        raise Fault("a box is four numbers: west, south, east, north", "范围框应为四个数:西、南、东、北")
    return [float(e) for e in (edges if len(edges) == 4 else (*edges[:2], *edges[3:5]))]


def shape_of(node: dict[str, Any]) -> shapely.Geometry:
    """The shape of a GeoJSON geometry. Raises Fault."""
    try:
        return shapely.from_geojson(json.dumps(node))
    except shapely.errors.GEOSException:
        raise Fault("a geometry in it is broken", "其中的几何图形有误") from None


def geojson_of(shape: shapely.Geometry) -> dict[str, Any]:
    """A shape as a GeoJSON geometry."""
    found: dict[str, Any] = json.loads(shapely.to_geojson(shape))
    return found


def literal(node: dict[str, Any]) -> bytes | None:
    """A shape in longitude and latitude as WKB; None for what is no shape. Raises Fault, BadQuery."""
    edges = box_of(node)
    if edges is not None:
        parts = [_flat(part) for part in Box(*edges).parts]
        return bytes(shapely.to_wkb(shapely.union_all(parts) if len(parts) > 1 else parts[0], byte_order=1))
    return Shape.of(shape_of(node)).wkb if "type" in node else None


def _flat(part: Box) -> shapely.Geometry:
    """A box without width or height is a line or a point: a polygon without area would intersect nothing."""
    shape = shapely.box(part.west, part.south, part.east, part.north)
    if shape.area:
        return shape
    corners = {(part.west, part.south), (part.east, part.north)}
    return shapely.Point(corners.pop()) if len(corners) == 1 else shapely.LineString(sorted(corners))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
