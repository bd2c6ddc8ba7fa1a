"""`onemap deliver REGISTER FILE --from DEPARTMENT`: what a department hands over, with an account of every row."""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import Json, answer, progress, told
from api.commands.load import Map, steps_of
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.exchange.delivery import Delivered

Register = Annotated[
    str | None, typer.Argument(help=told("The register, e.g. base.persons.", "登记库，如 base.persons。"))
]
File = Annotated[Path | None, typer.Argument(help=told("The file handed over.", "报送的文件。"))]
From = Annotated[str | None, typer.Option("--from", help=told("The department's code.", "提供部门的代码。"))]
Full = Annotated[
    bool,
    typer.Option(
        "--full", help=told("All that the department holds: what is missing has ended.", "全量：缺少的即已注销。")
    ),
]
Incremental = Annotated[
    bool,
    typer.Option(
        "--incremental", help=told("Only what changed; a column 操作 or op says how.", "增量：由“操作”列说明增删改。")
    ),
]
Dated = Annotated[
    str | None, typer.Option("--date", help=told("The day for which the data speak.", "数据日期（默认为现在）。"))
]
AllowEnds = Annotated[
    bool,
    typer.Option(
        "--allow-ends", help=told("A full delivery may end more than a fifth.", "允许全量报送注销超过五分之一。")
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help=told("Take up what waits or was broken off.", "继续处理等待中或中断的报送。"))
]
Withdraw = Annotated[
    int | None, typer.Option("--withdraw", help=told("Take this delivery back.", "撤回该编号的报送。"))
]  # fmt: skip


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Hand over a department's file.", "提交部门数据。"))(deliver)


def deliver(
    into: Register = None, file: File = None, department: From = None, full: Full = False,
    incremental: Incremental = False, dated: Dated = None, columns: Map = None, allow_ends: AllowEnds = False,
    resume: Resume = False, back: Withdraw = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Hand over a file, take up what waits, or take a delivery back; print what became of every row."""
    from gis.city import City
    from gis.exchange.delivery import work_pending
    from gis.tracing import trace_act

    with City.open() as city:
        if resume:
            for done in work_pending(city.database, city.catalogue):
                about = {"delivery": done.id, "department": done.department, "state": done.state}
                trace_act(city.database.url, "taken_in", collection=done.register, rows=done.rows.delivered,
                          detail=about)  # fmt: skip
                tell(done, as_json)
            return
        if back is not None:
            tell(city.withdraw(back), as_json)
            return
        if into is None or file is None or department is None:
            raise BadQuery(
                "say what is handed over and by whom: onemap deliver REGISTER FILE --from DEPARTMENT",
                "请写明登记库、文件和提供部门：onemap deliver 登记库 文件 --from 部门",
                subject="--from",
            )
        given = dict(one.partition("=")[::2] for one in columns or [])
        with progress(file.name, as_json=as_json) as step:
            done = city.deliver(
                into, file, department=department, progress=steps_of(step, into), mode=_mode(full, incremental),
                edition=moment(dated), columns=given, allow_ends=allow_ends, received_by="command",
            )  # fmt: skip
        tell(done, as_json)


def _mode(full: bool, incremental: bool) -> str:
    if full and incremental:
        raise BadQuery("choose --full or --incremental", "--full 与 --incremental 只能选一个", subject="--full")
    return "full" if full else "incremental" if incremental else "auto"


def moment(text: str | None) -> datetime | None:
    """The day's beginning in Shanghai, or the very moment."""
    from gis.query.span import SHANGHAI

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuery(
            f"--date {text!r} is no date; write 2026-01-31",
            f"--date {text!r} 不是日期，请写 2026-01-31",
            subject="--date",
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=SHANGHAI)
    return found.astimezone(UTC) if found.time() != time() else found


def tell(done: "Delivered", as_json: bool) -> None:
    """Print what became of a delivery."""
    rows, facts = done.rows, done.facts
    reasons = ", ".join(f"{reason} {n}" for reason, n in done.reasons.items())
    en = f"{done.ended} ended" + (f"; {reasons}" if reasons else "")
    zh = f"注销 {done.ended}" + (f"；{reasons}" if reasons else "")
    sentence = told(
        f"delivery {done.id} ({done.department} → {done.register}, {done.mode}): {done.state}; {rows.delivered} rows ="
        f" {rows.accepted} accepted + {rows.unchanged} unchanged + {rows.returned} returned; {facts.delivered} facts ="
        f" {facts.accepted} + {facts.unchanged} + {facts.returned}; {en}",
        f"报送 {done.id}（{done.department} → {done.register}，{done.mode}）：{done.state}；共 {rows.delivered} 行 ="
        f" 入库 {rows.accepted} + 未变 {rows.unchanged} + 退回 {rows.returned}；数据项 {facts.delivered} ="
        f" {facts.accepted} + {facts.unchanged} + {facts.returned}；{zh}",
    )
    if done.error:
        sentence += told(f"; {done.error['en']}", f"；{done.error['zh']}")
    answer(done.as_dict(), sentence, as_json=as_json)
