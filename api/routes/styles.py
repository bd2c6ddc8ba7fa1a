"""How the map looks: MapLibre styles drawn from the declarations."""

from fastapi import APIRouter, Response

from api.reply import json_reply
from api.served import Ask, City
from gis.catalog import Catalogue, Layer
from gis.errors import BadQuery, NotFound
from gis.text import Text
from tiles.grid import MATRIX_SET
from tiles.style import THEMES, Theme, map_style

router = APIRouter()

_STYLE = "onemap"
_TITLE = Text("一张图", "One Map")
_TITLES: dict[Theme, Text] = {"light": Text("浅色", "light"), "dark": Text("深色", "dark")}
_MEDIA_TYPE = "application/vnd.mapbox.style+json"


@router.get("/styles")
async def styles(ask: Ask) -> Response:
    """The styles that there are: one, in two themes."""
    ask.only()
    links = [
        ask.link(f"/styles/{_STYLE}?theme={theme}", "stylesheet", _MEDIA_TYPE, _TITLES[theme].in_(ask.language))
        for theme in THEMES
    ]
    listed = [{"id": _STYLE, "title": _TITLE.in_(ask.language), "links": links}]
    return json_reply({"default": _STYLE, "styles": listed}, ask.language)


@router.get("/styles/{style_id}")
async def style(style_id: str, city: City, ask: Ask) -> Response:
    """One style, in a theme and a language."""
    wanted = ask.only("theme").get("theme", THEMES[0])
    if style_id != _STYLE:
        raise NotFound(f"there is no style {style_id[:40]!r}; there is {_STYLE}",
                       f"没有样式 {style_id[:40]!r};现有:{_STYLE}", subject=style_id[:40])  # fmt: skip
    for theme in THEMES:
        if theme == wanted:
            tiles_url = f"{ask.base}/collections/{{collection}}/tiles/{MATRIX_SET}/{{z}}/{{y}}/{{x}}"
            allowed = Catalogue((Layer(name="all", title=_TITLE, collections=tuple(city.collections())),))
            drawn = map_style(allowed, theme=theme, language=ask.language, tiles_url=tiles_url)
            return json_reply(drawn, ask.language)
    listed = ", ".join(THEMES)
    raise BadQuery(f"theme can be {listed}", f"theme 可以是 {listed}", subject="theme")
