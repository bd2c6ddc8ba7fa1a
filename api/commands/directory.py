"""`onemap directory`: which department collects what, and what is overdue, double or absent."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.commands import Json, answer, language, told
from gis.errors import BadQuery

app = typer.Typer(
    no_args_is_help=True,
    help=told("The directory of what departments collect.", "信息资源目录：各部门归集哪些数据。"),
)

File = Annotated[
    Path, typer.Argument(help=told("A directory file, .json or a workbook.", "目录文件，.json 或工作簿。"))
]
Version = Annotated[int | None, typer.Option("--version", help=told("An earlier version.", "较早的版本。"))]
Of = Annotated[str | None, typer.Option("--department", help=told("Only this department.", "只看此部门。"))]
On = Annotated[str | None, typer.Option("--date", help=told("The day, else today.", "日期，默认为今天。"))]


@app.command(help=told("Show departments, or one's classes, counted now.", "显示部门或某部门的信息类，实时计数。"))
def show(version: Version = None, department: Of = None, as_json: Json = False) -> None:
    """Counts, departments, and the classes of each."""
    from gis.city import City
    from gis.exchange.directory import directory
    from gis.exchange.directory.words import title

    with City.open() as city:
        held = directory(city.database, version)
    chosen = [held.department(department)] if department else list(held.departments.values())
    classes = [c for c in held.classes.values() if c.department in {d.code for d in chosen}]
    counts, speech = held.counts, language()
    facts = {
        "version": held.version,
        "counts": counts,
        "departments": [{"code": d.code, "title": d.title.as_dict()} for d in chosen],
        "classes": [
            {"code": c.code, "department": c.department, "title": c.title.as_dict(), "subject": c.subject.value,
             "period": c.period.value, "begins": c.begins.isoformat(), "register": c.register,
             "items": len(held.items_of.get(c.code, ()))}
            for c in classes
        ],
    }  # fmt: skip
    sentence = told(
        f"Directory, version {held.version}: {counts['departments']} departments, {counts['classes']} classes,"
        f" {counts['items']} items",
        f"目录第 {held.version} 版：{counts['departments']} 个部门、{counts['classes']} 个信息类、"
        f"{counts['items']} 个数据项",
    )
    answer(facts, sentence, as_json=as_json)
    if as_json:
        return
    if department:
        _table((c.code, c.title.in_(speech), title(c.period).in_(speech), str(len(held.items_of.get(c.code, ()))),
                c.register) for c in classes)  # fmt: skip
    else:
        _table((d.code, d.title.in_(speech), str(sum(c.department == d.code for c in classes))) for d in chosen)


@app.command(help=told("Take a directory file as the new version.", "应用目录文件，形成新版本。"))
def apply(file: File, as_json: Json = False) -> None:
    """Apply a file, all of it or nothing, and print what it changed."""
    from gis.city import City
    from gis.exchange.directory import apply as apply_file

    with City.open() as city:
        done = apply_file(city.database, city.catalogue, file)
    changed = [(kind, c) for kind, c in done.changes.items() if c.added or c.changed or c.removed]
    counts = done.counts
    sentence = told(
        f"{done.file}: directory version {done.version} has {counts['departments']} departments,"
        f" {counts['classes']} classes, {counts['items']} items" + ("" if changed else "; nothing was new"),
        f"{done.file}：目录第 {done.version} 版有 {counts['departments']} 个部门、{counts['classes']} 个信息类、"
        f"{counts['items']} 个数据项" + ("" if changed else "，内容无变化"),
    )
    answer(done.as_dict(), sentence, as_json=as_json)
    if not as_json:
        _table((kind, f"+{c.added}", f"~{c.changed}", f"-{c.removed}") for kind, c in changed)


@app.command(help=told("List the classes that are overdue.", "列出逾期未归集的信息类。"))
def overdue(on: On = None, as_json: Json = False) -> None:
    """Classes whose department has not delivered within the period."""
    from gis.city import City
    from gis.exchange.directory import departments
    from gis.exchange.directory import overdue as find

    with City.open() as city:
        late, names = find(city.database, on=day_of(on)), departments(city.database)
    sentence = told(f"{len(late)} classes are overdue", f"{len(late)} 个信息类逾期")
    answer({"overdue": [one.as_dict() for one in late]}, sentence, as_json=as_json)
    if not as_json:
        speech = language()
        _table((one.information_class, names[one.department].in_(speech), one.title.in_(speech),
                told(f"{one.days} days", f"逾期 {one.days} 天"),
                one.last.isoformat() if one.last else told("never delivered", "从未报送")) for one in late)  # fmt: skip


@app.command(help=told("List what several departments collect.", "列出多头采集的数据项。"))
def double(as_json: Json = False) -> None:
    """Data that more than one department collects, and how that was seen."""
    from gis.city import City
    from gis.exchange.directory import double as find

    with City.open() as city:
        found = find(city.database)
    sentence = told(f"{len(found)} data are collected more than once", f"{len(found)} 项数据被多头采集")
    answer({"double": [one.as_dict() for one in found]}, sentence, as_json=as_json)
    if not as_json:
        by = {"element": told("same element", "同一数据元"), "name": told("same name and type", "同名同类型")}
        _table((one.title.in_(language()), by[one.by], ", ".join(one.departments), ", ".join(one.items))
               for one in found)  # fmt: skip


@app.command(help=told("List what was asked for and never delivered.", "列出有需求而从未归集的数据项。"))
def absent(as_json: Json = False) -> None:
    """Requested items that no delivery has held."""
    from gis.city import City
    from gis.exchange.directory import absent as find

    with City.open() as city:
        found = find(city.database)
    sentence = told(f"{len(found)} items were asked for and never delivered", f"{len(found)} 个数据项有需求而从未归集")
    answer({"absent": [one.as_dict() for one in found]}, sentence, as_json=as_json)
    if not as_json:
        why = {
            "class": told("class never delivered", "信息类从未报送"),
            "field": told("no field holds it", "登记库无此字段"),
            "empty": told("always empty", "一直为空"),
        }
        _table((one.item, one.title.in_(language()), one.owner, why[one.why], ", ".join(one.asked_by),
                one.since.isoformat()) for one in found)  # fmt: skip


def day_of(text: str | None) -> date | None:
    """A day given on the command line. Raises BadQuery."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadQuery(
            f"--date {text}: write 2026-01-31", f"--date {text}:请写成 2026-01-31", subject="--date"
        ) from None


def _table(rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 2))
    for row in rows:
        table.add_row(*map(escape, row))
    Console(highlight=False).print(table)
