"""The parts of an address as the index compares them: one spelling a street, plate, compound, building, unit, room.

Columns of the register and texts of users pass through the same rules here, so that they meet.
"""

import re
from typing import NamedTuple

from gis.codes.address_parts import Parts
from gis.codes.address_reading import tail
from gis.codes.address_text import plain_column

_KIND = re.compile(r"(?:栋|座|号楼)$")


class Door(NamedTuple):
    """The numbers of one address as words of the index; "" where there is none."""

    plate: str
    base_plate: str
    """The plate without its sub-number, where it has one."""
    building: str
    number: str
    """The building whatever kind its number is: 3栋, 3座 and 3号楼 may be one."""
    unit: str
    room: str


def door(parts: Parts) -> Door:
    """The words for an address's numbers. A range of plates is no plate."""
    plate = "" if parts.plate_to else parts.plate
    sub = f"{plate}-{parts.plate_sub}" if plate and parts.plate_sub else plate
    return Door(
        plate=sub and f"号{sub}",
        base_plate=f"号{plate}" if sub != plate else "",
        building=parts.building and f"栋{parts.building}",
        number=building_number(parts.building),
        unit=parts.unit and f"单{parts.unit}",
        room=parts.room and f"室{parts.room}",
    )


def building_number(building: str) -> str:
    """A building's number without its kind; "" for a building that is named, not numbered."""
    bare = _KIND.sub("", building)
    return f"幢{bare}" if bare != building else ""


def plates(column: list[str]) -> list[str]:
    """Door plates as a register writes them (43-1, ４３号) as words."""
    found = []
    for text in plain_column(column):
        read = tail(text if text.endswith("号") else f"{text}号") if text else None
        found.append(door(read[1]).plate if read else "")
    return found


def buildings(column: list[str]) -> list[tuple[str, str, str]]:
    """Buildings as a register writes them: word, word of the number, and the plate where 1号 stands for a house."""
    found = []
    for text in plain_column(column):
        read = tail(text) if text else None
        parts = read[1] if read else Parts()
        if parts.plate and not parts.building:
            found.append(("", "", door(parts).plate))
            continue
        name = parts.building or (f"{text}栋" if text.isdigit() else text)
        found.append((name and f"栋{name}", building_number(name), ""))
    return found
