"""What commands and notebooks put into the trace: every read of persons, before it is told, and every export."""

import getpass
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.access.trace import Event
from gis.access.watermark import new_mark
from gis.catalog import Sensitivity
from gis.query.plan import Plan
from gis.query.traced import traced
from gis.settings import Settings
from gis.store.trace import write_once
from gis.store.trace_key import trace_key


@dataclass(frozen=True, slots=True)
class PlanTrace:
    """The entries of one question that is asked without a server."""

    plan: Plan
    url: str

    def told(self, rows: int) -> None:
        """So many rows were read and are about to be told. Raises Unavailable, SetupError: then they must not be."""
        if any(self.plan.catalogue[name].sensitivity is Sensitivity.PERSONAL for name in self.plan.registers):
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
        plan, home = self.plan, self._home
        identity = plan.identity
        text = traced(plan.query, plan.collection, trace_key(home).pseudonyms)
        write_once(self.url, home, Event(
            event=event, who=f"{identity.name} ({getpass.getuser()})", role=identity.role, origin=socket.gethostname(),
            purpose=identity.purpose, collection=plan.query.collection, query=text, **more,
        ))  # fmt: skip
