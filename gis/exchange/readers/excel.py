"""Excel and OpenDocument workbooks: the sheet with the data, its header below titles, its values as texts.

A sheet is loaded whole (calamine gives no stream): some 32 bytes a cell beside the texts. Larger sheets than
`sheet_size.MOST_CELLS` are refused with the advice to send CSV, which is streamed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from gis.errors import BadInput
from gis.exchange.readers.coordinates import find_coordinates
from gis.exchange.readers.csv import SAMPLE_ROWS, CsvSource, open_csv
from gis.exchange.readers.file_kind import kind_of, opened, refuse_other_kinds
from gis.exchange.readers.header import Header, find_header
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.exchange.readers.tabular import Tabulator
from gis.exchange.readers.workbook import Sheet, load_sheets

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_HEAD_BYTES = 65_536


@dataclass(slots=True)
class ExcelSource:
    """An opened sheet of a workbook; see `Source`. Row numbers are those that Excel shows."""

    path: Path
    findings: Findings
    crs: str | None
    sheet: Sheet
    first_data: int
    tabulator: Tabulator
    total_rows: int | None

    def batches(self) -> Iterator[Batch]:
        """The rows as texts, in batches; refused rows are noted.

        Reasons: "total-row", "note-row", "no-geometry", "bad-coordinate".
        """
        self.findings.begin()
        rows = islice(self.sheet.rows(), self.first_data, None)
        start = self.first_data + 1
        while chunk := list(islice(rows, self.tabulator.batch_rows)):
            lines = np.arange(start, start + len(chunk), dtype=np.int64)
            yield from self.tabulator.batches(lines, _table(chunk, self.tabulator.columns))
            start += len(chunk)


def open_excel(path: Path, options: ReadOptions) -> ExcelSource | CsvSource:
    """A workbook (.xlsx, .xls, .ods), opened: its sheet, header and coordinate columns are settled.

    `options.layer` names the sheet; otherwise the visible one with most rows is taken, and said. A text table that is
    only named like a workbook is read as one, and said. Decisions: "layer", "header", "merged", "errors", "geometry",
    "axes", "crs". Raises BadInput when the file is damaged, protected, too large, or something else.
    """
    with opened(path) as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_WORKBOOKS):
        return _as_text(path, head, options)
    findings = Findings()
    sheet = _choose(path, options, findings)
    rows = list(islice(sheet.rows(), SAMPLE_ROWS))
    at = None if options.header_row is None else options.header_row - 1
    header = find_header(rows, path.name, at=at)
    line = str(header.first + 1) if header.sure else "none"
    findings.decide("header", line, *header.evidence, sure=header.sure)
    if not any(any(row) for row in islice(sheet.rows(), header.data, None)):
        raise BadInput(
            f"sheet {sheet.name!r} of {path.name} has a header and no rows",
            f"{path.name} 的工作表 {sheet.name!r} 只有表头,没有数据行",
            subject=str(path),
        )
    _say_what_was_completed(sheet, header, findings)
    sample = [row for row in rows[header.data :] if any(row)]
    coordinates = find_coordinates(_table(sample, header.columns), header.title, options, findings)
    return ExcelSource(
        path=path,
        findings=findings,
        crs=coordinates.crs if coordinates else options.crs,
        sheet=sheet,
        first_data=header.data,
        tabulator=Tabulator(header.columns, coordinates, findings, options.batch_rows),
        total_rows=sheet.height - header.data,
    )


def _as_text(path: Path, head: bytes, options: ReadOptions) -> CsvSource:
    kind = kind_of(head)
    if kind is not None and "HTML" in kind.zh:
        raise BadInput(
            f"{path.name} is {kind.en}, only named like a workbook; open it in Excel and save it as .xlsx",
            f"{path.name} 实为{kind.zh},只是扩展名像工作簿;请用 Excel 打开后另存为 .xlsx",
            subject=str(path),
        )
    refuse_other_kinds(path, head)
    source = open_csv(path, options)
    source.findings.decide("format", "csv", "扩展名是工作簿,内容是文本表格",
                           "named like a workbook, but its content is a text table", sure=False)  # fmt: skip
    return source


def _choose(path: Path, options: ReadOptions, findings: Findings) -> Sheet:
    best: Sheet | None = None
    sizes: dict[str, int] = {}
    for sheet in load_sheets(path, options.layer):
        if not any(any(row) for row in sheet.rows()):
            continue
        sizes[sheet.name] = sheet.height
        if best is None or sizes[sheet.name] > sizes[best.name]:
            best = sheet
    if best is None:
        raise BadInput(f"{path.name} holds no rows", f"{path.name} 中没有数据", subject=str(path))
    listed = "; ".join(f"{name}: {rows}" for name, rows in sizes.items())
    if options.layer is not None:
        findings.decide("layer", best.name, "由使用者指定", "as the user said")
    else:
        others = sum(rows > 1 for rows in sizes.values()) - 1
        findings.decide("layer", best.name, f"行数最多的工作表({listed})", f"the sheet with most rows ({listed})",
                        sure=others < 1)  # fmt: skip
    return best


def _say_what_was_completed(sheet: Sheet, header: Header, findings: Findings) -> None:
    merged = sum(row >= header.data for row, _ in sheet.merged)
    if merged:
        findings.decide("merged", str(merged), f"合并单元格向下填充 {merged} 格",
                        f"{merged} cells take the value of the cell that they are merged with")  # fmt: skip
    if sheet.errors:
        row, column = next(iter(sheet.errors))
        findings.decide("errors", str(len(sheet.errors)),
                        f"{len(sheet.errors)} 个单元格是错误值(如第 {row + 1} 行第 {column + 1} 列)",
                        f"{len(sheet.errors)} cells hold errors (such as row {row + 1}, column {column + 1})",
                        sure=False)  # fmt: skip


def _table(rows: list[list[str]], columns: tuple[str, ...]) -> pa.Table:
    cells = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return pa.table([pa.array(column, pa.string()) for column in cells], names=list(columns))
