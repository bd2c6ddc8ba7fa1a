"""The files of rasters: which there are, from when on each holds, which is asked for. No path comes from outside."""

import logging
import os
import threading
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from gis.catalog import Raster
from gis.errors import SetupError
from gis.query.span import Span
from gis.settings import Settings

_LOG = logging.getLogger("onemap.rasters")
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """One file of a raster. `valid_from` None: it always held; `version` changes when the file does."""

    path: Path
    valid_from: datetime | None
    version: str


class RasterFiles:
    """The files below one folder. May be asked from several threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stacks: dict[str, tuple[int, list[tuple[datetime, str]]]] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> "RasterFiles":
        """Those of an installation."""
        return cls(settings.rasters or settings.home / "rasters")

    def newest(self, raster: Raster, span: Span | None, now: datetime) -> Moment | None:
        """The newest file that holds at the end of a span (None: now); None where there is none yet.

        Raises SetupError where a declared file is not there, or lies elsewhere.
        """
        listed = self.listed(raster)
        if not raster.timed:
            return self._moment(raster, None, listed[0][1])
        number = bisect_right(listed, now, key=lambda one: one[0])
        if span is not None and span.end is not None:
            # the end is no more part of the span
            number = sum(when < span.end for when, _ in listed)
        return self._moment(raster, *listed[number - 1]) if number else None

    def within(self, raster: Raster, span: Span, most: int) -> list[Moment]:
        """The files that begin within a span, at most so many, oldest first. Raises SetupError."""
        start, end = span.start or _BEFORE_ALL, span.end
        chosen = [one for one in self.listed(raster) if start <= one[0] and (end is None or one[0] < end)]
        return [self._moment(raster, when, name) for when, name in chosen[:most]]

    def listed(self, raster: Raster) -> list[tuple[datetime, str]]:
        """From when on each file holds, and its name below the folder; oldest first."""
        if raster.stack is None:
            return sorted((f.valid_from or _BEFORE_ALL, f.path) for f in raster.files)
        folder = PurePosixPath(raster.stack).parent
        try:
            state = os.stat(self.root / folder).st_mtime_ns
        except OSError:
            return []
        with self._lock:
            kept = self._stacks.get(raster.id)
        if kept is None or kept[0] != state:
            found = [
                (when, str(folder / name))
                for name in os.listdir(self.root / folder)
                if (when := _time(raster, name)) is not None
            ]
            kept = (state, sorted(found))
            with self._lock:
                self._stacks[raster.id] = kept
        return kept[1]

    def _moment(self, raster: Raster, when: datetime | None, name: str) -> Moment:
        path = (self.root / name).resolve()
        try:
            state = path.stat()
        except OSError:
            raise SetupError(
                f"{raster.id}: the file {name} is not in the folder of rasters",
                f"{raster.id}:栅格文件夹中没有文件 {name}",
                subject=raster.id,
            ) from None
        if not path.is_relative_to(self.root.resolve()):
            raise SetupError(
                f"{raster.id}: the file {name} lies outside the folder of rasters",
                f"{raster.id}:文件 {name} 不在栅格文件夹之内",
                subject=raster.id,
            )
        return Moment(path, when, f"{name}:{state.st_mtime_ns}:{state.st_size}")


def _time(raster: Raster, name: str) -> datetime | None:
    """What a file's name says; None for other files."""
    if not raster.name_expression.fullmatch(name):
        return None
    try:
        return datetime.strptime(name, raster.name_pattern).astimezone(UTC)
    except ValueError:
        _LOG.warning("%s: the file %s is left out, for its name says no time that there is", raster.id, name)
        return None
