"""Deliveries as they stand on record: what was handed over, by whom, how far it is, what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.errors import NotFound
from gis.exchange.delivery.account import DeliveryOptions
from gis.exchange.delivery.records import kept_at
from gis.exchange.readers.source import ReadOptions
from gis.query.span import instant_text
from gis.query.statement import Statement, conjunction
from gis.store.database import Database

STATES = ("received", "working", "done", "failed", "withdrawn")
MODES = ("full", "incremental", "auto")

_PARTS = ("delivered", "accepted", "unchanged", "returned")
_COLUMNS = (
    "id", "register", "department", "mode", "edition", "file", "spool", "options", "state",
    *(f"{unit}_{part}" for unit in ("rows", "facts") for part in _PARTS),
    "ended", "reasons", "done_rows", "all_rows", "error", "received_at", "started_at", "finished_at",
    "received_by",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM exchange.delivery WHERE "


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list."""

    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One delivery on record; `values` are its columns."""

    values: Mapping[str, Any]

    @property
    def id(self) -> int:
        """Its number."""
        return int(self.values["id"])

    @property
    def register(self) -> str:
        """The register that it is for."""
        return str(self.values["register"])

    @property
    def department(self) -> str:
        """Who handed it over."""
        return str(self.values["department"])

    @property
    def path(self) -> Path:
        """The file as it was handed over."""
        return kept_at(str(self.values["spool"]))

    @property
    def options(self) -> DeliveryOptions:
        """How its file is to be read."""
        kept = self.values["options"]
        return DeliveryOptions(read=ReadOptions(**kept.get("read", {})), columns=kept.get("columns", {}))

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it: counts are null until they are known."""
        v = self.values
        plain = ("id", "register", "department", "mode", "file", "state", "ended", "reasons", "error")
        times = ("edition", "received_at", "started_at", "finished_at")
        return {
            **{name: v[name] for name in plain},
            **{name: v[name] and instant_text(v[name]) for name in times},
            **{unit: {part: v[f"{unit}_{part}"] for part in _PARTS} for unit in ("rows", "facts")},
            "progress": {"done": v["done_rows"], "total": v["all_rows"]},
        }


def record(database: Database, delivery: int) -> Record:
    """One delivery. Raises NotFound."""
    found = database.rows(Statement(f"{_SELECT}id = %s", (delivery,)))
    if not found:
        raise NotFound(f"there is no delivery {delivery}", f"没有批次 {delivery}", subject=str(delivery))
    return _record(found[0])


def records(database: Database, wanted: Mapping[str, str | None], page: Page) -> tuple[list[Record], int]:
    """A page of the deliveries of a register, a department and a state (None: any), the newest first; and how many."""
    names = ("register", "department", "state")
    condition = conjunction([Statement(f"{n} = %s", (wanted[n],)) for n in names if wanted.get(n) is not None])
    ordered = Statement(
        f"{_SELECT}{condition.sql} ORDER BY id DESC LIMIT %s OFFSET %s", (*condition.args, page.limit, page.offset)
    )
    counted = Statement(f"SELECT count(*) FROM exchange.delivery WHERE {condition.sql}", condition.args)
    return [_record(row) for row in database.rows(ordered)], int(database.rows(counted)[0][0])


def _record(row: tuple[Any, ...]) -> Record:
    return Record(dict(zip(_COLUMNS, row, strict=True)))
