"""`onemap explain-access`: in sentences, what somebody may see of a collection, and by which rule."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import Json, answer, language, told

if TYPE_CHECKING:
    from gis.access import Identity
    from gis.city import City

Codes = Annotated[
    list[str] | None,
    typer.Option("--division", help=told("Division code of the duty; again for more.", "职责区划代码,可多次。")),
]
Role = Annotated[str | None, typer.Option(help=told("As if the role were this one.", "按该角色说明。"))]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command(
        "explain-access", help=told("What somebody may see of a collection, and why.", "说明某人可查看的内容及依据。")
    )(explain_access)


def explain_access(
    user: Annotated[
        str, typer.Argument(help=told("An account, or any name with --role.", "账号;或任意名称加 --role。"))
    ],
    collection: Annotated[str, typer.Argument(help=told("The collection, as base.pois.", "数据集,如 base.pois。"))],
    role: Role = None,
    division: Codes = None,
    department: Annotated[str | None, typer.Option(help=told("Its department.", "所属部门。"))] = None,
    purpose: Annotated[str, typer.Option(help=told("What is asked for.", "查询用途。"))] = "",
    as_json: Json = False,
) -> None:
    """Tell it by the very rules that answers are made by, with the emergencies that are in force."""
    from dataclasses import replace

    from gis.access.explanation import explained
    from gis.city import City
    from gis.store.emergencies import in_force

    with City.open() as city:
        asked = _of_role(user, role, division, department) if role else _of_account(city, user)
        identity = in_force(city.database, replace(asked, purpose=purpose), city.catalogue)
        sentences = explained(identity, city.catalogue[collection])
    facts = {
        "user": user,
        "role": identity.role,
        "collection": collection,
        "sentences": [s.as_dict() for s in sentences],
    }
    answer(facts, "\n".join(s.in_(language()) for s in sentences), as_json=as_json)


def _of_role(user: str, role: str, division: list[str] | None, department: str | None) -> "Identity":
    from gis.access import Identity
    from gis.access.roles import ROLES
    from gis.codes.division import Division
    from gis.errors import BadInput

    if role not in ROLES:
        listed = ", ".join(ROLES)
        raise BadInput(
            f"there is no role {role!r}; there are {listed}", f"没有角色 {role!r};可用:{listed}", subject=role
        )
    ranges = tuple(Division.parse(code).range_ for code in division) if division else None
    return Identity(user, role, ranges, department)


def _of_account(city: "City", user: str) -> "Identity":
    from gis.store import accounts

    with city.database.connection() as conn:
        return accounts.find(conn, user).identity
