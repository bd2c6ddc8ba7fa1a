"""Values of features as people read them on a page: coded ones in words, days in Shanghai, numbers with their units."""

from datetime import datetime
from html import escape
from typing import Any, Final

from api.html_frame import told
from api.served import Asked
from gis.catalog import Collection, Field, FieldType
from gis.query.queryables import VALID_FROM, VALID_TO
from gis.query.span import SHANGHAI
from gis.text import Text
from tiles.units import unit_words

_STANDARD: Final = {
    "valid_from": VALID_FROM,
    "valid_to": VALID_TO,
    "division": Field(name="division", type=FieldType.TEXT, title=Text("行政区划", "Division")),
    "cell": Field(name="cell", type=FieldType.TEXT, title=Text("网格单元(H3)", "Cell (H3)")),
}
_YES_NO: Final = {True: Text("是", "yes"), False: Text("否", "no")}
_NUMBERS: Final = (FieldType.INTEGER, FieldType.NUMBER)


def field_of(collection: Collection, name: str) -> Field | None:
    """The declared or standard field of a property; None for one that has no declaration."""
    return collection.by_name.get(name) or _STANDARD.get(name)


def head(ask: Asked, field: Field | None, name: str) -> str:
    """What a field is called, with its unit."""
    if field is None:
        return name
    title = field.title.in_(ask.language)
    return f"{title} ({unit_words(field.unit).in_(ask.language)})" if field.unit else title


def is_measure(field: Field | None) -> bool:
    """Whether values are numbers to be compared: those that are no codes."""
    return field is not None and field.type in _NUMBERS and not field.values


def cell(ask: Asked, field: Field | None, value: Any) -> str:
    """A property as HTML."""
    if value is None or field is None:
        return told(ask, value)
    words = field.values.get(str(value))
    if words is not None:
        return escape(words.in_(ask.language))
    if isinstance(value, bool):
        return _YES_NO[value].in_(ask.language)
    if field.type is FieldType.INSTANT:
        return escape(moment(str(value)))
    return told(ask, value)


def moment(text: str) -> str:
    """An instant in Shanghai to the minute, midnight as the day that begins; what is none stays as it is."""
    try:
        when = datetime.fromisoformat(text).astimezone(SHANGHAI)
    except ValueError:
        return text
    day = when.date().isoformat()
    return day if when.timetz().replace(tzinfo=None).isoformat() == "00:00:00" else f"{day} {when:%H:%M}"
