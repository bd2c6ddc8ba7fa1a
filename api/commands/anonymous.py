"""`onemap anonymous`: what is released of persons to those who are told counts alone."""

from typing import Annotated

import typer

from api.commands import Json, answer, told

app = typer.Typer(
    help=told("Anonymous figures: what is released of persons.", "匿名统计：人员数据的发布。"), no_args_is_help=True
)

Id = Annotated[str, typer.Argument(help=told("The collection, as base.persons.", "数据集，如 base.persons。"))]


@app.command(help=told("Release the figures of the set date that holds now.", "发布当前统计日期的匿名统计。"))
def release(collection: Id, as_json: Json = False) -> None:
    """Make the release where it is not there yet; the first question of a quarter does so, too."""
    from gis.city import City
    from gis.store.released import anonymous, ensure

    with City.open() as city:
        asked = city.catalogue[collection]
        day = ensure(city.database, asked) if anonymous([asked]) else None
    sentence = told(f"The figures of {collection} are those of {day}", f"{collection} 的统计日期为 {day}")
    if day is None:
        sentence = told(f"Nobody is told counts of {collection}", f"{collection} 未向任何人提供匿名统计")
    answer({"collection": collection, "date": day}, sentence, as_json=as_json)


@app.command(
    help=told(
        "Take all releases back; whoever kept old figures can compare them with new ones.",
        "撤回全部发布；保留旧数据者可与新数据相互比对。",
    )
)
def forget(
    collection: Id,
    yes: Annotated[bool, typer.Option("--yes", help=told("Without being asked again.", "不再询问。"))] = False,
    as_json: Json = False,
) -> None:
    """Take the releases back, after asking; the next one parts the city anew."""
    from gis.city import City
    from gis.store import released

    if not yes:
        typer.confirm(
            told("What is told of few may then be found out. Go on?", "小数目可能因此泄露，继续？"), abort=True
        )
    with City.open() as city, city.traced("policies_changed", collection=collection) as traced:
        with city.database.connection() as conn:
            gone = released.forget(conn, city.catalogue[collection].id)
        traced["detail"] = {"act": "releases taken back", "releases": gone}
    sentence = told(f"{gone} releases of {collection} are taken back", f"已撤回 {collection} 的 {gone} 次发布")
    answer({"collection": collection, "releases": gone}, sentence, as_json=as_json)
