"""What a server's health is made of: whether it lives, and whether it can answer questions."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import psycopg

from api.catalogue_watch import CatalogueWatch
from api.served import Served
from api.working import DeliveryWorker
from gis.errors import BadQuery, Unavailable
from gis.query.statement import Statement
from gis.store.migrated import Expected

_PATIENCE_S = 3.0
_PING = Statement("SELECT 1")


@dataclass(slots=True)
class Health:
    """One server's. `worker` is the process beside it, where it has one; `watch` keeps up with the directory."""

    served: Served
    expected: Expected
    worker: DeliveryWorker | None = None
    watch: CatalogueWatch | None = None
    _round_trip_ms: float | None = None

    async def checks(self) -> dict[str, str]:
        """Each thing without which no question is answered: `ok`, or what is amiss."""
        database = await self._in_time(self._ping())
        if database != "ok":
            return {"database": database, "migrations": "unknown", "changes": "unknown"}
        migrations, changes = await asyncio.gather(
            self._in_time(self._migrated()), self._in_time(self.served.changes.settled())
        )
        return {"database": database, "migrations": migrations, "changes": changes}

    def details(self) -> dict[str, Any]:
        """What else is worth knowing, and makes nobody turn away: round trip, pool, directory, worker."""
        load, age_s = self.served.database.load, self.served.changes.age_s
        return {
            **({} if self._round_trip_ms is None else {"round_trip_ms": self._round_trip_ms}),
            "pool": {"most": load.most, "size": load.size, "available": load.available, "waiting": load.waiting},
            "changes_age_s": None if age_s is None else round(age_s, 3),
            **({} if self.watch is None else {"directory_version": self.watch.version}),
            "worker": "none" if self.worker is None else "alive" if self.worker.pid is not None else "away",
        }

    async def _ping(self) -> None:
        begun_s = time.perf_counter()
        self._round_trip_ms = None
        await self.served.own.rows(_PING)
        self._round_trip_ms = round((time.perf_counter() - begun_s) * 1000, 1)

    async def _migrated(self) -> str | None:
        found = await self.served.own.rows(self.expected.statement)
        others = self.expected.missing((str(schema), str(revision)) for schema, revision in found)
        return f"other revision: {', '.join(others)}" if others else None

    @staticmethod
    async def _in_time(work: Any) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await work or "ok"
        except (Unavailable, BadQuery, TimeoutError, psycopg.Error):
            return "unavailable"
