"""How often each collection is asked, and by whom: counted in memory, written now and then."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gis.errors import OneMapError
from gis.exchange.scorecard import Tally
from gis.store.database import Database

_LOG = logging.getLogger("onemap.web")
_EVERY_S = 30.0


@asynccontextmanager
async def kept(tally: Tally, database: Database) -> AsyncIterator[None]:
    """Write what is counted every half minute, and what is left at the end."""
    writing = asyncio.create_task(_write_now_and_then(tally, database))
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await _write(tally, database)


async def _write_now_and_then(tally: Tally, database: Database) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        await _write(tally, database)


async def _write(tally: Tally, database: Database) -> None:
    try:
        await asyncio.to_thread(tally.write, database)
    except OneMapError as error:
        # it is kept, and written the next time
        _LOG.warning("counts of use wait: %s", error)
