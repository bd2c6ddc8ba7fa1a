"""`onemap tiles export COLLECTION out.pmtiles`: tiles as one file, for maps that cannot ask a server."""

import re
from pathlib import Path
from typing import Annotated

import typer

from api.commands import Json, answer, progress, told
from gis.errors import BadQuery

app = typer.Typer(no_args_is_help=True, help=told("Vector tiles as files.", "矢量瓦片文件。"))

_Question = Annotated[str, typer.Argument(help=told("COLLECTION or COLLECTION?parameters", "数据集,或 数据集?参数"))]
_Output = Annotated[Path, typer.Argument(help=told("the .pmtiles file to write", "要写入的 .pmtiles 文件"))]
_Zooms = Annotated[
    str, typer.Option(help=told("first-last; where it is drawn by default", "起-止级别;默认为数据集的绘制级别"))
]
_Box = Annotated[
    str,
    typer.Option(help=told("tiles that touch west,south,east,north", "仅导出与此范围(西,南,东,北)相接的瓦片")),
]
_Datetime = Annotated[str, typer.Option(help=told("valid at this time; now by default", "有效时间;默认为现在"))]
_Jobs = Annotated[int, typer.Option(min=1, max=64, help=told("connections that work at once", "并行连接数"))]
_Update = Annotated[
    bool, typer.Option("--update", help=told("Make only what has changed since.", "仅重做有变化的瓦片。"))
]


@app.command(help=told("Write the tiles of a collection to a PMTiles archive.", "将数据集的瓦片导出为 PMTiles 文件。"))
def export(
    question: _Question, output: _Output, zooms: _Zooms = "", bbox: _Box = "", datetime: _Datetime = "",
    jobs: _Jobs = 2, update: _Update = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Write an archive, complete over its zooms, or bring one to the present."""
    from gis.city import City
    from gis.query.url import parse
    from tiles.archive import ArchiveOptions
    from tiles.archive import export as write

    options = ArchiveOptions(zooms=_range(zooms), bbox=_box(bbox), jobs=jobs)
    if datetime:
        question = f"{question}{'&' if '?' in question else '?'}datetime={datetime.replace('+', '%2B')}"
    with City.open() as city, progress(told("Tiles", "瓦片"), as_json=as_json) as step:
        query = parse(question, city.catalogue)
        with city.traced("exported", collection=query.collection, detail={"format": "pmtiles"}):
            found = write(city, query, output, options, update=update, progress=step)
    megabytes = f"{found.bytes / 1e6:.1f} MB"
    answer(
        {"file": str(found.path), "tiles": found.tiles, "made": found.made, "bytes": found.bytes},
        told(
            f"{found.tiles} tiles in {found.path}, {found.made} made now, {megabytes}",
            f"{found.path} 共 {found.tiles} 个瓦片，本次生成 {found.made} 个，{megabytes}",
        ),
        as_json=as_json,
    )


def _range(text: str) -> range | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", text)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise BadQuery(f"--zooms {text} is not first-last, as in 0-14", f"--zooms {text} 应为 起-止,如 0-14",
                       subject="zooms")  # fmt: skip
    return range(int(found[1]), int(found[2] or found[1]) + 1)


def _box(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west, south, east, north = 1.0, 0.0, 0.0, 0.0
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadQuery(f"--bbox {text} is not west,south,east,north in degrees", f"--bbox {text} 应为 西,南,东,北(度)",
                       subject="bbox")  # fmt: skip
    return west, south, east, north
