"""A few threads for what would hold up the event loop; callers have them in turn."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from api.asker import asker
from gis.store.turns import Turns

T = TypeVar("T")

_MOST_WAITING, _PATIENCE_S = 64, 30.0


class Threads:
    """So many threads for one caller alone, and one more for whoever comes beside it; for one event loop."""

    def __init__(self, number: int, name: str) -> None:
        self._turns = Turns(number + 1, _MOST_WAITING, _PATIENCE_S)
        self._pool = ThreadPoolExecutor(number + 1, thread_name_prefix=name)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """What a function brings. Raises Unavailable where too many of the caller's wait already."""
        async with self._turns.turn(asker()):
            done = partial(copy_context().run, work, *args)
            return await asyncio.get_running_loop().run_in_executor(self._pool, done)

    def close(self, *, wait: bool) -> None:
        """Begin nothing more; with `wait` what is under way is brought to its end."""
        self._pool.shutdown(wait=wait, cancel_futures=True)
