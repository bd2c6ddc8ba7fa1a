"""`onemap publish`: collections as open data, proposed by one and reviewed by another."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands import Json, answer, told

if TYPE_CHECKING:
    from gis.access import Identity
    from gis.exchange.published import Publication

app = typer.Typer(help=told("Open data, published through review.", "经审核公开的数据。"), no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help=told("The account that acts.", "办理人账号。"))]
Number = Annotated[int, typer.Argument(help=told("Its number, as shown by list.", "编号,见 list。"))]
Reason = Annotated[str, typer.Option(help=told("The reason, which is kept.", "理由,将被记录。"))]


@app.command(help=told("Propose a copy that a file describes.", "按文件提出公开申请。"))
def propose(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=told("JSON file.", "JSON 文件。"))],
    by: By,
    as_json: Json = False,
) -> None:
    """Read a proposal and put it up for review."""
    from gis.city import City
    from gis.errors import BadInput
    from gis.exchange.published import Proposal
    from gis.exchange.published import propose as put_up

    try:
        document = json.loads(file.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no JSON: {error}", f"{file} 不是 JSON:{error}", subject=str(file)) from None
    with City.open() as city:
        made = put_up(city.database, city.catalogue, Proposal.of(document), _identity(city.database, by, "staff"))
        _trace(city.database.url, made, by)
    _tell(made, told(f"Publication {made.id} waits for review", f"公开申请 {made.id} 待审核"), as_json=as_json)


@app.command(help=told("Publish or refuse what was proposed.", "审核公开申请:公开或驳回。"))
def review(
    number: Number,
    by: By,
    refuse: Annotated[bool, typer.Option("--refuse", help=told("Refuse it.", "驳回。"))] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Decide; whoever proposed it cannot."""
    from gis.city import City
    from gis.exchange import published

    with City.open() as city:
        reviewer = _identity(city.database, by, "security_admin")
        if refuse:
            done = published.refuse(city.database, number, reviewer, reason)
        else:
            done = published.publish(city.database, city.catalogue, number, reviewer, reason)
        _trace(city.database.url, done, by)
    rows = done.rows or 0
    sentence = told(f"{done.collection} is {done.state}: {rows} rows", f"{done.collection}:{done.state},{rows} 行")
    _tell(done, sentence, as_json=as_json)


@app.command("list", help=told("All proposals and what became of them.", "列出全部公开申请及结果。"))
def list_publications(as_json: Json = False) -> None:
    """Show what is published, proposed, refused and withdrawn."""
    from gis.city import City
    from gis.exchange.published import publications

    with City.open() as city:
        found = publications(city.database)
    if as_json:
        answer({"publications": [one.as_dict() for one in found]}, "", as_json=True)
        return
    table = Table(box=None)
    titles = (
        ("", ""),
        ("copy", "副本"),
        ("source", "来源"),
        ("state", "状态"),
        ("rows", "行数"),
        ("as of", "数据时间"),
    )
    for en, zh in titles:
        table.add_column(told(en, zh))
    for one in found:
        as_of = f"{one.refreshed_at:%Y-%m-%d %H:%M}" if one.refreshed_at else ""
        table.add_row(str(one.id), one.collection, one.source, one.state, str(one.rows or ""), as_of)
    Console(highlight=False).print(table)


@app.command(help=told("Make copies anew whose sources have changed.", "来源有变化时更新副本。"))
def refresh(
    number: Annotated[int | None, typer.Argument(help=told("One alone; else all.", "仅此一个;默认全部。"))] = None,
    as_json: Json = False,
) -> None:
    """Bring copies up to date; for a timer of the system to call."""
    from gis.city import City
    from gis.exchange.published import publications
    from gis.exchange.published import refresh as renew

    with City.open() as city:
        numbers = [number] if number else [p.id for p in publications(city.database, "published")]
        before = {p.id: p.refreshed_at for p in publications(city.database, "published")}
        done = [renew(city.database, city.catalogue, one) for one in numbers]
    changed = [one for one in done if one.refreshed_at != before.get(one.id)]
    sentence = told(
        f"{len(changed)} of {len(done)} copies had changed", f"{len(done)} 个副本中更新了 {len(changed)} 个"
    )
    answer({"refreshed": [one.as_dict() for one in changed]}, sentence, as_json=as_json)


@app.command(help=told("Take a copy away.", "撤回副本。"))
def withdraw(number: Number, by: By, reason: Reason, as_json: Json = False) -> None:
    """Remove a copy with all that was made of it."""
    from gis.city import City
    from gis.exchange import published

    with City.open() as city:
        reviewer = _identity(city.database, by, "security_admin")
        done = published.withdraw(city.database, city.catalogue, number, reviewer, reason)
        _trace(city.database.url, done, by)
    _tell(done, told(f"{done.collection} is withdrawn", f"{done.collection} 已撤回"), as_json=as_json)


def _identity(database: Any, name: str, usual: str) -> "Identity":
    """An account of that name with its own role; whoever works at the machine may act for who has none yet."""
    from gis.access import Identity
    from gis.query.statement import Statement

    rows = database.rows(Statement("SELECT role FROM access.account WHERE name = %s", (name,)))
    return Identity(name, str(rows[0][0]) if rows and rows[0][0] else usual)


def _trace(url: str, done: "Publication", by: str) -> None:
    from gis.access.roles import OWNER_ROLE
    from gis.access.trace import Event
    from gis.settings import Settings
    from gis.store.trace import write_once

    facts: dict[str, str | int] = {"publication": done.id, "state": done.state, "source": done.source}
    event = Event(event="published", who=by, role=OWNER_ROLE, origin="command", collection=done.collection,
                  rows=done.rows, detail=facts)  # fmt: skip
    write_once(url, Settings().home, event)


def _tell(done: "Publication", sentence: str, *, as_json: bool) -> None:
    answer(done.as_dict(), sentence, as_json=as_json)
