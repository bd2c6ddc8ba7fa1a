"""What was made once need not be made twice: a cache bounded by bytes, and one flight for all who ask for the same.

Both belong to one event loop and are asked from it alone.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What says how much memory it takes."""

    @property
    def size_bytes(self) -> int:
        """Bytes of memory, about."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
S = TypeVar("S", bound=Sized)


class Cache(Generic[K, S]):
    """Values by key up to a number of bytes; those that were not asked for longest make room."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._kept: OrderedDict[K, tuple[S, int]] = OrderedDict()

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._kept)

    def get(self, key: K) -> S | None:
        """The value of a key, which counts as asked for."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: S) -> None:
        """Keep a value, in place of the key's older one; put it again when its size has changed."""
        before = self._kept.pop(key, None)
        if before is not None:
            self.bytes -= before[1]
        size = value.size_bytes
        if size > self.most_bytes:
            return
        self._kept[key] = (value, size)
        self.bytes += size
        while self.bytes > self.most_bytes:
            self.bytes -= self._kept.popitem(last=False)[1][1]


class Flight(Generic[K, V]):
    """One piece of work for several keys, and how many wait for it."""

    __slots__ = ("keys", "task", "waiting")

    def __init__(self, keys: Sequence[K], task: "asyncio.Future[Sequence[V]]") -> None:
        self.keys, self.task, self.waiting = keys, task, 0

    def values(self) -> dict[K, V]:
        """What the work brought, by key. Raises what the work raised."""
        return dict(zip(self.keys, self.task.result(), strict=True))


class Flights(Generic[K, V]):
    """Work under way by key, so that nobody begins what somebody has begun.

    `begun` and `shared` count the keys for which work was begun, and those that found it under way.
    """

    def __init__(self) -> None:
        self._by_key: dict[K, Flight[K, V]] = {}
        self.begun = self.shared = 0

    def __len__(self) -> int:
        """How many keys are worked for."""
        return len(self._by_key)

    @contextmanager
    def joined(
        self, keys: Sequence[K], load: Callable[[Sequence[K]], Awaitable[Sequence[V]]]
    ) -> Iterator[list[Flight[K, V]]]:
        """The flights that bring the keys; `load` is begun for those that are not under way.

        Whoever leaves early leaves the others be; when the last one leaves, the work is cancelled.
        """
        missing = [key for key in keys if key not in self._by_key]
        self.begun += len(missing)
        self.shared += len(keys) - len(missing)
        self._begin(missing, load)
        aboard = list(dict.fromkeys(self._by_key[key] for key in keys))
        for flight in aboard:
            flight.waiting += 1
        try:
            yield aboard
        finally:
            for flight in aboard:
                flight.waiting -= 1
                if not flight.waiting and not flight.task.done():
                    flight.task.cancel()
                    self._ended(flight)

    def _begin(self, keys: Sequence[K], load: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        if not keys:
            return
        flight: Flight[K, V] = Flight(keys, asyncio.ensure_future(load(keys)))
        self._by_key.update(dict.fromkeys(keys, flight))
        flight.task.add_done_callback(lambda _: self._ended(flight))

    def _ended(self, flight: Flight[K, V]) -> None:
        for key in flight.keys:
            if self._by_key.get(key) is flight:
                del self._by_key[key]
        if flight.task.done() and not flight.task.cancelled():
            flight.task.exception()  # whoever waits raises it; asyncio need not complain that nobody does
