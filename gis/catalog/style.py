"""How a collection looks: declared once; the map's style, its legend and its images are drawn from it."""

from dataclasses import dataclass

from gis.text import Text


@dataclass(frozen=True, slots=True)
class StyleClass:
    """One class of a legend: a value (or the lower bound of a range), its colours, its words, and its sign if any."""

    value: str | float
    color: str
    dark: str
    title: Text
    width_px: float | None = None
    glyph: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Colours are `#rrggbb`, `dark` the ones on a dark map; widths are pixels at zoom 16.

    `by` names the field that decides the class: text values match, numbers fall into the class with the largest
    bound not above them. Rows in no class take `color`. `label` names the field written on the map from
    `label_zoom` on; `order` stacks the layers, low first; `base` marks the quiet base map. A class of points may name a
    `glyph`, the sign that is drawn on its points from near.
    """

    color: str
    dark: str
    outline: str | None = None
    outline_dark: str | None = None
    opacity: float = 1.0
    width_px: float = 1.0
    radius_px: float = 4.0
    by: str | None = None
    classes: tuple[StyleClass, ...] = ()
    label: str | None = None
    label_zoom: int = 14
    label_size_px: float = 12.0
    height: str | None = None
    order: int = 50
    base: bool = False
