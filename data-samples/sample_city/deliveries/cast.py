"""Who plays which part in the deliveries about people: each person has one at most, so that no two faults mix."""

from collections.abc import Sequence
from dataclasses import dataclass

from sample_city.deliveries.lots import Lot, Lots
from sample_city.people import Person

ADULT_BY = "2008-01-01"  # born before: of age when the first deliveries are made

#: Rows that police hand over with a fault: they are no word of anybody, until they come back corrected.
POLICE_FAULTS = (
    "exponent", "fifteen digits kept", "check character", "impossible day", "future birth", "other sex", "other birth",
    "twice", "unknown home", "no name", "no number", "unknown sex", "unreadable birth", "unknown division",
)  # fmt: skip
#: Rows of police that are odd and kept.
POLICE_NOTES = ("lower-case x", "old number")
#: People of whom civil affairs say something that is returned.
CIVIL_FAULTS = (
    "other name", "civil sex", "civil birth", "other home", "coarse address", "unknown address",
    "civil check character", "civil exponent", "civil twice", "unknown marital status", "guardian check character",
    "unknown guardian",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """A district's people with their parts; `police` holds those of the first police file, `later` all others.

    `head` is the place of each one's head of household.
    """

    people: Sequence[Person]
    head: list[int]
    police: dict[int, str]
    later: dict[int, str]

    def sound(self, n: int) -> bool:
        """Whether the first police file tells this person rightly."""
        return self.police.get(n) not in POLICE_FAULTS


class Casting:
    """Gives out parts, district by district."""

    def __init__(self, seed: int) -> None:
        self._first, self._later = Lots(seed, 20), Lots(seed, 21)

    def of(self, district: int, people: Sequence[Person]) -> Cast:
        """The parts of a district's people."""
        head = _heads(people)
        lots = [Lot("lower-case x", 4, lambda n: people[n].number.endswith("X")),
                Lot("old number", 4, lambda n: people[n].born < "1980"),
                *(Lot(name, 5) for name in POLICE_FAULTS)]  # fmt: skip
        police = self._first.draw(district, len(people), lots)
        cast = Cast(people, head, police, {})
        cast.later.update(self._later.draw(district, len(people), _later_lots(cast)))
        return cast


def _heads(people: Sequence[Person]) -> list[int]:
    found: list[int] = []
    for n, person in enumerate(people):
        same = n > 0 and people[n - 1].household == person.household
        found.append(found[-1] if same else n)
    return found


def _later_lots(cast: Cast) -> list[Lot]:
    def free(n: int) -> bool:
        return n not in cast.police

    return [Lot(name, 5, free) for name in CIVIL_FAULTS]
