"""`onemap emergency`: spans in which policies raise rights in some divisions."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands import Json, answer, told

app = typer.Typer(
    help=told("Emergencies, which raise rights for a while.", "紧急状态:在一段时间内提高权限。"), no_args_is_help=True
)

By = Annotated[str, typer.Option(help=told("Who does it.", "操作人。"))]


@app.command(help=told("Declare an emergency.", "宣布紧急状态。"))
def declare(
    name: Annotated[str, typer.Argument(help=told("What it is called.", "名称。"))],
    division: Annotated[list[str], typer.Option(help=told("Division code; again for more.", "区划代码,可多次。"))],
    why: Annotated[str, typer.Option(help=told("The reason, which is kept.", "理由,将被记录。"))],
    hours: Annotated[float, typer.Option(min=0.1, max=720, help=told("For how long.", "持续小时数。"))] = 24,
    by: By = "owner",
    as_json: Json = False,
) -> None:
    """Declare an emergency from now on."""
    from gis.city import City
    from gis.store import emergencies

    begins = datetime.now(UTC)
    detail = {"act": "declare", "by": by}
    with (
        City.open() as city,
        city.traced("emergency", detail=detail) as traced,
        city.database.connection() as conn,
    ):
        made = emergencies.declare(conn, name, division, (begins, begins + timedelta(hours=hours)), by, why)
        traced["detail"] = {**detail, "emergency": made.id, "until": made.ends.isoformat()}
    listed = ", ".join(f"{code:012d}" for code in made.divisions)
    sentence = told(f"Emergency {made.id} holds in {listed} until {made.ends:%Y-%m-%d %H:%M} UTC",
                    f"紧急状态 {made.id} 已在 {listed} 生效,至 {made.ends:%Y-%m-%d %H:%M} UTC")  # fmt: skip
    answer(made.as_dict(), sentence, as_json=as_json)


@app.command(help=told("End an emergency now.", "立即结束紧急状态。"))
def end(
    number: Annotated[int, typer.Argument(help=told("Its number, as shown by list.", "编号,见 list。"))],
    by: By = "owner",
    as_json: Json = False,
) -> None:
    """End an emergency."""
    from gis.city import City
    from gis.store import emergencies

    detail = {"act": "end", "by": by, "emergency": number}
    with City.open() as city, city.traced("emergency", detail=detail), city.database.connection() as conn:
        ended = emergencies.end(conn, number, by)
    answer(ended.as_dict(), told(f"Emergency {number} has ended", f"紧急状态 {number} 已结束"), as_json=as_json)


@app.command("list", help=told("All emergencies that were ever declared.", "列出全部紧急状态。"))
def list_emergencies(as_json: Json = False) -> None:
    """Show what is on record."""
    from gis.city import City
    from gis.store import emergencies

    with City.open() as city, city.database.connection() as conn:
        found = emergencies.listed(conn)
    if as_json:
        answer({"emergencies": [one.as_dict() for one in found]}, "", as_json=True)
        return
    table, now = Table(box=None), datetime.now(UTC)
    titles = (("", ""), ("name", "名称"), ("divisions", "区划"), ("from", "起"), ("until", "止"), ("by", "宣布人"),
              ("why", "理由"), ("", ""))  # fmt: skip
    for en, zh in titles:
        table.add_column(told(en, zh))
    for one in found:
        until, state = one.ended_at or one.ends, told("in force", "生效中") if one.in_force(now) else ""
        codes = ", ".join(f"{code:012d}" for code in one.divisions)
        table.add_row(str(one.id), one.name, codes, f"{one.begins:%Y-%m-%d %H:%M}", f"{until:%Y-%m-%d %H:%M}",
                      one.declared_by, one.why, state)  # fmt: skip
    Console(highlight=False).print(table)
