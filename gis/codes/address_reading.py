"""Plain address texts into their parts: one expression for texts in order, a reading piece by piece for all others."""

import re
from collections.abc import Callable
from functools import lru_cache

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
_SHORT = re.compile(
    rf"(?:{_PLATE})?([^0-9A-Z()~-]{{2,30}})?(?:(\d{{1,3}})-(\d{{1,2}})-(\d{{3,4}})|{_BUILDING}(\d{{1,2}})-(\d{{3,4}}))$"
)
_NUMBER = re.compile(r"[0-9A-Z]+")
_PIECE = re.compile(
    rf"(?P<away>\d{{1,5}}(?:米|公里)处?)"
    rf"|(?P<range>(\d{{1,5}})(?:号?~|号-)(\d{{1,5}})号)|(?P<plate>{_PLATE})"
    rf"|(?P<building>{_BUILDING})|(?P<unit>{_UNIT})|(?P<floor>{_FLOOR})|(?P<room>{_ROOM})"
    r"|(?P<three>(\d{1,3})-(\d{1,2})-(\d{3,4})(?!\d))|(?P<two>([A-Z]?\d{1,3})-(\d{3,4})(?![\d号]))"
    r"|(?P<bare>[A-Z]?\d{1,5}[A-Z]?(?![\dA-Z]))"
)
_DIRECTION = re.compile(r"(?:往|向)?(?:[东西南北]{1,2}(?:侧|边|面|方向)?约?|约)$")
_REMARKS = re.compile(r"\([^()]*\)?|\)|(?:联系)?(?:电话|手机)?(?<!\d)1[3-9]\d{9}(?!\d)")
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
        return _short_tail(text)
    plate, sub, sub_after, chunk, building, kind, unit, floor, room, room_kind = found.groups("")
    if room and not room_kind and (len(room) < 2 or not (building or unit or floor)):
        return _short_tail(text)
    numbers = Parts(
        plate=plate,
        plate_sub=sub or sub_after,
        building=building + _KINDS[kind] if building else "",
        unit=unit,
        floor=floor,
        room=room,
    )
    return _with_chunk(numbers, chunk)


DOOR = r"\d{1,5}[A-Z]?(?:[-附之]\d{1,4})?号(?![楼房铺室栋])院?[^0-9A-Z()~\n-]{2,30}(?=[0-9A-Z])"
"""A door plate with a name between it and the next number: 41号盛世名邸 before 3栋."""
_DOOR = re.compile(rf"{_PLATE}([^0-9A-Z()~-]{{2,30}})$")


def door(text: str) -> Parts | None:
    """What such a piece says; None where it is not plain (then the text is to be read as a whole)."""
    found = _DOOR.match(text)
    if found is None:
        return None
    plate, sub, sub_after, chunk = found.groups("")
    read = names(chunk, Next.INNER, after_plate=True)
    if read.building or read.unit or read.plate or not chunk:
        return None
    return merged(Parts(plate=plate, plate_sub=sub or sub_after), read)


def _short_tail(text: str) -> tuple[Next, Parts] | None:
    """3-2-501 and 3栋2-501."""
    found = _SHORT.match(text)
    if found is None:
        return None
    plate, sub, sub_after, chunk, building, unit, room, whole, kind, its_unit, its_room = found.groups("")
    if not (plate or building != "" or whole):
        return None
    built = f"{building}栋" if building else whole + _KINDS[kind]
    numbers = Parts(
        plate=plate, plate_sub=sub or sub_after, building=built, unit=unit or its_unit, room=room or its_room
    )
    return _with_chunk(numbers, chunk)


def _with_chunk(numbers: Parts, chunk: str) -> tuple[Next, Parts] | None:
    """Numbers with the names between plate and building; None where those give a number, too."""
    following = Next.PLATE if numbers.plate else Next.INNER
    if not chunk:
        return following, numbers
    inner = any(numbers[10:14])
    read = names(chunk, Next.INNER if inner else Next.END, after_plate=True)
    if (read.building and numbers.building) or (read.unit and numbers.unit) or read.plate:
        return None
    return following, merged(numbers, read)


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


def without_remarks(text: str) -> tuple[str, str]:
    """A plain text without brackets and telephone numbers, and what stood in them."""
    remarks = [found[0].strip("()") for found in _REMARKS.finditer(text)]
    return (_REMARKS.sub("", text), " ".join(filter(None, remarks))) if remarks else (text, "")


def with_remark(parts: Parts, remark: str) -> Parts:
    """The same with one more remark."""
    return parts._replace(remark=" ".join(filter(None, [parts.remark, remark]))) if remark else parts


def piecewise(text: str) -> Parts:
    """A plain text in any order, with remarks in brackets, ranges and shorthands (3-2-501)."""
    bare, remark = without_remarks(text)
    found = in_order(bare) if remark else None
    return with_remark(found or merged(*in_any_order(bare)), remark)


def in_any_order(bare: str) -> tuple[Parts, Parts]:
    """The names and the numbers of a plain text that was freed of its remarks."""
    said = _Reading(bare).read()
    return Parts._make(map(said.__getitem__, _NAMES_THEN_NONE)), Parts._make(map(said.__getitem__, _NUMBERS_ALONE))


_Said = tuple[tuple[str, str], ...]
_GIVES: dict[str, Callable[[str, tuple[str, ...]], _Said]] = {
    "away": lambda whole, _: (("offset", whole),),
    "range": lambda _, inner: (("plate", inner[0]), ("plate_to", inner[1])),
    "building": lambda _, inner: (("building", inner[0] + _KINDS[inner[1]]),),
    "unit": lambda _, inner: (("unit", inner[0]),),
    "floor": lambda _, inner: (("floor", inner[0]),),
    "room": lambda _, inner: (("room", inner[0]),),
}
_NOTHING_SAID = dict.fromkeys((*Parts._fields, "none"), "")
_NUMBERS = ("plate", "plate_sub", "plate_to", "building", "unit", "floor", "room")
_NAMES_THEN_NONE = [name if name not in _NUMBERS else "none" for name in Parts._fields]
_NUMBERS_ALONE = [name if name in _NUMBERS else "none" for name in Parts._fields]


@lru_cache(maxsize=1 << 16)
def _named(chunk: str, following: Next, after_plate: bool, inside: bool) -> _Said:
    """What a run of names says; after the last number names of nothing known are a remark."""
    after_plate = after_plate and not (following is Next.PLATE or names(chunk, following).road)
    read = names(chunk, following, after_plate=after_plate)
    if inside and following is Next.END and not any(read[:6]) and not read.offset:
        return (("remark", chunk),)
    return tuple((name, value) for name, value in zip(Parts._fields, read, strict=True) if value)


class _Reading:
    """One text taken apart from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.said = _NOTHING_SAID.copy()

    def read(self) -> dict[str, str]:
        """Read names and numbers in turn; the parts by name."""
        start = at = 0
        while number := _NUMBER.search(self.text, at):
            found = _PIECE.match(self.text, number.start())
            chunk = self.text[start : number.start()].strip("-~")
            given = self._given(str(found.lastgroup), found, chunk) if found else None
            if found is None or given is None:
                at = number.end()
                continue
            if given[0][0] == "offset":
                chunk, given = _with_direction(chunk, given[0][1])
            if chunk:
                self._names(chunk, _FOLLOWING.get(given[0][0], Next.INNER))
            self._put(given)
            start = at = found.end()
        rest = self.text[start:].strip("-~")
        if rest:
            self._names(rest, Next.END)
        return self.said

    def _put(self, given: _Said) -> None:
        """Add what was read; where it disagrees with what came before it becomes a remark."""
        said = self.said
        for name, value in given:
            if not said[name]:
                said[name] = value
            elif name == "remark" or said[name] != value:
                said["remark"] = f"{said['remark']} {value}".lstrip()

    def _names(self, chunk: str, following: Next) -> None:
        said = self.said
        self._put(_named(chunk, following, bool(said["plate"]), bool(said["building"] or said["room"])))

    def _given(self, kind: str, found: re.Match[str], chunk: str) -> _Said | None:
        """What a piece gives, or None when it is part of a name."""
        groups = found.groups("")[found.re.groupindex[kind] :]
        if kind in _GIVES:
            return _GIVES[kind](found[0], groups)
        if kind != "plate":
            return self._shorthand(kind, [found[0], *groups], chunk)
        p = self.said
        inside = (p["building"] or p["unit"] or p["floor"]) and not chunk
        if inside and not p["room"] and not groups[1]:
            return (("room", groups[0]),)
        return (("plate", groups[0]), ("plate_sub", groups[1] or groups[2]))

    def _shorthand(self, kind: str, given: list[str], chunk: str) -> _Said | None:
        p = self.said
        if kind == "three":
            return (("building", f"{given[1]}栋"), ("unit", given[2]), ("room", given[3]))
        if kind == "two":
            if p["building"] or p["unit"]:
                return (("unit", "" if p["unit"] else given[1]), ("room", given[2]))
            return (("building", f"{given[1]}栋"), ("room", given[2])) if p["plate"] or chunk else None
        number = given[0]
        if (p["building"] or p["unit"] or p["floor"]) and not p["room"] and len(number) >= 2 and not chunk:
            return (("room", number),)
        if not p["plate"] and chunk and names(chunk, Next.END).road and number[0].isdigit():
            return (("plate", number),)
        return None


_FOLLOWING = {"plate": Next.PLATE, "offset": Next.END}


def _with_direction(chunk: str, offset: str) -> tuple[str, _Said]:
    """东50米 begins before its digits."""
    found = _DIRECTION.search(chunk)
    return (chunk[: found.start()], (("offset", found[0] + offset),)) if found else (chunk, (("offset", offset),))
