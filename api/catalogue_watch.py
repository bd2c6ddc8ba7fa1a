"""The catalogue kept up with the directory: a register that it declares is served without a restart."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from gis.catalog import Catalogue
from gis.errors import OneMapError
from gis.exchange.directory import with_declared
from gis.query.statement import Statement
from gis.store.database import Database
from gis.store.derived import derive

EVERY_S = 5.0
_VERSION = Statement("SELECT coalesce(max(version), 0) FROM exchange.directory_version")
_LOG = logging.getLogger("onemap.directory")


@dataclass(slots=True)
class CatalogueWatch:
    """Looks for new versions of the directory, and serves the registers that they declare.

    `own` is the catalogue without them; `version` the one of the directory that is served, None for a city without any.
    `state` is the application's, whose `served` is replaced: whoever was answered from the one before is answered to
    the end, and what was kept in memory of it is made anew.
    """

    own: Catalogue
    threads: Database
    version: int | None = None
    state: Any = None

    def read(self) -> Catalogue:
        """The whole catalogue as the directory has it now; the version first, so that none is missed."""
        has_directory = any(layer.name == "exchange" for layer in self.own.layers)
        version = int(self.threads.rows(_VERSION)[0][0]) if has_directory else None
        whole = with_declared(self.own, self.threads)
        derive(self.threads.url, whole)
        self.version = version
        return whole

    async def look(self) -> None:
        """Serve what a new version declares. Raises what asking the database raises."""
        served = self.state.served
        if int((await served.database.rows(_VERSION))[0][0]) == self.version:
            return
        whole = await asyncio.to_thread(self.read)
        if {c.id: c for c in whole} != {c.id: c for c in served.catalogue}:
            self.state.served = replace(served, catalogue=whole)
        _LOG.info("the directory's version %s is served", self.version)

    @asynccontextmanager
    async def looking(self, state: Any) -> AsyncIterator[None]:
        """Look again and again, while an application serves."""
        self.state = state
        if self.version is None:
            yield
            return
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except OneMapError as error:
                _LOG.info("the directory is looked at later: %s", error)
            except Exception:
                _LOG.exception("the directory's registers could not be served")
