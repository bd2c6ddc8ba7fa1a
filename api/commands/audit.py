"""`onemap audit`: whether the trace is whole, what stands in it, whose export a file is; for the machine's owner."""

import getpass
import json
import socket
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from api.commands import Json, answer, progress, told
from gis.errors import BadInput, NotFound
from gis.settings import Settings

if TYPE_CHECKING:
    from gis.store.database import Database

app = typer.Typer(no_args_is_help=True, help=told("The trace: who did what.", "审计日志:何人何时做了什么。"))

Who = Annotated[str, typer.Option("--who", help=told("whose entries", "用户"))]
Collection = Annotated[str, typer.Option("--collection", help=told("about which collection", "数据集"))]
Event = Annotated[str, typer.Option("--event", help=told("read, exported, signed_in, refused, …", "事件类型"))]
Mark = Annotated[str, typer.Option("--mark", help=told("the watermark of an export", "导出水印"))]
Start = Annotated[
    str, typer.Option("--from", help=told("from this time on (a date means the Shanghai day)", "起始时间"))
]
End = Annotated[str, typer.Option("--to", help=told("up to this time or day", "截止时间或日期(含)"))]
Value = Annotated[
    str, typer.Option("--value", help=told("a value that questions were about: a name, a number", "查询所涉及的值"))
]
Limit = Annotated[int, typer.Option("--limit", min=1, help=told("at most so many entries", "最多条数"))]
Output = Annotated[Path | None, typer.Option("-o", "--output", help=told("a .csv or .xlsx file", ".csv 或 .xlsx 文件"))]


@app.command(help=told("Look whether the trace is whole.", "检查审计日志是否完整。"))
def verify(as_json: Json = False) -> None:
    """Make every seal anew; ends with 1 and names the first entry that is not what was written."""
    from gis.store.trace_verify import verify as verified

    settings = Settings()
    with progress(told("audit verify", "检查审计日志"), as_json=as_json) as step:
        found = verified(_url(settings), settings.home, lambda done, total: step(told("entries", "条"), done, total))
    facts: dict[str, Any] = {"whole": found.is_whole, "entries": found.entries, "closed": found.closed,
                             "anchors": found.anchors}  # fmt: skip
    sentence = told(
        f"the trace is whole: {found.entries} entries, {found.closed} more in months that were dropped,"
        f" {found.anchors} anchors agree",
        f"审计日志完整:{found.entries} 条,另有 {found.closed} 条已归档,{found.anchors} 个锚点相符",
    )
    if found.fault is not None:
        facts |= {"entry": found.fault.number, "fault": told(found.fault.what.en, found.fault.what.zh)}
        sentence = told(f"THE TRACE IS NOT WHOLE: {found.fault.what.en}", f"审计日志不完整:{found.fault.what.zh}")
    answer(facts, sentence, as_json=as_json)
    if not found.is_whole:
        raise typer.Exit(1)


@app.command(help=told("Look for entries, the newest first.", "查询审计记录,最新的在前。"))
def search(
    who: Who = "", collection: Collection = "", event: Event = "", mark: Mark = "", start: Start = "", end: End = "",
    value: Value = "", limit: Limit = 100, output: Output = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print entries, or write them to a table; that it was looked for is an entry itself."""
    from gis.store.database import Database
    from gis.store.trace_search import COLUMNS, Search, edge, entries

    settings = Settings()
    given = {"who": who, "collection": collection, "event": event, "mark": mark}
    asked = Search(
        exact=tuple((name, text) for name, text in given.items() if text),
        start=edge(start, "--from").start if start else None,
        end=edge(end, "--to").end if end else None,
        value=value,
        limit=limit,
    )
    key = _noted(settings, "audit_searched", asked.said)
    database = Database(_url(settings))
    try:
        rows = entries(database, asked, key.pseudonyms)
        if output is not None:
            count = _write(output, rows)
            sentence = told(f"{count} entries in {output}", f"已写入 {output},共 {count} 条")
            answer({"file": str(output), "entries": count}, sentence, as_json=as_json)
            return
        for row in rows:
            _print(dict(zip(COLUMNS, row, strict=True)), as_json=as_json)
    finally:
        database.close()


@app.command(help=told("Whose export a file is.", "查明导出文件的来源。"))
def watermark(file: Annotated[Path, typer.Argument(help=told("a file", "文件"))], as_json: Json = False) -> None:
    """Find the watermark in a file and the entry that it leads to; where it was cut away, by the order of the rows."""
    from gis.access.watermark import is_ours, marks_in
    from gis.store.database import Database
    from gis.store.trace_search import COLUMNS, Search, entries

    settings = Settings()
    try:
        marks = marks_in(file)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error}", f"无法读取 {file}:{error}", subject=str(file)) from None
    key = _noted(settings, "audit_searched", {"mark": marks[0]} if marks else {"file": file.name})
    database = Database(_url(settings))
    try:
        if not marks:
            marks = _marks_by_order(database, file, as_json=as_json)
        for mark in marks:
            rows = list(entries(database, Search(exact=(("mark", mark),), limit=10), key.pseudonyms))
            for row in rows:
                _print(dict(zip(COLUMNS, row, strict=True)), as_json=as_json)
            if not rows:
                ours = is_ours(mark, key.secret)
                why = told("ours, but its month was dropped", "本系统签发,但所在月份已归档") if ours else told(
                    "not one of ours", "不是本系统签发的水印")  # fmt: skip
                answer({"mark": mark, "ours": ours}, f"{mark}: {why}", as_json=as_json)
    finally:
        database.close()


def _marks_by_order(database: "Database", file: Path, *, as_json: bool) -> list[str]:
    """The marks in whose order the file's rows stand, told with how sure that is. Raises NotFound, BadInput."""
    from api.leaked_rows import fids_in
    from gis.access.watermark_order import likeliest
    from gis.store.trace_search import export_marks

    found = likeliest(fids_in(file), export_marks(database))
    if not found:
        raise NotFound(
            f"{file} carries no watermark, nor do its rows stand in the order of an export",
            f"{file} 中没有水印,其行序也不对应任何导出",
            subject=str(file),
        )
    for one in found:
        answer(
            {"mark": one.mark, "agreeing": one.agreeing, "pairs": one.pairs, "deviations": round(one.deviations, 1)},
            told(
                f"{one.mark}: {one.agreeing} of {one.pairs} neighbouring rows stand in this export's order,"
                f" {one.deviations:.0f} standard deviations more than by chance",
                f"{one.mark}:{one.pairs} 对相邻行中有 {one.agreeing} 对符合该导出的行序,"
                f"超出偶然 {one.deviations:.0f} 个标准差",
            ),
            as_json=as_json,
        )
    return [one.mark for one in found]


@app.command("drop-before", help=told("Drop months that need not be kept any more.", "清理超过保存期限的月份。"))
def drop_before(
    month: Annotated[
        str, typer.Argument(help=told("the first month to keep, as 2026-03", "保留的首个月份,如 2026-03"))
    ],
    as_json: Json = False,
) -> None:
    """Drop the months before one; each leaves a signed record."""
    from gis.store.trace_months import drop_before as dropped

    settings = Settings()
    try:
        first_kept = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise BadInput(
            f"{month!r} is not a month like 2026-03", f"{month!r} 不是月份,格式如 2026-03", subject=month
        ) from None
    done = dropped(_url(settings), settings.home, first_kept, _me())
    names = [f"{closed.month:%Y-%m}" for closed in done]
    sentence = told(
        f"{len(done)} months dropped: {', '.join(names) or 'none'}", f"已清理 {len(done)} 个月:{'、'.join(names)}"
    )
    answer({"dropped": names}, sentence, as_json=as_json)


@app.command("give-up", help=told("Know a trace to be gone with its database.", "确认旧审计链已随数据库删除。"))
def give_up(
    chain: Annotated[UUID, typer.Argument(help=told("the chain that verify names", "verify 所指的链"))],
    as_json: Json = False,
) -> None:
    """Say that a trace is gone since its database was made anew; the trace that is there keeps that it was said."""
    from gis.store.trace_anchor import Anchors
    from gis.store.trace_key import trace_key
    from gis.tracing import trace_act

    settings = Settings()
    try:
        Anchors(settings.home, trace_key(settings.home)).give_up(chain)
    except FileNotFoundError:
        raise NotFound(f"no anchors know the chain {chain}", f"没有链 {chain} 的锚点记录", subject=str(chain)) from None
    trace_act(_url(settings), "trace_given_up", detail={"chain": str(chain)})
    answer({"chain": str(chain)}, told(f"{chain} is given up", f"已确认 {chain}"), as_json=as_json)


def _url(settings: Settings) -> str:
    from gis.store.cluster import ensure_database

    return ensure_database(settings)


def _noted(settings: Settings, event: str, said: dict[str, str]) -> Any:
    """Put into the trace what is looked for in it; returns the trace's key."""
    from gis.access.trace import Event as Entered
    from gis.store.trace import write_once
    from gis.store.trace_key import trace_key

    entered = Entered(event=event, who=_me(), role="owner", origin=socket.gethostname(), detail=dict(said))
    write_once(_url(settings), settings.home, entered)
    return trace_key(settings.home)


def _me() -> str:
    return getpass.getuser()


def _print(entry: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
        return
    at = entry.pop("at").astimezone().isoformat(sep=" ", timespec="seconds")
    number, event, outcome, who = (entry.pop(name) for name in ("number", "event", "outcome", "who"))
    rest = " ".join(f"{name}={value}" for name, value in entry.items() if value not in ("", None))
    sys.stdout.write(f"{number} {at} {who} {event} {outcome} {rest}\n")


def _write(path: Path, rows: Iterable[tuple[Any, ...]]) -> int:
    """Write a table; returns the number of rows. Raises BadInput for another suffix."""
    from gis.store.trace_tables import csv_lines, write_workbook

    if path.suffix not in (".csv", ".xlsx"):
        raise BadInput(f"{path.name}: entries are written as .csv or .xlsx", f"{path.name}:可写格式为 .csv、.xlsx",
                       subject=str(path))  # fmt: skip
    with path.open("wb") as file:
        if path.suffix == ".xlsx":
            return write_workbook(file, rows)
        counted = _Counted(rows)
        file.writelines(csv_lines(counted))
        return counted.count


class _Counted:
    """Rows that are counted as they pass."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            self.count += 1
            yield row
