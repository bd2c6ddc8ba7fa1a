"""`onemap ask 'COLLECTION?bbox=…' [-o FILE]`: the same questions as on the web and in notebooks."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import Json, answer, progress, told
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.answer import Answer
    from gis.export import Progress

Question = Annotated[str, typer.Argument(help=told("COLLECTION?parameters", "数据集?参数"))]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help=told(
            ".parquet, .geojson, .geojsonl, .fgb, .gpkg, .csv or .arrows",
            ".parquet、.geojson、.geojsonl、.fgb、.gpkg、.csv 或 .arrows",
        ),
    ),
]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Ask the city a question.", "查询。"))(ask)


def ask(question: Question, output: Output = None, as_json: Json = False) -> None:
    """Print the answer as GeoJSON, or write it to a file whose suffix says in which format."""
    from gis.city import City

    with City.open() as city:
        found = city.ask(question)
        if output is None:
            json.dump(found.geojson(), sys.stdout, ensure_ascii=False)
            sys.stdout.write("\n")
            return
        with progress(str(output), as_json=as_json) as step:
            rows = write(found, output, lambda done: step(told("rows", "行"), done, done))
        sentence = told(f"{rows} rows in {output}", f"已写入 {output}，共 {rows} 行")
        answer({"file": str(output), "rows": rows}, sentence, as_json=as_json)


def write(found: "Answer", path: Path, tell: "Progress" = lambda rows: None) -> int:
    """Write an answer to a file, row by row as the database brings it; returns the number of rows.

    Raises BadQuery for a suffix without a format, and for groups in a format of features.
    """
    from gis.export import FORMATS

    form = next((f for f in FORMATS.values() if f.suffix == path.suffix), None)
    if form is None:
        known = ", ".join(f.suffix for f in FORMATS.values())
        raise BadQuery(f"{path.name}: answers are written as {known}", f"{path.name}:可写格式为 {known}",
                       subject=str(path))  # fmt: skip
    return found.export(path, form, tell)
