"""The Placemarks of a KML text, streamed by expat, one after the other (OGC 12-007r2).

Entity declarations are refused before they can expand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from gis.errors import BadInput
from gis.exchange.readers.source import Findings

LONGEST_TEXT_CHARACTERS = 256 << 20
#: Elements whose text is a value, with the element that they stand in.
_VALUES = frozenset(
    {(name, "Placemark") for name in ("name", "description", "address", "phoneNumber")}
    | {("when", "TimeStamp"), ("begin", "TimeSpan"), ("end", "TimeSpan")}
)


@dataclass(slots=True)
class Shape:
    """A geometry while it is read: its KML name, its coordinate texts (the first is the outer ring), its parts."""

    kind: str
    coordinates: list[str] = field(default_factory=list)
    parts: list["Shape"] = field(default_factory=list)


@dataclass(slots=True)
class Placemark:
    """One Placemark: its values by name, the folders around it, and its geometry, not yet parsed."""

    values: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    shape: Shape | None = None


class _Handler:
    """Collects Placemarks from expat's events; only what is inside the current one is kept."""

    SHAPES = frozenset({"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack"})

    def __init__(self, subject: str) -> None:
        self.done: list[Placemark] = []
        self.links = 0
        self.depth = 0
        self._subject = subject
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._folders: list[str] = []
        self._current: Placemark | None = None
        self._shapes: list[Shape] = []
        self._data = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._path.append(name)
        self._text, self._length = [], 0
        if name in ("Folder", "Document"):
            self._folders.append("")
        elif name == "Placemark":
            self._current = Placemark(folders=tuple(f for f in self._folders if f))
        elif name == "NetworkLink":
            self.links += 1
        elif self._current is None:
            return
        elif name in ("Data", "SimpleData"):
            self._data = attributes.get("name", "")
        elif name in self.SHAPES and not self._is_ring():
            self._shapes.append(Shape(name))

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        is_ring = self._is_ring()
        self._path.pop()
        text, self._text = "".join(self._text).strip(), []
        if name in ("Folder", "Document") and self._folders:
            self._folders.pop()
        elif name == "name" and self._path and self._path[-1] in ("Folder", "Document") and self._folders:
            self._folders[-1] = text
        elif self._current is not None:
            self._end_inside(name, text, is_ring, self._current)

    def characters(self, text: str) -> None:
        self._length += len(text)
        if self._length > LONGEST_TEXT_CHARACTERS:
            raise broken_kml(self._subject, "one element is larger than 256 MB", "单个元素超过 256 MB")
        self._text.append(text)

    def refuse_entity(self, *declaration: object) -> None:
        raise broken_kml(
            self._subject,
            f"it declares the XML entity {declaration[0]!r}, which is not opened because it can expand without end",
            f"其中声明了 XML 实体 {declaration[0]!r},可能无限膨胀,拒绝打开",
        )

    def _end_inside(self, name: str, text: str, is_ring: bool, placemark: Placemark) -> None:
        parent = self._path[-1] if self._path else ""
        if name == "Placemark":
            self.done.append(placemark)
            self._current, self._shapes = None, []
        elif name in self.SHAPES and not is_ring and self._shapes:
            shape = self._shapes.pop()
            if self._shapes:
                self._shapes[-1].parts.append(shape)
            else:
                placemark.shape = shape
        elif name in ("coordinates", "coord") and self._shapes:
            self._shapes[-1].coordinates.append(text)
        elif text and (name, parent) in _VALUES:
            placemark.values[name] = text
        elif text and (name == "SimpleData" or (name == "value" and parent == "Data")) and self._data:
            placemark.values[self._data] = text

    def _is_ring(self) -> bool:
        return len(self._path) >= 2 and self._path[-1] == "LinearRing" and self._path[-2].endswith("BoundaryIs")


def parse_kml(subject: str, pieces: Iterator[str], findings: Findings) -> Iterator[Placemark]:
    """The Placemarks of a KML text that arrives in pieces. Raises BadInput where it is no well-formed XML."""
    handler = _Handler(subject)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.characters
    parser.EntityDeclHandler = handler.refuse_entity
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield from handler.done
            handler.done.clear()
        parser.Parse("", True)
    except expat.ExpatError as error:
        raise broken_kml(subject, f"XML breaks off or is wrong ({error})", f"XML 不完整或有误({error})") from error
    yield from handler.done
    if handler.links and not any(d.about == "links" for d in findings.decisions):
        findings.decide("links", str(handler.links), "文件含网络链接(NetworkLink),不跟随",
                        "the file holds NetworkLinks, which are not followed", sure=False)  # fmt: skip


def broken_kml(subject: str, en: str, zh: str) -> BadInput:
    """The error for a KML that cannot be read."""
    return BadInput(
        f"{subject} cannot be read as KML: {en}; export it again",
        f"{subject} 无法按 KML 读取:{zh};请重新导出",
        subject=subject,
    )
