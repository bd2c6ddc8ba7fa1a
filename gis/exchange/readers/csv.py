"""CSV, TSV and other text tables (RFC 4180 and what departs from it), streamed; every value stays the text it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from gis.errors import BadInput
from gis.exchange.readers.coordinates import find_coordinates
from gis.exchange.readers.delimiter import CANDIDATES, settle_delimiter
from gis.exchange.readers.file_kind import opened, refuse_other_kinds
from gis.exchange.readers.header import SEARCH_ROWS, Header, find_header
from gis.exchange.readers.lines import Block, has_stray_returns, in_utf8, line_feeds, read_blocks, text_of
from gis.exchange.readers.records import REASONS, Records, parse_records
from gis.exchange.readers.skimming import PLAIN_LINES, Skimmer
from gis.exchange.readers.source import Batch, Findings, ReadOptions, Skim
from gis.exchange.readers.tabular import Tabulator
from gis.exchange.readers.text import BROKEN, BROKEN_HANDLER, Encoding, decide_encoding

HEAD_BYTES = 1 << 20
SAMPLE_ROWS = 1000
_SAMPLE_LINES = 2 * SAMPLE_ROWS
_BROKEN_BYTES = BROKEN.encode()
_LAST_ROW = b"\x1e\x1e"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text table is written: its encoding, delimiter, line ends, and the line on which the data begin."""

    encoding: Encoding
    delimiter: str
    bare_returns: bool
    data_line: int


@dataclass(slots=True)
class CsvSource:
    """An opened text table; see `Source`. Row numbers are line numbers, those of a row's first line.

    `skim` is asked of whole lines which of them are known: those are not read, but told of in the batch.
    """

    path: Path
    findings: Findings
    crs: str | None
    layout: Layout
    tabulator: Tabulator
    total_rows: int | None = None
    skim: Skim | None = None

    def batches(self) -> Iterator[Batch]:
        """The rows as texts, in batches; refused lines are noted.

        Reasons: "bad-text", "nul-character", "ragged", "unclosed-quote", "line-too-long", "total-row", "note-row",
        "no-geometry", "bad-coordinate".
        """
        self.findings.begin()
        encoding, bare_returns, skimmer = self.layout.encoding, self.layout.bare_returns, self._skimmer()
        blocks = read_blocks(self.path, encoding, bare_returns=bare_returns, undecoded=skimmer is not None)
        for found in self._tables(_data(blocks, self.layout.data_line), skimmer):
            if isinstance(found, Batch):
                yield found
            else:
                yield from self.tabulator.batches(*found)

    def _skimmer(self) -> Skimmer | None:
        """Where lines are to be skimmed, and can be: known by their bytes, with no geometry to be read from them."""
        encoding = self.layout.encoding
        plain = encoding.name in PLAIN_LINES and not self.layout.bare_returns and self.tabulator.coordinates is None
        if self.skim is None or not plain:
            return None

        def parse(data: bytes) -> pa.Table | None:
            decoded = in_utf8(data, encoding)
            broken = decoded is not data and _BROKEN_BYTES in decoded
            return None if broken else parse_clean(decoded, self.tabulator.columns, self.layout.delimiter)

        return Skimmer(self.skim, parse, self.tabulator)

    def _tables(
        self, blocks: Iterator[Block], skimmer: Skimmer | None
    ) -> Iterator[tuple[NDArray[np.int64], pa.Table] | Batch]:
        """The blocks as tables with their line numbers: parsed fast where nothing is odd, line by line elsewhere.

        Those that were skimmed are batches.
        """
        open_record: list[str] = []
        end, marked = 1, self.layout.encoding.name != "utf-8"
        for given in blocks:
            if skimmer is not None and not open_record and not given.too_long:
                skimmed = skimmer.batches(given)
                if skimmed is not None:
                    yield from skimmed
                    continue
            block, fast = given if skimmer is None else given.decoded(self.layout.encoding), None
            if block.too_long:
                yield from self._slow(open_record, block.line, final=True)[0]
                open_record = []
                self.findings.reject(block.line, "line-too-long", REASONS["line-too-long"], text_of(block.data[:200]))
            elif not open_record and not (marked and _BROKEN_BYTES in block.data):
                fast = parse_clean(block.data, self.tabulator.columns, self.layout.delimiter)
            if fast is not None:
                yield block.line + np.arange(len(fast), dtype=np.int64), fast
            elif not block.too_long:
                lines = open_record + split_lines(text_of(block.data))
                end = block.line - len(open_record) + len(lines)
                tables, open_record = self._slow(lines, end, final=False)
                yield from tables
        yield from self._slow(open_record, end, final=True)[0]

    def _slow(
        self, lines: list[str], end: int, *, final: bool
    ) -> tuple[list[tuple[NDArray[np.int64], pa.Table]], list[str]]:
        """Tables of lines that come just before line `end`, and the lines of a record that is still open."""
        columns = self.tabulator.columns
        found = parse_records(lines, end - len(lines), self.layout.delimiter, width=len(columns), final=final)
        for refused in found.refused:
            if refused.reason != "ragged" or not self.tabulator.aside(refused.line, refused.cells):
                self.findings.reject(refused.line, refused.reason, REASONS[refused.reason], refused.value)
        tables = [(np.array(found.lines, dtype=np.int64), _table(found, columns))] if found.lines else []
        return tables, lines[found.consumed :]


def open_csv(path: Path, options: ReadOptions) -> CsvSource:
    """A CSV, TSV or other delimited text file, opened: its layout, names and coordinate columns are settled.

    Decisions: "encoding", "delimiter", "header", "geometry", "axes", "crs". Raises BadInput when the file cannot be
    read, is empty, is no text, has no row below its header, or contradicts the options.
    """
    with opened(path) as file:
        head = file.read(HEAD_BYTES)
        whole = not file.read(1)
    refuse_other_kinds(path, head)
    encoding = decide_encoding(head, path.name, asked=options.encoding, whole=whole)
    findings = Findings()
    findings.decide("encoding", encoding.name, *encoding.evidence, sure=encoding.sure)
    lines, bare_returns = _head_lines(path, head, encoding, whole)
    delimiter = _delimiter(path, lines, findings)
    records = parse_records(lines[: max(_SAMPLE_LINES, 2 * (options.header_row or 0))], 1, delimiter)
    header = _header(path, records, options, findings)
    data_line = _data_line(records, header)
    sampled = lines[data_line - 1 : data_line - 1 + _SAMPLE_LINES]
    whole = whole and len(sampled) == len(lines) - data_line + 1
    sample = parse_records(sampled, data_line, delimiter, width=len(header.columns), final=whole)
    if not sample.lines and not sample.refused and whole:
        raise BadInput(f"{path.name} has a header and no rows", f"{path.name} 只有表头,没有数据行", subject=str(path))
    rows = Records(sample.cells[:SAMPLE_ROWS], sample.lines[:SAMPLE_ROWS])
    coordinates = find_coordinates(_table(rows, header.columns), header.title, options, findings)
    return CsvSource(
        path=path,
        findings=findings,
        crs=coordinates.crs if coordinates else options.crs,
        layout=Layout(encoding, delimiter, bare_returns, data_line),
        tabulator=Tabulator(header.columns, coordinates, findings, options.batch_rows),
    )


def parse_clean(data: bytes, columns: tuple[str, ...], delimiter: str) -> pa.Table | None:
    """Whole lines as a table of texts, one row a line; None when anything is odd and must be read line by line.

    Odd are NUL characters, stray carriage returns, bytes that are not UTF-8, rows of another width, empty lines, values
    that span lines, a quote left open.
    """
    if b"\0" in data or not delimiter.isascii() or has_stray_returns(data):
        return None
    lines = line_feeds(data) + (not data.endswith(b"\n"))
    quoted = b'"' in data
    if quoted:
        # a quote still open at the end would pass unseen: it swallows this last row
        data += (b"" if data.endswith(b"\n") else b"\n") + _LAST_ROW + delimiter.encode() * (len(columns) - 1) + b"\n"
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(columns)),
            arrow_csv.ParseOptions(delimiter=delimiter, quote_char='"' if quoted else False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    if len(table) != lines + quoted or (quoted and table.column(0)[-1].as_py() != _LAST_ROW.decode()):
        return None
    return table.slice(0, lines).combine_chunks()


def split_lines(text: str) -> list[str]:
    """The lines of a text, cut at line feeds only and without their carriage returns."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.rstrip("\r") for line in lines] if "\r" in text else lines


def _data(blocks: Iterator[Block], data_line: int) -> Iterator[Block]:
    """The blocks without the lines above the data."""
    for block in blocks:
        data, line = block.data, block.line
        while line < data_line and data and not block.too_long:
            end = data.find(b"\n") + 1
            data, line = (data[end:], line + 1) if end else (b"", line)
        if data and line >= data_line:
            yield Block(data, line, block.too_long)


def _head_lines(path: Path, head: bytes, encoding: Encoding, whole: bool) -> tuple[list[str], bool]:
    """The lines of the file's beginning, the last one left out where it may be cut off."""
    text = head[encoding.mark_bytes :].decode(encoding.name, errors=BROKEN_HANDLER)
    bare_returns = "\n" not in text and "\r" in text
    text = text.replace("\r", "\n") if bare_returns else text
    if not whole:
        text = text[: text.rfind("\n") + 1]
    if not text.strip():
        empty = whole
        raise BadInput(
            f"{path.name} "
            + ("is empty" if empty else f"has no line end in its first {HEAD_BYTES >> 10} KB: no table"),
            f"{path.name} " + ("是空文件" if empty else f"前 {HEAD_BYTES >> 10} KB 内没有换行,不是表格"),
            subject=str(path),
        )
    return split_lines(text), bare_returns


def _delimiter(path: Path, lines: list[str], findings: Findings) -> str:
    delimiter, share = settle_delimiter(lines, likely="\t" if path.suffix.lower() == ".tsv" else ",")
    name = CANDIDATES.get(delimiter)
    zh, en = name if name else (repr(delimiter), repr(delimiter))
    findings.decide(
        "delimiter",
        delimiter,
        f"{zh}:开头 {share:.0%} 的行列数一致",
        f"{en}: {share:.0%} of the first lines have the same number of cells",
        sure=share > 0.6,
    )
    return delimiter


def _header(path: Path, records: Records, options: ReadOptions, findings: Findings) -> Header:
    at = None
    if options.header_row is not None:
        at = next((i for i, line in enumerate(records.lines) if line >= options.header_row), len(records.lines))
    elif records.cells and len(records.cells[0]) == 1 and records.cells[0][0].casefold().startswith("sep="):
        records = Records(records.cells[1:], records.lines[1:])
    header = find_header(records.cells[: max(SAMPLE_ROWS, SEARCH_ROWS)], path.name, at=at)
    line = records.lines[header.first]
    findings.decide("header", str(line) if header.sure else "none", *header.evidence, sure=header.sure)
    return header


def _data_line(records: Records, header: Header) -> int:
    """The line on which the data begin: that of the first row below the header, be it one that is refused."""
    above = records.lines[header.data - 1] if header.data else 0
    first = records.lines[header.data] if header.data < len(records.lines) else records.lines[-1] + 1
    return min([first, *(refused.line for refused in records.refused if refused.line > above)])


def _table(records: Records, columns: tuple[str, ...]) -> pa.Table:
    cells = zip(*records.cells, strict=True) if records.cells else ((),) * len(columns)
    return pa.table([pa.array(column, pa.string()) for column in cells], names=list(columns))
