"""The server's connections to its database: as one who may only read what a caller may, and as its owner."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.asker import asker
from api.metrics import Metrics
from gis.settings import Settings
from gis.store.database import AsyncDatabase, Database
from gis.store.reading import Reading
from gis.store.wall_roles import Reader, reader

if TYPE_CHECKING:
    from api.served import Served

#: Connections for what the server does on its own behalf: looking for changes, facts, versions.
_OWN = 4
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Databases:
    """Four pools: what plans ask on the event loop and beside it, all else on the loop and beside it.

    `reader` is as whom the first two read.
    """

    reader: Reader
    asked: AsyncDatabase
    readers: Database
    own: AsyncDatabase
    threads: Database

    @classmethod
    async def open(cls, url: str, settings: Settings, served: Callable[[], "Served"], metrics: Metrics) -> "Databases":
        """Open them, for the database of an owner's address; `served` knows who asks now. Raises Unavailable."""
        found = await asyncio.to_thread(reader, url, settings.reader_url)
        wall = Reading(found, lambda: served().catalogue, lambda: served().rights) if found.mode != "none" else None
        asked = AsyncDatabase(found.url, max_waiting=settings.max_waiting, asker=asker, wall=wall)
        opened = cls(
            found, asked, Database(found.url, size=_THREADS, wall=wall), AsyncDatabase(url, size=_OWN),
            Database(url, size=_THREADS),
        )  # fmt: skip
        for one in (asked, opened.readers, opened.own, opened.threads):
            one.watch = metrics
        await asked.open()
        await opened.own.open()
        return opened

    async def close(self) -> None:
        """Close all connections."""
        await self.asked.close()
        await self.own.close()
        await asyncio.to_thread(self.readers.close)
        await asyncio.to_thread(self.threads.close)
