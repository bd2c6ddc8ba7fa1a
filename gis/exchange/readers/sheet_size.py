"""How large a workbook would become, found without building it: two cells far apart make a grid of 17 billion.

The library that reads workbooks allocates the whole grid, and the process dies where there is no memory for it.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from zlib import error as ZlibError

from gis.errors import BadInput
from gis.exchange.readers.archive import member_names

#: Cells of one sheet's grid, empty ones included; each takes 32 bytes once loaded, so some 400 MB.
MOST_CELLS = 12_000_000
_TOTAL_BYTES = 2 << 30
_CHUNK_BYTES = 1 << 20
_LONGEST_TEXT_BYTES = 16 << 20

#: Every cell's beginning, with its reference where it is written as spreadsheet programs write it.
_CELL = re.compile(rb'<(?:\w+:)?c(?: r="([A-Z]{1,3})(\d{1,7})")?[\s/>]')
_ERROR_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"(?=[^>]* t="e")[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]*)</v>'
)
_REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})\Z")
_ODS_TAG = re.compile(rb"<table:(table-row|table-cell|covered-table-cell|table)\b([^>]*)>")
_ODS_REPEAT = re.compile(rb"number-(?:rows|columns)-repeated\s*=\s*[\"']([^\"']*)")
_ODS_ENDLESS = 1 << 30


@dataclass(frozen=True, slots=True)
class SheetScan:
    """What a scan of a workbook's parts finds: cells that hold errors ("#N/A"), by part and (row, column) from 0."""

    errors: dict[str, dict[tuple[int, int], str]] = field(default_factory=dict)


def scan_workbook(path: Path) -> SheetScan:
    """Check an .xlsx or .ods before it is loaded. Raises BadInput when it is damaged or would become too large."""
    names = member_names(path)
    if "xl/workbook.bin" in names:
        raise BadInput(
            f"{path.name} is a binary workbook (.xlsb); save it as .xlsx or CSV",
            f"{path.name} 是二进制工作簿(.xlsb);请另存为 .xlsx 或 CSV",
            subject=str(path),
        )
    scan = SheetScan()
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(m.file_size for m in archive.infolist()) > _TOTAL_BYTES:
                raise _too_large(path, f"more than {_TOTAL_BYTES >> 30} GB of XML", f"XML 超过 {_TOTAL_BYTES >> 30} GB")
            for name in archive.namelist():
                if name == "content.xml":
                    _scan_ods(path, _chunks(path, archive, name))
                elif _is_xml(archive, name):
                    # a workbook may keep its sheets under any name
                    scan.errors[name] = _scan_sheet(path, archive, name)
    except (zipfile.BadZipFile, ZlibError, EOFError, NotImplementedError, OSError, KeyError, expat.ExpatError) as error:
        raise BadInput(
            f"{path.name} is a damaged workbook ({error}); save it again",
            f"{path.name} 已损坏({error});请重新保存",
            subject=str(path),
        ) from error
    return scan


def _is_xml(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        return part.read(64).lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")


def _chunks(path: Path, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The part in pieces that end before a tag."""
    rest = b""
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK_BYTES):
            data = rest + chunk
            end = data.rfind(b"<")
            if end > 0:
                yield data[:end]
                data = data[end:]
            rest = data
            if len(rest) > _LONGEST_TEXT_BYTES:
                raise _too_large(path, "an endless text", "含有过长的文本")
    yield rest


def _scan_sheet(path: Path, archive: zipfile.ZipFile, name: str) -> dict[tuple[int, int], str]:
    """The cells with errors of one part, if it is a sheet; a part written in another way is parsed as XML."""
    rows = 1
    columns: set[bytes] = set()
    errors: dict[tuple[int, int], str] = {}
    for data in _chunks(path, archive, name):
        cells = _CELL.findall(data)
        columns.update(letters for letters, _ in cells)
        if b"" in columns or b"\0" in data:
            _check_grid(path, *_parsed_extent(archive, name))
            return errors
        if cells:
            rows = max(rows, *(int(row) for _, row in cells))
            _check_grid(path, rows, max(map(_column, columns)) + 1)
        if b't="e"' in data:
            for letters, row, value in _ERROR_CELL.findall(data):
                errors[int(row) - 1, _column(letters)] = value.decode("utf-8", errors="replace")
    return errors


def _parsed_extent(archive: zipfile.ZipFile, name: str) -> tuple[int, int]:
    """Rows and columns of a sheet by a real XML parser: slower, but whatever way it is written."""
    row = column = rows = columns = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, rows, columns
        local = tag.rpartition(":")[2]
        if local == "row":
            given = attributes.get("r", "")
            row, column = int(given) if given.isdecimal() else row + 1, 0
        elif local == "c":
            written = _REFERENCE.match(attributes.get("r", ""))
            column = _column(written[1].upper().encode()) + 1 if written else column + 1
            rows, columns = max(rows, int(written[2]) if written else row), max(columns, column)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK_BYTES):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    return rows, columns


def _scan_ods(path: Path, chunks: Iterator[bytes]) -> None:
    """Rows and cells of an OpenDocument sheet are written once with a number of repetitions."""
    height = width = row_width = repeat = 0
    for data in chunks:
        for tag, attributes in _ODS_TAG.findall(data):
            written = _ODS_REPEAT.search(attributes)
            times = (int(written[1]) if written[1].isdigit() else _ODS_ENDLESS) if written else 1
            if tag == b"table":
                height = width = 0
            elif tag == b"table-row":
                row_width, repeat = 0, times
            elif b"value-type" in attributes:
                row_width += times
                height, repeat = height + repeat, 0
                width = max(width, row_width)
            elif times < 1024:
                # more are the empty rest of a row, which is not loaded
                row_width += times
        _check_grid(path, height, width)


def _check_grid(path: Path, rows: int, columns: int) -> None:
    if rows * columns > MOST_CELLS:
        raise _too_large(path, f"a sheet of {rows} rows and {columns} columns", f"工作表达 {rows} 行 × {columns} 列")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _too_large(path: Path, en: str, zh: str) -> BadInput:
    return BadInput(
        f"{path.name} holds {en}: too large to be opened as a workbook; save the sheet as CSV and load that",
        f"{path.name} {zh},过大,不能作为工作簿打开;请将工作表另存为 CSV 后导入",
        subject=str(path),
    )
