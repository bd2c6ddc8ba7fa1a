"""`onemap erase-person`: forget a person on lawful request."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import Json, answer, told

if TYPE_CHECKING:
    from gis.exchange.delivery.erasure import Certificate, Request

Number = Annotated[str, typer.Option("--request", help=told("Number of the request.", "申请编号。"))]
Basis = Annotated[
    str, typer.Option("--basis", help=told("Legal basis, such as 'PIPL art. 47(1)(3)'.", "法律依据,如“个保法第47条”。"))
]
By = Annotated[str, typer.Option("--by", help=told("Who carries it out.", "经办人。"))]
Really = Annotated[
    bool, typer.Option("--really", help=told("Do it; without this it is only tried.", "确认执行;否则仅试算。"))
]
Lift = Annotated[
    bool, typer.Option("--lift", help=told("Let the person be delivered again.", "解除:允许再次报送此人。"))
]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command(
        "erase-person",
        help=told(
            "Erase what names and numbers a person, whose id number is asked for or read from standard input.",
            "依法删除一个人的直接标识信息;身份证号从提示或标准输入读取,不写在命令行上。",
        ),
    )(erase_person)


def erase_person(
    request: Number, basis: Basis, by: By, really: Really = False, lift: Lift = False, as_json: Json = False
) -> None:
    """Erase a person, or say what that would remove."""
    from gis.city import City
    from gis.exchange.delivery import erasure
    from gis.settings import Settings

    home = Settings().home
    asked = erasure.Request(number=request, basis=basis, by=by)
    asked.check()
    person = _citizen_id()
    with City.open() as city:
        if lift:
            since = erasure.lift(city.database, person, asked)
            _trace(city.database.url, asked, {"lifted": str(since)})
            sentence = told(
                f"The erasure of {since} is lifted; nothing comes back by itself",
                f"已解除 {since} 的删除;原信息不会恢复",
            )
            answer({"lifted": str(since)}, sentence, as_json=as_json)
            return
        made = erasure.erase(city.database, home, person, asked, dry=not really)
        if really:
            _trace(city.database.url, asked, {"identifiers": made.identifiers, "files": len(made.files)})
    answer(made.as_dict(), _sentence(made), as_json=as_json)
    if made.left:
        raise typer.Exit(1)


def _trace(url: str, asked: "Request", detail: "dict[str, str | int]") -> None:
    """Keep that it was done, by whom and by what right; not of whom."""
    from gis.access.roles import OWNER_ROLE
    from gis.access.trace import Event
    from gis.settings import Settings
    from gis.store.trace import write_once

    facts = {"request": asked.number, "basis": asked.basis, **detail}
    told_of = Event(
        event="erased", who=asked.by, role=OWNER_ROLE, origin="command", collection="base.persons", detail=facts
    )
    write_once(url, Settings().home, told_of)


def _citizen_id() -> str:
    """The id number, typed unseen or piped in: on the command line every user of the machine could read it."""
    if sys.stdin.isatty():
        typed: str = typer.prompt(told("Id number", "身份证号"), hide_input=True)
        return typed
    return sys.stdin.readline().strip()


def _sentence(made: "Certificate") -> str:
    rows = sum(made.files.values())
    found = told(
        f"identifiers: {made.identifiers} row(s); claims: {made.claims}; tasks: {made.tasks}; texts:"
        f" {sum(made.texts.values())}; files: {len(made.files)} ({rows} rows), removed whole: {len(made.removed)}",
        f"标识信息 {made.identifiers} 行;事实陈述 {made.claims} 条;任务 {made.tasks} 条;"
        f"文本 {sum(made.texts.values())} 处;文件 {len(made.files)} 个(共 {rows} 行),整体删除 {len(made.removed)} 个",
    )
    if made.dry:
        return told(
            f"Would erase: {found}. Nothing was changed; add --really", f"将删除:{found}。尚未改动,加 --really 执行"
        )
    lines = [told(f"Erased: {found}", f"已删除:{found}")]
    if made.left:
        lines.append(told(f"STILL FOUND in {', '.join(made.left)}", f"仍存在于 {'、'.join(made.left)}"))
    if made.backups:
        lines.append(
            told(
                f"{len(made.backups)} backup(s) still hold the person: remove them, or erase anew after restoring one",
                f"{len(made.backups)} 个备份仍含此人信息:请删除,或在恢复后重新执行删除",
            )
        )
    return "\n".join(lines)
