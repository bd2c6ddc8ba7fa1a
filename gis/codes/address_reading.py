"""Plain address texts into their parts: one expression for texts in order, a reading piece by piece for all others."""

import re
from collections.abc import Callable

from gis.codes.address_parts import NOTHING, Next, Parts, names

_HEAD = re.compile(r"[^0-9A-Z(~]*")
_PLATE = (
    r"(\d{1,5}[A-Z]?)(?:[-附之](\d{1,4}))?号(?![楼房铺室栋])(?:[-附之]{1,2}(\d{1,4})号?(?![\d楼栋幢座单层室-]))?院?"
)
_BUILDING = r"([A-Z]?\d{1,4}[A-Z]?|[A-Z])(栋|幢|座|号楼|号栋)"
_UNIT = r"(\d{1,2}|[A-Z])(?:单元|门(?![口诊])|梯)"
_FLOOR = r"(B?\d{1,3})(?:层|楼)"
_ROOM = r"([A-Z]?\d{1,5}[A-Z]?)(室|户|房(?!地)|铺|号房|号铺|号室)"
_TAIL = re.compile(
    rf"(?:{_PLATE})?([^0-9A-Z()~-]{{2,30}})?(?:{_BUILDING})?(?:{_UNIT})?(?:{_FLOOR})?"
    r"(?:([A-Z]?\d{1,5}[A-Z]?)(室|户|房|铺|号房|号铺|号室)?)?$"
)
_AWAY = r"(?:往|向)?[东西南北]{0,2}(?:侧|边|面|方向)?约?\d{1,5}(?:米|公里)处?"
_PIECE = re.compile(
    rf"(?P<telephone>(?:联系)?(?:电话|手机)?(?<!\d)1[3-9]\d{{9}}(?!\d))|(?P<away>{_AWAY})|(?P<range>(\d{{1,5}})(?:号?~|号-)(\d{{1,5}})号)|(?P<plate>{_PLATE})"
    rf"|(?P<building>{_BUILDING})|(?P<unit>{_UNIT})|(?P<floor>{_FLOOR})|(?P<room>{_ROOM})"
    r"|(?P<three>(\d{1,3})-(\d{1,2})-(\d{3,4})(?!\d))|(?P<two>([A-Z]?\d{1,3})-(\d{3,4})(?![\d号]))"
    r"|(?P<bare>[A-Z]?\d{1,5}[A-Z]?(?![\dA-Z]|米|公里))"
)
_BRACKETS = re.compile(r"\(([^()]*)\)?|\)")
_KINDS = {"栋": "栋", "幢": "栋", "座": "座", "号楼": "号楼", "号栋": "栋", "": ""}


def head_length(text: str) -> int:
    """How many characters stand before the first number, letter or bracket."""
    return _HEAD.match(text).end()  # type: ignore[union-attr]


def read(text: str) -> Parts:
    """The parts of a plain text (see `address_text.plain`), in whatever order they stand."""
    found = in_order(text)
    return piecewise(text) if found is None else found


def tail(text: str) -> tuple[Next, Parts] | None:
    """What a text holds from its first number on, and what its names are followed by; None for an unusual order."""
    if not text:
        return Next.END, NOTHING
    found = _TAIL.match(text)
    if found is None:
        return None
    plate, sub, sub_after, chunk, building, kind, unit, floor, room, room_kind = found.groups("")
    if room and not room_kind and (len(room) < 2 or not (building or unit or floor)):
        return None
    inner = bool(building or unit or floor or room)
    read = names(chunk, Next.INNER if inner else Next.END, after_plate=True) if chunk else NOTHING
    if (read.building and building) or (read.unit and unit) or read.plate:
        return None
    numbers = Parts(
        plate=plate,
        plate_sub=sub or sub_after,
        building=building + _KINDS[kind] if building else "",
        unit=unit,
        floor=floor,
        room=room,
    )
    return Next.PLATE if plate else Next.INNER, merged(numbers, read) if chunk else numbers


def merged(first: Parts, second: Parts) -> Parts:
    """Both together; where they disagree the first stands and the other goes to the remark."""
    if second is NOTHING or first is NOTHING:
        return second if first is NOTHING else first
    lost = [b for a, b in zip(first[:-1], second[:-1], strict=True) if a and b and a != b]
    remark = " ".join(filter(None, [first[-1], second[-1], *lost])) if lost or second[-1] else first[-1]
    return Parts._make([*[a or b for a, b in zip(first[:-1], second[:-1], strict=True)], remark])


def in_order(text: str) -> Parts | None:
    """A plain text read in one go; None when it does not stand in the usual order."""
    end = head_length(text)
    ending = tail(text[end:])
    if ending is None:
        return None
    return merged(names(text[:end], ending[0]), ending[1])


def piecewise(text: str) -> Parts:
    """A plain text in any order, with remarks in brackets, ranges and shorthands (3-2-501)."""
    remarks = [r for r in _BRACKETS.findall(text) if r]
    if "(" in text or ")" in text:
        text = _BRACKETS.sub("", text)
        plain = in_order(text)
        if plain is not None:
            return plain._replace(remark=" ".join(filter(None, [plain.remark, *remarks])))
    reading = _Reading(text)
    reading.read()
    return reading.parts._replace(remark=" ".join(filter(None, [reading.parts.remark, *remarks])))


_GIVES: dict[str, Callable[[str, tuple[str, ...]], Parts]] = {
    "telephone": lambda whole, _: Parts(remark=whole),
    "away": lambda whole, _: Parts(offset=whole),
    "range": lambda _, inner: Parts(plate=inner[0], plate_to=inner[1]),
    "building": lambda _, inner: Parts(building=inner[0] + _KINDS[inner[1]]),
    "unit": lambda _, inner: Parts(unit=inner[0]),
    "floor": lambda _, inner: Parts(floor=inner[0]),
    "room": lambda _, inner: Parts(room=inner[0]),
}


class _Reading:
    """One text taken apart from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts = NOTHING
        self.start = 0
        """Where the names begin that are not yet read."""

    def read(self) -> None:
        """Read names and numbers in turn."""
        for found in _PIECE.finditer(self.text):
            kind = str(found.lastgroup)
            chunk = self.text[self.start : found.start()].strip("-~")
            given = self._given(kind, found, chunk)
            if given is None:
                continue
            following = Next.PLATE if given.plate else Next.INNER if any(given[6:14]) else Next.END
            self._names(chunk, following)
            self.parts = merged(self.parts, given)
            self.start = found.end()
        self._names(self.text[self.start :].strip("-~"), Next.END)

    def _names(self, chunk: str, following: Next) -> None:
        if not chunk:
            return
        p = self.parts
        numbered = bool(p.plate or p.building or p.unit or p.room)
        read = names(chunk, following, after_plate=bool(p.plate) and not _new_road(chunk, following))
        if numbered and following is Next.END and not any(read[:6]) and not read.offset and (p.building or p.room):
            read = Parts(remark=chunk)
        self.parts = merged(p, read)

    def _given(self, kind: str, found: re.Match[str], chunk: str) -> Parts | None:
        """What a piece gives, or None when it is part of a name."""
        groups = found.groups("")[found.re.groupindex[kind] :]
        if kind in _GIVES:
            return _GIVES[kind](found[0], groups)
        if kind != "plate":
            return self._shorthand(kind, [found[0], *groups], chunk)
        p = self.parts
        inside = (p.building or p.unit or p.floor) and not chunk
        if inside and not p.room and not groups[1]:
            return Parts(room=groups[0])
        return Parts(plate=groups[0], plate_sub=groups[1] or groups[2])

    def _shorthand(self, kind: str, given: list[str], chunk: str) -> Parts | None:
        p = self.parts
        if kind == "three":
            return Parts(building=given[1] + "栋", unit=given[2], room=given[3])
        if kind == "two":
            if p.building or p.unit:
                return Parts(unit="" if p.unit else given[1], room=given[2])
            return Parts(building=given[1] + "栋", room=given[2]) if p.plate or chunk else None
        number = given[0]
        if (p.building or p.unit or p.floor) and not p.room and len(number) >= 2 and not chunk:
            return Parts(room=number)
        if not p.plate and chunk and names(chunk, Next.END).road and number[0].isdigit():
            return Parts(plate=number)
        return None


def _new_road(chunk: str, following: Next) -> bool:
    return following is Next.PLATE or bool(names(chunk, following).road)
