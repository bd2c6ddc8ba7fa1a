"""A legend laid out: headings, notes and lines with their signs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from tiles.lettering import width_px
from tiles.picture import Mark, Picture, Words
from tiles.signs import HEIGHT_PX as SIGN_HEIGHT_PX
from tiles.signs import WIDTH_PX as SIGN_WIDTH_PX
from tiles.signs import Sign

_MARGIN_PX: Final = 12
_GAP_PX: Final = 8
_BETWEEN_PX: Final = 12
#: Height of a row, size of its words.
_ROWS: Final = {"heading": (26, 15.0), "note": (20, 12.0), "entry": (22, 13.0)}


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One row: its kind, its words, and how the map draws what they name."""

    kind: Literal["heading", "note", "entry"]
    words: str
    sign: Sign | None = None

    @property
    def height_px(self) -> int:
        """Pixels, with the room around it."""
        return _ROWS[self.kind][0]

    @property
    def width_px(self) -> float:
        """Pixels."""
        indent = SIGN_WIDTH_PX + _GAP_PX if self.sign else 0
        return indent + width_px(self.words, _ROWS[self.kind][1])

    def marks(self, x: float, y: float, ink: str) -> tuple[Mark, ...]:
        """Drawn with its upper left corner at a point."""
        size_px = _ROWS[self.kind][1]
        middle = y + self.height_px / 2
        indent = SIGN_WIDTH_PX + _GAP_PX if self.sign else 0
        said = Words(at=(x + indent, middle + size_px * 0.36), text=self.words, size_px=size_px, ink=ink)
        return (*(self.sign.marks(x, middle - SIGN_HEIGHT_PX / 2) if self.sign else ()), said)


def drawn(blocks: Sequence[Sequence[LegendRow]], title: str, *, text: str, quiet: str, ground: str) -> Picture:
    """Blocks of rows one below the other, as wide as the widest of them."""
    marks: list[Mark] = []
    y: float = _MARGIN_PX
    for place, rows in enumerate(blocks):
        y += _BETWEEN_PX if place else 0
        for row in rows:
            marks += row.marks(_MARGIN_PX, y, quiet if row.kind == "note" else text)
            y += row.height_px
    widest = max((row.width_px for rows in blocks for row in rows), default=0)
    return Picture(ceil(widest) + 2 * _MARGIN_PX, ceil(y) + _MARGIN_PX, marks, ground, title)
