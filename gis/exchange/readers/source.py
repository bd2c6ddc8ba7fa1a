"""What every reader hands on: a file as batches of rows, the decisions taken about it, and the rows refused."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.text import Text

BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that a reader had to settle, and why: `about` is encoding, crs, datum, layer, header, columns, …

    `sure` is False where a reasonable reader could have settled otherwise and a person should look.
    """

    about: str
    value: str
    evidence: Text
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken: its number in the file (from 1, as an editor shows it), why, and the value at fault.

    `field` names the declared field at fault, where it is one.
    """

    row: int
    reason: str
    text: Text
    value: str = ""
    field: str = ""


#: What is known of whole lines by their bytes alone: a fingerprint of each, and its place among what is known (or −1).
Skim = Callable[[list[bytes]], tuple[NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class Skimmed:
    """All lines from which a batch was read: its rows are those of lines that were not known, at −1.

    `rows` are their numbers, `prints` and `at` what `Skim` said of them; `read` reads some of them after all.
    """

    rows: NDArray[np.int64]
    prints: NDArray[np.int64]
    at: NDArray[np.int64]
    read: "Callable[[NDArray[np.bool_]], Batch]"


@dataclass(slots=True)
class Batch:
    """Some rows, column-wise; all parts have the same length.

    `rows` are row numbers in the file; `table` holds the attributes as read (no geometry); the geometry is either
    `points`, an (n, 2) array of x (east, longitude) and y (north, latitude), or `shapes`, an array of shapely
    geometries, or neither. Coordinates are the file's own until they have been placed. `skimmed` are the lines of which
    only the unknown ones were read, where the source was told to skim.
    """

    rows: NDArray[np.int64]
    table: pa.Table
    points: NDArray[np.float64] | None = None
    shapes: NDArray[np.object_] | None = None
    skimmed: Skimmed | None = None

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def take(self, keep: NDArray[np.bool_]) -> "Batch":
        """The rows for which `keep` is true."""
        if keep.all():
            return self
        return Batch(
            rows=self.rows[keep],
            table=self.table.filter(pa.array(keep)),
            points=None if self.points is None else self.points[keep],
            shapes=None if self.shapes is None else self.shapes[keep],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the user already knows about a file; whatever is None is found out, and said.

    `crs` is "EPSG:4548", "GCJ-02", "BD-09" or any name pyproj takes; `x` and `y` name the coordinate columns;
    `layer` is a layer or sheet, `prefer` the one to take where none is named and there are several; `header_row`
    counts from 1. `geometry` False leaves a table's coordinates among its columns.
    """

    layer: str | None = None
    prefer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    x: str | None = None
    y: str | None = None
    header_row: int | None = None
    geometry: bool = True
    batch_rows: int = BATCH_ROWS


@dataclass(slots=True)
class Findings:
    """What was decided about a file and which rows were refused; grows while the file is read.

    Every refused row is counted; the first `keep` are kept in full.
    """

    decisions: list[Decision] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    keep: int = 100_000
    _at_open: int | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Forget what an earlier reading noted: every reader calls this when it starts to read.

        Decisions taken before the first reading stay; so a file that is read twice is told of once.
        """
        if self._at_open is None:
            self._at_open = len(self.decisions)
        del self.decisions[self._at_open :]
        self.rejects.clear()
        self.rejected.clear()

    def decide(self, about: str, value: str, zh: str, en: str, *, sure: bool = True) -> None:
        """Note a decision with its evidence."""
        self.decisions.append(Decision(about, value, Text(zh, en), sure))

    def decide_columns(self, names: Sequence[str]) -> None:
        """Note which attribute columns the file has."""
        self.decide("columns", ", ".join(names), f"共 {len(names)} 个属性列", f"{len(names)} attribute columns")

    def reject(self, row: int, reason: str, text: Text, value: object = "", field: str = "") -> None:
        """Note a row that is not taken."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
        if len(self.rejects) < self.keep:
            self.rejects.append(Reject(int(row), reason, text, str(value)[:200], field))

    @property
    def rejected_rows(self) -> int:
        """How many rows were refused."""
        return sum(self.rejected.values())


class Source(Protocol):
    """An opened file. Reading it twice gives the same batches; refused rows are noted in `findings` while reading."""

    path: Path
    findings: Findings
    crs: str | None
    """The CRS that the file itself declares, as pyproj or `ReadOptions.crs` name it; None when it says nothing."""

    total_rows: int | None
    """How many rows the file says it has, for progress; None when it does not say."""

    def batches(self) -> Iterator[Batch]:
        """The rows, in the file's order, in batches of bounded size."""
        ...
