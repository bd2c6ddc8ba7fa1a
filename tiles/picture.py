"""Small drawings, lines, areas, discs and words, that are written as SVG or painted as PNG alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from math import hypot
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageColor, ImageDraw

from tiles.lettering import FAMILIES, font_for

Point = tuple[float, float]

#: Pillow draws without smoothing: shapes are drawn so many times larger and made smaller.
_FINER = 4
_SVG_MEDIA = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line or an area through points: pixels, from the upper left. Colours are `#rrggbb`, None draws nothing."""

    points: tuple[Point, ...]
    fill: str | None = None
    line: str | None = None
    width_px: float = 1.0
    dash_px: tuple[float, float] | None = None
    opacity: float = 1.0

    def svg(self) -> str:
        """As an element."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in self.points) + ("Z" if self.fill else "")
        dashes = f' stroke-dasharray="{self.dash_px[0]:g} {self.dash_px[1]:g}"' if self.dash_px else ""
        return (
            f'<path d="{path}" fill="{self.fill or "none"}" stroke="{self.line or "none"}"'
            f' stroke-width="{self.width_px:g}"{dashes}{_faded(self.opacity)}/>'
        )

    def paint(self, on: Image.Image, scale: float) -> None:
        """Onto an image that is so many times larger."""
        x, y = zip(*self.points, strict=True)
        with _Easel(on, scale, (min(x), min(y), max(x), max(y)), self.width_px) as easel:
            places = [easel.at(point) for point in self.points]
            if self.fill:
                easel.draw.polygon(places, fill=easel.ink(self.fill, self.opacity))
            if self.line:
                easel.line([*places, places[0]] if self.fill else places, self.line, self.opacity, self.dash_px)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """A circle; `line` is drawn on its edge."""

    at: Point
    radius_px: float
    fill: str | None = None
    line: str | None = None
    width_px: float = 1.0
    opacity: float = 1.0

    def svg(self) -> str:
        """As an element."""
        return (
            f'<circle cx="{self.at[0]:g}" cy="{self.at[1]:g}" r="{self.radius_px:g}" fill="{self.fill or "none"}"'
            f' stroke="{self.line or "none"}" stroke-width="{self.width_px:g}"{_faded(self.opacity)}/>'
        )

    def paint(self, on: Image.Image, scale: float) -> None:
        """Onto an image that is so many times larger."""
        (x, y), r = self.at, self.radius_px
        with _Easel(on, scale, (x - r, y - r, x + r, y + r), self.width_px) as easel:
            outer = r + (self.width_px / 2 if self.line else 0)
            if self.line:
                easel.disc(self.at, outer, self.line, self.opacity)
            if self.fill:
                easel.disc(self.at, r - (self.width_px / 2 if self.line else 0), self.fill, self.opacity)
            elif self.line:
                easel.disc(self.at, r - self.width_px / 2, None, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One line of text; `at` is where its baseline begins."""

    at: Point
    text: str
    size_px: float
    ink: str

    def svg(self) -> str:
        """As an element."""
        x, y = self.at
        return f'<text x="{x:g}" y="{y:g}" font-size="{self.size_px:g}" fill="{self.ink}">{escape(self.text)}</text>'

    def paint(self, on: Image.Image, scale: float) -> None:
        """Onto an image that is so many times larger. Raises Unavailable where no font has the letters."""
        font = font_for(self.text, self.size_px * scale)
        x, y = self.at
        ImageDraw.Draw(on).text((x * scale, y * scale), self.text, fill=self.ink, font=font, anchor="ls")


Mark = Stroke | Disc | Words


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks on a ground (None: see-through), the lowest first."""

    width_px: int
    height_px: int
    marks: Sequence[Mark]
    ground: str | None = None
    title: str = ""

    def svg(self) -> bytes:
        """As an SVG document, whose words are drawn with the fonts of whoever looks at it."""
        ground = f'<rect width="100%" height="100%" fill="{self.ground}"/>' if self.ground else ""
        families = quoteattr(", ".join(f"'{f}'" if " " in f else f for f in FAMILIES))
        body = "".join(mark.svg() for mark in self.marks)
        return (
            f'<svg xmlns="{_SVG_MEDIA}" width="{self.width_px}" height="{self.height_px}"'
            f' viewBox="0 0 {self.width_px} {self.height_px}" role="img" font-family={families}'
            ' stroke-linecap="round" stroke-linejoin="round">'
            f"<title>{escape(self.title)}</title>{ground}{body}</svg>"
        ).encode()

    def image(self, scale: float = 1) -> Image.Image:
        """Painted, so many times larger. Raises Unavailable where no font has its letters."""
        ground = (*ImageColor.getrgb(self.ground)[:3], 255) if self.ground else (0, 0, 0, 0)
        painted = Image.new("RGBA", (round(self.width_px * scale), round(self.height_px * scale)), ground)
        for mark in self.marks:
            mark.paint(painted, scale)
        return painted

    def png(self, scale: float = 1) -> bytes:
        """As a PNG, so many times larger. Raises Unavailable where no font has its letters."""
        return png(self.image(scale))


def png(image: Image.Image) -> bytes:
    """The file of an image."""
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def _faded(opacity: float) -> str:
    return "" if opacity == 1 else f' opacity="{opacity:g}"'


class _Easel:
    """A finer drawing of a part of an image, laid onto it at the end."""

    def __init__(self, on: Image.Image, scale: float, box: tuple[float, float, float, float], width_px: float) -> None:
        self._on, self._scale = on, scale * _FINER
        self.line_px = width_px * self._scale
        room = width_px + 1
        self._left, self._top = int((box[0] - room) * scale), int((box[1] - room) * scale)
        width, height = (int((box[2] + room) * scale) - self._left + 1, int((box[3] + room) * scale) - self._top + 1)
        self._fine = Image.new("RGBA", (width * _FINER, height * _FINER), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self._fine)

    def __enter__(self) -> "_Easel":
        return self

    def __exit__(self, *_: object) -> None:
        width, height = self._fine.width // _FINER, self._fine.height // _FINER
        # colours weighted by their opacity, or edges would darken towards the black that is seen through
        small = self._fine.convert("RGBa").resize((width, height), Image.Resampling.BOX).convert("RGBA")
        cut = max(0, -self._left), max(0, -self._top)
        self._on.alpha_composite(small, (max(0, self._left), max(0, self._top)), cut)

    def at(self, point: Point) -> Point:
        """Where a point of the drawing is."""
        return point[0] * self._scale - self._left * _FINER, point[1] * self._scale - self._top * _FINER

    @staticmethod
    def ink(color: str, opacity: float) -> tuple[int, ...]:
        """A colour as Pillow has it."""
        return (*ImageColor.getrgb(color)[:3], round(255 * opacity))

    def disc(self, at: Point, radius_px: float, color: str | None, opacity: float) -> None:
        """A filled circle; without a colour, a hole."""
        (x, y), r = self.at(at), radius_px * self._scale
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=self.ink(color, opacity) if color else (0, 0, 0, 0))

    def line(self, places: Sequence[Point], color: str, opacity: float, dash_px: tuple[float, float] | None) -> None:
        """A line with round ends and corners, or in dashes."""
        ink, r = self.ink(color, opacity), self.line_px / 2
        if dash_px:
            for start, end in _dashes(places, dash_px[0] * self._scale, dash_px[1] * self._scale):
                self.draw.line((start, end), fill=ink, width=round(self.line_px))
            return
        self.draw.line(places, fill=ink, width=round(self.line_px))
        for x, y in places:
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)


def _dashes(places: Sequence[Point], drawn: float, left_out: float) -> list[tuple[Point, Point]]:
    """The pieces of a line that are drawn; each side begins anew."""
    pieces = []
    for (x0, y0), (x1, y1) in pairwise(places):
        length, start = hypot(x1 - x0, y1 - y0), 0.0
        while start < length:
            a, b = start / length, min(start + drawn, length) / length
            pieces.append(((x0 + (x1 - x0) * a, y0 + (y1 - y0) * a), (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)))
            start += drawn + left_out
    return pieces
