"""What departments hand over, as the naive model of a register takes it: rows, and the batches that hold them."""

from collections.abc import Mapping
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
