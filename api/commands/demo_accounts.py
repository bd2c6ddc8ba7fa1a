"""The sample city's accounts: one for each role, let in by passwords that are drawn anew and serve once."""

from typing import TYPE_CHECKING, Any

from api.commands import told
from gis.errors import NotFound

if TYPE_CHECKING:
    from gis.city import City

#: Account, whose it is, role, divisions (none: everywhere), department.
SAMPLE: tuple[tuple[str, str, str, tuple[str, ...] | None, str | None], ...] = (
    ("demo-staff", "示例人员 001", "staff", ("341502",), "civil_affairs"),
    ("demo-analyst", "示例人员 002", "analyst", None, None),
    ("demo-duty", "示例人员 003", "duty", ("341502",), "police"),
    ("demo-command", "示例人员 004", "command", None, None),
    ("demo-system", "示例人员 005", "system_admin", (), None),
    ("demo-security", "示例人员 006", "security_admin", (), None),
    ("demo-audit", "示例人员 007", "audit_admin", (), None),
)


def one_time_sign_ins(city: "City") -> list[dict[str, Any]]:
    """A one-time password for each sample account that nobody has made their own; the others are only named."""
    from gis.codes.division import Division
    from gis.store import accounts

    found: list[dict[str, Any]] = []
    with city.traced("users_changed", detail={"act": "demo"}) as traced, city.database.connection() as conn:
        for name, person, role, codes, department in SAMPLE:
            once: str | None = None
            try:
                account = accounts.find(conn, name)
                if account.one_time_until is not None:
                    account, once = accounts.reset(conn, name, actor=accounts.AT_THE_MACHINE)
            except NotFound:
                divisions = None if codes is None else tuple(Division.parse(code).range_ for code in codes)
                with conn.transaction():
                    _, once = accounts.add(conn, name, person, actor=accounts.AT_THE_MACHINE, by="demo")
                    account = accounts.grant(conn, name, role, actor=accounts.AT_THE_MACHINE, divisions=divisions,
                                             department=department)  # fmt: skip
            found.append({"name": account.name, "role": account.role, "one_time_password": once})
        given = ", ".join(one["name"] for one in found if one["one_time_password"])
        traced["detail"] = {"act": "demo", "account": given}
    return found


def sentence(sign_ins: list[dict[str, Any]]) -> str:
    """The sign-ins for people, a line each."""
    own = told("has a password of its own", "已设置自己的密码")
    lines = [f"  {one['name']:<14} {one['role']:<15} {one['one_time_password'] or own}" for one in sign_ins]
    head = told(
        "Sign in on the map; these passwords serve once, then you choose your own:",
        "可在地图页面登录;以下密码仅可使用一次,登录时须设置自己的密码:",
    )
    return "\n".join([head, *lines])
