"""A workbook's sheets as rows of texts, through calamine (xlsx, xls, ods); formulas give the values they last had."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    WorksheetNotFound,
)

from gis.errors import BadInput
from gis.exchange.readers.sheet_size import MOST_CELLS, scan_workbook

#: Excel keeps 15 digits of a number: beyond, its last digits are already wrong.
_EXACT_BELOW = 1e15


@dataclass(frozen=True, slots=True)
class Sheet:
    """One loaded sheet; the row index counts from 0 at the sheet's first row.

    `errors` are the cells that hold errors ("#N/A"), `merged` those below the first in cells merged over several
    rows, with the cell whose value they show; both by (row, column).
    """

    name: str
    height: int
    width: int
    errors: dict[tuple[int, int], str]
    merged: dict[tuple[int, int], tuple[int, int]]
    _sheet: Any

    def rows(self) -> Iterator[list[str]]:
        """The rows as texts, from the sheet's first row on; every row has `width` cells."""
        shown: dict[tuple[int, int], str] = {}
        owners = set(self.merged.values())
        marked = self._marked_rows()
        for index, values in enumerate(self._sheet.iter_rows()):
            row = [text_of_cell(value) for value in values]
            if index in marked:
                self._complete(index, row, shown, owners)
            yield row

    def _marked_rows(self) -> set[int]:
        return {row for row, _ in (*self.errors, *self.merged, *self.merged.values())}

    def _complete(
        self, index: int, row: list[str], shown: dict[tuple[int, int], str], owners: set[tuple[int, int]]
    ) -> None:
        for column, text in enumerate(row):
            at = (index, column)
            if at in owners:
                shown[at] = text
            elif at in self.merged:
                row[column] = shown.get(self.merged[at], "")
            elif at in self.errors and not text:
                row[column] = self.errors[at]


def load_sheets(path: Path, only: str | None = None) -> Iterator[Sheet]:
    """The visible sheets of a workbook that hold anything, one loaded at a time; or `only` the one of that name.

    Raises BadInput when the workbook is damaged, protected by a password, too large, or has no such sheet.
    """
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    scan = scan_workbook(path) if zipped else None
    workbook = _guarded(path, lambda: _opened(path))
    sheets = [s for s in workbook.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    names = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible] or [s.name for s in sheets]
    if only is not None and only not in [s.name for s in sheets]:
        raise BadInput(
            f"{path.name} has no sheet {only!r}; it has {', '.join(names)}",
            f"{path.name} 没有工作表 {only!r};现有:{'、'.join(names)}",
            subject=only,
        )
    parts = (
        sorted((n for n in scan.errors if n.startswith("xl/worksheets/")), key=lambda n: (len(n), n)) if scan else []
    )
    for name in names if only is None else [only]:
        loaded = _guarded(path, lambda name=name: workbook.get_sheet_by_name(name))
        if loaded.start is None:
            continue
        if loaded.height * loaded.width > MOST_CELLS:
            raise BadInput(
                f"sheet {name!r} of {path.name} has {loaded.height} rows and {loaded.width} columns: save it as CSV",
                f"{path.name} 的工作表 {name!r} 达 {loaded.height} 行 × {loaded.width} 列:请另存为 CSV",
                subject=name,
            )
        position = [s.name for s in sheets].index(name)
        errors = scan.errors[parts[position]] if scan and len(parts) == len(sheets) else {}
        left = loaded.start[1]
        yield Sheet(
            name=name,
            height=loaded.start[0] + loaded.height,
            width=loaded.width,
            errors={(row, column - left): text for (row, column), text in errors.items()},
            merged=_merged_down(loaded.merged_cell_ranges or [], left),
            _sheet=loaded,
        )


def text_of_cell(value: object) -> str:
    """A cell's value as text: whole numbers without ".0", days and instants in ISO 8601.

    A whole number of more than 15 digits is written as Excel would show it ("3.42502199001011E+17"), since digits
    that it no longer has must not be made up.

    >>> text_of_cell(341502.0), text_of_cell(3.42502199001011e17), text_of_cell(True)
    ('341502', '3.42502199001011E+17', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(float(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return "" if value is None else str(value)


def _number(value: float) -> str:
    if abs(value) >= _EXACT_BELOW:
        mantissa, _, exponent = f"{value:.14E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    return str(int(value)) if value.is_integer() else repr(value)


def _merged_down(ranges: Any, left: int) -> dict[tuple[int, int], tuple[int, int]]:
    """The lower cells of merges over several rows of one column, each with the cell that holds the value."""
    merged = {}
    for (top, first), (bottom, last) in ranges:
        if first == last and bottom - top < MOST_CELLS // 100:
            merged.update({(row, first - left): (top, first - left) for row in range(top + 1, bottom + 1)})
    return merged


def _opened(path: Path) -> CalamineWorkbook:
    # by content: from_path would believe the suffix
    with path.open("rb") as file:
        return CalamineWorkbook.from_filelike(file)


def _guarded(path: Path, load: Any) -> Any:
    """What `load` gives; damaged workbooks make calamine raise, and sometimes panic."""
    try:
        return load()
    except PasswordError as error:
        raise BadInput(
            f"{path.name} is protected by a password; save it without one",
            f"{path.name} 有密码保护;请取消密码后重新保存",
            subject=str(path),
        ) from error
    except (CalamineError, WorksheetNotFound, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(path, error) from None


def _damaged(path: Path, error: object) -> BadInput:
    return BadInput(
        f"{path.name} cannot be read as a workbook ({error}); open it in Excel and save it again, or as CSV",
        f"{path.name} 无法作为工作簿读取({error});请用 Excel 打开后重新保存,或另存为 CSV",
        subject=str(path),
    )
