"""A file read with the memory of an earlier one: rows whose text is known are told of, and read only where needed."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.exchange.delivery.remembered import Memory, Remembered, fingerprints, line_fingerprints
from gis.exchange.delivery.words import Ints
from gis.exchange.readers.source import Batch, Skimmed


@dataclass(slots=True)
class Recall:
    """One reading with a department's memory of its last whole file; fingerprints are seeded with the city's key."""

    memory: Memory
    seed: int
    _texts: tuple[Ints, Ints] | None = None

    def skim(self, lines: list[bytes]) -> tuple[Ints, Ints]:
        """For a source of text lines: their fingerprints, and where they are known."""
        prints = line_fingerprints(lines, self.seed)
        return prints, self.memory.find(prints)

    def of(self, batch: Batch) -> tuple[Batch, Skimmed | None]:
        """The rows of a batch that are not known, and all of them as they were skimmed."""
        skimmed = batch.skimmed or self._skimmed(batch)
        self._texts = None if skimmed is None else (skimmed.rows, skimmed.prints)
        if skimmed is None or batch.skimmed is not None:
            return batch, skimmed
        return batch.take(skimmed.at < 0), skimmed

    def _skimmed(self, batch: Batch) -> Skimmed | None:
        prints = fingerprints(batch.table, self.seed) if len(batch) else None
        if prints is None:
            return None
        return Skimmed(batch.rows, prints, self.memory.find(prints), partial(_part, batch))

    def remember(self, rows: Ints, read: Remembered) -> None:
        """Remember what rows of the batch were read as."""
        if self._texts is not None:
            numbers, prints = self._texts
            self.memory.add(prints[np.searchsorted(numbers, rows)], read)

    def keep(self, rows: Ints, read: Remembered) -> None:
        """Keep in memory what is known already."""
        assert self._texts is not None
        numbers, prints = self._texts
        self.memory.add(prints[np.searchsorted(numbers, rows)], read, known=True)


def _part(batch: Batch, wanted: NDArray[np.bool_]) -> Batch:
    return batch.take(wanted)


def together(one: Batch, other: Batch) -> Batch:
    """The rows of two batches of one table, in the file's order."""
    if not len(other) or not len(one):
        return one if len(one) else other
    rows = np.concatenate([one.rows, other.rows])
    order = np.argsort(rows)
    return Batch(rows[order], pa.concat_tables([one.table, other.table]).take(pa.array(order)).combine_chunks())
