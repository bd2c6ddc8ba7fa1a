"""The two themes of the map, and the colours of each that no declaration names."""

from dataclasses import dataclass
from typing import Final, Literal

Theme = Literal["light", "dark"]

THEMES: Final[tuple[Theme, ...]] = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Inks:
    """Colours: the ground of the map, text and its halo, the paper of a legend; `sun` is how bright it is, 0 to 1."""

    ground: str
    text: str
    quiet: str
    halo: str
    paper: str
    sun: float


_INKS: Final[dict[Theme, Inks]] = {
    "light": Inks("#f6f4ef", "#2f343b", "#6d727b", "rgba(255,255,255,0.82)", "#ffffff", 0.22),
    "dark": Inks("#171a1f", "#dfe3ea", "#9aa2ae", "rgba(17,19,23,0.82)", "#1f2329", 0.16),
}


def inks(theme: Theme) -> Inks:
    """The colours of a theme."""
    return _INKS[theme]
