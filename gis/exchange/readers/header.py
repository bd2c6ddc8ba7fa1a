"""Where a table's header is: below its title lines, in one row or two; and the names that its columns get."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gis.errors import BadInput
from gis.text import Text

#: How many of a table's first rows may be title rows before the header.
SEARCH_ROWS = 40

_NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?%?\Z")
_DATE = re.compile(r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?([ T]\d.*)?\Z")
_ANGLE = re.compile(r"[NSEW东西南北经纬]*\d{1,3}[°度:]\s*\d")
_SHAPE = re.compile(r"(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON)\b", re.IGNORECASE)
_FRACTION = re.compile(r"[+-]?\d*\.\d{2,}\Z")
_LONGEST_NAME = 80

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table: indexes of its first row and of the first data row among the rows looked at.

    `columns` are unique and never empty; `title` is the text above the header.
    """

    first: int
    data: int
    columns: tuple[str, ...]
    title: str
    evidence: Text
    sure: bool = True


def find_header(rows: Sequence[Row], subject: str, *, at: int | None = None) -> Header:
    """The header among the first rows of a table; `at` is its index where the user knows it.

    The header is the first row that fills most columns with names rather than with values. Raises BadInput when no
    row holds anything. A table without names gets `column_1`, `column_2`, … and the finding is not sure.
    """
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    if not any(filled):
        raise BadInput(f"{subject} holds no rows", f"{subject} 中没有数据", subject=subject)
    width = _width(rows)
    if at is not None:
        return _named(rows, at, width, Text("由使用者指定", "as the user said"), True)
    needed = max(1, 0.6 * min(width, max(filled[:SEARCH_ROWS])))
    for index, row in enumerate(rows[:SEARCH_ROWS]):
        if filled[index] < needed:
            continue
        if _are_names(row):
            text = Text(
                f"第一个填满 {filled[index]} 列且不是数值的行",
                f"the first row that fills {filled[index]} columns with names",
            )
            return _named(rows, index, width, text, True)
        return _nameless(rows, index, width)
    return _nameless(rows, next(i for i, n in enumerate(filled) if n), width)


def looks_like_value(cell: str) -> bool:
    """Whether a cell holds a number, a date, an angle or a geometry: something that is no column's name."""
    text = unicodedata.normalize("NFKC", cell).strip()
    return bool(_NUMBER.match(text) or _DATE.match(text) or _ANGLE.match(text) or _SHAPE.match(text))


def _width(rows: Sequence[Row]) -> int:
    """The number of columns that most rows have, trailing empty cells not counted for the first rows."""
    counts = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    return max(counts, key=lambda n: (counts[n], n))


def _are_names(row: Row) -> bool:
    filled = [cell for cell in row if cell.strip()]
    values = sum(looks_like_value(cell) for cell in filled)
    long = sum(len(cell) > _LONGEST_NAME for cell in filled)
    if any(_FRACTION.match(c.strip()) or _ANGLE.match(c) or _SHAPE.match(c) for c in filled):
        return False
    years = sum(bool(re.fullmatch(r"(19|20)\d\d年?", cell.strip())) for cell in filled)
    return (values - years) * 4 <= len(filled) and values < len(filled) and long == 0


def _named(rows: Sequence[Row], first: int, width: int, evidence: Text, sure: bool) -> Header:
    if first >= len(rows):
        raise BadInput(
            f"there is no row {first + 1} to be the header", f"没有第 {first + 1} 行可作表头", subject=str(first + 1)
        )
    title = " ".join(cell.strip() for row in rows[:first] for cell in row if cell.strip())
    top = [cell.strip() for cell in rows[first]]
    while len(top) > width and not top[-1]:
        top.pop()
    names, data = top, first + 1
    below = _lower(top, rows[data]) if data < len(rows) else []
    if _is_second_header(top, below):
        names = _joined(top, below)
        evidence = Text(evidence.zh + ";表头占两行", evidence.en + "; the header takes two rows")
        data += 1
    names = names + [""] * (width - len(names))
    return Header(first, data, _unique(names), title, evidence, sure)


def _nameless(rows: Sequence[Row], data: int, width: int) -> Header:
    title = " ".join(cell.strip() for row in rows[:data] for cell in row if cell.strip())
    evidence = Text(
        "没有列名,第一行就是数据;列按序号命名", "no row of names: the first row is data already; columns are numbered"
    )
    return Header(data, data, _unique([""] * width), title, evidence, False)


def _lower(top: list[str], row: Row) -> list[str]:
    """The row below the names; a cell merged with the name above it repeats that name and counts as empty."""
    cells = [cell.strip() for cell in row]
    return ["" if i < len(top) and cell == top[i] else cell for i, cell in enumerate(cells)]


def _is_second_header(top: list[str], lower: list[str]) -> bool:
    """Whether the row below only names parts of cells merged across columns (a name followed by empty cells)."""
    if not any(lower) or any(looks_like_value(cell) for cell in lower if cell):
        return False
    merged = _merged(top)
    inside = [i for i, cell in enumerate(lower) if cell]
    parents = {merged[i] for i in inside if i < len(merged)}
    return len(inside) >= 2 and None not in parents and all(i < len(merged) for i in inside)


def _merged(top: list[str]) -> list[int | None]:
    """For each cell, the index of the name that spans it together with empty cells; None where a name stands alone."""
    spans: list[int | None] = []
    owner = -1
    for index, cell in enumerate(top):
        if cell:
            owner = index
        alone = bool(cell) and (index + 1 == len(top) or bool(top[index + 1]))
        spans.append(None if alone or owner < 0 else owner)
    return spans


def _joined(top: list[str], lower: list[str]) -> list[str]:
    """Names of a two-row header: the part's own name where it is the only one, else with the name above it."""
    merged = _merged(top)
    parts = Counter(cell for cell in lower if cell)
    names = []
    for index, name in enumerate(top):
        part = lower[index] if index < len(lower) else ""
        owner = merged[index]
        above = top[owner] if owner is not None else name
        taken = parts[part] > 1 or part in top
        names.append(name if not part else (f"{above}_{part}" if taken else part))
    return names


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: set[str] = set()
    result = []
    for index, name in enumerate(names, start=1):
        base = " ".join(name.split()) or f"column_{index}"
        unique, number = base, 2
        while unique in seen:
            unique, number = f"{base}_{number}", number + 1
        seen.add(unique)
        result.append(unique)
    return tuple(result)
