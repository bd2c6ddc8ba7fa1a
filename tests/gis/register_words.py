"""What the naive model of a register says of its deliveries: who is believed, words, tasks and accounts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gis.exchange.registers import Deliverable

Said = Literal["value", "absent", "silent"]
Outcome = Literal["accepted", "unchanged", "returned"]
Content = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rules:
    """Who is believed: for presence, and item by item, the prevailing department first."""

    presence: tuple[str, ...]
    authority: Mapping[str, tuple[str, ...]]
    overriding: frozenset[str] = frozenset()
    identity: str | None = None
    #: items that tell one from another where the names are the same
    telling: frozenset[str] = frozenset()

    @classmethod
    def of(cls, deliverable: Deliverable) -> "Rules":
        """The rules of a declared register, on all that its files can hold but the key."""
        names = [f.name for f in deliverable.intake.fields if f.name != deliverable.key]
        return cls(
            deliverable.presence,
            {name: deliverable.authority(name) for name in names},
            frozenset(name for name in names if deliverable.item(name).disagreement == "override"),
            deliverable.identity,
            frozenset(
                n for n in names if deliverable.item(n).check in {"birth_date", "past_date", "reference", "person"}
            ),
        )


@dataclass(frozen=True)
class Word:
    """What a department says of an entity in a delivery, and from when to when. `row` is 0 where it says it by silence.

    `written` are the dates as the row has them.
    """

    delivery: int
    row: int
    said: bool
    cells: Mapping[str, str]
    written: tuple[datetime | None, datetime | None]
    start: datetime
    end: datetime

    @property
    def closes(self) -> bool:
        """Whether it says when what its department says ends, and not when that began."""
        return self.said and self.written[0] is None and self.written[1] is not None

    def repeats(self, other: "Word") -> bool:
        """Whether it says what the other said."""
        return (self.said, self.cells, self.written) == (other.said, other.cells, other.written)


@dataclass(frozen=True, order=True)
class Task:
    """A row that its department must look into; `item` is empty where all of it is at fault."""

    department: str
    delivery: int
    row: int
    entity: str
    item: str
    reason: str


@dataclass(frozen=True)
class Account:
    """How many were delivered, accepted, unchanged and returned, in rows and in facts."""

    rows: Counter[Outcome]
    facts: Counter[Outcome]
