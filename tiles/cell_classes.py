"""How cells are coloured: by how many features there are to a square kilometre, so that a colour means the same at any
zoom. One hue, from pale to deep on light ground and from dim to bright on dark, since the data is all that has colour.
"""

from typing import Final

from gis.catalog import StyleClass
from gis.text import Text

CELL_OPACITY: Final = 0.72

_RAMP: Final = (
    (0.0, "#dadaeb", "#2f2850"),
    (1.0, "#bcbddc", "#43376c"),
    (10.0, "#9e9ac8", "#5b498f"),
    (50.0, "#807dba", "#7661b2"),
    (200.0, "#6a51a3", "#947fcd"),
    (1_000.0, "#54278f", "#b4a3e2"),
    (5_000.0, "#3f007d", "#dad0f7"),
)


def _title(lower: float, upper: float | None) -> Text:
    if upper is None:
        return Text(f"每平方千米 {lower:,.0f} 个以上", f"{lower:,.0f} and more per km²")
    if not lower:
        return Text(f"每平方千米不足 {upper:,.0f} 个", f"below {upper:,.0f} per km²")
    return Text(f"每平方千米 {lower:,.0f}–{upper:,.0f} 个", f"{lower:,.0f}–{upper:,.0f} per km²")


#: The classes of a legend of cells, each from its value on; densities by the cell's own area.
CELL_CLASSES: Final = tuple(
    StyleClass(lower, color, dark, _title(lower, _RAMP[place + 1][0] if place + 1 < len(_RAMP) else None))
    for place, (lower, color, dark) in enumerate(_RAMP)
)
