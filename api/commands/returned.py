"""`onemap returned`: what was returned to departments, as a list or as a workbook to correct."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.commands import Json, answer, language, told
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.city import City
    from gis.exchange.delivery.tasks import Task

_SHOWN = 50
#: Whoever works at the machine sees what the data centre sees.
_READER = "*"

Number = Annotated[int | None, typer.Option("--delivery", help=told("Of this delivery.", "该编号的批次。"))]
Whose = Annotated[str | None, typer.Option("--department", help=told("Of this department.", "该部门。"))]
Which = Annotated[str | None, typer.Option("--register", help=told("Of this register.", "该登记库。"))]
State = Annotated[
    str | None, typer.Option("--state", help=told("open (default), answered, withdrawn, all.", "状态，默认 open。"))
]
Into = Annotated[
    Path | None,
    typer.Option("-o", "--output", help=told("Write a delivery's rows to an .xlsx.", "将该批次的退回行写入 .xlsx。")),
]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("What was returned to departments.", "退回部门的数据。"))(returned)


def returned(
    delivery: Number = None, department: Whose = None, collection: Which = None, state: State = "open",
    output: Into = None, as_json: Json = False,
) -> None:  # fmt: skip
    """List tasks, or write those of a delivery as a workbook in its department's own columns."""
    from gis.city import City
    from gis.exchange.delivery.ledger import Page
    from gis.exchange.delivery.tasks import STATES, Wanted, tasks

    if state not in (*STATES, "all"):
        listed = ", ".join((*STATES, "all"))
        raise BadQuery(f"--state can be {listed}", f"--state 可以是 {listed}", subject="--state")
    with City.open() as city:
        if output is not None:
            _write(city, delivery, output, as_json)
            return
        wanted = Wanted(
            register=collection, department=department, delivery=delivery, state=None if state == "all" else state
        )
        found, matched = tasks(city.database, wanted, Page(limit=100_000 if as_json else _SHOWN), _READER)
        _trace(city, Counter(one.register for one in found))
    facts = {"tasks": [one.as_dict(language()) for one in found], "matched": matched}
    answer(facts, told(f"{matched} returned", f"退回 {matched} 项"), as_json=as_json)
    if not as_json:
        _show(found, matched)


def _trace(city: "City", rows: Mapping[str, int]) -> None:
    """That rows of registers are about to be told."""
    from gis.tracing import trace_read

    for register, count in rows.items():
        trace_read(city.database.url, city.catalogue, [register], city.identity, rows=count,
                   detail={"command": "returned"})  # fmt: skip


def _write(city: "City", delivery: int | None, output: Path, as_json: bool) -> None:
    from gis.exchange.delivery.ledger import record
    from gis.exchange.delivery.workbook import write_workbook

    if delivery is None or output.suffix.lower() != ".xlsx":
        raise BadQuery(
            "a workbook is that of one delivery: --delivery N -o file.xlsx",
            "工作簿按批次导出：--delivery 编号 -o 文件.xlsx",
            subject="-o",
        )
    found = record(city.database, delivery)
    _trace(city, {found.register: int(found.values["rows_returned"] or 0)})
    rows = write_workbook(city.database, found, output, _READER)
    answer({"file": str(output), "rows": rows}, told(f"{rows} rows → {output}", f"{rows} 行 → {output}"),
           as_json=as_json)  # fmt: skip


def _show(found: list["Task"], matched: int) -> None:
    speech = language()
    table = Table(box=None)
    for en, zh in (("", ""), ("row", "行"), ("whose", "部门"), ("reason", "原因"), ("why", "说明"), ("due", "期限")):
        table.add_column(told(en, zh))
    for one in found:
        own, other = (one.said(value, speech) for value in (one.value, one.rival.value if one.rival else None))
        rival = f" ({own} ≠ {other})" if own and other else ""
        row = (str(one.id), f"{one.delivery}:{one.row}", one.department, one.reason, one.text.in_(speech) + rival)
        table.add_row(*map(escape, row), f"{one.due_on:%m-%d}")
    console = Console(highlight=False)
    console.print(table)
    if matched > len(found):
        console.print(
            told(f"… and {matched - len(found)} more (--json gives all)", f"……另有 {matched - len(found)} 项")
        )
