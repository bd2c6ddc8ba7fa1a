"""Files of strangers, read by a process of their own that has little: what it takes too much of ends it, and it alone.

The reading process knows neither the database nor its key: it has one file, and hands on batches, decisions and
refused rows, as every `Source` does.
"""

import dataclasses
import logging
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.errors import BadInput, BadQuery, OneMapError
from gis.exchange.readers.confinement import Limits
from gis.exchange.readers.reading_wire import BrokenOffError, batch_of, hear, numbers, say
from gis.exchange.readers.source import Batch, Decision, Findings, ReadOptions, Skim, Skimmed
from gis.settings import CHECKOUT
from gis.text import Text

_LOG = logging.getLogger("onemap.deliveries")
_KINDS: dict[str, type[OneMapError]] = {kind.__name__: kind for kind in (BadInput, BadQuery)}
#: All of the environment that a reading process sees.
_SEEN = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PROJ_DATA", "GDAL_DATA", "PYTHONPATH", "VIRTUAL_ENV")
#: One thread and one arena each: address space is what is limited.
_SMALL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2", "ARROW_IO_THREADS": "1",
}  # fmt: skip


class ConfinedReader:
    """Opens files, each in a process of its own; one is always made ready before it is needed."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._ready: subprocess.Popen[bytes] | None = None

    def open_source(self, path: Path | str, options: ReadOptions | None = None) -> "ConfinedSource":
        """As `readers.open_source`; raises BadInput as well where reading takes more than the limits."""
        with self._lock:
            process, self._ready = self._ready or self._start(), None
        try:
            return ConfinedSource(Path(path), process, options or ReadOptions(), self.limits)
        finally:
            # not before: it would only be in the way of the one that is waited for
            with self._lock:
                self._ready = self._ready or self._start()

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            if self._ready is not None:
                _end(self._ready)
            self._ready = None

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "gis.exchange.readers.reading_process"]
        return subprocess.Popen(
            [*words, str(self.limits.memory_mb), str(self.limits.cpu_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
            env={name: os.environ[name] for name in _SEEN if name in os.environ} | _SMALL,
        )


class ConfinedSource:
    """An opened file; see `Source`. `skims` says whether lines can be told by their bytes, with `skim`."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes], options: ReadOptions, limits: Limits) -> None:
        self.path, self.limits, self._process = path, limits, process
        self.findings = Findings()
        self.skim: Skim | None = None
        self._turn = threading.Lock()
        self._end = weakref.finalize(self, _end, process)
        try:
            told, _ = self._ask({"open": str(path.absolute()), "options": dataclasses.asdict(options)})
        except BaseException:
            self.close()
            raise
        self.crs: str | None = told["crs"]
        self.total_rows: int | None = told["total_rows"]
        self.skims = bool(told["skims"])
        if not told["is_apart"]:
            _LOG.warning("the process that reads %s could not be cut off from the network", path.name)

    def close(self) -> None:
        """End the reading process; it ends as well when nobody can ask for rows any more."""
        self._end()

    def batches(self) -> Iterator[Batch]:
        """The rows, as the reader of the file's format gives them. Raises BadInput."""
        self.findings.begin()
        self._ask({"begin": True, "keep": self.findings.keep, "skim": self.skim is not None})
        while True:
            told, parts = self._ask({"next": True})
            if "end" in told:
                return
            yield self._batch(told["batch"], parts)

    def _batch(self, number: int, parts: Sequence[bytes]) -> Batch:
        batch = batch_of(parts[:4])
        if len(parts) > 4:
            rows, prints, at = map(numbers, parts[4:7])
            batch.skimmed = Skimmed(rows, prints, at, partial(self._read, number))
        return batch

    def _read(self, number: int, wanted: NDArray[np.bool_]) -> Batch:
        _, parts = self._ask({"read": number}, [np.ascontiguousarray(wanted).tobytes()])
        return batch_of(parts[:4])

    def _ask(self, asked: dict[str, Any], parts: Sequence[bytes] = ()) -> tuple[dict[str, Any], list[bytes]]:
        """Ask, answer what is asked back, and note the news. Raises BadInput, and whatever reading raises."""
        with self._turn:
            try:
                return self._asked(asked, parts)
            except (BrokenOffError, BrokenPipeError, ValueError):
                raise self._ended() from None

    def _asked(self, asked: dict[str, Any], parts: Sequence[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        to, of = self._process.stdin, self._process.stdout
        assert to is not None and of is not None
        say(to, asked, parts)
        told, found = hear(of)
        while "skim" in told:
            assert self.skim is not None
            lines = pa.ipc.open_stream(pa.BufferReader(found[0])).read_all()["line"].to_pylist()
            prints, at = self.skim(lines)
            say(to, {}, [prints.astype("<i8").tobytes(), at.astype("<i8").tobytes()])
            told, found = hear(of)
        if "error" in told:
            raise self._failed(told)
        for about, value, zh, en, sure in told.get("decisions", ()):
            self.findings.decisions.append(Decision(about, value, Text(zh, en), sure))
        for row, reason, zh, en, value, field in told.get("rejects", ()):
            self.findings.reject(row, reason, Text(zh, en), value, field)
        return told, found

    def _failed(self, told: dict[str, Any]) -> OneMapError:
        if told["error"] == "MemoryError":
            return self._too_much()
        kind = _KINDS.get(told["error"], BadInput)
        return kind(told["en"], told["zh"], subject=told.get("subject", ""), inside=told.get("inside", ""))

    def _ended(self) -> BadInput:
        """Why the process is gone, as far as the system says."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        _LOG.warning("the process that read %s ended with %s", self.path.name, code)
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            seconds = self.limits.cpu_s
            return BadInput(
                f"reading {self.path.name} took more than {seconds} s of the processor, or was stopped by the system;"
                " cut it into parts, or send CSV or Parquet",
                f"读取 {self.path.name} 超过处理器时限 {seconds} 秒,或被系统终止;请拆分文件,或改用 CSV、Parquet",
                subject=str(self.path),
            )
        if code is not None and code < 0:
            return BadInput(
                f"{self.path.name} broke the program that reads it ({signal.Signals(-code).name}): it is damaged or"
                " made for that; open it in its own program and save it again",
                f"{self.path.name} 使读取程序崩溃({signal.Signals(-code).name}):文件已损坏或被恶意构造;"
                "请用原软件打开后重新保存",
                subject=str(self.path),
            )
        return self._too_much()

    def _too_much(self) -> BadInput:
        return BadInput(
            f"reading {self.path.name} needs more than {self.limits.memory_mb} MB of memory; cut it into parts, or send"
            " CSV or Parquet, which are read piece by piece (ONEMAP_READING_MEMORY_MB raises it)",
            f"读取 {self.path.name} 需要超过 {self.limits.memory_mb} MB 内存;请拆分文件,或改用可逐段读取的 CSV、Parquet"
            "(可用 ONEMAP_READING_MEMORY_MB 调整)",
            subject=str(self.path),
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, whatever it is at; nothing that it does is worth waiting for."""
    with suppress(ProcessLookupError, OSError):
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
