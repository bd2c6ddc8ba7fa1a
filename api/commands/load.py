"""`onemap load FILE… --into COLLECTION`: bureau files into the one map, with an account of every row."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands import Json, answer, language, progress, told
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.exchange.report import LoadReport

_SHOWN_REJECTS = 10
#: What everybody wants to see; the rest is in --json and in core.load.
_TOLD = ("encoding", "crs", "datum", "repaired", "swapped")

Files = Annotated[list[Path], typer.Argument(help=told("The files to load.", "要加载的文件。"))]
Into = Annotated[str, typer.Option(help=told("The collection, e.g. base.pois.", "目标数据集，如 base.pois。"))]
Crs = Annotated[
    str | None,
    typer.Option(help=told("The files' CRS: EPSG:4548, GCJ-02, BD-09, …", "坐标系：EPSG:4548、GCJ-02、BD-09 等。")),
]
Encoding = Annotated[str | None, typer.Option(help=told("The text encoding, e.g. GBK.", "文字编码，如 GBK。"))]
LayerName = Annotated[str | None, typer.Option("--layer", help=told("The layer or sheet.", "图层或工作表。"))]
X = Annotated[str | None, typer.Option("--x", help=told("The column of x or longitude.", "经度或东坐标所在列。"))]
Y = Annotated[str | None, typer.Option("--y", help=told("The column of y or latitude.", "纬度或北坐标所在列。"))]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help=told("field=column, may be repeated.", "字段=列名，可重复。")),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help=told("field=value for all rows, may be repeated.", "字段=值，用于所有行，可重复。")),
]
Dataset = Annotated[
    str | None,
    typer.Option(help=told("The series of editions it belongs to.", "所属数据系列（默认为文件名）。")),
]
Partial = Annotated[
    bool,
    typer.Option("--partial", help=told("Rows that are absent stay as they are.", "文件中缺少的行保持不变。")),
]
Scenario = Annotated[str | None, typer.Option(help=told("A planned variant of the city.", "规划方案名称。"))]
Licence = Annotated[str | None, typer.Option(help=told("The licence of the rows.", "数据许可。"))]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Load files into a collection.", "将文件加载到数据集。"))(load)


def load(
    files: Files, into: Into, crs: Crs = None, encoding: Encoding = None, layer: LayerName = None, x: X = None,
    y: Y = None, columns: Map = None, constants: Set = None, dataset: Dataset = None, partial: Partial = False,
    scenario: Scenario = None, licence: Licence = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Load each file, all of it or nothing, and print what became of every row and what was decided on the way."""
    from gis.city import City
    from gis.exchange.readers.source import ReadOptions

    read = ReadOptions(layer=layer, encoding=encoding, crs=crs, x=x, y=y)
    given, constant = pairs("--map", columns or []), pairs("--set", constants or [])
    with City.open() as city:
        for path in files:
            with progress(path.name, as_json=as_json) as step:
                report = city.load(
                    path, into, progress=steps_of(step, into), read=read, columns=given, constants=constant,
                    dataset=dataset, partial=partial, scenario=scenario, licence=licence,
                )  # fmt: skip
            answer(report.as_dict(), account(report), as_json=as_json)
            if not as_json:
                show(report)


def steps_of(step: Callable[[str, int, int], None], what: str) -> Callable[[int, int | None], None]:
    """The loader's progress as that of the terminal."""
    return lambda done, total: step(what, done, total or done)


def account(report: "LoadReport") -> str:
    """The account of a load in one line."""
    c = report.changes
    return told(
        f"{report.file} → {report.collection}: {report.rows} rows = {c.new} new + {c.changed} changed"
        f" + {c.unchanged} unchanged + {report.rejected} refused; {c.closed} earlier rows closed",
        f"{report.file} → {report.collection}：共 {report.rows} 行 = 新增 {c.new} + 变更 {c.changed}"
        f" + 未变 {c.unchanged} + 退回 {report.rejected}；关闭旧记录 {c.closed} 行",
    )


def show(report: "LoadReport") -> None:
    """What was decided about the file, and the first refused rows."""
    console, speech = Console(highlight=False), language()
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 2))
    for decision in report.findings.decisions:
        if decision.about in _TOLD or not decision.sure:
            mark = "" if decision.sure else " ?"
            table.add_row(f"{decision.about}{mark}", decision.value, decision.evidence.in_(speech))
    for reject in report.findings.rejects[:_SHOWN_REJECTS]:
        row = told(f"row {reject.row}", f"第 {reject.row} 行")
        table.add_row(row, reject.reason, f"{reject.text.in_(speech)} {reject.value[:60]}")
    for note in report.notes.kept[:_SHOWN_REJECTS]:
        row = told(f"row {note.row}", f"第 {note.row} 行")
        table.add_row(row, note.field, f"{note.text.in_(speech)} {note.value[:60]}")
    hidden = report.rejected - _SHOWN_REJECTS
    if hidden > 0:
        where = "core.load_reject"
        table.add_row("…", told(f"{hidden} more", f"另有 {hidden} 行"), told(f"all in {where}", f"全部见 {where}"))
    console.print(table)


def pairs(option: str, given: list[str]) -> dict[str, Any]:
    """What an option that is given as field=value says. Raises BadQuery."""
    pairs = dict(one.split("=", 1) for one in given if "=" in one)
    if len(pairs) != len(given):
        raise BadQuery(f"{option} takes field=…", f"{option} 的写法为 字段=…", subject=option)
    return pairs
