"""Tiles from memory, else from the database: the newest that there is, made once for all who wait for it.

The order of things makes a tile never older than the last commit visible when it was asked for: first what has changed
is learned, then the memory is asked for exactly that state, and only then the data are read.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.types import Receive

from api.noted import note
from api.served import Served
from api.tile_question import Asked, Part, TileQuestions, Token
from api.tile_reply import TileReply
from gis.access import Identity
from gis.query.ask import Ask as QueryAsk
from gis.query.plan import NOW_TICK, Plan
from gis.query.statement import Statement
from tiles import mvt
from tiles.cache import Cache, Flight, Flights
from tiles.freshness import Changes

#: A request is watched for its caller hanging up once it has taken this long; most are answered before.
_UNWATCHED_S = 0.02
#: Addresses that are kept as read, and how long those are: longer ones are read each time, by their question at hand.
_MOST_ADDRESSES, _LONGEST_BYTES = 32_768, 1_024
_TICK_S = NOW_TICK.total_seconds()
_MB = 1 << 20

Share = tuple[str, Token]


class CallerGoneError(Exception):
    """Whoever asked does not listen any more."""


class TileServer:
    """The tiles of one city, for one event loop."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.changes: Changes = served.changes
        self.cache: Cache[str, TileReply] = Cache(served.settings.tile_cache_mb * _MB)
        self.flights: Flights[Share, TileReply] = Flights()
        self._questions = TileQuestions(served)
        self._asked: dict[tuple[Identity, str, bytes], Asked] = {}

        self.logs_all = served.settings.log_requests == "all"

    def at(self, path: str, parameters: bytes) -> Asked | None:
        """The tile that an address asks for, where that was read before."""
        return self._asked.get((self.served.rights, path, parameters))

    def read(self, path: str, parameters: bytes) -> Asked | None:
        """The tile that an address asks for; None where it is no tile's. Raises as TileQuestions does."""
        asked = self._questions.read(path, parameters.decode("latin-1"))
        if asked is not None and len(path) + len(parameters) <= _LONGEST_BYTES:
            if len(self._asked) >= _MOST_ADDRESSES:
                self._asked.clear()
            self._asked[self.served.rights, path, parameters] = asked
        return asked

    def count(self, asked: Asked) -> None:
        """Count a question of each collection that the tile shows."""
        consumer = self.served.consumer
        for part in asked.parts:
            self.served.tally.count(consumer, part.query.collection)

    def token(self, asked: Asked) -> Token:
        """The state of what the tile is made of, not older than the last `changes.reading()`."""
        return asked.token(self.changes, int(time.time() // _TICK_S))

    def kept(self, asked: Asked, token: Token) -> TileReply | None:
        """The tile in that state, if it is in memory."""
        found = self.cache.get(asked.key)
        return found if found is not None and found.token == token else None

    async def made(self, asked: Asked, token: Token, receive: Receive) -> TileReply:
        """The tile in that state or a later one, from the database.

        Raises Unavailable, BadQuery, and CallerGoneError when the caller hangs up meanwhile.
        """
        if len(asked.parts) == 1:
            share = (asked.key, token)
            return (await self._loaded({share: asked.parts[0]}, receive))[share]
        shares = {(part.key, part.token(self.changes, token[2])): part for part in asked.parts}
        found = {share: reply for share in shares if (reply := self._share(share)) is not None}
        missing = {share: part for share, part in shares.items() if share not in found}
        if missing:
            found |= await self._loaded(missing, receive)
        return self._joined(asked, token, [found[share] for share in shares])

    async def pack(self, asked: Asked, reply: TileReply) -> None:
        """Make a tile's packed form, and keep that too."""
        await reply.pack()
        if self.cache.get(asked.key) is reply:
            self.cache.put(asked.key, reply)

    async def _loaded(self, missing: Mapping[Share, Part], receive: Receive) -> dict[Share, TileReply]:
        """Shares from the database, each read once for all who wait for it."""
        found: dict[Share, TileReply] = {}
        with self.flights.joined(list(missing), partial(self._load, missing)) as flights:
            await _watched(flights, receive)
        for flight in flights:
            found |= flight.values()
        return found

    def _share(self, share: Share) -> TileReply | None:
        found = self.cache.get(share[0])
        return found if found is not None and found.token == share[1] else None

    def _joined(self, asked: Asked, token: Token, replies: Sequence[TileReply]) -> TileReply:
        """Layers of several tiles are one tile's: the encoding needs no more than one after the other."""
        content = b"".join(reply.content for reply in replies)
        return self._keep(asked.key, token, content, any(reply.left_out for reply in replies))

    async def _load(self, parts: Mapping[Share, Part], wanted: Sequence[Share]) -> Sequence[TileReply]:
        """Shares of a tile from the database, in one round trip; in a second one those that are found to be crowded."""
        plans = {share: self._plan(parts[share], share[1]) for share in wanted}
        quick = {share: mvt.quick(plans[share], parts[share].tile) for share in wanted if not parts[share].is_crowded}
        found = await self._rows(quick)
        full = {share: mvt.statement(plans[share], parts[share].tile) for share in wanted if share not in found}
        found |= await self._rows(full)
        for share in full.keys() & quick.keys():
            parts[share].is_crowded = True
        return [self._keep(*share, *found.get(share, (b"", False))) for share in wanted]

    def _plan(self, part: Part, token: Token) -> Plan:
        plan = QueryAsk(query=part.query, identity=self.served.identity).plan(self.served.catalogue)
        note(part.query)
        if part.follows_now:
            # the very tick that the token names, though the next one may have begun
            plan = replace(plan, now=datetime.fromtimestamp(token[2] * _TICK_S, UTC))
        return plan

    async def _rows(self, statements: Mapping[Share, Statement | None]) -> dict[Share, tuple[bytes, bool]]:
        """The row of each statement that has one; in one round trip."""
        database, asked = self.served.database, [(share, s) for share, s in statements.items() if s is not None]
        if not asked:
            return {}
        if len(asked) == 1:
            answers = [await database.rows(asked[0][1])]
        else:
            answers = await database.rows_of_each([s for _, s in asked])
        return {share: (rows[0][0], rows[0][1]) for (share, _), rows in zip(asked, answers, strict=True) if rows}

    def _keep(self, key: str, token: Token, content: bytes, left_out: bool) -> TileReply:
        before = self.cache.get(key)
        if before is not None and before.content == content and before.left_out == left_out:
            # a minute later, or something changed that does not show: copies that callers hold are still good
            return before.renewed(token)
        reply = TileReply(key, bytes(content), token, left_out=left_out)
        self.cache.put(key, reply)
        return reply


async def _watched(flights: Sequence[Flight[Share, TileReply]], receive: Receive) -> None:
    """Wait for flights. Raises CallerGoneError when the caller hangs up first."""
    late: set[asyncio.Future[Any]] = {flight.task for flight in flights}
    _, late = await asyncio.wait(late, timeout=_UNWATCHED_S)
    if not late:
        return
    gone: asyncio.Future[Any] = asyncio.ensure_future(_hung_up(receive))
    try:
        while late and not gone.done():
            _, left = await asyncio.wait({*late, gone}, return_when=asyncio.FIRST_COMPLETED)
            late = left - {gone}
        if late:
            raise CallerGoneError
    finally:
        gone.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
