"""What the colours and signs of the map mean, from the declarations: as data, and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gis.catalog import Collection, Geometry, Style, StyleClass
from gis.text import Language, Text
from tiles.cell_classes import CELL_CLASSES, CELL_OPACITY
from tiles.cells import has_cells, near_zoom
from tiles.glyphs import GLYPHS
from tiles.inks import Theme, inks
from tiles.legend_picture import LegendRow, drawn
from tiles.picture import Picture
from tiles.signs import Sign
from tiles.units import unit_words

Part = Literal["features", "cells"]

_OTHER = Text("其他", "other")
_MISSING = Text("无数据", "no data")
_CELLS = Text("网格内的数量", "number in a cell")
_PER_KM2 = Text("个/平方千米", "per km²")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: how it is drawn, what it means, and its class's value (None: whatever is in no class)."""

    sign: Sign
    title: Text
    value: str | float | None = None


@dataclass(frozen=True, slots=True)
class Legend:
    """The lines of one collection, or of the cells that it is counted in; drawn from `min_zoom` on.

    `by` is the title of the field that decides the class, `unit` the unit of its values as people write it.
    """

    collection: Collection
    part: Part
    min_zoom: int
    by: Text | None
    unit: Text | None
    entries: tuple[Entry, ...]

    @property
    def title(self) -> Text:
        """What is drawn."""
        return self.collection.title

    def document(self, language: Language) -> dict[str, Any]:
        """As JSON, so that others can draw it: colours `#rrggbb`, sizes in pixels, words in one and in both."""
        return {
            "collection": self.collection.id,
            "part": self.part,
            "title": self.title.in_(language),
            "titles": self.title,
            "minzoom": self.min_zoom,
            "field": self.collection.style.by if self.part == "features" and self.collection.style else None,
            "by": self.by and self.by.in_(language),
            "unit": self.unit and self.unit.in_(language),
            "entries": [
                {"title": e.title.in_(language), "titles": e.title, "value": e.value, **e.sign.document()}
                for e in self.entries
            ],
        }

    def rows(self, language: Language) -> list[LegendRow]:
        """As rows of a picture: a heading, what decides the class, the lines."""
        by = " · ".join(words.in_(language) for words in (self.by, self.unit) if words)
        found = [LegendRow("heading", self.title.in_(language))]
        found += [LegendRow("note", _upper(by))] if by else []
        return [*found, *(LegendRow("entry", _upper(e.title.in_(language)), e.sign) for e in self.entries)]


def legends(collections: Sequence[Collection], theme: Theme) -> list[Legend]:
    """The legends of collections that are drawn, as the map stacks them, the uppermost first."""
    drawn_ones = [(c.style, c) for c in collections if c.style and c.geometry and c.tiled]
    found: list[Legend] = []
    for style, collection in sorted(drawn_ones, key=lambda pair: -pair[0].order):
        found.append(_features(collection, style, theme))
        if has_cells(collection):
            found.append(_cells(collection, theme))
    return found


def picture(found: Sequence[Legend], theme: Theme, language: Language) -> Picture:
    """Legends one below the other."""
    ink = inks(theme)
    title = ", ".join(dict.fromkeys(legend.title.in_(language) for legend in found))
    blocks = [legend.rows(language) for legend in found]
    return drawn(blocks, title, text=ink.text, quiet=ink.quiet, ground=ink.paper)


def _features(collection: Collection, style: Style, theme: Theme) -> Legend:
    classes = style.classes if style.by else ()
    entries = [Entry(_sign(collection, style, theme, one), one.title, one.value) for one in classes]
    rest = _sign(collection, style, theme, None)
    if not classes:
        entries.append(Entry(rest, collection.title))
    elif not isinstance(classes[0].value, str):
        missing = Sign("hatched", None, None, theme=theme) if collection.geometry is Geometry.POLYGON else rest
        entries.append(Entry(missing, _MISSING))
    elif style.by and not {str(one.value) for one in classes} >= set(collection.field(style.by).values):
        entries.append(Entry(rest, _OTHER))
    field = collection.field(style.by) if style.by else None
    unit = unit_words(field.unit) if field and field.unit else None
    return Legend(collection, "features", near_zoom(collection), field.title if field else None, unit, tuple(entries))


def _sign(collection: Collection, style: Style, theme: Theme, of: StyleClass | None) -> Sign:
    """How the map draws a class, or what is in none."""
    source = of or style
    color = source.color if theme == "light" else source.dark
    outline = style.outline if theme == "light" else style.outline_dark or style.outline
    if collection.geometry is Geometry.LINE:
        width_px = (of.width_px if of else None) or style.width_px
        return Sign("line", color, outline, opacity=style.opacity, width_px=width_px, theme=theme)
    if collection.geometry is Geometry.POINT:
        glyph = of.glyph if of and of.glyph in GLYPHS else None
        return Sign("point", color, outline, opacity=style.opacity, radius_px=style.radius_px, glyph=glyph, theme=theme)
    if style.base and not style.outline and not style.classes:
        return Sign("border", None, color, width_px=style.width_px, theme=theme)
    return Sign("area", color, outline, opacity=style.opacity, theme=theme)


def _cells(collection: Collection, theme: Theme) -> Legend:
    entries = [
        Entry(
            Sign("area", one.color if theme == "light" else one.dark, None, opacity=CELL_OPACITY, theme=theme),
            one.title,
            one.value,
        )
        for one in CELL_CLASSES
    ]
    return Legend(collection, "cells", collection.min_zoom, _CELLS, _PER_KM2, tuple(entries))


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
