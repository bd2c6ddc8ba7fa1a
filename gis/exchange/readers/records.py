"""Lines as records, one by one: what a fast parser cannot be trusted with (RFC 4180 and what departs from it)."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field

from gis.exchange.readers.lines import LONGEST_LINE_BYTES
from gis.exchange.readers.text import BROKEN
from gis.text import Text

#: A quoted value may span lines, but a quote that stays open for longer was never meant as one.
LONGEST_RECORD_LINES = 200
_AFTER = "\x1e\x1e"
_RETURN = "\ufdd1"

# the module's own limit of 128 KB is less than a large polygon; it is one number for the process and only raised here
csv.field_size_limit(max(csv.field_size_limit(), 2 * LONGEST_LINE_BYTES))

REASONS = {
    "bad-text": Text("文字不符合文件的编码", "the text does not fit the file's encoding"),
    "nul-character": Text("含有空字符(NUL),数据已损坏", "it holds NUL characters: the data are damaged"),
    "ragged": Text("列数与表头不符", "it does not have as many cells as the header"),
    "unclosed-quote": Text("引号没有配对", "a quote that is not closed"),
    "line-too-long": Text(
        f"一行超过 {LONGEST_LINE_BYTES >> 20} MB", f"a line of more than {LONGEST_LINE_BYTES >> 20} MB"
    ),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no record of the table: its number, the key of its reason in `REASONS`, and how it begins."""

    line: int
    reason: str
    value: str
    cells: Sequence[str] = ()


@dataclass(slots=True)
class Records:
    """Records with the numbers of their first lines; those refused; and how many lines they took."""

    cells: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    consumed: int = 0


def parse_records(
    lines: Sequence[str], first: int, delimiter: str, *, width: int | None = None, final: bool = True
) -> Records:
    """The records of some lines, of which the first has the number `first`.

    With a `width`, records of another number of cells are refused (cells beyond it that are empty do not count), and
    a record over several lines that does not have it is taken for a quote left open: only its first line is refused.
    Unless `final`, a record whose quote is still open at the end is left: `consumed` says how many lines were used.
    Lines of nothing but white space are no records.
    """
    found = Records()
    index = 0
    while index < len(lines):
        line = lines[index]
        taken = 1
        if not line or line.isspace():
            pass
        elif BROKEN in line or "\0" in line:
            reason = "bad-text" if BROKEN in line else "nul-character"
            found.refused.append(Refused(first + index, reason, line[:200]))
        elif '"' not in line:
            _add(found, line.split(delimiter), line, first + index, width)
        else:
            read = _quoted(lines, index, delimiter, width)
            if read is None and not final and len(lines) - index < LONGEST_RECORD_LINES:
                break
            if read is None:
                found.refused.append(Refused(first + index, "unclosed-quote", line[:200]))
            else:
                cells, taken = read
                _add(found, cells, line, first + index, width)
        index += taken
    found.consumed = index
    return found


def _add(found: Records, cells: list[str], line: str, number: int, width: int | None) -> None:
    if width is not None and len(cells) != width:
        if len(cells) < width or any(cells[width:]):
            found.refused.append(Refused(number, "ragged", line[:200], cells))
            return
        cells = cells[:width]
    found.cells.append(cells)
    found.lines.append(number)


def _quoted(lines: Sequence[str], index: int, delimiter: str, width: int | None) -> tuple[list[str], int] | None:
    """The record that begins at a line with quotes and how many lines it takes; None when its quote stays open."""
    parts = [lines[index]]
    cells = _closed(parts, delimiter)
    if cells is not None:
        return cells, 1
    for line in lines[index + 1 : index + LONGEST_RECORD_LINES]:
        if BROKEN in line or "\0" in line:
            return None
        parts.append(line)
        if '"' not in line:
            continue
        cells = _closed(parts, delimiter)
        if cells is not None:
            return (cells, len(parts)) if width is None or len(cells) == width else None
    return None


def _closed(parts: list[str], delimiter: str) -> list[str] | None:
    """The cells of lines that make exactly one record; None while a quote is open (it swallows the line after)."""
    # the csv module ends a record at a stray carriage return; here only a line feed does
    text = [part.replace("\r", _RETURN) + "\n" for part in parts]
    try:
        records = list(csv.reader([*text, _AFTER], delimiter=delimiter))
    except csv.Error:
        return None
    if len(records) != 2 or records[1] != [_AFTER]:
        return None
    return [cell.replace(_RETURN, "\r") for cell in records[0]]
