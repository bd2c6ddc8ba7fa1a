"""The cache keeps to its bytes; a flight is one for all who wait for it, and ends with the last of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.cache import Cache, Flights


@dataclass
class Thing:
    size_bytes: int


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60))), st.integers(0, 100))
def test_the_cache_never_takes_more_than_its_bytes(puts: list[tuple[int, int]], most: int) -> None:
    cache: Cache[int, Thing] = Cache(most)
    for key, size in puts:
        thing = Thing(size)
        cache.put(key, thing)
        assert cache.bytes <= most
        assert cache.get(key) is (thing if size <= most else None)
    kept = [thing for key in range(10) if (thing := cache.get(key)) is not None]
    assert (len(cache), cache.bytes) == (len(kept), sum(thing.size_bytes for thing in kept))


def test_what_was_not_asked_for_longest_makes_room() -> None:
    cache: Cache[str, Thing] = Cache(30)
    for key in "abc":
        cache.put(key, Thing(10))
    assert cache.get("a") is not None
    cache.put("d", Thing(10))
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]


def test_a_thing_that_grew_is_measured_again() -> None:
    cache: Cache[str, Thing] = Cache(30)
    thing = Thing(10)
    cache.put("a", thing)
    thing.size_bytes = 25
    cache.put("a", thing)
    assert (cache.bytes, len(cache)) == (25, 1)


class Slow:
    """Work that waits to be told to go on."""

    def __init__(self) -> None:
        self.begun: list[list[str]] = []
        self.cancelled = 0
        self.go = asyncio.Event()

    async def load(self, keys: Sequence[str]) -> list[str]:
        self.begun.append(list(keys))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if "bad" in keys:
            raise ValueError("bad")
        return [key.upper() for key in keys]


async def _wait(flights: Flights[str, str], work: Slow, *keys: str) -> dict[str, str]:
    found: dict[str, str] = {}
    with flights.joined(keys, work.load) as aboard:
        await asyncio.wait({flight.task for flight in aboard})
    for flight in aboard:
        found |= flight.values()
    return {key: found[key] for key in keys}


def test_all_who_wait_for_the_same_share_one_flight() -> None:
    async def run() -> None:
        flights, work = Flights[str, str](), Slow()
        waiting = [asyncio.create_task(_wait(flights, work, "a")) for _ in range(5)]
        waiting.append(asyncio.create_task(_wait(flights, work, "a", "b", "c")))
        await asyncio.sleep(0.01)
        assert work.begun == [["a"], ["b", "c"]] and len(flights) == 3
        work.go.set()
        assert await asyncio.gather(*waiting) == [{"a": "A"}] * 5 + [{"a": "A", "b": "B", "c": "C"}]
        assert len(flights) == 0
        await _wait(flights, work, "a")
        assert work.begun[2:] == [["a"]]

    asyncio.run(run())


def test_who_leaves_does_not_take_the_others_along_but_the_last_ends_it() -> None:
    async def run() -> None:
        flights, work = Flights[str, str](), Slow()
        waiting = [asyncio.create_task(_wait(flights, work, "a")) for _ in range(3)]
        await asyncio.sleep(0.01)
        for left in waiting[:2]:
            left.cancel()
        await asyncio.sleep(0.01)
        assert work.cancelled == 0 and len(flights) == 1
        waiting[2].cancel()
        await asyncio.sleep(0.01)
        assert (work.cancelled, len(flights)) == (1, 0)
        # whoever comes now begins anew, and is not given what was cancelled
        work.go.set()
        assert await _wait(flights, work, "a") == {"a": "A"}

    asyncio.run(run())


def test_what_fails_fails_for_all_who_wait_and_is_tried_again() -> None:
    async def run() -> None:
        flights, work = Flights[str, str](), Slow()
        work.go.set()
        results = await asyncio.gather(*(_wait(flights, work, "bad") for _ in range(3)), return_exceptions=True)
        assert [str(r) for r in results] == ["bad"] * 3 and len(work.begun) == 1
        with pytest.raises(ValueError, match="bad"):
            await _wait(flights, work, "bad")
        assert len(work.begun) == 2

    asyncio.run(run())
