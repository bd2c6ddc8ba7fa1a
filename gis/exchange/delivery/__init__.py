"""What departments hand over, into the registers: accepted where it agrees, returned where it does not."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gis.catalog import Catalogue
from gis.errors import OneMapError
from gis.exchange.delivery import records
from gis.exchange.delivery.account import Account, Delivered, DeliveryOptions, Mode
from gis.exchange.delivery.progress import Progress
from gis.exchange.delivery.withdraw import withdraw
from gis.exchange.delivery.work import work
from gis.store.database import Database, connect

__all__ = [
    "Account",
    "Delivered",
    "DeliveryOptions",
    "Mode",
    "Progress",
    "deliver",
    "receive",
    "withdraw",
    "work",
    "work_pending",
]


def receive(
    database: Database,
    catalogue: Catalogue,
    register: str,
    path: Path,
    department: str,
    options: DeliveryOptions | None = None,
) -> int:
    """Keep a file that a department hands over, to be worked on; returns the delivery's number.

    Raises UnknownName for the register or the department, BadInput for the file or the date of its data.
    """
    return records.receive(database, register, path, department, options or DeliveryOptions())


def deliver(  # noqa: PLR0913, PLR0917  what a delivery is, whole
    database: Database,
    catalogue: Catalogue,
    register: str,
    path: Path,
    department: str,
    options: DeliveryOptions | None = None,
    progress: Progress | None = None,
) -> Delivered:
    """Receive a file and work on it; returns its account. Raises what `receive` and `work` raise."""
    return work(database, catalogue, receive(database, catalogue, register, path, department, options), progress)


def work_pending(
    database: Database, catalogue: Catalogue, register: str | None = None, progress: Progress | None = None
) -> Iterator[Delivered]:
    """Take up every delivery that waits, or whose worker died, in the order in which they came.

    One that fails is given with its error; the others go on.
    """
    with connect(database.url) as conn:
        waiting = [n for n in records.pending(conn) if register in (None, records.record(conn, n).register)]
    for number in waiting:
        with suppress(OneMapError):
            work(database, catalogue, number, progress)
        with connect(database.url) as conn:
            yield records.delivered(conn, number)
