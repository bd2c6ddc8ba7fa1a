"""How large a workbook would become, found without building it: two cells far apart make a grid of 17 billion."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import error as ZlibError

from gis.errors import BadInput
from gis.exchange.readers.archive import member_names

#: Cells of one sheet's grid, empty ones included; each takes 32 bytes once loaded, so some 400 MB.
MOST_CELLS = 12_000_000
_TOTAL_BYTES = 2 << 30
_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 4096

#: References that say more than "within A–Z and 99 999 rows": finding only these keeps the scan fast.
_FAR = re.compile(rb'\br="([A-Z]{2,3}|[A-Z](?=\d{6}))(\d{1,7})"')
_ROW = re.compile(rb'<row [^>]*?\br="(\d{1,7})"')
_CELL = re.compile(rb'<c\s[^>]*\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR_CELL = re.compile(
    rb'<c\s(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]*)</v>'
)
_ODS_TAG = re.compile(rb"<table:(table-row|table-cell|covered-table-cell|table)\b([^>]*)>")
_ODS_REPEAT = re.compile(rb'number-(?:rows|columns)-repeated="(\d{1,9})"')


@dataclass(frozen=True, slots=True)
class SheetScan:
    """What a scan of a workbook's parts finds: cells that hold errors ("#N/A"), by part and (row, column) from 0."""

    errors: dict[str, dict[tuple[int, int], str]] = field(default_factory=dict)


def scan_workbook(path: Path) -> SheetScan:
    """Check an .xlsx or .ods before it is loaded. Raises BadInput when it is damaged or would become too large."""
    names = member_names(path)
    scan = SheetScan()
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(m.file_size for m in archive.infolist()) > _TOTAL_BYTES:
                raise _too_large(path, f"more than {_TOTAL_BYTES >> 30} GB of XML", f"XML 超过 {_TOTAL_BYTES >> 30} GB")
            for name in names:
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    scan.errors[name] = _scan_sheet(path, _chunks(archive, name))
                elif name == "content.xml":
                    _scan_ods(path, _chunks(archive, name))
    except (zipfile.BadZipFile, ZlibError, EOFError, NotImplementedError, OSError, KeyError) as error:
        raise BadInput(
            f"{path.name} is a damaged workbook ({error}); save it again", f"{path.name} 已损坏({error});请重新保存",
            subject=str(path),
        ) from error  # fmt: skip
    return scan


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The part in pieces that overlap, so that no tag is cut in all of them."""
    with archive.open(name) as part:
        rest = b""
        while chunk := part.read(_CHUNK_BYTES):
            data = rest + chunk
            yield data
            rest = data[-_OVERLAP_BYTES:]


def _scan_sheet(path: Path, chunks: Iterator[bytes]) -> dict[tuple[int, int], str]:
    rows = columns = 1
    errors: dict[tuple[int, int], str] = {}
    for data in chunks:
        for letters, row in _FAR.findall(data):
            columns, rows = max(columns, _column(letters) + 1), max(rows, int(row))
        rows = max(rows, _last_number(_ROW, data, b"<row "), _last_number(_CELL, data, b"<c "))
        columns = max(columns, 26) if columns > 1 else columns
        if rows * columns > MOST_CELLS:
            raise _too_large(
                path, f"a sheet of {rows} rows and {columns} columns", f"工作表达 {rows} 行 × {columns} 列"
            )
        if b't="e"' in data:
            for letters, row, value in _ERROR_CELL.findall(data):
                errors[int(row) - 1, _column(letters)] = value.decode("utf-8", errors="replace")
    return errors


def _last_number(tag: re.Pattern[bytes], data: bytes, begins: bytes) -> int:
    """The row number in the last tag of that kind."""
    at = data.rfind(begins)
    found = tag.match(data, at) if at >= 0 else None
    return int(found[found.lastindex or 1]) if found else 1


def _scan_ods(path: Path, chunks: Iterator[bytes]) -> None:
    """Rows and cells of an OpenDocument sheet are written once with a number of repetitions."""
    height = width = row_width = repeat = 0
    for data in chunks:
        for tag, attributes in _ODS_TAG.findall(data[:-_OVERLAP_BYTES] if len(data) > _CHUNK_BYTES else data):
            written = _ODS_REPEAT.search(attributes)
            times = int(written[1]) if written else 1
            empty = b"value-type" not in attributes
            if tag == b"table":
                height = width = 0
            elif tag == b"table-row":
                row_width, repeat = 0, times
            elif not empty:
                row_width += times
                height += repeat
                repeat = 0
                width = max(width, row_width)
            elif times < 1024:
                row_width += times
        if height * width > MOST_CELLS:
            raise _too_large(
                path, f"a sheet of {height} rows and {width} columns", f"工作表达 {height} 行 × {width} 列"
            )


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
