"""What commands and notebooks put into the trace: reads of what is closed before it is told, exports, changes."""

import getpass
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.access import OWNER, Identity
from gis.access.trace import Event
from gis.access.watermark import new_mark
from gis.catalog import Catalogue, Sensitivity
from gis.errors import Forbidden, OneMapError
from gis.query.plan import Plan
from gis.query.traced import traced
from gis.settings import Settings
from gis.store.database import connect, translated
from gis.store.trace import write_once
from gis.store.trace_anchor import Anchors
from gis.store.trace_chain import head
from gis.store.trace_key import trace_key


@dataclass(frozen=True, slots=True)
class PlanTrace:
    """The entries of one question that is asked without a server."""

    plan: Plan
    url: str

    def told(self, rows: int) -> None:
        """So many rows were read and are about to be told. Raises Unavailable, SetupError: then they must not be."""
        if any(not _is_open(self.plan.catalogue, name) for name in self.plan.registers):
            self._write("read", rows=rows)

    def exported(self) -> str:
        """An export is about to be written; returns its watermark. Raises Unavailable, SetupError."""
        mark = new_mark(trace_key(self._home).secret)
        self._write("exported", mark=mark)
        return mark

    def export_ended(self, mark: str, rows: int | None) -> None:
        """It was written, with so many rows; None: it failed."""
        self._write("export_ended", mark=mark, rows=rows, outcome="success" if rows is not None else "failed")

    @property
    def _home(self) -> Path:
        return Settings().home

    def _write(self, event: str, **more: Any) -> None:
        plan = self.plan
        text = traced(plan.query, plan.collection, trace_key(self._home).pseudonyms)
        trace_act(self.url, event, plan.identity, collection=plan.query.collection, query=text, **more)


def trace_read(
    url: str, catalogue: Catalogue, collections: Iterable[str], identity: Identity = OWNER, **more: Any
) -> None:
    """Put into the trace that collections were read otherwise than by a question; open ones are left out.

    Raises Unavailable, SetupError: then what was read must not be told.
    """
    closed = [name for name in collections if not _is_open(catalogue, name)]
    if closed:
        write_once(url, Settings().home, *(_event("read", identity, collection=name, **more) for name in closed))


def _is_open(catalogue: Catalogue, name: str) -> bool:
    # a register that is declared no more is closed
    return name in {c.id for c in catalogue} and catalogue[name].sensitivity is Sensitivity.OPEN


def trace_act(url: str, event: str, identity: Identity = OWNER, **more: Any) -> None:
    """Put into the trace what somebody does at the machine itself; `more` are facts of `gis.access.trace.Event`.

    Raises Unavailable, SetupError.
    """
    write_once(url, Settings().home, _event(event, identity, **more))


def _event(event: str, identity: Identity, **more: Any) -> Event:
    return Event(
        event=event, who=f"{identity.name} ({getpass.getuser()})", role=identity.role, origin=socket.gethostname(),
        purpose=identity.purpose, **more,
    )  # fmt: skip


def trace_restored(url: str) -> None:
    """A backup was brought back: what was traced after it was taken is gone, and the trace goes on from there.

    Raises Unavailable, SetupError.
    """
    home = Settings().home
    anchors = Anchors(home, trace_key(home))
    with connect(url) as conn, translated():
        newest, _ = head(conn)
    anchors.restored(newest)
    for other in anchors.others(newest.chain, newest.database):
        anchors.give_up(other)
    trace_act(url, "restored", detail={"last_entry": newest.number})


@contextmanager
def traced_act(url: str, event: str, identity: Identity = OWNER, **more: Any) -> Iterator[dict[str, Any]]:
    """Put into the trace how a change ends that is made inside; what is put into the value is told too.

    Raises Unavailable, SetupError, before anything is changed where the trace has no key.
    """
    trace_key(Settings().home)
    told: dict[str, Any] = {}
    try:
        yield told
    except BaseException as error:
        outcome = "refused" if isinstance(error, Forbidden) else "failed"
        with suppress(OneMapError):
            trace_act(url, event, identity, outcome=outcome, **more)
        raise
    trace_act(url, event, identity, **(more | told))
