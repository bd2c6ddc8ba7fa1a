"""What a delivery is asked to be and what became of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from gis.exchange.readers.source import ReadOptions

Mode = Literal["full", "incremental", "auto"]


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions:
    """How a delivery is meant.

    `mode`: "full" (an entity that is missing has ended), "incremental" (only what changed; a column 操作 or op may say
    insert, update or delete), "auto" (incremental where there is such a column). `edition` is the moment for which the
    department speaks (aware; default: now). `columns` maps fields to the file's columns. `allow_ends` lets a full
    delivery end more than a fifth of what the department said before.
    """

    mode: Mode = "auto"
    edition: datetime | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    columns: Mapping[str, str] = field(default_factory=dict)
    allow_ends: bool = False
    received_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """What has to be kept until the delivery is worked on, as JSON carries it."""
        read = {k: v for k, v in asdict(self.read).items() if v is not None}
        return {"read": read, "columns": dict(self.columns), "allow_ends": self.allow_ends}


@dataclass(frozen=True, slots=True)
class Account:
    """`delivered` = `accepted` + `unchanged` + `returned`, always."""

    delivered: int = 0
    accepted: int = 0
    unchanged: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One delivery and its account, by row and by fact (a filled item of a row).

    `ended` counts entities that the department held before and a full delivery lacks; `reasons` counts the returned
    rows' reasons; `epoch` is the register's recorded change, None where nothing changed. `error` is why a delivery
    failed, {zh, en}.
    """

    id: int
    register: str
    department: str
    mode: str
    edition: datetime
    file: str
    state: str
    rows: Account = Account()
    facts: Account = Account()
    ended: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    epoch: int | None = None
    findings: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON carries it."""
        return {**asdict(self), "edition": self.edition.isoformat()}
