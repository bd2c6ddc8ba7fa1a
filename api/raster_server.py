"""Rasters of one city: which file is asked for, tiles in memory, files read beside the event loop, a few at a time."""

import asyncio
import hashlib
import importlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from api.served import Served
from api.threads import Threads
from gis.access import check_reader, may_see
from gis.catalog import Raster
from gis.errors import BadQuery, NotFound, SetupError
from gis.query.span import Span
from gis.store.rasters import Moment, RasterFiles
from tiles.cache import Cache, Flights
from tiles.grid import Tile

T = TypeVar("T")

_LOG = logging.getLogger("onemap.rasters")

_THREADS = 2
_CACHE_BYTES = 32 << 20
_OVERHEAD_BYTES = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A tile in memory."""

    content: bytes

    @property
    def size_bytes(self) -> int:
        """Bytes of memory, about."""
        return len(self.content) + _OVERHEAD_BYTES


class RasterServer:
    """For one event loop."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.files = RasterFiles.of(served.settings)
        self.cache: Cache[str, Kept] = Cache(_CACHE_BYTES)
        self._flights: Flights[str, bytes] = Flights()
        self._threads = Threads(_THREADS, "raster")
        self._extents: dict[str, tuple[str, tuple[float, ...]]] = {}

    def close(self) -> None:
        """Let go of the threads; what they are at is brought to its end."""
        self._threads.close(wait=True)

    def raster(self, raster_id: str) -> Raster:
        """The raster of a path. Raises NotFound, Forbidden."""
        found = self.served.catalogue.rasters.get(raster_id)
        if found is None:
            name = raster_id[:80]
            raise NotFound(f"there is no raster {name!r}", f"没有栅格 {name!r}", subject=name)
        check_reader(self.served.identity, found)
        return found

    def rasters(self) -> list[Raster]:
        """Those that the caller may see."""
        return [raster for raster in self.served.catalogue.rasters.values() if may_see(self.served.identity, raster)]

    async def newest(self, raster: Raster, datetime_: str | None) -> Moment | None:
        """The newest file not after the parameter `datetime` (None: now). Raises BadQuery, SetupError, Unavailable."""
        return await self.beside(self.files.newest, raster, span_of(raster, datetime_), datetime.now(UTC))

    async def known(self, raster: Raster) -> tuple[tuple[float, ...] | None, list[datetime]]:
        """The extent of the newest file in degrees, and from when on each file holds.

        None, [] while there is none; None where it cannot be read, which spoils nothing else of its description.
        """
        times = [when for when, _ in await self.beside(self.files.listed, raster)] if raster.timed else []
        try:
            moment = await self.newest(raster, None)
            return (None if moment is None else await self._extent(raster, moment)), times
        except SetupError as error:
            _LOG.warning("%s", error)
            return None, times

    async def _extent(self, raster: Raster, moment: Moment) -> tuple[float, ...]:
        kept = self._extents.get(raster.id)
        if kept is None or kept[0] != moment.version:
            kept = (moment.version, await self.beside(lambda: reading().extent(raster, moment.path)))
            self._extents[raster.id] = kept
        return kept[1]

    async def needed(self, raster: Raster, datetime_: str | None) -> Moment:
        """The same, where there has to be one. Raises NotFound too."""
        found = await self.newest(raster, datetime_)
        if found is None:
            raise NotFound(f"{raster.id} has nothing for that time yet", f"{raster.id} 在该时刻尚无数据",
                           subject="datetime")  # fmt: skip
        return found

    def tag(self, raster: Raster, moment: Moment, tile: Tile, *how: str | None) -> str:
        """What names a tile in its present state, known before it is read; quoted, for ETag."""
        said = f"{moment.version}|{raster!r}|{sorted(raster.ramps.items())}|{tile.grid.id}/{tile.text}|{how}"
        return f'"{hashlib.blake2b(said.encode(), digest_size=12).hexdigest()}"'

    async def tile(self, tag: str, work: Callable[[], bytes]) -> bytes:
        """A tile by its tag, from memory or made once for all who wait. Raises Unavailable and what `work` raises."""
        kept = self.cache.get(tag)
        if kept is not None:
            return kept.content

        async def load(_: Sequence[str]) -> list[bytes]:
            content = await self.beside(work)
            self.cache.put(tag, Kept(content))
            return [content]

        with self._flights.joined([tag], load) as flights:
            return (await asyncio.shield(flights[0].task))[0]

    async def beside(self, work: Callable[..., T], *args: Any) -> T:
        """What work brings on a thread of the rasters' own. Raises Unavailable when too many wait for one."""
        return await self._threads.run(work, *args)


def span_of(raster: Raster, text: str | None) -> Span | None:
    """The parameter `datetime`. Raises BadQuery where the raster knows no time."""
    if text is not None and not raster.timed:
        raise BadQuery(f"{raster.id} has no time to ask for", f"{raster.id} 没有时间维度", subject="datetime")
    return None if text is None else Span.parse(text)


def reading() -> Any:
    """The module that reads files, loaded when the first is asked for: it brings much that few servers need."""
    return importlib.import_module("tiles.raster")
