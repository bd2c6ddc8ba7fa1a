"""Files as they were handed over, without whom the city has been told to forget: their cells are blackened.

A text table keeps every other byte. Other formats cannot be changed in a cell without losing what else they hold, so
that their rows are written anew, each under its own number: as CSV, or as Parquet where the first row is number one.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from numpy.typing import NDArray

from gis.codes.column import strings, tidy_column
from gis.exchange.columns import match
from gis.exchange.delivery.pseudonym import person_fids
from gis.exchange.delivery.words import Ints
from gis.exchange.readers import ReadOptions, Source, open_source
from gis.exchange.readers.csv import CsvSource
from gis.exchange.registers import Deliverable

BLACK = "█"
_OLD, _NEW = r"^[0-9]{15}$", r"^[0-9]{17}[0-9X]$"
#: An id number within a line of text, plain or in full-width digits.
_WRITTEN = re.compile(r"(?<![0-9０-９])(?:[0-9０-９]{17}[0-9０-９XxＸｘ]|[0-9０-９]{15})(?![0-9０-９])")


@dataclass(frozen=True)
class Forgotten:
    """Whom to leave out: their numbers under the city's key, and as far as known what identifies (`ids`: id number and
    telephone) or names them. A name alone is nobody's: it is blackened only in rows that are about the person.
    """

    fids: Ints
    key: bytes
    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def numbers(self, column: pa.Array) -> NDArray[np.bool_]:
        """Which cells of a column are the id number of one of them."""
        texts = tidy_column(column)
        old = np.asarray(pc.match_substring_regex(texts, _OLD))
        new = np.asarray(pc.match_substring_regex(texts, _NEW))
        found = np.zeros(len(texts), bool)
        for which, widened in ((new, texts), (old, None)):
            if which.any():
                chosen = (widened if widened is not None else _widened(texts)).filter(pa.array(which))
                found[which] = np.isin(person_fids(chosen, self.key), self.fids)
        return found

    def is_number(self, text: str) -> bool:
        """Whether a text is the id number of one of them."""
        return bool(self.numbers(pa.array([text]))[0])


@dataclass(slots=True)
class Redacted:
    """What was blackened in a file: rows and cells; where it lies now, None where it had to be removed whole."""

    path: Path | None
    rows: set[int] = field(default_factory=set)
    cells: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of a row to blacken, {column: text}, and over how many lines of a text table the row goes."""

    cells: Mapping[str, str]
    lines: int


def redact(path: Path, options: ReadOptions, declared: Deliverable, whom: Forgotten, *, dry: bool = False) -> Redacted:
    """Blacken a kept file; with `dry` only say what would be.

    Raises BadInput where it cannot be read.
    """
    source = open_source(path, replace(options, geometry=False))
    cells = _cells(source, declared, whom)
    found = Redacted(path, set(cells), sum(len(row.cells) for row in cells.values()))
    if isinstance(source, CsvSource):
        _in_text(source, cells, whom, found, dry=dry)
    elif cells and not dry:
        found.path = _anew(source, path, cells)
    return found


def _cells(source: Source, declared: Deliverable, whom: Forgotten) -> dict[int, _Row]:
    """What to blacken, by number of the row."""
    found: dict[int, _Row] = {}
    named: list[str] = []
    key = ""
    for number, batch in enumerate(source.batches()):
        if not number:
            matches = match(batch.table.column_names, declared.intake, batch.table).matches
            named = [matches[f.name].column for f in declared.identifiers if f.name in matches]
            key = matches[declared.key].column if declared.identifiers and declared.key in matches else ""
        texts = {name: strings(batch.table.column(name)) for name in batch.table.column_names}
        numbers = {name: whom.numbers(column) for name, column in texts.items()}
        told = {name: numbers[name] | _holds(column, whom.ids) for name, column in texts.items()}
        about = np.logical_or.reduce([*told.values(), np.zeros(len(batch), bool)])
        for at in np.flatnonzero(about).tolist():
            own = bool(key) and bool(numbers[key][at])
            row = {
                name: column[at].as_py()
                for name, column in texts.items()
                if told[name][at] or (own and name in named) or any(n in column[at].as_py() for n in whom.names)
            }
            lines = 1 + sum(column[at].as_py().count("\n") for column in texts.values())
            found[int(batch.rows[at])] = _Row({name: text for name, text in row.items() if text}, lines)
    return found


def _holds(column: pa.Array, words: Iterable[str]) -> NDArray[np.bool_]:
    """Which cells hold one of the words."""
    found = np.zeros(len(column), bool)
    for word in words:
        found |= np.asarray(pc.match_substring(column, word))
    return found


def _widened(texts: pa.Array) -> pa.Array:
    """Id numbers of 15 digits with the century; their check character says nothing more and is left at 0."""
    head, tail = pc.utf8_slice_codeunits(texts, 0, 6), pc.utf8_slice_codeunits(texts, 6)
    return pc.binary_join_element_wise(head, pa.scalar("19"), tail, pa.scalar("0"), "")


def _in_text(source: CsvSource, cells: Mapping[int, _Row], whom: Forgotten, found: Redacted, *, dry: bool) -> None:
    """Blacken lines where they stand: the cells that were read, and what else a line holds that could not be cut."""
    unfinished = source.path.with_name(f".{source.path.name}.part")
    end = "\r" if source.layout.bare_returns else "\n"
    encoding = source.layout.encoding.name
    try:
        with (
            source.path.open(encoding=encoding, errors="surrogateescape", newline=end) as lines,
            unfinished.open("w", encoding=encoding, errors="surrogateescape", newline="") as out,
        ):
            _blackened(lines, out, cells, whom, found)
        if found.rows and not dry:
            unfinished.replace(source.path)
    finally:
        unfinished.unlink(missing_ok=True)


def _blackened(lines: IO[str], out: IO[str], cells: Mapping[int, _Row], whom: Forgotten, found: Redacted) -> None:
    last, parts = 0, list[str]()
    for number, line in enumerate(lines, 1):
        if number in cells:
            row = cells[number]
            last = number + row.lines - 1
            parts = sorted((p for cell in row.cells.values() for p in cell.splitlines() if p), key=len, reverse=True)
        text = line
        for part in parts if number <= last else ():
            text = text.replace(part.replace('"', '""'), BLACK).replace(part, BLACK)
        for written in set(_WRITTEN.findall(text)):
            if whom.is_number(written):
                text = text.replace(written, BLACK)
        if text != line or any(word in line for word in whom.ids):
            for word in (*whom.ids, *whom.names):
                text = text.replace(word, BLACK)
        if text != line and number > last:
            found.rows.add(number)
            found.cells += 1
        out.write(text)


def _anew(source: Source, path: Path, cells: Mapping[int, _Row]) -> Path:
    """Write the rows of a file anew, blackened, and remove what was handed over; returns the new file."""
    tables = _tables(source, cells)
    first, rows, table = next(tables)
    into = path.with_suffix(".csv" if first > 1 else ".parquet")
    unfinished = path.with_name(f".{path.stem}.part")
    try:
        if first > 1:
            _write_csv(unfinished, _all((first, rows, table), tables))
        else:
            with pa.parquet.ParquetWriter(unfinished, table.schema) as writer:
                for _, _, part in _all((first, rows, table), tables):
                    writer.write_table(part.cast(table.schema))
        path.unlink()
        unfinished.replace(into)
    finally:
        unfinished.unlink(missing_ok=True)
    return into


_Part = tuple[int, Ints, pa.Table]


def _all(first: _Part, rest: Iterator[_Part]) -> Iterator[_Part]:
    yield first
    yield from rest


def _tables(source: Source, cells: Mapping[int, _Row]) -> Iterator[_Part]:
    for batch in source.batches():
        table = pa.table({name: strings(batch.table.column(name)) for name in batch.table.column_names})
        for at in np.flatnonzero(np.isin(batch.rows, list(cells))).tolist():
            row = table.slice(at, 1).to_pylist()[0] | dict.fromkeys(cells[int(batch.rows[at])].cells, BLACK)
            black = pa.Table.from_pylist([row], schema=table.schema)
            table = pa.concat_tables([table.slice(0, at), black, table.slice(at + 1)])
        yield int(batch.rows[0]), batch.rows, table


def _write_csv(path: Path, parts: Iterable[_Part]) -> None:
    """Each row on the line of its number, the header on the one before the first; lines between stay empty."""
    line = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for _, rows, table in parts:
            if not line:
                file.write("\n" * (int(rows[0]) - 2))
                writer.writerow(table.column_names)
                line = int(rows[0]) - 1
            columns = [column.to_pylist() for column in table.columns]
            for number, *texts in zip(rows.tolist(), *columns, strict=True):
                file.write("\n" * (number - line - 1))
                writer.writerow([" ".join(text.splitlines()) for text in texts])
                line = number
