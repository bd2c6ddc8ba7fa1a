"""One collection as layers of a MapLibre style: its shapes, signs and names, from its declared look."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gis.catalog import Collection, Geometry, Style
from gis.text import Language
from tiles.cell_classes import CELL_CLASSES, CELL_OPACITY
from tiles.cells import has_cells, layer_name, near_zoom
from tiles.expressions import Json, at_level, line_width, mixed, wide_enough, zooms
from tiles.glyphs import GLYPHS
from tiles.inks import Inks, Theme, inks
from tiles.lettering import FAMILIES
from tiles.sprite import MISSING_PATTERN, image_name, sign_name

StyleLayer = dict[str, Json]

_EXTRUSION_ZOOM = 15
#: From here on a point is as large as its sign needs.
_SIGN_ZOOM = 16

# The first name only carries the weight: MapLibre reads it from there. The rest are what machines have.
_REGULAR = ["OneMap Regular", *FAMILIES]
_MEDIUM = ["OneMap Medium", *FAMILIES]

#: Level of a division → first zoom of its border, width as a factor, dashes, zooms of its name, size of its name.
_LEVELS: Final[dict[int, tuple[float, float, list[float] | None, tuple[float, float], float]]] = {
    1: (3, 1.6, None, (3, 6), 1.25),
    2: (4, 1.4, [6, 2, 1, 2], (5, 8.5), 1.2),
    3: (7, 1.1, [5, 2, 1, 2], (7.5, 11.5), 1.1),
    4: (10, 0.9, [3, 2], (10.5, 14.5), 1.0),
    5: (14, 0.7, [1.5, 2], (14.5, 17), 0.92),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """In which theme and language a style is drawn, and where it finds what it shows.

    `tiles_url` is a template with `{collection}` and the tile's `{z}`, `{y}` and `{x}`; the first is filled in here.
    `sprite_url` is the sprite's address without its ending (None: whoever draws the map brings the images).
    """

    theme: Theme
    language: Language
    tiles_url: str
    sprite_url: str | None = None


def shown_at_first(collection: Collection) -> bool:
    """Whether a collection is drawn before anyone has switched it on.

    That is the base map and the base registers, save what only a close look needs and areas that would lie over all
    the rest: of those, only what stands up from the ground.
    """
    style = collection.style
    if style is None or style.base:
        return style is not None
    covers = collection.geometry is Geometry.POLYGON and style.height is None
    return collection.layer == "base" and near_zoom(collection) < 14 and not covers


def label_source_layer(collection: Collection) -> str:
    """The layer of a tile that a collection's names are taken from.

    Areas are cut at the edges of tiles, so that every tile would write the name again; their names hang on points of
    their own, one a feature, in a second layer of the same tile.
    """
    return f"{collection.id}:label" if collection.geometry is Geometry.POLYGON else collection.id


@dataclass(frozen=True, slots=True)
class Drawing:
    """One collection being drawn."""

    collection: Collection
    style: Style
    look: Look

    @property
    def ink(self) -> Inks:
        """The colours of the theme."""
        return inks(self.look.theme)

    @property
    def is_boundary(self) -> bool:
        """Base areas that declare neither outline nor classes are told by their borders alone."""
        style = self.style
        is_bare = style.base and not style.outline and not style.classes
        return self.collection.geometry is Geometry.POLYGON and is_bare

    def shapes(self) -> Iterator[StyleLayer]:
        """The layers of the geometry, lowest first."""
        if self.is_boundary:
            yield from self._borders()
        elif self.collection.geometry is Geometry.POLYGON:
            yield from self._areas()
        elif self.collection.geometry is Geometry.LINE:
            yield from self._lines()
        else:
            if has_cells(self.collection):
                yield self._cells()
            yield self._points()

    def signs(self) -> Iterator[StyleLayer]:
        """The layer of the signs that classes of points declare, for who is close enough to read them."""
        images = {c.value: sign_name(c.glyph, self.look.theme) for c in self.style.classes if c.glyph in GLYPHS}
        if self.collection.geometry is not Geometry.POINT or self.style.by is None or not images:
            return
        value = ["to-string", ["get", self.style.by]]
        layout = {
            "icon-image": ["match", value, *(part for pair in images.items() for part in pair), ""],
            "icon-size": zooms(_SIGN_ZOOM, 0.064 * self.style.radius_px, 19, 0.11 * self.style.radius_px),
            "icon-allow-overlap": True,
            "icon-ignore-placement": True,
        }
        known = ["match", value, list(images), True, False]
        yield self.layer("sign", "symbol", minzoom=_SIGN_ZOOM, filter=known, layout=layout)

    def names(self) -> Iterator[StyleLayer]:
        """The layers of the labels."""
        if self.style.label is None:
            return
        if self.is_boundary and "level" in self.collection.by_name:
            yield from (self._level_name(level) for level in _LEVELS)
        else:
            yield self._name()

    def layer(self, part: str, kind: str, **more: Json) -> StyleLayer:
        """One layer of the style, with what every layer has."""
        layout = {"visibility": "visible" if shown_at_first(self.collection) else "none"}
        return {
            "id": f"{self.collection.id}:{part}",
            "type": kind,
            "source": self.collection.id,
            "source-layer": self.collection.id,
            "minzoom": near_zoom(self.collection),
            "metadata": {"onemap:collection": self.collection.id, "onemap:part": part},
            **more,
            "layout": {**layout, **more.get("layout", {})},
        }

    def color(self) -> Json:
        """The fill or line colour: by class where classes are declared."""
        default = self._pick(self.style.color, self.style.dark)
        return self._by_class([(c.value, self._pick(c.color, c.dark)) for c in self.style.classes], default)

    def outline(self) -> str | None:
        """The colour of edges, where there is one."""
        style = self.style
        return style.outline if self.look.theme == "light" else style.outline_dark or style.outline

    def width_px(self) -> Json:
        """The declared width at zoom 16: by class where classes declare one."""
        return self._by_class([(c.value, c.width_px) for c in self.style.classes if c.width_px], self.style.width_px)

    def _pick(self, light: Json, dark: Json) -> Json:
        return light if self.look.theme == "light" else dark

    def _by_class(self, pairs: list[tuple[str | float, Json]], default: Json) -> Json:
        if self.style.by is None or not pairs:
            return default
        value = ["get", self.style.by]
        if isinstance(pairs[0][0], str):
            flat = [item for pair in pairs for item in pair]
            return ["match", ["to-string", value], *flat, default]
        flat = [item for pair in sorted(pairs, key=lambda p: float(p[0])) for item in pair]
        return ["case", ["==", ["typeof", value], "number"], ["step", value, default, *flat], default]

    def _areas(self) -> Iterator[StyleLayer]:
        yield self.layer("fill", "fill", paint={"fill-color": self.color(), "fill-opacity": self.style.opacity})
        if self.style.by and self.style.classes and not isinstance(self.style.classes[0].value, str):
            pattern = image_name(MISSING_PATTERN, self.look.theme)
            absent = ["!=", ["typeof", ["get", self.style.by]], "number"]
            yield self.layer("missing", "fill", filter=absent, paint={"fill-pattern": pattern})
        outline = self.outline()
        if outline:
            from_zoom = max(self.collection.min_zoom, 11)
            paint = {"line-color": outline, "line-width": zooms(13, 0.4, 18, 1.2)}
            yield self.layer("outline", "line", minzoom=from_zoom, paint=paint)
        if self.style.height:
            yield self._extrusion(self.style.height)

    def _extrusion(self, height: str) -> StyleLayer:
        """Heights in metres, rising as one comes close; hidden until a map asks for the third dimension."""
        height_m = ["coalesce", ["to-number", ["get", height], 0], 0]
        start = _EXTRUSION_ZOOM
        rising = ["interpolate", ["linear"], ["zoom"], start, 0, start + 0.8, height_m]
        paint = {
            "fill-extrusion-color": self.color(),
            "fill-extrusion-height": rising,
            "fill-extrusion-opacity": 0.94,
            "fill-extrusion-vertical-gradient": True,
        }
        return self.layer("extrusion", "fill-extrusion", minzoom=start, paint=paint, layout={"visibility": "none"})

    def _lines(self) -> Iterator[StyleLayer]:
        width = self.width_px()
        layout = {"line-cap": "round", "line-join": "round", "line-sort-key": width}
        seen = {"filter": wide_enough(width)} if isinstance(width, list) else {}
        outline = self.outline()
        if outline:
            paint = {"line-color": outline, "line-width": line_width(width, edge_px=1.0), "line-opacity": 1.0}
            yield self.layer("casing", "line", layout=layout, paint=paint, **seen)
        paint = {"line-color": self.color(), "line-width": line_width(width), "line-opacity": self.style.opacity}
        yield self.layer("line", "line", layout=layout, paint=paint, **seen)

    def _cells(self) -> StyleLayer:
        """From far the cells that points are counted in, by how many there are to a square kilometre."""
        colors = [self._pick(one.color, one.dark) for one in CELL_CLASSES]
        steps = [item for one, color in zip(CELL_CLASSES[1:], colors[1:], strict=True) for item in (one.value, color)]
        paint = {
            "fill-color": ["step", ["get", "per_km2"], colors[0], *steps],
            "fill-opacity": CELL_OPACITY,
            "fill-outline-color": self.ink.ground,
        }
        classes = [
            {"value": one.value, "color": color, "title": one.title.as_dict()}
            for one, color in zip(CELL_CLASSES, colors, strict=True)
        ]
        drawn = self.layer("cells", "fill", paint=paint, minzoom=self.collection.min_zoom)
        source_layer = {"source-layer": layer_name(self.collection)}
        return {**drawn, **source_layer, "metadata": {**drawn["metadata"], "onemap:classes": classes}}

    def _points(self) -> StyleLayer:
        r = self.style.radius_px
        paint: dict[str, Json] = {
            "circle-color": self.color(),
            "circle-radius": zooms(10, r * 0.35, 13, r * 0.6, 16, r, 19, r * 1.6),
            "circle-opacity": self.style.opacity,
        }
        outline = self.outline()
        if outline:
            stroke = {"circle-stroke-color": outline, "circle-stroke-width": zooms(11, 0.3, 16, 1.2)}
            paint |= stroke | {"circle-stroke-opacity": self.style.opacity}
        return self.layer("circle", "circle", paint=paint)

    def _borders(self) -> Iterator[StyleLayer]:
        """Borders by level, each with a soft band on its inner side, as planning maps draw them."""
        color = self._pick(self.style.color, self.style.dark)
        has_levels = "level" in self.collection.by_name
        for level in _LEVELS if has_levels else (3,):
            from_zoom, factor, dashes, _, _ = _LEVELS[level]
            width_px = self.style.width_px * factor
            more: StyleLayer = {"filter": at_level(level)} if has_levels else {}
            more["minzoom"] = max(self.collection.min_zoom, from_zoom)
            suffix = f"-{level}" if has_levels else ""
            # it must not reach out of a tile's margin, or the edges along which areas are cut come into sight
            band = {
                "line-color": color,
                "line-opacity": zooms(12, 0.14, 15, 0.07),
                "line-width": zooms(6, width_px * 2, 14, width_px * 3),
                "line-offset": zooms(6, width_px, 14, width_px * 1.5),
            }
            line = {
                "line-color": color,
                "line-opacity": zooms(12, 0.75, 15, 0.4),
                "line-width": zooms(6, width_px * 0.6, 14, width_px),
            }
            yield self.layer(f"band{suffix}", "line", layout={"line-join": "round"}, paint=band, **more)
            yield self.layer(
                f"border{suffix}", "line", layout={"line-join": "round"},
                paint=line | ({"line-dasharray": dashes} if dashes else {}), **more,
            )  # fmt: skip

    def _name(self) -> StyleLayer:
        placed = _PLACEMENTS[self.collection.geometry or Geometry.POINT]
        size_px, first = self.style.label_size_px, self.style.label_zoom
        layout = {
            "text-field": self._text(),
            "text-font": _REGULAR,
            "text-size": zooms(first, size_px, max(first + 1, 19), size_px * 1.3),
            **placed,
        }
        return self._label("label", layout, self._label_color(), minzoom=float(self.style.label_zoom))

    def _level_name(self, level: int) -> StyleLayer:
        _, _, _, (first, last), factor = _LEVELS[level]
        layout = {
            "text-field": self._text(),
            "text-font": _MEDIUM,
            "text-size": self.style.label_size_px * factor,
            "text-letter-spacing": 0.12,
            "text-max-width": 8,
            "text-padding": 8,
        }
        more = {"minzoom": first, "maxzoom": last, "filter": at_level(level)}
        return self._label(f"label-{level}", layout, self.ink.quiet, **more)

    def _label(self, part: str, layout: dict[str, Json], color: Json, **more: Json) -> StyleLayer:
        paint = {"text-color": color, "text-halo-color": self.ink.halo, "text-halo-width": 1.2, "text-halo-blur": 0.3}
        source_layer = {"source-layer": label_source_layer(self.collection)}
        return self.layer(part, "symbol", layout=layout, paint=paint, **source_layer, **more)

    def _label_color(self) -> str:
        """Points in full ink; areas in a tone of their outline, as water is written in blue; the rest quiet."""
        if self.collection.geometry is Geometry.POINT:
            return self.ink.text
        outline = self.outline()
        is_area = self.collection.geometry is Geometry.POLYGON
        return mixed(outline, self.ink.text, 0.45) if outline and is_area else self.ink.quiet

    def _text(self) -> Json:
        """The declared label; its English twin (`name_en`) in English, where there is one."""
        label = self.style.label
        english = f"{label}_en"
        if self.look.language == "en" and english in self.collection.by_name:
            return ["coalesce", ["get", english], ["get", label], ""]
        return ["to-string", ["coalesce", ["get", label], ""]]


_PLACEMENTS: Final[dict[Geometry, dict[str, Json]]] = {
    Geometry.POINT: {
        "text-variable-anchor": ["left", "right", "top", "bottom"],
        "text-radial-offset": 0.75,
        "text-justify": "auto",
        "text-max-width": 11,
        "text-padding": 4,
    },
    Geometry.LINE: {
        "symbol-placement": "line",
        "symbol-spacing": 380,
        "text-max-angle": 28,
        "text-letter-spacing": 0.08,
        "text-padding": 6,
    },
    Geometry.POLYGON: {"text-max-width": 7, "text-padding": 4},
}
