"""Threads beside the event loop: a caller with much to do leaves one for whoever comes."""

import asyncio
import threading

import pytest

from api.noted import NOTED, Noted
from api.threads import Threads
from gis.errors import Unavailable


def test_who_comes_beside_a_busy_caller_is_served_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.threads._MOST_WAITING", 4)
    release = threading.Event()

    async def run() -> tuple[list[bool], int]:
        threads = Threads(2, "trial")
        NOTED.set(Noted(asker="greedy"))
        greedy = [asyncio.create_task(threads.run(release.wait, 60)) for _ in range(9)]
        await asyncio.sleep(0)
        NOTED.set(Noted(asker="modest"))
        async with asyncio.timeout(30):
            assert await threads.run(sum, [1, 2]) == 3
        release.set()
        found = await asyncio.gather(*greedy, return_exceptions=True)
        threads.close(wait=True)
        refused = sum(isinstance(one, Unavailable) for one in found)
        return [one for one in found if isinstance(one, bool)], refused

    assert asyncio.run(run()) == ([True] * 4, 5)
