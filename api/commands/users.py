"""`onemap users`: accounts of this site, kept by whoever works at the machine; nobody has a password but their own."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands import Json, answer, told

if TYPE_CHECKING:
    from gis.store.accounts import Account, Divisions

app = typer.Typer(help=told("Accounts that sign in.", "登录账号。"), no_args_is_help=True)

Name = Annotated[str, typer.Argument(help=told("The account's name.", "账号名。"))]
Role = Annotated[str, typer.Option(help=told("Role: public, staff, analyst, duty, command, system_admin …", "角色。"))]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--division",
        help=told("Division code where it holds; again for more; * everywhere.", "区划代码,可多次;* 为全部。"),
    ),
]  # fmt: skip
Department = Annotated[str | None, typer.Option(help=told("Department's code.", "部门代码。"))]
Days = Annotated[int | None, typer.Option(min=1, max=3_650, help=told("Days until it ends.", "有效天数。"))]


@app.command(
    help=told("Make an account; its one-time password is shown this once.", "新建账号,一次性密码仅显示这一次。")
)
def add(
    name: Name,
    person: Annotated[str, typer.Option(help=told("Whose it is: name and number of the post.", "使用人:姓名与工号。"))],
    role: Role = "public",
    division: Where = None,
    department: Department = None,
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Make an account, with its role if one is given."""
    from gis.city import City
    from gis.store import accounts

    with (
        City.open() as city,
        city.traced("users_changed", detail={"act": "add", "account": name[:63], "role": role[:40]}),
        city.database.connection() as conn,
        conn.transaction(),
    ):
        made, once = accounts.add(
            conn, name, person, actor=accounts.AT_THE_MACHINE, by="owner", expires_at=_until(days)
        )
        if role != made.role:
            made = accounts.grant(conn, made.name, role, actor=accounts.AT_THE_MACHINE, divisions=_ranges(division),
                                  department=department)  # fmt: skip
    sentence = told(f"{made.name} ({made.role}), one-time password: {once}",
                    f"{made.name}（{made.role}），一次性密码：{once}")  # fmt: skip
    answer({**_facts(made), "one_time_password": once}, sentence, as_json=as_json)


@app.command("list", help=told("All accounts.", "列出全部账号。"))
def list_users(as_json: Json = False) -> None:
    """Show what is on record of each account."""
    from gis.city import City
    from gis.store import accounts

    with City.open() as city, city.database.connection() as conn:
        found = accounts.listed(conn)
    if as_json:
        answer({"users": [_facts(one) for one in found]}, "", as_json=True)
        return
    table = Table(box=None)
    for en, zh in (("account", "账号"), ("person", "使用人"), ("role", "角色"), ("department", "部门"),
                   ("2nd factor", "第二因素"), ("last sign-in", "最近登录"), ("state", "状态")):  # fmt: skip
        table.add_column(told(en, zh))
    for one in found:
        last = f"{one.signed_in_at:%Y-%m-%d %H:%M}" if one.signed_in_at else ""
        table.add_row(one.name, one.person, one.role, one.department or "", "✓" if one.has_factor else "", last,
                      told(*_state(one)))  # fmt: skip
    Console(highlight=False).print(table)


@app.command(help=told("Give an account its one role.", "授予账号唯一的角色。"))
def role(
    name: Name,
    role: Annotated[str, typer.Argument(help=told("The role.", "角色。"))],
    division: Where = None,
    department: Department = None,
    as_json: Json = False,
) -> None:
    """Give an account its role and where it holds."""
    from gis.store import accounts

    def work(conn: Any) -> "Account":
        return accounts.grant(conn, name, role, actor=accounts.AT_THE_MACHINE, divisions=_ranges(division),
                              department=department)  # fmt: skip

    found = _changed("role", name, work, role=role[:40])
    answer(_facts(found), told(f"{found.name} is {found.role} now", f"{found.name} 的角色现为 {found.role}"),
           as_json=as_json)  # fmt: skip


@app.command(help=told("Shut an account now.", "立即停用账号。"))
def disable(name: Name, as_json: Json = False) -> None:
    """Shut an account; its sessions end."""
    from gis.store import accounts

    found = _changed("disable", name, lambda conn: accounts.disable(conn, name, actor=accounts.AT_THE_MACHINE))
    answer(_facts(found), told(f"{found.name} is shut", f"{found.name} 已停用"), as_json=as_json)


@app.command(help=told("Open a shut account again.", "重新启用账号。"))
def enable(name: Name, days: Days = None, as_json: Json = False) -> None:
    """Open an account that was shut, has expired or was not used for long."""
    from gis.store import accounts

    found = _changed(
        "enable", name, lambda conn: accounts.enable(conn, name, actor=accounts.AT_THE_MACHINE, expires_at=_until(days))
    )
    answer(_facts(found), told(f"{found.name} is open again", f"{found.name} 已启用"), as_json=as_json)


@app.command(
    help=told(
        "A new one-time password; with --factor the second factor goes too.",
        "重置为一次性密码;--factor 同时取消第二因素。",
    )
)
def reset(
    name: Name,
    factor: Annotated[bool, typer.Option(help=told("Take the second factor away.", "取消第二因素。"))] = False,
    as_json: Json = False,
) -> None:
    """Let somebody in again who has forgotten the password, or lost the phone."""
    from gis.city import City
    from gis.store import accounts

    detail = {"act": "reset", "account": name[:63], "factor": factor}
    with (
        City.open() as city,
        city.traced("users_changed", detail=detail),
        city.database.connection() as conn,
        conn.transaction(),
    ):
        found, once = accounts.reset(conn, name, actor=accounts.AT_THE_MACHINE)
        if factor:
            found = accounts.take_factor(conn, name, actor=accounts.AT_THE_MACHINE)
    sentence = told(f"{found.name}, one-time password: {once}", f"{found.name}，一次性密码：{once}")
    answer({**_facts(found), "one_time_password": once}, sentence, as_json=as_json)


@app.command(help=told("Let somebody try again at once who failed too often.", "解除登录失败锁定。"))
def unlock(name: Name, as_json: Json = False) -> None:
    """Forget an account's failures to sign in."""
    from gis.store import accounts, failures

    def work(conn: Any) -> "Account":
        found = accounts.find(conn, name)
        failures.forget(conn, "name", found.name)
        return found

    found = _changed("unlock", name, work)
    answer(_facts(found), told(f"{found.name} may try again", f"{found.name} 可重新登录"), as_json=as_json)


def _changed(act: str, name: str, work: Any, **more: str) -> "Account":
    from gis.city import City

    detail = {"act": act, "account": name[:63], **more}
    with City.open() as city, city.traced("users_changed", detail=detail), city.database.connection() as conn:
        found: Account = work(conn)
    return found


def _until(days: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(days=days) if days else None


def _ranges(codes: list[str] | None) -> "Divisions":
    from gis.codes.division import Division

    if codes and "*" in codes:
        return None
    return tuple(Division.parse(code).range_ for code in codes or ())


def _state(account: "Account") -> tuple[str, str]:
    if account.disabled_at is not None:
        return "shut", "已停用"
    if account.expires_at is not None and account.expires_at < datetime.now(UTC):
        return "expired", "已过期"
    if account.unused:
        return "unused for too long", "长期未用"
    return ("has not signed in yet", "尚未登录") if account.one_time_until is not None else ("", "")


def _facts(account: "Account") -> dict[str, Any]:
    return account.as_dict()
