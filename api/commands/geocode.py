"""`onemap geocode TEXT…`, `--file addresses.csv -o out.csv`, `--reverse LON,LAT`: addresses to places and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import Json, answer, language, progress, told
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.exchange.matching import AddressIndex, Gazetteer

Texts = Annotated[list[str] | None, typer.Argument(help=told("Addresses.", "地址。"))]
File = Annotated[Path | None, typer.Option("--file", help=told("A table of addresses.", "含地址列的表格文件。"))]
Column = Annotated[str | None, typer.Option(help=told("Its column of addresses.", "地址所在列。"))]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help=told("Write .csv or .parquet.", "输出 .csv 或 .parquet。"))
]
Reverse = Annotated[
    str | None, typer.Option(help=told("What is at LON,LAT (WGS 84).", "查询 经度,纬度(WGS 84)处的地点。"))
]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Find the places of addresses, or what is at a point.", "地址匹配与反向查询。"))(geocode)


def geocode(
    texts: Texts = None,
    file: File = None,
    column: Column = None,
    output: Output = None,
    reverse: Reverse = None,
    as_json: Json = False,
) -> None:
    """Say for each address which place it means, to which level, how sure, and what else it could be."""
    from gis.city import City
    from gis.exchange.matching import Geocoder, looked_through
    from gis.tracing import trace_read

    if sum((bool(texts), file is not None, reverse is not None)) != 1:
        raise BadQuery(
            "give addresses, or --file, or --reverse LON,LAT",
            "请给出地址文本、--file 文件或 --reverse 经度,纬度 三者之一",
            subject="geocode",
        )
    if (output is not None or column is not None) and file is None:
        raise BadQuery("-o and --column go with --file", "-o 与 --column 需与 --file 一起使用", subject="--file")
    with City.open() as city:
        gazetteer = Geocoder(city.database, city.catalogue).current(city.identity)
        said = {"addresses": len(texts)} if texts else {"file": file.name} if file else {"at": str(reverse)}
        asked = looked_through(city.catalogue, city.identity)
        trace_read(city.database.url, city.catalogue, asked, city.identity, detail={"command": "geocode", **said})
        if reverse is not None:
            _say_here(gazetteer, *_point(reverse), as_json)
        elif file is not None:
            _match_file(gazetteer.index, file, column, output, as_json)
        else:
            _say_all(gazetteer.index, texts or [], as_json)


def _say_all(index: "AddressIndex", texts: list[str], as_json: bool) -> None:
    from gis.exchange.matching import match_document

    found = [index.match(text) for text in texts]
    lines = []
    for text, match in zip(texts, found, strict=True):
        sure = f"{match.confidence:.0%}"
        where = f"{match.lon:.6f}, {match.lat:.6f} ± {match.error_m:.0f} m" if match.place else "—"
        lines += [text, f"  {match.explain().in_(language())}  ({sure})", f"  {where}"]
        lines += [f"  {p.address} {p.code}".rstrip() for p in (match.place, *match.candidates) if p]
        others = ", ".join(f"{r.place.address} ({r.confidence:.0%})" for r in match.runners_up)
        lines += [told(f"  or else: {others}", f"  其他可能：{others}")] * bool(others)
    answer({"answers": [match_document(m) for m in found]}, "\n".join(lines), as_json=as_json)


def _say_here(gazetteer: "Gazetteer", lon: float, lat: float, as_json: bool) -> None:
    from gis.exchange.matching import here_document

    here = gazetteer.reverse().at(lon, lat)
    lines = ["".join(p.name for p in here.divisions) or told("no division is known here", "此处没有已知区划")]
    titles = (("address", "地址"), ("building", "楼栋"), ("street", "道路"))
    for (en, zh), near in zip(titles, (here.address, here.building, here.street), strict=True):
        said = (
            told("none within reach", "附近没有") if near is None else f"{near.place.address}  {near.distance_m:.0f} m"
        )
        lines.append(f"  {told(en, zh)}: {said}")
    answer(here_document(lon, lat, here), "\n".join(lines), as_json=as_json)


def _match_file(index: "AddressIndex", path: Path, column: str | None, output: Path | None, as_json: bool) -> None:
    """Write the file's rows with what was found beside them, batch by batch."""
    from api.geocoded_file import geocode_file

    output = output or path.with_name(f"{path.stem}_geocoded.csv")
    with progress(path.name, as_json=as_json) as step:
        done = geocode_file(index, path, column, output, lambda rows, total: step(output.name, rows, total or rows))
    if not as_json:
        for reject in done.rejects:
            line = told(f"row {reject.row}", f"第 {reject.row} 行")
            typer.echo(f"{path.name}, {line}: {reject.text.in_(language())} {reject.value[:60]}", err=True)
    listed = ", ".join(f"{level.label.in_(language())} {count}" for level, count in done.levels.items())
    sentence = told(f"{done.rows} rows in {output}: {listed}", f"已写入 {output},共 {done.rows} 行:{listed}")
    facts = {"file": str(output), "rows": done.rows, "refused": done.refused}
    answer({**facts, "levels": {level.name.lower(): n for level, n in done.levels.items()}}, sentence, as_json=as_json)


def _point(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise BadQuery(
            f"{text!r} is not LON,LAT in degrees", f"{text!r} 不是 经度,纬度(度)", subject="--reverse"
        ) from None
    return lon, lat
