"""A table of addresses as a table with the places beside them: read, matched and written batch by batch."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from api.commands import language
from gis.codes.address_levels import AddressLevel
from gis.errors import BadInput, BadQuery
from gis.exchange.matching import AddressIndex, answer_columns
from gis.exchange.readers import ReadOptions, Reject, open_source

#: Columns that are taken for the addresses of a file, the likeliest first.
_NAMES = ("地址", "标准地址", "详细地址", "address", "住址", "现住址", "居住地址", "住所", "经营场所", "坐落", "text")
_SUFFIXES = (".csv", ".parquet")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Geocoded:
    """What became of a file: rows written, how many came to which level (most first), and lines that were no rows."""

    rows: int
    levels: dict[AddressLevel, int]
    refused: int
    rejects: list[Reject]


def geocode_file(
    index: AddressIndex, path: Path, column: str | None, output: Path, progress: Callable[[int, int | None], None]
) -> Geocoded:
    """Write the rows of `path` with the answers' columns to `output` (.csv for spreadsheets, or .parquet).

    `column` names the one with the addresses; else the likeliest is taken. A name that the file has itself gets `geo_`
    before it. Raises BadInput, BadQuery.
    """
    if output.suffix not in _SUFFIXES:
        listed = ", ".join(_SUFFIXES)
        raise BadQuery(f"{output.name}: answers are written as {listed}", f"{output.name}:可写格式为 {listed}",
                       subject=str(output))  # fmt: skip
    if output.resolve() == path.resolve():
        raise BadQuery(f"{output} would overwrite its own input", f"{output} 与输入文件相同", subject=str(output))
    source = open_source(path, ReadOptions(geometry=False))
    counts: Counter[AddressLevel] = Counter()
    with _writer(output) as write:
        for batch in source.batches():
            table = batch.table
            column = _address_column(table.column_names, column)
            for chunk in index.matches(table[column]):
                write(_beside(table.slice(0, len(chunk)), answer_columns(chunk, language())))
                counts.update(map(AddressLevel, chunk.level.tolist()))
                table = table.slice(len(chunk))
            progress(counts.total(), source.total_rows)
    findings = source.findings
    return Geocoded(counts.total(), dict(counts.most_common()), findings.rejected_rows, findings.rejects[:10])


def _beside(table: pa.Table, answers: pa.Table) -> pa.Table:
    for name in answers.column_names:
        table = table.append_column(f"geo_{name}" if name in table.column_names else name, answers[name])
    return table


def _address_column(names: list[str], asked: str | None) -> str:
    found = [n for n in ((asked,) if asked else _NAMES) if n in names]
    if not found and not asked and len(names) == 1:
        found = names
    if not found:
        listed = "、".join(names)
        raise BadInput(
            f"which column holds the addresses? name it with --column; there are {listed}",
            f"请用 --column 指明地址所在列;现有列:{listed}",
            subject=asked or "--column",
        )
    return found[0]


@contextmanager
def _writer(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """A function that writes tables one behind the other; an output that was not finished is taken away."""
    opened: list[Any] = []
    unfinished = path.with_name(f".{path.name}.part")

    def write(table: pa.Table) -> None:
        if not opened:
            opened.append(_open(path.suffix, unfinished, table.schema))
        opened[0].write_table(table)

    try:
        yield write
        for writer in opened:
            writer.close()
        if opened:
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _open(suffix: str, path: Path, schema: pa.Schema) -> Any:
    if suffix == ".parquet":
        return pa.parquet.ParquetWriter(path, schema)
    sink = pa.OSFile(str(path), "wb")
    sink.write(_BYTE_ORDER_MARK)
    return _CsvFile(sink, pa.csv.CSVWriter(sink, schema))


@dataclass(slots=True)
class _CsvFile:
    """A CSV and the file under it, which its writer does not close."""

    sink: Any
    writer: Any

    def write_table(self, table: pa.Table) -> None:
        self.writer.write_table(table)

    def close(self) -> None:
        self.writer.close()
        self.sink.close()
