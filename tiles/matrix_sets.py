"""A grid as the standard describes it: the JSON of OGC Two Dimensional Tile Matrix Set 2.0 (17-083r4), clause 7."""

from typing import Any

from gis.text import Language
from tiles.grid import MAX_ZOOM, WEB_MERCATOR, Grid

#: What the standard's scale denominators assume: square tiles of 256 pixels, 0.28 mm each (7.1.1.1).
_TILE_PIXELS = 256
_PIXEL_M = 0.00028


def matrix_set(grid: Grid, language: Language) -> dict[str, Any]:
    """The definition of a tile matrix set; coordinates in the axis order of its CRS."""
    found: dict[str, Any] = {
        "id": grid.id,
        "title": grid.title.in_(language),
        "uri": grid.uri,
        "crs": grid.crs,
        "orderedAxes": list(grid.axes),
        "tileMatrices": [_matrix(grid, zoom) for zoom in range(MAX_ZOOM + 1)],
    }
    if grid is WEB_MERCATOR:
        found["wellKnownScaleSet"] = "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible"
    return found


def limits(grid: Grid, zooms: range, bounds: tuple[float, float, float, float]) -> list[dict[str, Any]]:
    """The rows and columns that hold something, for each zoom; `bounds` is west, south, east, north in degrees."""
    found = []
    for zoom in zooms:
        columns, rows = grid.spans(zoom, bounds)
        found.append({
            "tileMatrix": str(zoom),
            "minTileRow": rows[0], "maxTileRow": rows[-1],
            "minTileCol": columns[0], "maxTileCol": columns[-1],
        })  # fmt: skip
    return found


def _matrix(grid: Grid, zoom: int) -> dict[str, Any]:
    cell = grid.side / _TILE_PIXELS / (1 << zoom)
    origin = [grid.west, grid.north] if grid is WEB_MERCATOR else [grid.north, grid.west]
    return {
        "id": str(zoom),
        "scaleDenominator": cell * grid.unit_m / _PIXEL_M,
        "cellSize": cell,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": origin,
        "tileWidth": _TILE_PIXELS,
        "tileHeight": _TILE_PIXELS,
        "matrixWidth": grid.columns << zoom,
        "matrixHeight": grid.rows << zoom,
    }
