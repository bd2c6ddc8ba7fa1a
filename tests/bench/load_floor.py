"""The least that a load can take on this machine: ready bytes into a bare table, on as many connections as help.

No file is read, no cell computed, nothing checked: two COPYs of the same rows at once, unlogged, then the spatial index
and the key at once. What the peers take beside it says how many times faster than they any load can be.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from gis.store.bulk import prepare_indexing
from gis.store.database import connect

_COLUMNS = "fid, geom, code, name, kind, floor, value"
_TABLE = "public.load_floor"
_CHUNK_BYTES = 1 << 20
_INDEXES = (f"CREATE INDEX ON {_TABLE} USING gist (geom)", f"CREATE UNIQUE INDEX ON {_TABLE} (fid)")


@dataclass(frozen=True, slots=True)
class Floor:
    """The rows of the benchmark's register as bytes of COPY, in two halves."""

    url: str
    halves: Sequence[bytes]

    @classmethod
    def of_loaded(cls, url: str) -> "Floor":
        """From the register as it was loaded last."""
        return cls(url, [_half(url, odd) for odd in (0, 1)])

    def run(self) -> None:
        """Make the table, fill it, index it."""
        with connect(self.url, autocommit=True) as conn:
            conn.execute(f"DROP TABLE IF EXISTS {_TABLE}")
            conn.execute(f"CREATE UNLOGGED TABLE {_TABLE} AS SELECT {_COLUMNS} FROM bench.points WHERE false")
        with ThreadPoolExecutor(2) as both:
            _all(both, [partial(_fill, self.url, half) for half in self.halves])
            _all(both, [partial(_index, self.url, statement) for statement in _INDEXES])


def _all(both: ThreadPoolExecutor, works: Sequence[Callable[[], None]]) -> None:
    for done in [both.submit(work) for work in works]:
        done.result()


def _half(url: str, odd: int) -> bytes:
    rows = f"SELECT {_COLUMNS} FROM bench.points WHERE fid % 2 = {odd}"
    with connect(url) as conn, conn.cursor().copy(f"COPY ({rows}) TO STDOUT (FORMAT binary)") as copy:
        return b"".join(bytes(part) for part in copy)


def _fill(url: str, rows: bytes) -> None:
    with connect(url) as conn, conn.cursor().copy(f"COPY {_TABLE} ({_COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
        for at in range(0, len(rows), _CHUNK_BYTES):
            copy.write(rows[at : at + _CHUNK_BYTES])


def _index(url: str, statement: str) -> None:
    with connect(url, autocommit=True) as conn:
        prepare_indexing(conn)
        conn.execute(statement)
