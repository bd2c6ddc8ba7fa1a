"""`python -m gis.exchange.readers.reading_process MEMORY_MB CPU_S`: reads one file for somebody else, then ends.

It is told by its standard input which file, and answers on its standard output; see `confined`.
"""

import dataclasses
import sys
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa

from gis.errors import OneMapError
from gis.exchange.readers import ReadOptions, open_source
from gis.exchange.readers.confinement import Limits, confine
from gis.exchange.readers.csv import CsvSource
from gis.exchange.readers.reading_wire import BrokenOffError, hear, numbers, of_batch, say
from gis.exchange.readers.source import Batch, Skimmed, Source

#: Batches of which some rows may still be asked for.
_KEPT = 4


class ReadingProcess:
    """One file, for one reader."""

    def __init__(self, asked: IO[bytes], told: IO[bytes], *, is_apart: bool) -> None:
        self.asked, self.told, self.is_apart = asked, told, is_apart
        self._source: Source | None = None
        self._batches: Iterator[Batch] = iter(())
        self._skimmed: dict[int, Skimmed] = {}
        self._count = 0
        self._at_open = self._told_decisions = self._told_rejects = 0

    def run(self) -> None:
        """Answer until nobody asks any more."""
        while True:
            try:
                asked, parts = hear(self.asked)
            except BrokenOffError:
                return
            try:
                self._answer(asked, parts)
            except BrokenOffError:
                return
            except OneMapError as error:
                if _is_of_memory(error):
                    say(self.told, {"error": "MemoryError"})
                    continue
                failed = {"error": type(error).__name__, **error.text.as_dict(), "subject": error.subject}
                say(self.told, failed | {"inside": error.inside})
            except MemoryError:
                self._batches, self._skimmed = iter(()), {}
                say(self.told, {"error": "MemoryError"})

    def _answer(self, asked: dict[str, Any], parts: list[bytes]) -> None:
        if "open" in asked:
            self._open(asked)
        elif "begin" in asked:
            self._begin(asked)
        elif "next" in asked:
            self._next()
        else:
            mask = np.frombuffer(parts[0], np.bool_)
            say(self.told, {}, of_batch(self._skimmed[asked["read"]].read(mask)))

    def _open(self, asked: dict[str, Any]) -> None:
        from pathlib import Path  # noqa: PLC0415

        source = self._source = open_source(Path(asked["open"]), ReadOptions(**asked["options"]))
        self._at_open = len(source.findings.decisions)
        self._told_decisions = 0
        opened = {"crs": source.crs, "total_rows": source.total_rows, "skims": isinstance(source, CsvSource)}
        say(self.told, opened | {"is_apart": self.is_apart} | self._news())

    def _begin(self, asked: dict[str, Any]) -> None:
        assert self._source is not None
        self._source.findings.keep = asked["keep"]
        if isinstance(self._source, CsvSource):
            self._source.skim = self._skim if asked["skim"] else None
        self._batches, self._skimmed = self._source.batches(), {}
        self._told_decisions, self._told_rejects = self._at_open, 0
        say(self.told, {})

    def _next(self) -> None:
        batch = next(self._batches, None)
        if batch is None:
            say(self.told, {"end": True} | self._news())
            return
        self._count += 1
        head: dict[str, Any] = {"batch": self._count}
        if batch.skimmed is not None:
            self._skimmed[self._count] = batch.skimmed
            self._skimmed.pop(self._count - _KEPT, None)
        say(self.told, head | self._news(), of_batch(batch))

    def _skim(self, lines: list[bytes]) -> tuple[Any, Any]:
        """Ask which lines are known: what is remembered of earlier files is not for this process to see."""
        sink = pa.BufferOutputStream()
        column = pa.table({"line": pa.array(lines, pa.binary())})
        with pa.ipc.new_stream(sink, column.schema) as writer:
            writer.write_table(column)
        say(self.told, {"skim": len(lines)}, [sink.getvalue()])
        _, (prints, at) = hear(self.asked)
        return numbers(prints), numbers(at)

    def _news(self) -> dict[str, Any]:
        """What was decided and refused since it was last told."""
        assert self._source is not None
        found = self._source.findings
        decisions, rejects = found.decisions[self._told_decisions :], found.rejects[self._told_rejects :]
        self._told_decisions, self._told_rejects = len(found.decisions), len(found.rejects)
        return {
            "decisions": [[d.about, d.value, d.evidence.zh, d.evidence.en, d.sure] for d in decisions],
            "rejects": [[r.row, r.reason, r.text.zh, r.text.en, r.value, r.field] for r in rejects],
        }


def _is_of_memory(error: BaseException | None) -> bool:
    """Whether what a reader takes for a damaged file is that there was no memory for it."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def main() -> None:
    """Read for whoever started this."""
    memory_mb, cpu_s = map(int, sys.argv[1:3])
    told = sys.stdout.buffer
    # what a library prints is no answer
    sys.stdout = sys.stderr
    is_apart = confine(dataclasses.replace(Limits(), memory_mb=memory_mb, cpu_s=cpu_s))
    ReadingProcess(sys.stdin.buffer, told, is_apart=is_apart).run()


if __name__ == "__main__":
    main()
