"""A policy: who may see how much of a collection, declared with it; whoever no grant names sees nothing of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from gis.catalog.field import Field, FieldType

_ROLE = re.compile(r"[a-z][a-z0-9_]*\Z")

#: The rules of `gis.access.masking`.
MASKS = ("citizen_id", "telephone", "bank_card", "plate", "name", "email", "address", "birth_date", "closed")


class Rows(StrEnum):
    """Which rows a grant opens."""

    ALL = "all"
    #: Those in the divisions of the caller's duty; of somebody whose duty covers the whole city, all.
    DUTY = "duty"
    #: Those in the divisions of the emergencies in force, as long as they are.
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Rows are told as counts on the fixed lattice only: cells down to `resolution`, divisions, set dates.

    No count below `k` persons is told, nor can one be computed from those that are (GB/T 37964-2019). With
    `diversity`, whatever shows a sensitive attribute shows at least so many different values of it.
    """

    resolution: int
    k: int
    diversity: int = 1

    def __post_init__(self) -> None:
        """Refuse a lattice that would hide nobody."""
        if not 0 <= self.resolution <= 9 or self.k < 5 or self.diversity < 1:
            raise ValueError("anonymous figures need cells of resolution 9 or coarser and at least 5 persons")


#: How exactly a shape is told: as it is, as the H3 cell of a resolution that holds it, as its division alone.
Precision = Literal["exact", "division"] | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What some callers may see. Of several grants that fit a caller the first one holds.

    `roles` are those meant; `departments` and `purposes` narrow them where they are given (a purpose is stated with the
    question). Fields are told exactly but for those `masked` (the name of a rule of masking by field) or `hidden`.
    `precision` blurs shapes. With `anonymous` no row is told at all, only counts.
    """

    roles: tuple[str, ...]
    rows: Rows = Rows.ALL
    departments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    masked: Mapping[str, str] = field(default_factory=dict, hash=False)
    hidden: tuple[str, ...] = ()
    precision: Precision = "exact"
    anonymous: Anonymous | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if not self.roles or not all(_ROLE.match(role) for role in self.roles):
            raise ValueError(f"a grant names roles, not {self.roles!r}")
        for name, rule in self.masked.items():
            if rule not in MASKS or name in self.hidden:
                raise ValueError(f"field {name!r} cannot be masked as {rule!r}")
        if isinstance(self.precision, int) and not 0 <= self.precision <= 15:
            raise ValueError("cells have resolutions of 0 to 15")


@dataclass(frozen=True, slots=True)
class Policy:
    """The grants, the widest first."""

    grants: tuple[Grant, ...]

    def check(self, collection: str, fields: Mapping[str, Field]) -> None:
        """That grants speak of fields that there are, and mask what can be. Raises ValueError."""
        for grant in self.grants:
            for name in (*grant.masked, *grant.hidden):
                if name not in fields:
                    raise ValueError(f"{collection}: the policy names {name!r}, which is no field")
            for name, rule in grant.masked.items():
                kind = fields[name].type
                if kind is not FieldType.TEXT and (kind, rule) != (FieldType.DATE, "birth_date"):
                    raise ValueError(f"{collection}: {name!r} holds no text; it can be hidden, not masked as {rule}")
