"""Signs of kinds of places, by name, on a square of 20 by 20: few strokes, so that they are read at ten pixels."""

from typing import Final

from tiles.picture import Mark, Point, Stroke

SIDE: Final = 20
_LINE_PX: Final = 2.0

#: Lines through points; one that ends where it began is an area.
_LINES: Final[dict[str, tuple[tuple[Point, ...], ...]]] = {
    "school": (
        ((2, 8), (10, 4), (18, 8), (10, 12), (2, 8)),
        ((5.5, 10.5), (5.5, 15), (10, 17), (14.5, 15), (14.5, 10.5)),
        ((18, 8), (18, 14)),
    ),
    "hospital": (
        ((8, 3), (12, 3), (12, 8), (17, 8), (17, 12), (12, 12), (12, 17), (8, 17), (8, 12), (3, 12), (3, 8), (8, 8),
         (8, 3)),
    ),
    "government": (
        ((3, 8), (10, 3), (17, 8), (3, 8)),
        ((5, 10), (5, 14.5)),
        ((10, 10), (10, 14.5)),
        ((15, 10), (15, 14.5)),
        ((3, 17), (17, 17)),
    ),
    "shop": (
        ((4, 7), (16, 7), (17, 17), (3, 17), (4, 7)),
        ((7, 7), (7, 5), (8.5, 3), (11.5, 3), (13, 5), (13, 7)),
    ),
    "food": (
        ((5, 3), (5, 8), (7, 10), (9, 8), (9, 3)),
        ((7, 3), (7, 17)),
        ((14, 17), (14, 3), (16, 6), (16, 11), (14, 11)),
    ),
    "transport": (
        ((4, 4), (16, 4), (16, 14), (4, 14), (4, 4)),
        ((6, 14), (6, 17)),
        ((14, 14), (14, 17)),
    ),
    "culture": (((3, 4), (3, 15), (10, 17), (17, 15), (17, 4), (10, 6.5), (3, 4)),),
}  # fmt: skip

GLYPHS: Final = tuple(_LINES)


def glyph(name: str, ink: str, at: Point = (0.0, 0.0), side_px: float = SIDE) -> tuple[Mark, ...]:
    """The marks of one of GLYPHS in one colour, its upper left corner at a point."""
    ratio = side_px / SIDE
    marks: list[Mark] = []
    for line in _LINES[name]:
        points = tuple((at[0] + x * ratio, at[1] + y * ratio) for x, y in line)
        fill = ink if line[0] == line[-1] else None
        marks.append(Stroke(points=points, fill=fill, line=ink, width_px=_LINE_PX * ratio))
    return tuple(marks)


def hatch(ink: str, opacity: float, side_px: float) -> tuple[Mark, ...]:
    """Diagonal lines that go on from one square to the next: the pattern of areas without a value."""
    shifts = (-side_px, 0.0, side_px)
    ends = [((x - 2, side_px + 2), (x + side_px + 2, -2)) for x in shifts]
    return tuple(Stroke(points=pair, line=ink, width_px=side_px / 10, opacity=opacity) for pair in ends)
