"""Expressions of the MapLibre style specification that map layers are built from: widths, zooms, filters, colours."""

from typing import Any

#: A value, an expression or a layer of the style specification: JSON.
Json = Any


def mixed(first: str, second: str, share: float) -> str:
    """A colour between two `#rrggbb`, with `share` of the first."""
    channels = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in channels)


def zooms(*stops: float) -> Json:
    """Linear between (zoom, value) stops."""
    return ["interpolate", ["linear"], ["zoom"], *stops]


def line_width(width_px: Json, edge_px: float = 0.0) -> Json:
    """A width that grows as the ground does, but slower; `edge_px` is added on both sides, less of it far off."""
    stops: list[Json] = []
    for zoom, factor in ((6, 0.09), (10, 0.18), (12, 0.3), (14, 0.52), (16, 1.0), (18, 2.5), (20, 6.5)):
        edges_px = 2 * edge_px * min(1.0, 0.35 + 0.1 * max(0, zoom - 10))
        stops += [zoom, ["+", ["*", width_px, factor], edges_px]]
    return ["interpolate", ["exponential", 1.4], ["zoom"], *stops]


def wide_enough(width_px: Json) -> Json:
    """Narrow classes appear only when one is close enough to tell them apart."""
    return [">=", width_px, ["step", ["zoom"], 7.5, 8, 6.5, 10, 5.5, 11, 4.5, 12.5, 3, 14, 2, 15, 0]]


def at_level(level: int) -> Json:
    """Only divisions of one level."""
    return ["==", ["to-number", ["get", "level"], 0], level]
