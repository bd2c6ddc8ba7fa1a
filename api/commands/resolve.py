"""`onemap resolve REGISTER FILE [-o FILE]`: whom rows without codes are about, with the weights shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from api.commands import Json, answer, language, progress, told
from api.commands.load import Encoding, LayerName, Map, pairs, steps_of
from gis.errors import BadQuery

if TYPE_CHECKING:
    import pyarrow as pa

    from gis.exchange.readers import Batch
    from gis.exchange.resolution import Resolution

_SHOWN_ROWS = 5
_SHEET_ROWS = 1_048_575

Register = Annotated[
    str, typer.Argument(help=told("base.persons or base.entities.", "base.persons 或 base.entities。"))
]
File = Annotated[Path, typer.Argument(help=told("The file whose rows are asked about.", "待比对的文件。"))]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help=told("Write the answers: .csv or .xlsx", "写出结果：.csv 或 .xlsx")),
]
OneToOne = Annotated[
    bool,
    typer.Option("--one-to-one", help=told("No two rows are about the same one.", "任意两行不得对应同一登记对象。")),
]
Same = Annotated[
    float, typer.Option(min=0.5, max=1.0, help=told("Least probability of “same”.", "认定为同一的最低概率。"))
]
Clerk = Annotated[
    float,
    typer.Option(min=0.0, max=0.5, help=told("Least probability for a clerk to look.", "交人工核对的最低概率。")),
]


def register(cli: typer.Typer) -> None:
    """Bring the command in at the top level."""
    cli.command(help=told("Find whom rows without codes are about.", "为缺码、错码的行查找登记对象。"))(resolve)


def resolve(
    register: Register, file: File, output: Output = None, columns: Map = None, encoding: Encoding = None,
    layer: LayerName = None, one_to_one: OneToOne = False, same: Same = 0.98, clerk: Clerk = 0.10,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Compare each row with the register; print how many are settled, or write every row with its reasons.

    The register is not changed. The answers hold pseudonymous numbers, no names.
    """
    from gis.city import City
    from gis.exchange.readers import ReadOptions, open_source
    from gis.exchange.resolution import ResolveOptions, Thresholds
    from gis.exchange.resolution import resolve as resolved
    from gis.tracing import trace_read

    _check(output)
    source = open_source(file, ReadOptions(layer=layer, encoding=encoding))
    lines, table = _rows(source.batches())
    options = ResolveOptions(
        columns=pairs("--map", columns or []), thresholds=Thresholds(same, clerk), one_to_one=one_to_one
    )
    with City.open() as city, progress(file.name, as_json=as_json) as step:
        found = resolved(city.database, city.catalogue, register, table, options, steps_of(step, register))
        trace_read(city.database.url, city.catalogue, [register], city.identity, rows=len(lines),
                   detail={"command": "resolve", "file": file.name})  # fmt: skip
    if output is not None:
        write(found, lines, output)
    _tell(found, lines, {"file": str(file), "output": output and str(output),
                         "unread_rows": source.findings.rejected_rows}, as_json)  # fmt: skip


def _rows(batches: "Iterator[Batch]") -> "tuple[list[int], pa.Table]":
    """All rows of a file with their numbers in it."""
    import pyarrow as pa

    lines: list[int] = []
    tables: list[pa.Table] = []
    for batch in batches:
        lines += batch.rows.tolist()
        tables.append(batch.table)
    return lines, pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


def _check(output: Path | None) -> None:
    if output is not None and output.suffix not in (".csv", ".xlsx"):
        raise BadQuery(
            f"{output.name}: answers are written as .csv or .xlsx",
            f"{output.name}:结果可写为 .csv 或 .xlsx",
            subject=str(output),
        )


def write(found: "Resolution", lines: list[int], path: Path) -> None:
    """Write one line a row, in the file's order: the answer and what it rests on, in the terminal's language.

    Raises BadQuery for more rows than a sheet takes.
    """
    head, rows = _table(found, lines)
    if path.suffix == ".csv":
        import csv

        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([head, *rows])
        return
    if len(lines) > _SHEET_ROWS:
        raise BadQuery(
            f"{len(lines)} rows are more than a sheet takes; write .csv",
            f"{len(lines)} 行超出工作表容量;请写为 .csv",
            subject=str(path),
        )
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(told("resolution", "比对结果"))
    for row in (head, *rows):
        sheet.append(row)
    workbook.save(path)


def _table(found: "Resolution", lines: list[int]) -> tuple[list[str], list[list[Any]]]:
    names = ("fid", "verdict", "probability", "weight", "candidate", "rivals")
    columns = found.table().select(names).to_pydict()
    # a pseudonymous number has 16 digits, of which a spreadsheet keeps 15
    for name in ("fid", "candidate"):
        columns[name] = [None if v is None else str(v) for v in columns[name]]
    reasons = [found.explain(k).in_(language()).replace("\n", "; ") for k in range(len(found))]
    return ["row", *names, "reasons"], [list(r) for r in zip(lines, *columns.values(), reasons, strict=True)]


def _tell(found: "Resolution", lines: list[int], facts: dict[str, Any], as_json: bool) -> None:
    """How many rows have each verdict, and why the first ones need a clerk."""
    counts = found.counts
    sentence = told(
        f"{len(lines)} rows: {counts['same']} are in the register, {counts['clerk']} need a clerk, "
        f"{counts['different']} are nobody known",
        f"共 {len(lines)} 行:{counts['same']} 行对应登记对象,{counts['clerk']} 行需人工核对,"
        f"{counts['different']} 行未找到对应",
    )
    answer({"register": found.register, "rows": len(lines), **counts, **facts}, sentence, as_json=as_json)
    if as_json:
        return
    console = Console(highlight=False, soft_wrap=True)
    verdicts = found.table()["verdict"].to_pylist()
    for row in [k for k, verdict in enumerate(verdicts) if verdict == "clerk"][:_SHOWN_ROWS]:
        console.print(
            told(f"row {lines[row]}: ", f"第 {lines[row]} 行:") + found.explain(row).in_(language()), markup=False
        )
