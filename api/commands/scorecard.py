"""`onemap scorecard`: four scores for each department, and for each class of one department."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.commands import Json, answer, language, told
from api.commands.directory import On, day_of

if TYPE_CHECKING:
    from gis.exchange.scorecard import Line, Scorecard

Days = Annotated[int, typer.Option(min=1, max=3660, help=told("How many days it looks back.", "统计多少天。"))]
Of = Annotated[
    str | None, typer.Option("--department", help=told("The classes of this department.", "此部门的各信息类。"))
]
Publish = Annotated[
    bool, typer.Option("--publish", help=told("Also put it on the map, by division.", "同时按区划发布到地图。"))
]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Score what departments deliver.", "部门数据归集评分。"))(scorecard)


def scorecard(
    on: On = None, days: Days = 365, department: Of = None, publish: Publish = False, as_json: Json = False
) -> None:
    """Quantity, quality, timeliness and use, each from 0 to 100; a dash where there is nothing to judge."""
    from gis.city import City
    from gis.exchange.directory import directory
    from gis.exchange.scorecard import publish as publish_card
    from gis.exchange.scorecard import scorecard as score

    with City.open() as city:
        if department:
            directory(city.database).department(department)
        card = score(city.database, on=day_of(on), days=days)
        published = publish_card(city.database, city.catalogue) if publish else None
    facts = card.as_dict() | ({"published": published.as_dict()} if published else {})
    sentence = told(f"Scorecard {card.since} to {card.until}", f"归集评分 {card.since} 至 {card.until}")
    if published:
        sentence += told(
            f"; {published.rows} rows in {published.divisions} divisions are on the map,"
            f" {published.unplaced} lie nowhere",
            f"；地图上 {published.divisions} 个区划共 {published.rows} 行，另有 {published.unplaced} 行无位置",
        )
    answer(facts, sentence, as_json=as_json)
    if not as_json:
        _show(card, department)


def _show(card: "Scorecard", department: str | None) -> None:
    table = Table(box=None, padding=(0, 2, 0, 2))
    for title in (("Department", "部门") if department is None else ("Class", "信息类"), ("Rows", "行数"),
                  ("Quantity", "数量"), ("Quality", "质量"), ("Timeliness", "更新"), ("Use", "利用")):  # fmt: skip
        table.add_column(told(*title))
    lines = card.departments if department is None else [c for c in card.classes if c.department == department]
    for line in lines:
        table.add_row(*map(escape, _cells(line)))
    Console(highlight=False).print(table)


def _cells(line: "Line") -> tuple[str, ...]:
    values = (line.quantity.value, line.quality.value, line.timeliness.value, line.use.value)
    return (line.title.in_(language()), str(line.rows), *("–" if v is None else f"{v:.1f}" for v in values))
