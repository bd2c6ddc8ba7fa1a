"""One file handed over and what must become of it, counted while it is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sample_city.tables import BookTable, TextTable

FOLDER = "deliveries"
CORRECTED = "2026-01-25"
MOST_IN_BOOK = 100_000  # people; the files of larger cities are texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What a department says of its file when it hands it over; `edition` is the day for which it speaks."""

    name: str
    register: str
    department: str
    mode: str
    edition: str
    title: tuple[str, str]

    def corrected(self) -> "Cover":
        """The cover of the file in which the rows that were returned come back."""
        title = (f"{self.title[0]}(退回更正)", f"{self.title[1]}, sent back corrected")
        return replace(self, name=f"{self.name}_corrected", mode="incremental", edition=CORRECTED, title=title)


@dataclass(slots=True)
class Handed:
    """A delivery: its table, the rows that must come back and why, those that are kept and noted, and the account.

    Row numbers are lines as an editor shows them, the header counted. `raises` are rows of earlier files that this
    delivery causes to be returned.
    """

    cover: Cover
    file: str
    encoding: str
    table: TextTable | BookTable
    rows: int = 0
    unchanged: int = 0
    ended: int = 0
    returned: list[dict[str, object]] = field(default_factory=list)
    notes: list[dict[str, object]] = field(default_factory=list)
    answers: list[dict[str, object]] = field(default_factory=list)
    raises: list[dict[str, object]] = field(default_factory=list)

    @classmethod
    def text(cls, folder: Path, cover: Cover, header: Sequence[str], encoding: str = "gb18030") -> "Handed":
        """A CSV file."""
        file = f"{FOLDER}/{cover.name}.csv"
        table = TextTable(folder / file, encoding)
        table.write(header)
        return cls(cover, file, encoding.upper(), table)

    @classmethod
    def book(
        cls, folder: Path, cover: Cover, header: Sequence[Sequence[str]], merged: Sequence[str], *, small: bool
    ) -> "Handed":
        """A workbook where it is small; else a CSV file with the lower names of the header."""
        if not small:
            lower = [below or above for above, below in zip(header[0], header[-1], strict=True)]
            return cls.text(folder, cover, lower)
        file = f"{FOLDER}/{cover.name}.xlsx"
        return cls(cover, file, "UTF-8", BookTable(folder / file, cover.title[0], header, merged))

    def write(self, row: Sequence[object]) -> int:
        """Append a row; returns its number."""
        self.rows += 1
        self.table.write(row)
        return self.table.line

    def give_back(self, row: int, reason: str, fault: str, *, item: str = "", code: str = "") -> None:
        """Note that a row must be returned; `item` names the one that conflicts, "" the row as a whole."""
        found: dict[str, object] = {"row": row, "reason": reason, "fault": fault}
        self.returned.append(found | ({"item": item} if item else {}) | ({"code": code} if code else {}))

    def note(self, row: int, what: str, code: str) -> None:
        """Note a row that is kept although something is odd about it."""
        self.notes.append({"row": row, "what": what, "code": code})

    def answer(self, row: int, to: "Handed", of: int, *, keyed: bool = True) -> None:
        """Note that a row answers the task of a row of an earlier file.

        Where the earlier row was not `keyed` (its code was missing or damaged) nobody can know without the number of
        the task, which these files do not give.
        """
        self.answers.append({"row": row, "file": to.file, "of": of, "keyed": keyed})

    def cause(self, of: "Handed", row: int, reason: str, item: str = "") -> None:
        """Note that this delivery makes a row of an earlier file come back."""
        self.raises.append({"file": of.file, "row": row, "reason": reason} | ({"item": item} if item else {}))

    def close(self) -> None:
        """End the file."""
        if isinstance(self.table, BookTable):
            self.table.close("填表说明", (("说明",), ("本表由示例城市生成,内容均为虚构",)))
        else:
            self.table.close()

    def entry(self) -> dict[str, object]:
        """The entry in the manifest, with the account that must result."""
        gone = len({r["row"] for r in self.returned})
        rows = {"delivered": self.rows, "accepted": self.rows - self.unchanged - gone, "unchanged": self.unchanged}
        reasons = Counter(str(r["reason"]) for r in self.returned)
        cover = self.cover
        return {
            "file": self.file,
            "register": cover.register,
            "department": cover.department,
            "mode": cover.mode,
            "edition": cover.edition,
            "title": {"zh": cover.title[0], "en": cover.title[1]},
            "expected": {"rows": rows | {"returned": gone}, "reasons": dict(sorted(reasons.items())),
                         "ended": self.ended},
        }  # fmt: skip

    def answer_key(self) -> dict[str, object]:
        """The entry in the answers: every seeded fault and every odd row. No other row is returned."""
        return {
            "encoding": self.encoding,
            "rows": self.rows,
            "returned": self.returned,
            "notes": self.notes,
            "answers": self.answers,
            "raises": self.raises,
        }
