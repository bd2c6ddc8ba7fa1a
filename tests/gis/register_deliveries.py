"""What departments hand over, as the naive model of a register takes it: rows, and the batches that hold them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Before and after every date that a test writes.
ALWAYS, NEVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def midnight(moment: datetime) -> datetime:
    """The beginning of an instant's day in Shanghai."""
    return moment.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Row:
    """A row as handed over. `key` is None where it cannot be read; `fault` is the reason why its form is refused."""

    number: int
    key: str | None
    cells: Mapping[str, str] = field(default_factory=dict)
    deletes: bool = False
    start: datetime | None = None
    end: datetime | None = None
    fault: str = ""
    #: the item whose cell is at fault, where it is one
    fault_item: str = ""
    #: the key as written where it cannot be read
    written_key: str = ""
    #: filled cells under declared fields that `cells` lacks: the key, and what cannot be read
    more_facts: int = 1

    @property
    def facts(self) -> int:
        """How many facts it delivers."""
        return len(self.cells) + self.more_facts


@dataclass(frozen=True)
class Delivery:
    """A batch: what one department said as of one moment."""

    id: int
    department: str
    edition: datetime
    full: bool
    rows: tuple[Row, ...]

    @cached_property
    def faults(self) -> Mapping[int, str]:
        """The rows whose form is refused, by number."""
        faults, seen = {}, set()
        for row in self.rows:
            fault = row.fault or ("duplicate" if row.key in seen else "")
            if fault:
                faults[row.number] = fault
            else:
                seen.add(row.key)
        return faults

    @cached_property
    def sound(self) -> Mapping[str, Row]:
        """The rows that count, by key."""
        return {row.key: row for row in self.rows if row.key is not None and row.number not in self.faults}

    def mentions(self, entity: str) -> bool:
        """Whether any row, sound or not, bears the key."""
        return any(row.key == entity for row in self.rows)

    def means(self, entity: str, said: Row, name: str | None, telling: Iterable[str]) -> bool:
        """Whether a row that was returned for its identifier is evidently about an entity of which this was said."""
        doubtful = [r for r in self.rows if r.key is None or self.faults.get(r.number) == "duplicate"]
        return any(
            (r.key is None and a_slip_apart(r.written_key, entity))
            or (name is not None and alike(r, said, name) and any(alike(r, said, item) for item in telling))
            for r in doubtful
        )


def a_slip_apart(one: str, other: str) -> bool:
    """Whether two identifiers are the same but for one character: wrong, missing, too many or in the wrong place."""
    if min(len(one), len(other)) < 10:
        return False
    left = [{text, *(text[:at] + text[at + 1 :] for at in range(len(text)))} for text in (one, other)]
    return not left[0].isdisjoint(left[1])


def alike(one: Row, other: Row, item: str) -> bool:
    """Whether both rows say the same of an item."""
    return item in one.cells and one.cells[item] == other.cells.get(item)
