"""`onemap ask 'COLLECTION?bbox=…' [-o FILE]`: the same questions as on the web and in notebooks."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import Json, answer, told
from gis.errors import BadQuery

if TYPE_CHECKING:
    from gis.answer import Answer

Question = Annotated[str, typer.Argument(help=told("COLLECTION?parameters", "数据集?参数"))]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help=told(".parquet, .geojson, .gpkg or .csv", ".parquet、.geojson、.gpkg 或 .csv")),
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
        rows = write(found, output)
        sentence = told(f"{rows} rows in {output}", f"已写入 {output}，共 {rows} 行")
        answer({"file": str(output), "rows": rows}, sentence, as_json=as_json)


def write(found: "Answer", path: Path) -> int:
    """Write an answer to a file; returns the number of rows. Raises BadQuery for a suffix without a format."""
    import pyarrow.parquet

    if path.suffix == ".parquet":
        table = found.arrow()
        pyarrow.parquet.write_table(table, path)
        return int(table.num_rows)
    frame = found.frame()
    if path.suffix == ".csv":
        frame.to_csv(path, encoding="utf-8-sig")
    elif path.suffix in (".geojson", ".gpkg") and hasattr(frame, "to_file"):
        frame.reset_index().to_file(path)
    else:
        raise BadQuery(
            f"{path.name}: answers are written as .parquet, .csv and, for features, .geojson or .gpkg",
            f"{path.name}:可写格式为 .parquet、.csv,要素另有 .geojson、.gpkg",
            subject=str(path),
        )
    return len(frame)
