"""Units as people write them; the same words as the web map's."""

from typing import Final

from gis.text import Text

_WORDS: Final = {
    "m": Text("米", "m"),
    "km": Text("千米", "km"),
    "m2": Text("平方米", "m²"),
    "km2": Text("平方千米", "km²"),
    "har": Text("公顷", "ha"),
    "km/h": Text("千米/时", "km/h"),
    "ug/m3": Text("微克/立方米", "µg/m³"),
    "s": Text("秒", "s"),
    "min": Text("分钟", "min"),
}


def unit_words(symbol: str) -> Text:
    """A unit by its UCUM symbol; one that has no words stands for itself."""
    return _WORDS.get(symbol, Text(symbol, symbol))
