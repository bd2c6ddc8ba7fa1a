"""Plain tables as text and as a workbook, the same to the byte each time they are written."""

import csv
import datetime
import zipfile
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.cell_range import CellRange

_STAMP = datetime.datetime(2026, 1, 1)


class TextTable:
    """A CSV file; `line` is the number of the last line written, from 1."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.line = 0
        self._file = path.open("w", encoding=encoding, newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")

    def write(self, row: Sequence[object]) -> None:
        """Append a row."""
        self._writer.writerow(row)
        self.line += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class BookTable:
    """A workbook with one visible sheet under a header of one or two rows with merged cells, and a hidden second."""

    def __init__(self, path: Path, title: str, header: Sequence[Sequence[str]], merged: Sequence[str] = ()) -> None:
        self.line = 0
        self._path = path
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)
        for cells in merged:
            self._sheet.merged_cells.ranges.add(CellRange(cells))
        for row in header:
            self.write(row)

    def write(self, row: Sequence[object]) -> None:
        """Append a row."""
        self._sheet.append([None if v == "" else v for v in row])
        self.line += 1

    def close(self, hidden: str, rows: Sequence[Sequence[object]]) -> None:
        """Add the hidden sheet and save, with fixed dates inside."""
        sheet = self._book.create_sheet(hidden)
        sheet.sheet_state = "hidden"
        for row in rows:
            sheet.append(list(row))
        self._book.properties.created = self._book.properties.modified = _STAMP
        loose = self._path.with_suffix(".tmp")
        self._book.save(loose)
        _repack(loose, self._path)
        loose.unlink()


#: Written by us, since the library's holds the moment of saving, under prefixes that other libraries may change.
_PROPERTIES = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties">'
    '<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">openpyxl</dc:creator>'
    '<dcterms:created xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:type="dcterms:W3CDTF">2026-01-01T00:00:00Z</dcterms:created>'
    '<dcterms:modified xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:type="dcterms:W3CDTF">2026-01-01T00:00:00Z</dcterms:modified></cp:coreProperties>'
)


def _repack(source: Path, target: Path) -> None:
    """Copy a zip file with all dates set to the same day."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            entry = zipfile.ZipInfo(name, _STAMP.timetuple()[:6])
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(entry, _PROPERTIES if name == "docProps/core.xml" else old.read(name))
