"""`onemap divisions`: what became of a division, links that a department states, and crosswalks between partitions."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands import Json, answer, language, told
from api.commands.deliver import moment
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.base.crosswalk import Crosswalk, Zones
    from gis.base.succession import Link

app = typer.Typer(
    no_args_is_help=True,
    help=told("Divisions over time, and shares between partitions.", "区划沿革，以及不同分区之间的换算。"),
)

Code = Annotated[str, typer.Argument(help=told("Code of a division.", "区划代码。"))]
On = Annotated[str, typer.Option("--date", help=told("The day of the change.", "变更日期。"))]
_ZONES = told(
    "divisions:LEVEL (1 province … 5 village) or grids:KIND, with @DATE for an earlier day.",
    "divisions:级别（1 省 … 5 村）或 grids:类别，可加 @日期 表示较早的一天。",
)
From = Annotated[str, typer.Argument(metavar="SOURCE", help=_ZONES)]
To = Annotated[str, typer.Argument(metavar="TARGET", help=_ZONES)]
Out = Annotated[
    Path | None, typer.Option("--output", "-o", help=told("A file, .csv or .parquet.", "输出文件，.csv 或 .parquet。"))
]


@app.command(help=told("What became of a division, and what it came from.", "区划的沿革：前身与后继。"))
def history(code: Code, as_json: Json = False) -> None:
    """Both directions, in the order of time."""
    from gis.base.succession import predecessors, successors
    from gis.city import City

    with City.open() as city:
        before, after = predecessors(city.database, code), successors(city.database, code)
    sentence = told(
        f"{code}: {len(before)} links from earlier divisions, {len(after)} to later ones",
        f"{code}：前身 {len(before)} 条，后继 {len(after)} 条",
    )
    answer({"code": code, "predecessors": [_fact(one) for one in before], "successors": [_fact(one) for one in after]},
           sentence, as_json=as_json)  # fmt: skip
    for one in () if as_json else (*reversed(before), *after):
        origin = told("stated", "部门说明") if one.stated else told("found", "比对得出")
        typer.echo(f"  {one.at:%Y-%m-%d}  {one.code} {one.kind.label.in_(language())} {one.successor}  ({origin})")


@app.command(help=told("State what a division became.", "说明区划的后继。"))
def link(
    code: Code,
    kind: Annotated[str, typer.Argument(help="split, merge, recode, reparent, rename")],
    successor: Code,
    on: On,
    as_json: Json = False,
) -> None:
    """Keep a link that a department stated beside those that were found."""
    from gis.base.succession import Kind, Link, state_links
    from gis.city import City

    if kind not in list(Kind):
        raise BadQuery(
            f"{kind!r} is not one of {', '.join(Kind)}", f"{kind!r} 应为 {'、'.join(Kind)} 之一", subject=kind
        )
    stated = Link(_day(on), code, successor, Kind(kind), stated=True)
    with City.open() as city:
        state_links(city.database, [stated])
    sentence = told(f"Kept: {code} {kind} {successor}", f"已记录：{code} {stated.kind.label.zh} {successor}")
    answer(_fact(stated), sentence, as_json=as_json)


@app.command(help=told("Shares of ground and people between two partitions.", "两种分区之间的面积与人口占比。"))
def crosswalk(source: From, target: To, output: Out = None, as_json: Json = False) -> None:
    """Every pair of zones that share something, and what no target covers."""
    from gis.base.crosswalk import crosswalk as compared
    from gis.city import City

    if output is not None and output.suffix not in (".csv", ".parquet"):
        raise BadQuery(f"{output.name}: the file is .csv or .parquet", f"{output.name}：应为 .csv 或 .parquet 文件",
                       subject=output.name)  # fmt: skip
    with City.open() as city:
        found = compared(city.database, city.catalogue, _zones(source), _zones(target))
    if output is not None:
        _write(found, output)
    facts: dict[str, Any] = {
        "source": source, "target": target, "pairs": found.rows.num_rows, "counted": found.counted,
        "overlap_m2": found.overlap_m2, "outside": found.outside, "file": output and str(output),
    }  # fmt: skip
    sentence = told(
        f"{found.rows.num_rows} pairs; people are {found.counted}, {found.outside} of them in no zone",
        f"共 {found.rows.num_rows} 对；人口按 {found.counted} 计，{found.outside} 不在任何分区",
    )
    if as_json and output is None:
        facts["rows"] = found.rows.to_pylist()
    answer(facts, sentence, as_json=as_json)
    if output is None and not as_json:
        _show(found)


def _fact(one: "Link") -> dict[str, Any]:
    return {"at": one.at.isoformat(), "code": one.code, "successor": one.successor, "kind": one.kind.value,
            "stated": one.stated}  # fmt: skip


def _day(text: str) -> datetime:
    found = moment(text)
    if found is None:
        raise BadQuery("the day of the change is needed: --date 2026-01-01", "需要变更日期：--date 2026-01-01")
    return found


def _zones(text: str) -> "Zones":
    from gis.base.crosswalk import Zones

    named, _, day = text.partition("@")
    collection, _, which = named.partition(":")
    at = _day(day) if day else None
    if collection == "divisions" and which.isdecimal():
        return Zones.divisions(int(which), at)
    if collection == "grids" and which:
        return Zones.grids(which, at)
    raise BadQuery(f"{text!r} is neither divisions:LEVEL nor grids:KIND", f"{text!r} 应为 divisions:级别 或 grids:类别",
                   subject=text)  # fmt: skip


def _write(found: "Crosswalk", path: Path) -> None:
    from pyarrow import csv, parquet

    if path.suffix == ".parquet":
        parquet.write_table(found.rows, path)
        return
    with path.open("wb") as file:
        file.write("\ufeff".encode())
        csv.write_csv(found.rows, file)


def _show(found: "Crosswalk") -> None:
    table = Table(box=None, padding=(0, 2, 0, 2))
    for title in (("From", "源"), ("To", "目标"), ("Ground, m²", "面积 m²"), ("Share", "面积占比"), ("People", "人口"),
                  ("Share", "人口占比")):  # fmt: skip
        table.add_column(told(*title))
    for row in found.rows.to_pylist():
        people = row["people_share"]
        table.add_row(row["source"], row["target"] or "–", f"{row['area_m2']:,.0f}", f"{row['area_share']:.1%}",
                      str(row["people"]), "–" if people is None else f"{people:.1%}")  # fmt: skip
    Console(highlight=False).print(table)
