"""What happened to single values of rows that were taken: counted by field and reason, listed up to a limit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gis.text import Text


@dataclass(frozen=True, slots=True)
class FieldNote:
    """A value that became null although its row was taken: where, what it was, why."""

    row: int
    field: str
    reason: str
    value: str
    text: Text


@dataclass(slots=True)
class Notes:
    """The notes of a file. All are counted by (field, reason); the first `keep` are kept in full."""

    kept: list[FieldNote] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    keep: int = 10_000

    def add(self, name: str, reason: str, text: Text, rows: Sequence[int], values: Sequence[object]) -> None:
        """Note values of the field `name` that share a reason."""
        self.counts[name, reason] = self.counts.get((name, reason), 0) + len(rows)
        room = max(self.keep - len(self.kept), 0)
        for row, value in zip(rows[:room], values[:room], strict=True):
            self.kept.append(FieldNote(int(row), name, reason, str(value)[:200], text))

    @property
    def total(self) -> int:
        """How many values became null."""
        return sum(self.counts.values())
