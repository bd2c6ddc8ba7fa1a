"""Rollups are folded while the server runs, a little behind those who write."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gis.catalog import Catalogue
from gis.errors import OneMapError
from gis.store.database import Database
from gis.store.rollups import fold, waiting

#: Deltas that are open cost readers a look at each: a thousand or so in this time, where many write.
_EVERY_S = 2.0

_LOG = logging.getLogger("onemap.rollups")


@asynccontextmanager
async def folding(catalogue: Callable[[], Catalogue], threads: Database) -> AsyncIterator[None]:
    """Fold what is written, again and again, in a thread; several servers do not get into each other's way."""
    ending = asyncio.Event()
    working = asyncio.create_task(_work(catalogue, threads, ending))
    try:
        yield
    finally:
        ending.set()
        await working


async def _work(catalogue: Callable[[], Catalogue], threads: Database, ending: asyncio.Event) -> None:
    while not ending.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), _EVERY_S)
            return
        await asyncio.to_thread(_fold, catalogue(), threads)


def _fold(catalogue: Catalogue, threads: Database) -> None:
    try:
        with threads.connection() as conn:
            for collection in waiting(conn, catalogue):
                fold(conn, collection)
    except OneMapError as error:
        _LOG.info("rollups wait: %s", error)
    except Exception:
        _LOG.exception("rollups could not be folded")
