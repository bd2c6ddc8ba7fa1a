"""What a search of the trace found, as a table for spreadsheets: CSV or an Excel workbook."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

from gis.store.trace_search import COLUMNS

#: A sheet's last row is 1 048 576; the first one is the head.
MOST_ROWS = 1_048_575
_SHANGHAI = ZoneInfo("Asia/Shanghai")
#: A cell that begins with one of these is taken for a formula by some program or other.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    """The rows as CSV in UTF-8, one piece a row, behind the mark by which Excel knows it."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield b"\xef\xbb\xbf"
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_cells(row))
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()
    yield line.getvalue().encode()


def write_workbook(into: IO[bytes], rows: Iterable[tuple[Any, ...]]) -> int:
    """Write the rows as an .xlsx; returns how many."""
    from openpyxl import Workbook  # noqa: PLC0415  takes a quarter of a second
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("审计")
    sheet.freeze_panes = "A2"
    sheet.append(COLUMNS)
    count = 0
    for row in rows:
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in _cells(row)])
        count += 1
    workbook.save(into)
    return count


def _cells(row: tuple[Any, ...]) -> list[Any]:
    """Times as people in the city write them; no text is a formula."""
    return [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(_SHANGHAI).isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
