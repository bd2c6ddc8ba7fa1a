"""A raster as documents: its description, its tilesets, and values at a point as CoverageJSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.served import Asked
from api.tile_set_document import matrix_set_link
from gis.catalog import Field, Raster
from gis.query.coverage import described
from gis.query.crs import CRS84_URI
from gis.query.span import instant_text
from tiles.grid import Grid

MAP_TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map"
#: The forms of a tile and their media types.
TYPES = {"png": "image/png", "webp": "image/webp", "npy": "application/x-npy"}
_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


def description(
    raster: Raster, extent: tuple[float, ...] | None, times: Sequence[datetime], ask: Asked
) -> dict[str, Any]:
    """As a member of `/collections`; `times` are from when on its files hold."""
    place, title = f"/collections/{raster.id}", raster.title.in_(ask.language)
    extents: dict[str, Any] = {}
    if extent:
        extents["spatial"] = {"bbox": [list(extent)], "crs": CRS84_URI}
    if times:
        extents["temporal"] = {"interval": [[instant_text(times[0]), None]], "trs": _GREGORIAN,
                               "newest": instant_text(times[-1]), "moments": len(times)}  # fmt: skip
    return {
        "id": raster.id,
        "title": title,
        "description": raster.description.in_(ask.language),
        "dataType": "map",
        "itemType": "coverage",
        "extent": extents,
        "group": raster.group,
        "source": raster.source,
        "license": raster.licence,
        "parameter_names": described(raster.bands, f"{ask.base}{place}"),
        "legend": {name: [list(stop) for stop in ramp.stops] for name, ramp in raster.ramps.items()},
        "links": [
            ask.link(place, "self", "application/json", title),
            ask.link(f"{place}/map/tiles", MAP_TILESETS, "application/json"),
        ],
        "data_queries": {
            "position": {"link": {"href": f"{ask.base}{place}/position", "rel": "data",
                                  "variables": {"query_type": "position", "output_formats": ["CoverageJSON"]}}},
        },
    }  # fmt: skip


def tileset(raster: Raster, grid: Grid, ask: Asked) -> dict[str, Any]:
    """Tile set metadata (OGC 17-083r4) of one grid, with where its tiles are in each form."""
    place = f"/collections/{raster.id}/map/tiles/{grid.id}"
    tiles = f"{ask.base}{place}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    items = [{"href": f"{tiles}?f={form}", "rel": "item", "type": kind, "templated": True}
             for form, kind in TYPES.items()]  # fmt: skip
    deeper = grid.columns - 1
    return {
        "title": raster.title.in_(ask.language),
        "dataType": "map",
        "crs": grid.crs,
        "tileMatrixSetURI": grid.uri,
        "layers": [{
            "id": raster.id, "title": raster.title.in_(ask.language), "dataType": "map",
            "minTileMatrix": str(max(raster.min_zoom - deeper, 0)),
            "maxTileMatrix": str(max(raster.max_zoom - deeper, 0)),
        }],
        "links": [ask.link(place, "self", "application/json"), matrix_set_link(grid, ask), *items],
    }  # fmt: skip


def coverage(
    raster: Raster, names: Sequence[str], spot: tuple[float, float], times: Sequence[datetime],
    values: Sequence[Sequence[float | None]],
) -> dict[str, Any]:  # fmt: skip
    """CoverageJSON (21-069r2) of one point: a PointSeries where the raster has times, else a Point."""
    axes: dict[str, Any] = {"x": {"values": [spot[0]]}, "y": {"values": [spot[1]]}}
    systems: list[dict[str, Any]] = [
        {"coordinates": ["x", "y"], "system": {"type": "GeographicCRS", "id": CRS84_URI}}
    ]  # fmt: skip
    if raster.timed:
        axes["t"] = {"values": [instant_text(t) for t in times]}
        systems.append({"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}})
    bands = [raster.band(name) for name in names]
    return {
        "type": "Coverage",
        "domain": {"type": "Domain", "domainType": "PointSeries" if raster.timed else "Point", "axes": axes,
                   "referencing": systems},
        "parameters": _parameters(bands),
        "ranges": {band.name: _range([row[n] for row in values], is_series=raster.timed)
                   for n, band in enumerate(bands)},
    }  # fmt: skip


def _parameters(bands: Sequence[Field]) -> dict[str, Any]:
    return {n: {k: v for k, v in p.items() if k != "data-type"} for n, p in described(bands).items()}


def _range(values: Sequence[float | None], *, is_series: bool) -> dict[str, Any]:
    along = {"axisNames": ["t"], "shape": [len(values)]} if is_series else {}
    return {"type": "NdArray", "dataType": "float", **along, "values": list(values)}
