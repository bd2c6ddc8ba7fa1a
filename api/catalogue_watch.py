"""The catalogue kept up with what data say: registers that the directory declares, policies that were adjusted.

Both are served without a restart.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gis.catalog import Catalogue
from gis.errors import OneMapError
from gis.exchange.directory import with_declared
from gis.exchange.published import VERSION as PUBLICATIONS
from gis.exchange.published import with_published
from gis.query.statement import Statement
from gis.store.database import Database
from gis.store.derived import derive
from gis.store.policies import VERSION as POLICIES
from gis.store.policies import with_policies

#: So long may one process serve by what another has changed already.
EVERY_S = 1.0
_VERSION = Statement("SELECT coalesce(max(version), 0) FROM exchange.directory_version")
_LOG = logging.getLogger("onemap.directory")


@dataclass(slots=True)
class CatalogueWatch:
    """Looks for new versions of the directory and of policies, and serves what they declare.

    `own` is the catalogue without them; `version` the one of the directory that is served, None for a city without any,
    `policies` that of the policies, `publications` that of the open data.
    `state` is the application's, whose `served` is replaced: whoever was answered from the one before is answered to
    the end, and what was kept in memory of it is made anew. `declared` is the catalogue with the policies that were
    declared, whatever was adjusted.
    """

    own: Catalogue
    threads: Database
    version: int | None = None
    policies: int = 0
    publications: int = 0
    state: Any = None
    declared: Catalogue = field(init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Until data were read, what is declared is what the program declares."""
        self.declared = self.own

    def read(self) -> Catalogue:
        """The whole catalogue as data have it now; the versions first, so that none is missed."""
        has_directory = any(layer.name == "exchange" for layer in self.own.layers)
        version = int(self.threads.rows(_VERSION)[0][0]) if has_directory else None
        policies = int(self.threads.rows(POLICIES)[0][0])
        publications = int(self.threads.rows(PUBLICATIONS)[0][0])
        whole = with_published(with_declared(self.own, self.threads), self.threads)
        derive(self.threads.url, whole)
        self.declared = whole
        whole = with_policies(whole, self.threads)
        self.version, self.policies, self.publications = version, policies, publications
        return whole

    async def look(self) -> None:
        """Serve what a new version declares. Raises what asking the database raises."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        served = self.state.served
        policies = int((await served.own.rows(POLICIES))[0][0])
        publications = int((await served.own.rows(PUBLICATIONS))[0][0])
        version = None if self.version is None else int((await served.own.rows(_VERSION))[0][0])
        if (version, policies, publications) == (self.version, self.policies, self.publications):
            return
        whole = await asyncio.to_thread(self.read)
        if {c.id: c for c in whole} != {c.id: c for c in served.catalogue}:
            self.state.geocoding.follow(whole)
            self.state.served = replace(served, catalogue=whole)
        _LOG.info("version %s of the directory and %s of the policies are served", self.version, self.policies)

    @asynccontextmanager
    async def looking(self, state: Any) -> AsyncIterator[None]:
        """Look again and again, while an application serves."""
        self.state = state
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
                _LOG.info("the directory and the policies are looked at later: %s", error)
            except Exception:
                _LOG.exception("what the directory or a policy says could not be served")
