"""How one line of a legend is drawn: the sign that the map itself draws, in small."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from tiles.glyphs import glyph
from tiles.inks import Theme
from tiles.picture import Disc, Mark, Stroke
from tiles.sprite import sign_ink

#: Room for a sign, in pixels.
WIDTH_PX: Final = 24
HEIGHT_PX: Final = 18

_EDGE: Final = {"light": "#c9c5bb", "dark": "#454b54"}


@dataclass(frozen=True, slots=True)
class Sign:
    """A point, a line, an area, a border alone, or the pattern of missing values; sizes as the map has at zoom 16."""

    shape: Literal["point", "line", "area", "border", "hatched"]
    color: str | None
    outline: str | None
    opacity: float = 1.0
    width_px: float | None = None
    radius_px: float | None = None
    glyph: str | None = None
    theme: Theme = "light"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "shape": self.shape, "color": self.color, "outline": self.outline, "opacity": self.opacity,
            "width_px": self.width_px, "radius_px": self.radius_px, "glyph": self.glyph,
        }  # fmt: skip

    def marks(self, x: float, y: float) -> tuple[Mark, ...]:
        """Drawn with its upper left corner at a point."""
        middle = y + HEIGHT_PX / 2
        if self.shape == "point":
            return self._point(x + WIDTH_PX / 2, middle)
        if self.shape == "line":
            return self._line(x, middle)
        left, right, top, bottom = x + 2, x + WIDTH_PX - 2, y + 2, y + HEIGHT_PX - 2
        box = ((left, top), (right, top), (right, bottom), (left, bottom))
        edge = self.outline or _EDGE[self.theme]
        if self.shape == "border":
            return (Stroke(points=(*box, box[0]), line=self.outline, width_px=1.5, dash_px=(4, 2.5)),)
        area = Stroke(points=box, fill=self.color, line=edge, width_px=1, opacity=self.opacity)
        return (area, *self._hatching(x, y, edge)) if self.shape == "hatched" else (area,)

    def _point(self, x: float, y: float) -> tuple[Mark, ...]:
        radius_px = 8.5 if self.glyph else min(6.5, max(3.5, self.radius_px or 0))
        edge = self.outline or _EDGE[self.theme]
        disc = Disc(at=(x, y), radius_px=radius_px, fill=self.color, line=edge, width_px=1, opacity=self.opacity)
        side_px = 12.0
        at = (x - side_px / 2, y - side_px / 2)
        return (disc, *(glyph(self.glyph, sign_ink(self.theme), at, side_px) if self.glyph else ()))

    def _line(self, x: float, y: float) -> tuple[Mark, ...]:
        width_px = min(9.0, max(1.4, (self.width_px or 1) * 0.9))
        points = ((x + 5, y), (x + WIDTH_PX - 5, y))
        inner = Stroke(points=points, line=self.color, width_px=width_px, opacity=self.opacity)
        if self.outline is None:
            return (inner,)
        return Stroke(points=points, line=self.outline, width_px=width_px + 2), inner

    def _hatching(self, x: float, y: float, edge: str) -> tuple[Mark, ...]:
        """A few lines of the pattern, within the area."""
        slanted = []
        for shift in range(2, WIDTH_PX - 8, 5):
            ends = ((x + shift + 1, y + HEIGHT_PX - 4), (x + min(shift + 8, WIDTH_PX - 3), y + 4))
            slanted.append(Stroke(points=ends, line=edge, width_px=1))
        return tuple(slanted)
