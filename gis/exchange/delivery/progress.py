"""How far the work is: told to whoever called, and kept on the delivery's record for those who look from elsewhere."""

import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import psycopg

from gis.errors import OneMapError
from gis.store.database import connect

Progress = Callable[[int, int | None], None]
_EVERY_S = 1.0


class Teller:
    """Tells at most once a second, on a connection of its own; that it cannot is no reason to stop the work."""

    def __init__(self, url: str, delivery: int, progress: Progress | None) -> None:
        self._url, self._delivery, self._progress = url, delivery, progress
        self._told_at = time.monotonic()
        self._conn: psycopg.Connection[tuple[object, ...]] | None = None

    def tell(self, done: int, total: int | None) -> None:
        """So many rows are done, of so many in all where that is known."""
        if self._progress is not None:
            self._progress(done, total)
        if time.monotonic() - self._told_at < _EVERY_S:
            return
        self._told_at = time.monotonic()
        with suppress(psycopg.Error, OneMapError):
            self._conn = self._conn or connect(self._url, autocommit=True)
            self._conn.execute(
                "UPDATE exchange.delivery SET done_rows = %s, all_rows = %s WHERE id = %s",
                (done, total, self._delivery),
            )

    def __enter__(self) -> Self:
        """The teller itself."""
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Close the connection."""
        if self._conn is not None:
            self._conn.close()
