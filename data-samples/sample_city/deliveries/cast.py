"""Who plays which part in the deliveries about people: each person has one at most, so that no two faults mix."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sample_city.deliveries.housing import Quarter
from sample_city.deliveries.id_numbers import shows_cut
from sample_city.deliveries.lots import Lot, Lots
from sample_city.people import Person

#: Born before: of age when the first deliveries are made.
OF_AGE_BY = "2008-01-01"

#: Rows that police hand over with a fault, and the reason; they are nobody's word until they come back corrected.
POLICE_FAULTS = {
    "exponent": "excel_damaged", "digits lost": "excel_damaged", "check character": "check_digit",
    "impossible day": "bad_date", "future birth": "future_date", "other sex": "contradiction",
    "other birth": "contradiction", "unknown home": "unknown_reference", "no name": "missing", "no number": "missing",
    "unknown sex": "unknown_value", "birth in words": "bad_date", "division code too short": "unknown_division",
    "too few digits": "bad_code",
}  # fmt: skip
#: Rows of police that are odd and kept, or are given a second time.
POLICE_ODD = ("lower-case x", "old number", "twice")
#: People of whom civil affairs say something that comes back, and the reason.
CIVIL_FAULTS = {
    "civil: other name": "identity", "civil: other sex": "contradiction", "civil: other birth": "contradiction",
    "civil: other home": "conflict", "civil: other home again": "conflict", "civil: village only": "address_coarse",
    "civil: building only": "address_coarse", "civil: no staircase": "address_ambiguous",
    "civil: no such room": "address_unknown", "civil: another city": "address_unknown",
    "civil: check character": "check_digit", "civil: exponent": "excel_damaged", "civil: no name": "missing",
    "civil: marital status in words": "unknown_value", "civil: guardian's check character": "check_digit",
    "civil: guardian's exponent": "excel_damaged",
}  # fmt: skip
#: People of whom civil affairs speak and are taken, with what is special about it.
CIVIL_KEPT = (
    "civil: divorced", "civil: other telephone", "civil: twice", "civil: then dead", "civil: then moved",
)  # fmt: skip
#: People whom later deliveries of police change, and how many of 10 000 they are.
CHANGES = {
    "moved": 60, "corrected": 20, "dead": 20, "repeated": 20, "moved late, then moved": 10,
    "moved late, then repeated": 10, "moved late": 15, "repeated late": 10, "dead late, then repeated": 5,
    "moved third": 20, "there and back": 10, "dead third": 8, "moved nowhere": 5, "changed with a wrong number": 5,
    "late with the other sex": 5, "with a newborn": 15, "with a newcomer": 15, "with a late newcomer": 5,
    "with a stranger": 5,
}  # fmt: skip
_RATE, _CIVIL_RATE = 5, 900


@dataclass(frozen=True, slots=True)
class Cast:
    """A district's people with their parts: `police` are those in the first police file, `later` all others.

    `head` is the place of each one's head of household.
    """

    people: Sequence[Person]
    head: list[int]
    quarter: Quarter
    police: dict[int, str] = field(default_factory=dict)
    later: dict[int, str] = field(default_factory=dict)

    def sound(self, n: int) -> bool:
        """Whether the first police file tells this person rightly."""
        return self.police.get(n) not in POLICE_FAULTS

    def free(self, n: int) -> bool:
        """Whether this person is told rightly and lives in a home that the register holds."""
        return n not in self.police and self.people[n].dwelling in self.quarter.known

    def is_ward(self, n: int) -> bool:
        """Whether this is a child whose head of household can be its guardian."""
        head = self.head[n]
        grown = self.people[head].born < OF_AGE_BY
        return self.people[n].born >= OF_AGE_BY and head != n and grown and self.sound(head)


class Casting:
    """Gives out parts, district by district."""

    def __init__(self, seed: int) -> None:
        self._first, self._later = Lots(seed, 20), Lots(seed, 21)

    def of(self, district: int, people: Sequence[Person], quarter: Quarter) -> Cast:
        """The parts of a district's people."""
        cast = Cast(people, _heads(people), quarter)
        cast.police.update(self._first.draw(district, len(people), _police_lots(people)))
        cast.later.update(self._later.draw(district, len(people), _later_lots(cast)))
        return cast


def _heads(people: Sequence[Person]) -> list[int]:
    found: list[int] = []
    for n, person in enumerate(people):
        same = n > 0 and people[n - 1].household == person.household
        found.append(found[-1] if same else n)
    return found


def _police_lots(people: Sequence[Person]) -> list[Lot]:
    return [
        Lot("lower-case x", _RATE, lambda n: people[n].number.endswith("X")),
        Lot("old number", _RATE, lambda n: people[n].born < "1980"),
        Lot("twice", _RATE),
        # a number that ends in 000 by a spreadsheet's doing must not be another one's right number
        Lot("digits lost", _RATE, lambda n: shows_cut(people[n].number)),
        *(Lot(fault, _RATE) for fault in POLICE_FAULTS if fault != "digits lost"),
    ]


def _later_lots(cast: Cast) -> list[Lot]:
    def ward(n: int) -> bool:
        return cast.free(n) and cast.is_ward(n)

    def grown(n: int) -> bool:
        return cast.free(n) and cast.people[n].born < OF_AGE_BY

    def stairs(n: int) -> bool:
        return cast.free(n) and _in_several_staircases(cast, n)

    fits = {
        "civil: no staircase": stairs,
        "civil: building only": stairs,
        "civil: no such room": stairs,
        "civil: divorced": grown,
        "civil: guardian's check character": ward,
        "civil: guardian's exponent": ward,
        "with a newborn": grown,
    }
    small = [Lot(part, _RATE, fits.get(part, cast.free)) for part in (*CIVIL_FAULTS, *CIVIL_KEPT)]
    changes = [Lot(part, rate, fits.get(part, cast.free)) for part, rate in CHANGES.items()]
    return [*small, *changes, Lot("civil", _CIVIL_RATE, cast.free)]


def _in_several_staircases(cast: Cast, n: int) -> bool:
    """Whether another staircase of the building, which is unlike all others, has a room of the same number."""
    home = cast.people[n].dwelling
    if home[:18] in cast.quarter.alike:
        return False
    twin = f"{home[:18]}{2 if home[18:20] == '01' else 1:02d}{home[20:]}"
    return twin in cast.quarter.known and cast.quarter.homes[twin].room != ""
