"""Rasters: tiles as maps (OGC API - Tiles, 20-057), values at a point (EDR, 19-086r6), figures of a box."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from api import edr_question
from api.raster_document import TYPES, coverage, tileset
from api.raster_server import RasterServer, reading, span_of
from api.reply import REVALIDATE, Conditions, bytes_reply, json_reply
from api.served import Ask, Asked
from api.tile_question import grid_of
from gis.catalog import Raster
from gis.errors import BadQuery
from gis.geo.area import Box
from gis.query.span import instant_text
from gis.query.url_areas import read_area
from tiles.grid import GRIDS, Tile

router = APIRouter()

_PLACE = "/collections/{collection_id}"
FORMS = tuple(TYPES)
COVERAGE_JSON = "application/prs.coverage+json"
#: A series is of so many moments at most.
MOST_MOMENTS = 500


def rasters_of(request: Request) -> RasterServer:
    """The rasters of the city that is served."""
    found: RasterServer = request.app.state.rasters
    return found


Rasters = Annotated[RasterServer, Depends(rasters_of)]


@router.get(f"{_PLACE}/map/tiles")
async def tilesets(collection_id: str, rasters: Rasters, ask: Ask) -> Response:
    """The tilesets of a raster, one for each grid."""
    ask.only()
    raster = rasters.raster(collection_id)
    links = [ask.link(ask.path, "self", "application/json")]
    found = [tileset(raster, grid, ask) for grid in GRIDS.values()]
    return json_reply({"links": links, "tilesets": found}, ask.language)


@router.get(f"{_PLACE}/map/tiles/{{matrix_set_id}}")
async def raster_tileset(collection_id: str, matrix_set_id: str, rasters: Rasters, ask: Ask) -> Response:
    """The tileset of a raster on one grid."""
    ask.only()
    return json_reply(tileset(rasters.raster(collection_id), grid_of(matrix_set_id), ask), ask.language)


@router.get(f"{_PLACE}/map/tiles/{{matrix_set_id}}/{{z}}/{{y}}/{{x}}")
async def raster_tile(collection_id: str, matrix_set_id: str, request: Request, rasters: Rasters, ask: Ask) -> Response:
    """A tile of the newest file not after `datetime`; 204 where it holds no value, or nothing holds yet."""
    raster, values = rasters.raster(collection_id), ask.only("datetime", "parameter-name", forms=FORMS)
    tile, form = _tile(request.path_params, matrix_set_id), values.get("f", FORMS[0])
    band = _one_band(raster, values)
    headers = {"cache-control": REVALIDATE}
    moment = await rasters.newest(raster, values.get("datetime"))
    if moment is None or not raster.min_zoom <= tile.mercator_zoom <= raster.max_zoom:
        return Response(status_code=204, headers=headers)
    tag = rasters.tag(raster, moment, tile, band, form)
    headers["etag"] = tag
    if Conditions.of(request.headers.raw).hold(tag):
        return Response(status_code=304, headers=headers)
    content = await rasters.tile(tag, lambda: reading().tile(raster, moment.path, tile, band, form))
    if not content:
        return Response(status_code=204, headers=headers)
    return Response(content, headers={**headers, "content-type": TYPES[form]})


@router.get(f"{_PLACE}/statistics")
async def statistics(collection_id: str, rasters: Rasters, ask: Ask) -> Response:
    """Figures of each band in a box, of the newest file not after `datetime`."""
    raster, values = rasters.raster(collection_id), ask.only("bbox", "datetime", "parameter-name")
    names, box = _bands(raster, values), _box(values)
    moment = await rasters.needed(raster, values.get("datetime"))
    found = await rasters.beside(lambda: reading().figures(raster, moment.path, box.edges, names))
    bands = {name: {"unit": raster.band(name).unit, **figures} for name, figures in found.items()}
    when = instant_text(moment.valid_from) if raster.timed and moment.valid_from else None
    return json_reply({"bbox": box.edges, "datetime": when, "bands": bands}, ask.language)


async def raster_position(raster_id: str, rasters: RasterServer, ask: Asked) -> Response:
    """Values at one point, as CoverageJSON: of the newest file not after an instant, or of all that begin in a span."""
    raster = rasters.raster(raster_id)
    values = ask.only("coords", "datetime", "parameter-name", forms=("json", "covjson", "CoverageJSON"))
    names, spots = _bands(raster, values), edr_question.points(values)
    if len(spots) > 1:
        raise BadQuery("coords is one POINT here", "此处 coords 只能是一个 POINT", subject="coords")
    (lon, lat), span = spots[0], span_of(raster, values.get("datetime"))
    if "/" in values.get("datetime", "") and span is not None:
        moments = await rasters.beside(rasters.files.within, raster, span, MOST_MOMENTS + 1)
        if len(moments) > MOST_MOMENTS:
            raise BadQuery(f"more than {MOST_MOMENTS} moments; ask for a shorter time",
                           f"超过 {MOST_MOMENTS} 个时刻,请缩短时间", subject="datetime")  # fmt: skip
    else:
        moments = [await rasters.needed(raster, values.get("datetime"))]
    found = await rasters.beside(lambda: [reading().at(raster, m.path, lon, lat, names) for m in moments])
    times = [m.valid_from for m in moments if m.valid_from is not None] if raster.timed else []
    return bytes_reply(orjson.dumps(coverage(raster, names, (lon, lat), times, found)), ask.language, COVERAGE_JSON)


def _tile(path: Mapping[str, Any], matrix_set_id: str) -> Tile:
    """Raises NotFound."""
    grid = grid_of(matrix_set_id)
    numbers = [int(t) if (t := str(path[n])).isascii() and t.isdigit() and len(t) < 10 else -1 for n in "zxy"]
    return Tile(numbers[0], numbers[1], numbers[2], grid)


def _bands(raster: Raster, values: Mapping[str, str]) -> list[str]:
    """The bands asked for by name, else all. Raises UnknownName, BadQuery."""
    names = edr_question.names(values) or tuple(band.name for band in raster.bands)
    return list(dict.fromkeys(raster.band(name).name for name in names))


def _one_band(raster: Raster, values: Mapping[str, str]) -> str | None:
    names = _bands(raster, values) if "parameter-name" in values else []
    if len(names) > 1:
        raise BadQuery("a tile shows one band", "一张瓦片只能显示一个波段", subject="parameter-name")
    return names[0] if names else None


def _box(values: Mapping[str, str]) -> Box:
    """Raises BadQuery."""
    area = read_area(values)
    if not isinstance(area, Box) or area.west >= area.east or area.south >= area.north:
        raise BadQuery("bbox is needed: west,south,east,north in degrees, not across the antimeridian",
                       "请给出 bbox:西,南,东,北(度),不跨越 180° 经线", subject="bbox")  # fmt: skip
    return area
