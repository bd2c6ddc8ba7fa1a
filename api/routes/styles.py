"""How the map looks: MapLibre styles, legends and sprites, drawn from the declarations.

OGC API - Styles (draft 20-009) for the list; a style is one of the whole city, or of one collection, by its id.
"""

import asyncio
from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Request, Response

from api.reply import Conditions, conditional, json_reply
from api.served import Ask, Asked, City, Served
from api.style_links import CITY_STYLE, MEDIA_TYPE, style_links
from gis.catalog import Catalogue, Collection, Layer
from gis.errors import BadQuery, NotFound
from gis.text import Text
from tiles.grid import MATRIX_SET
from tiles.inks import THEMES, Theme
from tiles.legend import legends, picture
from tiles.sprite import signs, sprite
from tiles.style import collection_style, is_drawn, map_style
from tiles.style_layers import Look

router = APIRouter()

_TITLE = Text("一张图", "One Map")
_SCALES: Final = ("1", "2")
#: A sprite's files by name: pixel ratio, ending.
_SPRITES: Final = {"city.json": 1, "city.png": 1, "city@2x.json": 2, "city@2x.png": 2}


@router.get("/styles")
async def styles(city: City, ask: Ask) -> Response:
    """The styles that there are: the whole city, and each collection that is drawn; each in two themes."""
    ask.only()
    titles = {CITY_STYLE: _TITLE, **{c.id: c.title for c in city.collections() if is_drawn(c)}}
    listed = [
        {"id": name, "title": title.in_(ask.language), "titles": title, "links": style_links(name, ask)}
        for name, title in titles.items()
    ]
    links = [ask.link("/styles", "self", "application/json")]
    return json_reply({"default": CITY_STYLE, "styles": listed, "links": links}, ask.language)


@router.get("/styles/{style_id}")
async def style(style_id: str, city: City, ask: Ask) -> Response:
    """One style, in a theme and a language."""
    given = ask.only("theme")
    look = Look(
        theme=_theme(given),
        language=ask.language,
        tiles_url=f"{ask.base}/collections/{{collection}}/tiles/{MATRIX_SET}/{{z}}/{{y}}/{{x}}",
        sprite_url=f"{ask.base}/sprites/city",
    )
    if style_id == CITY_STYLE:
        return json_reply(map_style(_allowed(city), look), ask.language, MEDIA_TYPE)
    return json_reply(collection_style(_drawn(style_id, city), look), ask.language, MEDIA_TYPE)


@router.get("/styles/{style_id}/legend")
async def legend(style_id: str, request: Request, city: City, ask: Ask) -> Response:
    """What the signs of a style mean: as data, or as an image so many times larger than its signs."""
    given = ask.only("theme", "scale", forms=("json", "png", "svg"))
    theme, scale, form = _theme(given), _one_of(given, "scale", _SCALES), given.get("f", "json")
    collections = list(_allowed(city)) if style_id == CITY_STYLE else [_drawn(style_id, city)]
    found = legends(collections, theme)
    if form == "json":
        parts = [one.document(ask.language) for one in found]
        content = {"style": style_id, "theme": theme, "legends": parts, "links": style_links(style_id, ask)}
        return json_reply(content, ask.language)
    drawn = picture(found, theme, ask.language)
    if form == "svg":
        return await _file(drawn.svg(), "image/svg+xml", request, ask)
    return await _file(await asyncio.to_thread(drawn.png, int(scale)), "image/png", request, ask)


@router.get("/sprites/{name}")
async def sprites(name: str, request: Request, city: City, ask: Ask) -> Response:
    """A file of the sprite that all styles share."""
    ask.only()
    if name not in _SPRITES:
        listed = ", ".join(_SPRITES)
        raise NotFound(f"there is no sprite {name[:40]!r}; there are {listed}",
                       f"没有图标文件 {name[:40]!r};现有:{listed}", subject=name[:40])  # fmt: skip
    index, sheet = await asyncio.to_thread(sprite, signs(list(city.catalogue)), _SPRITES[name])
    if name.endswith("json"):
        return json_reply(index, ask.language)
    return await _file(sheet, "image/png", request, ask)


async def _file(content: bytes, kind: str, request: Request, ask: Asked) -> Response:
    # a PNG is packed already
    conditions = Conditions.of(request.headers.raw)
    body = await conditional(
        content, kind, replace(conditions, takes_gzip=conditions.takes_gzip and kind != "image/png")
    )
    headers = {**body.headers, "content-language": ask.language, "vary": "Accept-Encoding, Accept-Language"}
    return Response(body.content, body.status, headers)


def _theme(given: dict[str, str]) -> Theme:
    wanted = _one_of(given, "theme", THEMES)
    return next(theme for theme in THEMES if theme == wanted)


def _one_of(given: dict[str, str], name: str, possible: tuple[str, ...]) -> str:
    """A parameter's value, the first possible one where it is not given. Raises BadQuery."""
    found = given.get(name, possible[0])
    if found in possible:
        return found
    listed = ", ".join(possible)
    raise BadQuery(f"{name} can be {listed}", f"{name} 可以是 {listed}", subject=name)


def _allowed(city: Served) -> Catalogue:
    """What the caller may see, as a catalogue."""
    return Catalogue((Layer(name="all", title=_TITLE, collections=tuple(city.collections())),))


def _drawn(style_id: str, city: Served) -> Collection:
    """The collection whose style is asked for, if it is drawn as the caller is told it. Raises NotFound, Forbidden."""
    if style_id in {c.id for c in city.catalogue if is_drawn(c)} and is_drawn(seen := city.collection(style_id)):
        return seen
    listed = ", ".join([CITY_STYLE, *(c.id for c in city.collections() if is_drawn(c))])
    raise NotFound(f"there is no style {style_id[:40]!r}; there are {listed}",
                   f"没有样式 {style_id[:40]!r};现有:{listed}", subject=style_id[:40])  # fmt: skip
