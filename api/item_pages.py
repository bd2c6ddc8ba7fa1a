"""Pages of features as GeoJSON: made by the database in one round trip, kept as long as nothing changed.

What has changed is learned before the data are read, so that a page is never older than the last commit that was
visible when it was asked for; a page that the caller holds already is not read at all.
"""

import hashlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from api.counts import Counts
from api.item_question import Question
from api.paging import check_order, last_row, page_links
from api.reply import Conditions
from api.served import Asked, Served
from gis.query import geojson
from gis.query.ask import Ask as QueryAsk
from gis.query.matching_rows import FEW, Matched
from gis.query.plan import NOW_TICK, Plan
from gis.query.span import instant_text
from tiles.cache import Cache

_TICK_S = NOW_TICK.total_seconds()
_CACHE_BYTES = 32 << 20
_OVERHEAD_BYTES = 500

#: The incarnation of the database, digests of the registers' changes, the tick that counts as now where that matters.
State = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page's bytes and its entity tag, without quotes."""

    content: bytes
    etag: str

    @property
    def size_bytes(self) -> int:
        """Bytes of memory, about."""
        return len(self.content) + _OVERHEAD_BYTES


class ItemPages:
    """The pages of one city, for one event loop."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._counts = Counts(served)
        self._kept: Cache[str, Page] = Cache(_CACHE_BYTES)
        #: The last recorded change of a register, as far as pages have seen it.
        self._newest: dict[str, int] = {}

    async def page(self, question: Question, crs: str, conditions: Conditions) -> Page:
        """The page; without content where the caller's copy is it. Raises Unavailable, Forbidden, BadQuery."""
        state = await self._state(question)
        # of everything that the page's bytes depend on, the data by their state
        etag = hashlib.blake2b(f"{state}{question.about}".encode(), digest_size=12).hexdigest()
        identity = self.served.identity
        self.served.tally.count(self.served.consumer, question.query.collection)
        if conditions.hold(f'"{etag}"') or conditions.hold(f'"{etag}-gz"'):
            return Page(b"", etag)
        kept = self._kept.get(etag)
        if kept is None:
            plan = QueryAsk(query=question.query, identity=identity).plan(self.served.catalogue)
            if question.follows_now and not plan.query.page.after:
                # the very tick that the state names, though the next one may have begun
                plan = replace(plan, now=datetime.fromtimestamp(state[-1] * _TICK_S, UTC))
            kept = Page(await self._made(question.ask, plan, crs, state), etag)
            self._kept.put(etag, kept)
        return kept

    async def _state(self, question: Question) -> State:
        changes = self.served.changes
        await changes.settled()
        tick = int(time.time() // _TICK_S) if question.follows_now else 0
        return (changes.incarnation, *map(changes.of, question.registers), tick)

    async def _made(self, ask: Asked, plan: Plan, crs: str, state: State) -> bytes:
        await check_order(self.served, plan)
        few = FEW + 1 if plan.query.area is not None and not self._counts.known(plan, state) else 0
        (features, found, fid, valid_from, keys, epoch, counted), seen = await self._read(plan, crs, few)
        page, limit = plan.query.page, plan.query.page.limit or 1
        if found <= limit and not page.offset and page.after is None:
            matched = Matched(found)
        elif counted is not None and counted <= FEW:
            matched = self._counts.keep(seen, state, Matched(counted))
        else:
            matched = await self._counts.of(seen, state)
        last = last_row(plan, (fid, valid_from, keys or []), epoch) if found > limit else None
        head: dict[str, Any] = {
            "type": "FeatureCollection",
            "timeStamp": instant_text(plan.now),
            **matched.members(),
            "numberReturned": min(found, limit),
            "links": page_links(ask, plan.collection, plan.query, self.served.seal, last),
        }
        listed = geojson.without_next(features or b"", found, limit)
        return b"".join((orjson.dumps(head)[:-1], b',"features":[', listed, b"]}"))

    async def _read(self, plan: Plan, crs: str, few: int) -> tuple[tuple[Any, ...], Plan]:
        """The row of `geojson.page`, and a plan of the rows that it was taken from; up to `few` are counted with it.

        A later page sees what the first one saw. As long as nothing was recorded since, that is the open rows, and the
        statement tells the last recorded change that it saw itself; only else is what was closed looked into as well.
        """
        page, register, ask = plan.query.page, plan.query.collection, self.served.database.rows
        pinned = page.after.epoch if page.after and plan.query.as_of is None else None
        if page.after is None:
            return (await ask(geojson.page(plan, crs, counted_to=few)))[0], plan
        if pinned is not None and self._newest.get(register, pinned) <= pinned:
            open_rows = plan.query.but(page=replace(page, after=replace(page.after, epoch=None)))
            seen = replace(plan, query=open_rows)
            found = (await ask(geojson.page(seen, crs)))[0]
            self._newest[register] = found[-2]
            if found[-2] <= pinned:
                return found, seen
        return (await ask(geojson.page(plan, crs)))[0], plan
