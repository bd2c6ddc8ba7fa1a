"""The returned rows of a delivery as an Excel workbook: the department's own columns, and behind them why.

Corrected and handed over again it passes the same door: the columns that are added hold no item, but for the number of
the task that a row answers and the operation, without which a few corrected rows would be taken for all there is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gis.errors import BadQuery, NotFound
from gis.exchange.column_names import normal
from gis.exchange.delivery.handed_over import WHOLE_LINE, HandedOver, handed_over
from gis.exchange.delivery.ledger import Record
from gis.exchange.delivery.tasking import COMPARED
from gis.exchange.delivery.tasks import Task, Wanted, all_tasks
from gis.store.database import Database

OPERATION = "操作"
#: The columns that are added, in order, and what each says of a row's tasks.
ADDED = ("退回编号", "退回原因", "问题字段", "我方值", "对方值", "对方部门", "期限")

#: A sheet's last row is 1 048 576.
MOST_ROWS = 1_000_000
#: A cell that begins with one of these is taken for a formula by some program or other.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEAD = PatternFill("solid", fgColor="DCE6F1")
_WHY = PatternFill("solid", fgColor="FDE9D9")
_WIDTHS = {"退回原因": 42, "问题字段": 16, "我方值": 24, "对方值": 24, "对方部门": 20, "期限": 12}


def write_workbook(database: Database, delivery: Record, into: Path | IO[bytes], reader: str) -> int:
    """Write a delivery's open returned rows as an .xlsx; returns how many rows.

    Raises NotFound where nothing is to be corrected or the file that was handed over is gone, BadQuery for more rows
    than a sheet takes.
    """
    tasks = all_tasks(database, Wanted(delivery=delivery.id, state="open"), reader)
    by_row = {row: list(found) for row, found in groupby(tasks, key=lambda task: task.row)}
    if not by_row:
        raise NotFound(f"delivery {delivery.id} has no open returned rows", f"批次 {delivery.id} 没有待处理的退回行",
                       subject=str(delivery.id))  # fmt: skip
    if len(by_row) > MOST_ROWS:
        raise BadQuery(
            f"{len(by_row)} returned rows are more than a sheet takes; correct the source and deliver it anew",
            f"退回 {len(by_row)} 行,超出工作表容量;请在源系统更正后重新报送",
            subject=str(delivery.id),
        )
    file = handed_over(database, delivery)
    kept = [name for name in file.columns if not _is_added(name)]
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("退回")
    # a line that could not be cut into cells was returned as a whole, and for its form
    whole = [WHOLE_LINE] if any(not task.item and task.reason not in COMPARED for task in tasks) else []
    _write(sheet, kept, whole, _rows(file, by_row))
    workbook.save(into)
    return len(by_row)


def _rows(file: HandedOver, by_row: Mapping[int, list[Task]]) -> Iterator[tuple[Mapping[str, str], list[Task]]]:
    for number, texts in file.rows(by_row.keys()):
        found = [replace(task, value=task.value or file.said(task.item, task.reason, texts)) for task in by_row[number]]
        yield texts, found


def _write(sheet: Any, kept: list[str], whole: list[str], rows: Iterable[tuple[Mapping[str, str], list[Task]]]) -> None:
    # who names the operation in a column of its own keeps it; `_is_added` leaves only such columns in
    operation = [] if any(normal(name) in _OPERATIONS for name in kept) else [OPERATION]
    names = [*kept, *operation, *ADDED, *whole]
    sheet.freeze_panes = "A2"
    for at, name in enumerate(names, 1):
        column = sheet.column_dimensions[get_column_letter(at)]
        # empty cells are to be filled in as texts too, so that no digit of an id number is lost
        column.width, column.number_format = _WIDTHS.get(name, 18), "@"
    pen = _Pen(sheet)
    sheet.append([pen.cell(name, _HEAD) for name in names])
    for texts, tasks in rows:
        why = [*(["变更"] if operation else []), *_why(tasks), *(texts.get(name, "") for name in whole)]
        sheet.append([*(pen.cell(texts.get(name, "")) for name in kept), *(pen.cell(text, _WHY) for text in why)])


def _why(tasks: list[Task]) -> tuple[str, ...]:
    """What `ADDED` says of a row; several tasks stand below one another."""

    def lines(texts: Iterable[str | None]) -> str:
        return "\n".join(text or "" for text in texts).rstrip("\n")

    return (
        str(tasks[0].id),
        lines(task.text.zh for task in tasks),
        lines(task.item_title.zh if task.item_title else "" for task in tasks),
        lines(task.said(task.value, "zh") for task in tasks),
        lines(task.said(task.rival.value, "zh") if task.rival else "" for task in tasks),
        lines(task.rival.title.zh if task.rival else "" for task in tasks),
        min(task.due_on for task in tasks).isoformat(),
    )


def _is_added(name: str) -> bool:
    return name in (*ADDED, WHOLE_LINE)


@dataclass(slots=True)
class _Pen:
    """Writes cells that are texts whatever stands in them: no formula, no number that loses digits."""

    sheet: Any
    #: A cell for each look, since working one out takes longer than writing it.
    _looks: dict[tuple[int, bool, bool], Any] = field(default_factory=dict)

    def cell(self, text: str, fill: PatternFill | None = None) -> Any:
        """A cell; None where there is nothing to write and nothing to colour."""
        if not text and fill is None:
            return None
        cell = WriteOnlyCell(self.sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text))
        cell.data_type = "s"
        cell._style = self._look(fill, text.startswith(_FORMULA), "\n" in text)._style
        return cell

    def _look(self, fill: PatternFill | None, is_quoted: bool, is_wrapped: bool) -> Any:
        known = self._looks.get((id(fill), is_quoted, is_wrapped))
        if known is not None:
            return known
        cell = self._looks[id(fill), is_quoted, is_wrapped] = WriteOnlyCell(self.sheet)
        cell.number_format, cell.quotePrefix = "@", is_quoted
        if fill is not None:
            cell.fill, cell.font = fill, Font(bold=fill is _HEAD)
        if is_wrapped:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        return cell


_OPERATIONS = frozenset(normal(name) for name in (OPERATION, "操作类型", "变更类型", "数据操作", "op", "operation"))
