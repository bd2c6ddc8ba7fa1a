"""`onemap policy`: who may see what of a collection, as data; kept by whoever works at the machine."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands import Json, answer, told

app = typer.Typer(help=told("Who may see what of a collection.", "数据集的访问策略。"), no_args_is_help=True)

Id = Annotated[str, typer.Argument(help=told("The collection, as base.pois.", "数据集,如 base.pois。"))]
Why = Annotated[str, typer.Option(help=told("The reason, which is kept.", "修改理由,将被记录。"))]
By = Annotated[str, typer.Option(help=told("Who changes it.", "修改人。"))]


@app.command(help=told("Show the policy that holds, as JSON.", "以 JSON 显示现行策略。"))
def show(
    collection: Id,
    changes: Annotated[bool, typer.Option(help=told("With all changes so far.", "含历次修改。"))] = False,
    as_json: Json = False,
) -> None:
    """Print the policy in force, in the form that `set` takes."""
    from gis.city import City
    from gis.store import policies

    with City.open() as city, city.database.connection() as conn:
        document = policies.shown(city.catalogue[collection])
        history = [one.as_dict() for one in policies.history(conn, collection)] if changes else None
    facts: dict[str, Any] = document if history is None else {"policy": document, "changes": history}
    answer(facts, json.dumps(facts, ensure_ascii=False, indent=2, default=str), as_json=as_json)


@app.command("set", help=told("Let the policy of a file hold from now on.", "启用文件中的策略。"))
def set_policy(
    collection: Id,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=told("JSON file.", "JSON 文件。"))],
    why: Why,
    by: By = "owner",
    as_json: Json = False,
) -> None:
    """Read a policy from a file, check it, and let it hold; running servers take it up within seconds."""
    from gis.city import City
    from gis.errors import BadInput
    from gis.store import policies

    try:
        document = json.loads(file.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no JSON: {error}", f"{file} 不是 JSON:{error}", subject=str(file)) from None
    with (
        City.open() as city,
        city.traced("policies_changed", collection=collection, detail={"act": "set", "by": by}) as traced,
        city.database.connection() as conn,
    ):
        made = policies.put(conn, city.catalogue[collection], document, by, why)
        traced["detail"] = {"act": "set", "by": by, "version": made.version}
    sentence = told(
        f"The policy of {collection} is version {made.version}", f"{collection} 的策略已更新为版本 {made.version}"
    )
    answer(made.as_dict(), sentence, as_json=as_json)


@app.command(help=told("Let the declared policy hold again.", "恢复声明的策略。"))
def reset(collection: Id, why: Why, by: By = "owner", as_json: Json = False) -> None:
    """Put the declared policy in force again."""
    from gis.city import City
    from gis.store import policies

    with (
        City.open() as city,
        city.traced("policies_changed", collection=collection, detail={"act": "reset", "by": by}) as traced,
        city.database.connection() as conn,
    ):
        made = policies.reset(conn, city.catalogue[collection], by, why)
        traced["detail"] = {"act": "reset", "by": by, "version": made.version}
    sentence = told(f"The declared policy of {collection} holds again", f"{collection} 已恢复声明的策略")
    answer(made.as_dict(), sentence, as_json=as_json)
