"""Being told to stop: what goes on without end must end then, or the server would wait for it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def when_told_to_stop(act: Callable[[], None]) -> Iterator[None]:
    """Have something done on the event loop when the process is told to stop, before what its server does about it.

    The server's own handler stays. Where there is none, as in tests, nothing is listened to.
    """
    loop = asyncio.get_running_loop()
    before = {}
    for number in (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ():
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            before[number] = handler
            signal.signal(number, _first(act, handler, loop))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _first(
    act: Callable[[], None], handler: Callable[[int, FrameType | None], object], loop: asyncio.AbstractEventLoop
) -> Callable[[int, FrameType | None], None]:
    def both(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        handler(number, frame)

    return both
