"""Whose question is next when more is asked than can be answered at once: each caller's in turn, however many it has.

Every caller waits in a queue of its own, and the queues are served one after the other. One place is kept from whoever
holds all others, so that a caller with one short question never waits for somebody's many long ones to end.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gis.errors import Unavailable


class Turns:
    """So many places, for one event loop.

    At most `most_waiting` questions wait in all, of one caller no more than leaves as many for each other that waits
    and for one who comes next.
    """

    def __init__(self, places: int, most_waiting: int, patience_s: float) -> None:
        self._free = places
        self._most_held, self._most_waiting, self._patience_s = max(1, places - 1), most_waiting, patience_s
        self._held: Counter[str] = Counter()
        #: In the order in which they are served next.
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many questions wait."""
        return sum(map(len, self._queues.values()))

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """A place for a caller, when it is its turn.

        Raises Unavailable where too many of its questions wait, or its turn does not come in time.
        """
        if not self._seat(caller):
            await self._wait(caller)
        try:
            yield
        finally:
            self._leave(caller)

    def _seat(self, caller: str) -> bool:
        """Take a free place for a caller, if there is one: whoever waits gets what comes free at once."""
        if not self._free or self._held[caller] >= self._most_held:
            return False
        self._free -= 1
        self._held[caller] += 1
        return True

    async def _wait(self, caller: str) -> None:
        self._check_room(caller)
        called = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(called)
        try:
            async with asyncio.timeout(self._patience_s):
                await called
        except asyncio.CancelledError:
            self._give_up(caller, called)
            raise
        except TimeoutError:
            self._give_up(caller, called)
            raise Unavailable(
                f"nothing was free within {self._patience_s:g} s; ask again in a moment",
                f"{self._patience_s:g} 秒内没有空闲资源,请稍后再试",
            ) from None

    def _give_up(self, caller: str, called: asyncio.Future[None]) -> None:
        if not called.cancelled():
            self._leave(caller)  # its turn had just come
        elif called in self._queues.get(caller, ()):
            self._take_out(caller, called)

    def _check_room(self, caller: str) -> None:
        callers = len({caller, *self._queues})
        most_of_one = max(1, self._most_waiting // (callers + 1))
        if self.waiting >= self._most_waiting or len(self._queues.get(caller, ())) >= most_of_one:
            raise Unavailable(
                "more questions wait than the server can answer now; ask again in a moment", "当前请求过多,请稍后再试"
            )

    def _leave(self, caller: str) -> None:
        """Give a place back, and call whoever can be seated now."""
        self._stand_up(caller)
        while (following := next((c for c in self._queues if self._seat(c)), None)) is not None:
            called = self._queues[following][0]
            self._take_out(following, called)
            if called.done():
                self._stand_up(following)  # who waited has gone
            else:
                called.set_result(None)

    def _stand_up(self, caller: str) -> None:
        self._free += 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]

    def _take_out(self, caller: str, called: asyncio.Future[None]) -> None:
        """Take a question from its caller's queue, which goes to the end of the row."""
        queue = self._queues.pop(caller)
        queue.remove(called)
        if queue:
            self._queues[caller] = queue
