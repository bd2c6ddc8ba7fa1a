"""Rows of an earlier file of the same department, told by their text alone: whom each is about, and what it says.

A register that is delivered whole says nearly the same again every time. A row whose text stands as it stood is not
read again: its number and its fingerprint are those of the reading before. This is a memory of reading and no record:
what a row means is judged as ever, and without the memory rows are read anew, to the same end.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from gis.exchange.delivery.words import Ints, places

_CELL, _ROW = b"\x1f", b"\x1e"
#: Numbers of entities have 53 bits; that many filled items stand below them in one whole number.
_FACTS_BITS = 10
#: A full file is remembered anew when more of its rows than this share were unknown.
_OFTEN = 0.05


def fingerprints(table: pa.Table, seed: int) -> Ints | None:
    """A number for the text of each row, all columns of it; None for a table that is not all text.

    XXH3 of 64 bits, seeded. None as well where a value holds one of the two characters set between values.
    """
    columns = [column.combine_chunks() for column in table.columns]
    if not columns or not all(pa.types.is_string(c.type) and not c.null_count for c in columns):
        return None
    joined = pc.binary_join_element_wise(*columns, _ROW.decode(), _CELL.decode())
    if isinstance(joined, pa.ChunkedArray):
        joined = joined.combine_chunks()
    ends = np.frombuffer(joined.buffers()[1], np.int32)[joined.offset : joined.offset + len(joined) + 1]
    text = memoryview(joined.buffers()[2])[int(ends[0]) : int(ends[-1])]
    held = np.frombuffer(text, np.uint8)
    rows = bytes(text).split(_ROW)[:-1]
    if len(rows) != len(table) or np.count_nonzero(held == _CELL[0]) != len(rows) * len(columns):
        return None
    return line_fingerprints(rows, seed)


def line_fingerprints(lines: list[bytes], seed: int) -> Ints:
    """A number for the bytes of each line. XXH3 of 64 bits, seeded."""
    hashed = map(partial(xxhash.xxh3_64_intdigest, seed=seed), lines)
    return np.fromiter(hashed, np.uint64, len(lines)).view(np.int64)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What rows were read as: numbers of entities, fingerprints of what is said, and how many items are filled."""

    fids: Ints
    digests: Ints
    facts: Ints

    def take(self, where: NDArray[np.bool_] | Ints) -> "Remembered":
        """Those for which `where` is true, or those at these places."""
        return Remembered(self.fids[where], self.digests[where], self.facts[where])


@dataclass(slots=True)
class Memory:
    """The rows of a department's last whole file for one register, in files of one layout.

    `path` is where they are kept: three lines of numbers (the text's fingerprint, ascending; whom it is about, with
    the number of filled items; what it says).
    """

    path: Path
    known: NDArray[np.int64] = field(default_factory=lambda: np.empty((3, 0), np.int64))
    read: list[NDArray[np.int64]] = field(default_factory=list)
    unknown: int = 0

    @classmethod
    def at(cls, path: Path) -> "Memory":
        """What is kept there; nothing where there is no such file, or one that cannot be read."""
        with suppress(OSError, ValueError):
            found = np.load(path, mmap_mode="r", allow_pickle=False)
            if found.dtype == np.int64 and found.ndim == 2 and len(found) == 3:
                return cls(path, found)
        return cls(path)

    def find(self, prints: Ints) -> Ints:
        """Where each text stands among those that are known; −1 for the others."""
        at, known = places(self.known[0], prints)
        return np.where(known, at, -1)

    def told(self, at: Ints) -> Remembered:
        """What the known texts at these places were read as."""
        about = self.known[1][at]
        return Remembered(about >> _FACTS_BITS, self.known[2][at], about & ((1 << _FACTS_BITS) - 1))

    def add(self, prints: Ints, rows: Remembered, *, known: bool = False) -> None:
        """Remember what some rows of this file were read as."""
        self.unknown += 0 if known else len(prints)
        fits = rows.facts < 1 << _FACTS_BITS
        about = (rows.fids << _FACTS_BITS) | rows.facts
        self.read.append(np.stack([prints[fits], about[fits], rows.digests[fits]]))

    def keep(self) -> None:
        """Keep what this file's rows were read as, if much of it is new; it is no harm if that fails."""
        count = sum(part.shape[1] for part in self.read)
        if self.unknown <= _OFTEN * count:
            return
        layouts = f"{self.path.name.rpartition('.')[0].rpartition('.')[0]}.*"
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            with made.open("wb") as file:
                self._write(file, count)
            for old in self.path.parent.glob(layouts):
                if old not in (made, self.path):
                    old.unlink(missing_ok=True)
            made.replace(self.path)

    def _write(self, file: BinaryIO, count: int) -> None:
        """All rows in the order of their prints; line by line, so that no second copy of them is ever held."""
        order = np.argsort(np.concatenate([part[0] for part in self.read]), kind="stable")
        shape = {"descr": "<i8", "fortran_order": False, "shape": (3, count)}
        np.lib.format.write_array_header_1_0(file, shape)
        for line in range(3):
            np.concatenate([part[line] for part in self.read])[order].astype("<i8").tofile(file)


@dataclass(frozen=True, slots=True)
class Memories:
    """Where a department's memory of a register is kept: a file for the layout of its last whole file.

    What is kept is not looked at when it is `idle`: where nothing was ever said, no row can repeat what was.
    """

    folder: Path
    register: str
    department: str
    idle: bool = False

    def of(self, layout: str) -> Memory:
        """The memory of files of one layout: all that their rows' meaning depends on beside their text."""
        digest = xxhash.xxh3_128_hexdigest(layout.encode())
        path = self.folder / f"{self.register}.{self.department}.{digest}.npy"
        return Memory(path) if self.idle else Memory.at(path)
