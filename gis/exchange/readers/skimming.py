"""Lines of a text table that are known by their bytes alone: they are not decoded, nor cut into cells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.exchange.readers.lines import Block, has_stray_returns
from gis.exchange.readers.source import Batch, Skim, Skimmed
from gis.exchange.readers.tabular import Tabulator

#: Encodings in which the byte of a line feed is nothing else, so that lines can be told before they are decoded.
PLAIN_LINES = frozenset({"ascii", "utf-8", "gb18030"})


@dataclass(frozen=True, slots=True)
class Skimmer:
    """Skims blocks of undecoded lines. `parse` cuts whole lines into a table, None where anything is odd."""

    skim: Skim
    parse: Callable[[bytes], pa.Table | None]
    tabulator: Tabulator

    def batches(self, block: Block) -> list[Batch] | None:
        """The block's lines in batches, of which the unknown ones are read; None where all must be read in order."""
        if b'"' in block.data or b"\0" in block.data or has_stray_returns(block.data):
            return None
        lines = block.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        parts = [self._part(lines, start, block.line) for start in range(0, len(lines), self.tabulator.batch_rows)]
        tables = [self._read(part, skimmed.at < 0) for part, skimmed in parts]
        if any(table is None for table in tables):
            return None
        return [
            replace(self._batch(skimmed.rows[skimmed.at < 0], table), skimmed=skimmed)
            for (_, skimmed), table in zip(parts, tables, strict=True)
        ]

    def _part(self, lines: list[bytes], start: int, first: int) -> tuple[list[bytes], Skimmed]:
        part = lines[start : start + self.tabulator.batch_rows]
        numbers = first + start + np.arange(len(part), dtype=np.int64)
        prints, at = self.skim(part)

        def read(wanted: NDArray[np.bool_]) -> Batch:
            return self._batch(numbers[wanted], self._read(part, wanted))

        return part, Skimmed(numbers, prints, at, read)

    def _read(self, lines: list[bytes], wanted: NDArray[np.bool_]) -> pa.Table | None:
        kept = lines if wanted.all() else [lines[i] for i in np.flatnonzero(wanted).tolist()]
        if not kept:
            return pa.table({name: pa.array([], pa.string()) for name in self.tabulator.columns})
        return self.parse(b"\n".join(kept) + b"\n")

    def _batch(self, numbers: NDArray[np.int64], table: pa.Table | None) -> Batch:
        assert table is not None
        batches: Iterator[Batch] = self.tabulator.batches(numbers, table)
        return next(batches, None) or Batch(numbers[:0], table.slice(0, 0))
