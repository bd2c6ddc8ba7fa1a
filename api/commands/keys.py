"""`onemap keys`: by which departments' clerks and programs sign in."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands import Json, answer, told

app = typer.Typer(
    help=told("Departments' keys for delivering over the web.", "部门网上报送所用的密钥。"), no_args_is_help=True
)

Department = Annotated[
    str, typer.Argument(help=told("The department's code, or '*' for the data centre.", "部门代码；数据中心用 '*'。"))
]
Days = Annotated[
    int | None,
    typer.Option(min=1, max=36_500, help=told("Days for which it is valid (none: until revoked).", "有效天数。")),
]
Number = Annotated[int, typer.Argument(help=told("The key's number, as shown by list.", "密钥编号，见 list。"))]


@app.command(help=told("Make a key; it is shown this once.", "生成密钥，仅显示这一次。"))
def add(department: Department, days: Days = None, as_json: Json = False) -> None:
    """Make a key and print it, the only time that anybody sees it."""
    from gis.access import keys
    from gis.city import City
    from gis.exchange.directory import departments

    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    with (
        City.open() as city,
        city.traced("keys_changed", detail={"act": "add", "department": department[:63]}) as traced,
        city.database.connection() as conn,
    ):
        made, key = keys.add(conn, department, expires_at, departments(city.database))
        traced["detail"] = {"key": made.id, "act": "add", "department": department}
    until = told(f" until {expires_at:%Y-%m-%d}", f"，有效至 {expires_at:%Y-%m-%d}") if expires_at else ""
    sentence = told(
        f"{key}  (key {made.id} of {department}{until})", f"{key}  （{department} 的密钥 {made.id}{until}）"
    )
    answer({"key": key, **made.as_dict()}, sentence, as_json=as_json)


@app.command(help=told("Make a key for a system; it is shown this once.", "为其他系统签发密钥，仅显示这一次。"))
def issue(
    name: Annotated[str, typer.Argument(help=told("For what it is.", "用途。"))],
    role: Annotated[str, typer.Option(help=told("staff, analyst, duty or command.", "角色。"))] = "staff",
    collection: Annotated[
        list[str] | None,
        typer.Option(help=told("A collection that it reaches; again for more; none: all.", "可访问的数据集,可多次。")),
    ] = None,
    division: Annotated[
        list[str] | None, typer.Option(help=told("A division's code; again for more; none: all.", "区划代码,可多次。"))
    ] = None,
    department: Annotated[str | None, typer.Option(help=told("A department's code.", "部门代码。"))] = None,
    writes: Annotated[bool, typer.Option(help=told("It may change things.", "允许写入。"))] = False,
    per_minute: Annotated[int | None, typer.Option(min=1, help=told("Requests a minute.", "每分钟请求数。"))] = None,
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Make a key that reaches as far as it says, and print it, the only time that anybody sees it."""
    from gis.access import keys
    from gis.access.keys import Scope
    from gis.city import City
    from gis.codes.division import Division
    from gis.exchange.directory import departments

    detail = {"act": "add", "role": role[:40], "department": department and department[:63], "for": name[:63]}
    with (
        City.open() as city,
        city.traced("keys_changed", detail=detail) as traced,
        city.database.connection() as conn,
    ):
        if department is not None:
            keys.check_department(department, departments(city.database))
        reached = tuple(city.catalogue[one].id for one in collection) if collection else None
        divisions = tuple(Division.parse(code).range_ for code in division) if division else None
        scope = Scope(role, divisions, reached, writes, per_minute)
        expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
        made, key = keys.issue(conn, scope, department=department, name=name, expires_at=expires_at)
        traced["detail"] = {**detail, "key": made.id}
    sentence = told(f"{key}  (key {made.id}: {name})", f"{key}  （密钥 {made.id}：{name}）")
    answer({"key": key, **made.as_dict()}, sentence, as_json=as_json)


@app.command("list", help=told("All keys, without the keys themselves.", "列出全部密钥（不含密钥本身）。"))
def list_keys(as_json: Json = False) -> None:
    """Show what is on record of each key."""
    from gis.access import keys
    from gis.city import City

    with City.open() as city, city.database.connection() as conn:
        found = keys.listed(conn)
    if as_json:
        answer({"keys": [one.as_dict() for one in found]}, "", as_json=True)
        return
    table = Table(box=None)
    titles = (("", ""), ("for", "用途"), ("role", "角色"), ("department", "部门"), ("made", "生成"), ("used", "使用"),
              ("expires", "到期"), ("revoked", "吊销"))  # fmt: skip
    for en, zh in titles:
        table.add_column(told(en, zh))
    for one in found:
        times = (one.created_at, one.used_at, one.expires_at, one.revoked_at)
        table.add_row(
            str(one.id),
            one.name,
            one.scope.role,
            one.department or "",
            *(f"{t:%Y-%m-%d %H:%M}" if t else "" for t in times),
        )
    Console(highlight=False).print(table)


@app.command(help=told("End a key now.", "立即吊销密钥。"))
def revoke(key: Number, as_json: Json = False) -> None:
    """End a key."""
    from gis.access import keys
    from gis.city import City

    detail = {"key": key, "act": "revoke"}
    with (
        City.open() as city,
        city.traced("keys_changed", detail=detail),
        city.database.connection() as conn,
    ):
        ended = keys.revoke(conn, key)
    of = ended.department or ended.name
    sentence = told(f"Key {key} of {of} is revoked", f"{of} 的密钥 {key} 已吊销")
    answer(ended.as_dict(), sentence, as_json=as_json)
