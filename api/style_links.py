"""Links from a style, and to the style of a collection: its sheets in both themes, its legend."""

from typing import Final

from api.served import Asked
from gis.text import Text
from tiles.inks import THEMES, Theme

MEDIA_TYPE: Final = "application/vnd.mapbox.style+json"
#: The name of the style that shows the whole city.
CITY_STYLE: Final = "onemap"

_THEMES: Final[dict[Theme, Text]] = {"light": Text("浅色", "light"), "dark": Text("深色", "dark")}
_LEGEND: Final = Text("图例", "legend")
_LEGENDS: Final = {"json": "application/json", "png": "image/png", "svg": "image/svg+xml"}


def style_links(style_id: str, ask: Asked) -> list[dict[str, str]]:
    """The sheets of a style, the first of them light, and its legend as data and as images."""
    place = f"/styles/{style_id}"
    sheets = [
        ask.link(f"{place}?theme={theme}", "stylesheet", MEDIA_TYPE, _THEMES[theme].in_(ask.language))
        for theme in THEMES
    ]
    title = _LEGEND.in_(ask.language)
    return [*sheets, *(ask.link(f"{place}/legend?f={f}", "legend", kind, title) for f, kind in _LEGENDS.items())]
