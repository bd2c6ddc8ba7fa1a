"""From rows of text to batches: total lines and footnotes set aside, coordinates made geometry."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.exchange.readers.coordinates import Coordinates
from gis.exchange.readers.source import Batch, Findings
from gis.text import Text

_TOTAL = r"合\s*计|总\s*计|小\s*计|共\s*计|累\s*计"
_TOTAL_ENGLISH = r"(?i:(grand |sub)?total|sum)"
_COLON = "[:\uff1a]"
_NOTE = r"注|备\s*注|说明|附注|制\s*表|填\s*表|审\s*核|数据来源|资料来源|统计口径|单位负责人|(?i:notes?|source)"
_CANDIDATE = rf"^\s*(({_TOTAL}|{_TOTAL_ENGLISH})\s*{_COLON}?[\s\d.]*$|({_NOTE})[人者]?\s*{_COLON})"
_IS_TOTAL = re.compile(rf"\s*({_TOTAL})\s*{_COLON}?[\s\d.]*\Z")
_IS_TOTAL_ENGLISH = re.compile(rf"\s*{_TOTAL_ENGLISH}\s*{_COLON}?[\s\d.]*\Z")
_IS_NOTE = re.compile(rf"\s*({_NOTE})[人者]?\s*{_COLON}")

TOTAL_ROW = Text("合计行,不是一条记录", "a line of totals, not a row")
NOTE_ROW = Text("表下说明,不是一条记录", "a footnote, not a row")


@dataclass(slots=True)
class Tabulator:
    """Makes batches of a table's rows: `columns` are its names, `coordinates` where its geometry is."""

    columns: tuple[str, ...]
    coordinates: Coordinates | None
    findings: Findings
    batch_rows: int

    def batches(self, lines: NDArray[np.int64], table: pa.Table) -> Iterator[Batch]:
        """Batches of a table of texts whose rows stand on these lines of the file; refused rows are noted."""
        for start in range(0, len(lines), self.batch_rows):
            batch = self._batch(lines[start : start + self.batch_rows], table.slice(start, self.batch_rows))
            if len(batch):
                yield batch

    def aside(self, line: int, cells: Sequence[str]) -> bool:
        """Note a row of another width as totals or footnote if it is one; whether it was."""
        reason = row_aside(cells, len(self.columns))
        if reason is not None:
            self.findings.reject(line, *reason, " ".join(cell for cell in cells if cell))
        return reason is not None

    def _batch(self, lines: NDArray[np.int64], table: pa.Table) -> Batch:
        keep = ~_blank_rows(table)
        for at in _candidates(table):
            cells = [column[int(at)].as_py() for column in table.columns]
            keep[at] &= not self.aside(int(lines[at]), cells)
        batch = Batch(lines, table).take(keep)
        if self.coordinates is None:
            return batch
        return self.coordinates.read(batch.rows, batch.table, self.findings)


def row_aside(cells: Sequence[str], width: int) -> tuple[str, Text] | None:
    """Why a row that begins like totals or a footnote is none of the table's rows; None when it may be one.

    English words for totals may be names, and words like 说明 may begin one: those rows must be mostly empty.
    """
    filled = [cell for cell in cells if cell.strip()]
    if not filled:
        return None
    if _IS_TOTAL.match(filled[0]) or (_IS_TOTAL_ENGLISH.match(filled[0]) and len(filled) < width):
        return "total-row", TOTAL_ROW
    if _IS_NOTE.match(filled[0]) and len(filled) <= max(1, width // 3):
        return "note-row", NOTE_ROW
    return None


def _blank_rows(table: pa.Table) -> NDArray[np.bool_]:
    """Rows without any value, as Excel saves below a table; like an empty line they are no rows."""
    blank = pc.equal(table.column(0), "").to_numpy()
    if not blank.any():
        return np.asarray(blank)
    at = np.flatnonzero(blank)
    for column in table.columns[1:]:
        at = at[pc.equal(column.take(pa.array(at)), "").to_numpy()]
    blank = np.zeros(len(table), dtype=bool)
    blank[at] = True
    return blank


def _candidates(table: pa.Table) -> NDArray[np.intp]:
    """Rows whose first or (behind an empty one) second cell begins like totals or a footnote."""
    first = table.column(0)
    found = pc.match_substring_regex(first, _CANDIDATE)
    if table.num_columns > 1 and pc.any(pc.equal(first, "")).as_py():
        found = pc.or_(found, pc.and_(pc.equal(first, ""), pc.match_substring_regex(table.column(1), _CANDIDATE)))
    return np.flatnonzero(found.to_numpy())
