"""What follows from a register and is kept beside it: made from declarations, kept by triggers, swapped in with it.

Migrations make registers; what is derived from them (the log of changes, rollups, generalised shapes) is made here
from what is declared now, and made again when the declaration reads otherwise. To add a kind, write one class that
is a `Derived`, in a module of its own, and put an instance of it into `DERIVED`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import psycopg

from gis.catalog import Collection
from gis.store.changes_record import ChangeLog
from gis.store.database import connect, translated
from gis.store.generalised import Generalised
from gis.store.policies import in_force
from gis.store.rollups import Rollups
from gis.store.tables import Register
from gis.store.wall import Wall


class Derived(Protocol):
    """One kind of thing derived from a register's open rows.

    Its triggers on the open table are statement triggers with transition tables, for INSERT, UPDATE, DELETE and
    TRUNCATE; never row triggers. Its tables lie in the register's schema and begin with the register's noun; a copy of
    them that is in the making ends with a suffix, like the register's own.
    """

    @property
    def kind(self) -> str:
        """Its name in `core.derived`."""

    def digest(self, collection: Collection) -> str | None:
        """Names what is declared, and how this code makes it: another digest, and it is made again. None: no such."""

    def tables(self, collection: Collection) -> tuple[str, ...]:
        """The quoted names of the tables that readers read and `swap` replaces; they are locked with the register."""

    def install(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Make tables and triggers, and fill them from the register, which nobody can write to meanwhile."""

    def remove(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str = "") -> None:
        """Take away tables, triggers and functions, whatever declaration made them, or their unfinished copy.

        That there are none is no error.
        """

    def copy(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Make `…{suffix}` from the register's copy `…{suffix}`, which is complete, has its key and is analysed.

        Beside readers and writers of the register itself, in a transaction of its own or in that of the delivery.
        """

    def swap(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Put what `copy` made in place, and the triggers on the register, which lost them: it was swapped in just now.

        What stood before need not be there. `tables` are locked already.
        """


WALL = Wall()

#: Every kind, in the order in which they are made; the wall around all the others last. Classes are listed here by
#: instance: `from gis.store.rollups import Rollups` … `DERIVED: tuple[Derived, ...] = (Rollups(),)`.
DERIVED: tuple[Derived, ...] = (ChangeLog(), Rollups(), Generalised(), WALL)

_RECORD = (
    "INSERT INTO core.derived (register, kind, digest) VALUES (%s, %s, %s)"
    " ON CONFLICT (register, kind) DO UPDATE SET digest = excluded.digest, made_at = clock_timestamp()"
)
_FORGET = "DELETE FROM core.derived WHERE (register, kind) = (%s, %s)"
_RECORDED = "SELECT register, kind, digest FROM core.derived"


def derive(url: str, collections: Iterable[Collection]) -> list[str]:
    """Bring what is derived from each collection's register to what is declared; returns what was made, as id:kind.

    One look-up where nothing is to do. Collections without tables are passed over. Raises Unavailable.
    """
    with translated(), connect(url, autocommit=True) as conn:
        known = {(register, kind): digest for register, kind, digest in conn.execute(_RECORDED)}
        collections = in_force(conn, collections)
        behind = [c for c in collections if any(d.digest(c) != known.get((c.id, d.kind)) for d in DERIVED)]
        return [made for collection in behind for made in ensure(conn, collection)]


def ensure(conn: psycopg.Connection[Any], collection: Collection) -> list[str]:
    """Bring what is derived from one register to what is declared, in a transaction; returns what was made."""
    (collection,) = in_force(conn, [collection])
    register = Register.of(collection)
    with conn.transaction():
        if conn.execute("SELECT to_regclass(%s)", (register.table(),)).fetchone() == (None,):
            return []
        # who writes waits, who reads does not; it is what CREATE TRIGGER takes
        conn.execute(f"LOCK TABLE {register.table()} IN SHARE ROW EXCLUSIVE MODE")
        recorded = conn.execute(f"{_RECORDED} WHERE register = %s", (collection.id,)).fetchall()
        known = {kind: digest for _, kind, digest in recorded}
        behind = [derived for derived in DERIVED if derived.digest(collection) != known.get(derived.kind)]
        if WALL in behind:
            WALL.index(conn, collection)
        if behind:
            # views on what is made anew would hold what was there, and it has no wall yet
            WALL.lift(conn, collection)
        made = [f"{collection.id}:{derived.kind}" for derived in behind if _make(conn, collection, derived)]
        if behind and WALL not in behind:
            _make(conn, collection, WALL)
        return made


def copy(conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
    """Derive everything from a register's copy that is about to be swapped in."""
    for derived, _ in _declared(collection):
        derived.remove(conn, collection, suffix)
        derived.copy(conn, collection, suffix)


def swap(conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
    """Put in place what `copy` made; to be called when the register's copy has just been put in place."""
    (collection,) = in_force(conn, [collection])
    WALL.lift(conn, collection)
    for derived, digest in _declared(collection):
        derived.swap(conn, collection, suffix)
        conn.execute(_RECORD, (collection.id, derived.kind, digest))


def drop_copy(conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
    """Take away what `copy` made, or began to."""
    for derived, _ in _declared(collection):
        derived.remove(conn, collection, suffix)


def read_tables(conn: psycopg.Connection[Any], collection: Collection) -> list[str]:
    """The tables that stand and that `swap` will replace, quoted."""
    names = [name for derived, _ in _declared(collection) for name in derived.tables(collection)]
    rows = conn.execute("SELECT n FROM unnest(%s::text[]) n WHERE to_regclass(n) IS NOT NULL", (names,))
    return [name for (name,) in rows]


def _declared(collection: Collection) -> Iterator[tuple[Derived, str]]:
    for derived in DERIVED:
        digest = derived.digest(collection)
        if digest is not None:
            yield derived, digest


def _make(conn: psycopg.Connection[Any], collection: Collection, derived: Derived) -> bool:
    """Make it anew; False where it is only taken away."""
    derived.remove(conn, collection)
    digest = derived.digest(collection)
    if digest is None:
        conn.execute(_FORGET, (collection.id, derived.kind))
        return False
    derived.install(conn, collection)
    conn.execute(_RECORD, (collection.id, derived.kind, digest))
    return True
