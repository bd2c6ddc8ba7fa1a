"""What describes tiles: tile matrix sets, tilesets of a collection and of the dataset, TileJSON.

OGC API - Tiles - Part 1 (20-057), OGC Two Dimensional Tile Matrix Set and Tile Set Metadata 2.0 (17-083r4).
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response

from api.reply import json_reply
from api.served import Ask, Asked, City, Served
from api.tile_question import grid_of, named, questions, tiled
from api.tile_set_document import Tileset, Told, matrix_set_link
from gis.catalog import Collection
from gis.errors import BadQuery
from gis.text import Text
from tiles.grid import GRIDS, WEB_MERCATOR, Grid
from tiles.matrix_sets import matrix_set
from tiles.tilejson import tilejson

router = APIRouter()

_DATASET = Text("一张图", "One Map")


@router.get("/tileMatrixSets")
async def tile_matrix_sets(ask: Ask) -> Response:
    """The grids that tiles are cut on."""
    ask.only()
    found = [
        {"id": grid.id, "title": grid.title.in_(ask.language), "uri": grid.uri, "crs": grid.crs,
         "links": [matrix_set_link(grid, ask, "self")]}
        for grid in GRIDS.values()
    ]  # fmt: skip
    links = [ask.link("/tileMatrixSets", "self", "application/json")]
    return json_reply({"tileMatrixSets": found, "links": links}, ask.language)


@router.get("/tileMatrixSets/{matrix_set_id}")
async def tile_matrix_set(matrix_set_id: str, ask: Ask) -> Response:
    """The definition of a grid."""
    ask.only()
    return json_reply(matrix_set(grid_of(matrix_set_id), ask.language), ask.language)


@router.get("/tiles")
async def dataset_tilesets(city: City, ask: Ask) -> Response:
    """The tilesets of everything, one for each grid."""
    ask.only()
    return _listed(Told("", _DATASET.in_(ask.language), tuple(named(city, None)), ask))


@router.get("/collections/{collection_id}/tiles")
async def tilesets(collection_id: str, city: City, ask: Ask) -> Response:
    """The tilesets of a collection, one for each grid."""
    ask.only()
    return _listed(_of(tiled(city, collection_id), ask))


@router.get("/tiles/{matrix_set_id}")
async def dataset_tileset(matrix_set_id: str, city: City, ask: Ask) -> Response:
    """A tileset of several collections, as the standard has it or as TileJSON."""
    grid, given = grid_of(matrix_set_id), _narrowed(ask)
    asked = questions(city, None, given)
    shown = tuple(city.collection(query.collection) for query, *_ in asked)
    return await _described(city, Told("", _DATASET.in_(ask.language), shown, ask), grid, given)


@router.get("/collections/{collection_id}/tiles/{matrix_set_id}")
async def tileset(collection_id: str, matrix_set_id: str, city: City, ask: Ask) -> Response:
    """A tileset of a collection, as the standard has it or as TileJSON."""
    grid, given, collection = grid_of(matrix_set_id), _narrowed(ask), tiled(city, collection_id)
    questions(city, collection_id, given)
    return await _described(city, _of(collection, ask), grid, given)


def _of(collection: Collection, ask: Asked) -> Told:
    return Told(f"/collections/{collection.id}", collection.title.in_(ask.language), (collection,), ask)


def _narrowed(ask: Asked) -> list[tuple[str, str]]:
    """What narrows the tiles, which goes into their addresses."""
    return ask.question(forms=("json", "tilejson"))


def _listed(told: Told) -> Response:
    links = [told.ask.link(f"{told.place}/tiles", "self", "application/json")]
    if told.place:
        links.append(told.ask.link(told.place, "collection", "application/json"))
    # GDAL takes the first that is offered, and chooses tiles by degrees
    offered = sorted(GRIDS.values(), key=lambda grid: grid is WEB_MERCATOR)
    summaries = [Tileset(told, grid).summary() for grid in offered]
    return json_reply({"links": links, "tilesets": summaries}, told.ask.language)


async def _described(city: Served, told: Told, grid: Grid, given: Sequence[tuple[str, str]]) -> Response:
    known = await city.known(told.collections)
    bounds = _around([known[c.id].bbox for c in told.collections])
    language, described = told.ask.language, Tileset(told, grid, given)
    if dict(told.ask.parameters).get("f") != "tilejson":
        return json_reply(described.document(bounds), language)
    if grid is not WEB_MERCATOR:
        raise BadQuery(
            f"TileJSON knows {WEB_MERCATOR.id} only; ask for f=json",
            f"TileJSON 仅支持 {WEB_MERCATOR.id};请用 f=json",
            subject="f",
        )
    url = described.tiles_url("{z}", "{y}", "{x}")
    content = tilejson(told.collections, title=told.title, language=language, tiles_url=url, bounds=bounds)
    return json_reply(content, language)


def _around(boxes: Sequence[tuple[float, float, float, float] | None]) -> tuple[float, float, float, float] | None:
    known: list[Any] = [box for box in boxes if box]
    if not known:
        return None
    west, south, east, north = zip(*known, strict=True)
    return min(west), min(south), max(east), max(north)
