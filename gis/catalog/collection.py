"""A collection: something that can be asked. Its declaration drives tables, filters, OpenAPI, legend and checks."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import pyarrow as pa

from gis.catalog.detail import Band, Detail
from gis.catalog.field import Field
from gis.catalog.measured import Measured
from gis.catalog.policy import Policy
from gis.catalog.rollup import Rollup
from gis.catalog.style import Style
from gis.errors import UnknownName
from gis.text import Text

_ID = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*\Z")
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")

#: PostgreSQL cuts a longer name off without a word, and two that are cut to the same are one.
_LONGEST = 63

#: The longest names made of a collection's id, of its noun, of its noun and a field, and of a field.
_MADE_OF_ID, _MADE_OF_NOUN, _MADE_OF_BOTH, _MADE_OF_FIELD = (
    len("_claim_latest__new"), len("_rollup_cell__new_pkey"), len("__new_by_"), len("_count_"),
)  # fmt: skip

#: What a register's own other tables are called by.
_PARTS = ("_id", "_past", "_link", "_all", "_identifier")


class Geometry(StrEnum):
    """What shape a collection's features have (multi-part forms included)."""

    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"


class Sensitivity(StrEnum):
    """Who may see rows at all, before finer rules: anyone, the government's own staff, or nobody but by duty."""

    OPEN = "open"
    INTERNAL = "internal"
    PERSONAL = "personal"


#: Columns that every register row has beside its declared fields; their names are taken.
STANDARD_COLUMNS = (
    "fid", "scenario", "valid_from", "valid_to", "rec_from", "digest", "load", "src_row",
    "cell", "division", "geom", "geom_3857",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One declared collection, named `layer.noun`; its tables are `layer.noun`, `layer.noun_id`, `layer.noun_past`.

    `key` names the fields that identify a feature in the world (empty: its content does). `timed` collections have
    valid time. `cell_resolution` is the finest H3 resolution kept. `division` tells where a row's division code
    comes from: the name of a field that holds it, "locate" to take the division that contains the row, or "placed" for
    that of the place that the row refers to. `derive` fills in fields that follow from others, in a table of the
    declared fields.
    `detail` says what is drawn from how far.
    Features of an `editable` collection may be changed one at a time, all others by loads and deliveries only.
    `policy` says who may see what; None is what is usual for its `sensitivity`. `masked` are the fields told in part
    to the caller whose view of a collection this is; none in a declaration.
    `measured` says that rows are measurements taken at the features of another collection.
    `source` and `licence` describe rows whose load did not say otherwise.
    """

    id: str
    title: Text
    description: Text
    geometry: Geometry | None
    fields: tuple[Field, ...]
    style: Style | None
    key: tuple[str, ...] = ()
    timed: bool = True
    tiled: bool = True
    cell_resolution: int = 11
    division: str | None = None
    derive: Callable[[pa.Table], pa.Table] | None = None
    min_zoom: int = 0
    max_zoom: int = 22
    sensitivity: Sensitivity = Sensitivity.OPEN
    group: Text = Text("基础底图", "Base map")
    source: Text = Text("各部门提供", "Delivered by departments")
    licence: str = "proprietary"
    measured: Measured | None = None
    rollup: Rollup | None = None
    detail: Detail = Detail()
    editable: bool = False
    policy: Policy | None = None
    masked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a declaration whose names could not be tables, columns or parameters."""
        if not _ID.match(self.id):
            raise ValueError(f"collection id {self.id!r} is not layer.noun")
        if len(self.id) + _MADE_OF_ID > _LONGEST or len(self.noun) + _MADE_OF_NOUN > _LONGEST:
            raise ValueError(f"collection id {self.id!r} is too long for the names of its tables")
        if self.noun.endswith(_PARTS):
            raise ValueError(f"collection id {self.id!r} is what a table of another is called")
        names = [f.name for f in self.fields]
        for name in names:
            if not _NAME.match(name) or name in STANDARD_COLUMNS:
                raise ValueError(f"{self.id}: {name!r} cannot be a field's name")
            if len(name) + max(len(self.noun) + _MADE_OF_BOTH, _MADE_OF_FIELD) > _LONGEST:
                raise ValueError(f"{self.id}: {name!r} is too long for the name of an index")
        if len(set(names)) != len(names):
            raise ValueError(f"{self.id}: a field is declared twice")
        for name in self.key:
            self.field(name)
        if self.division not in (None, "locate", "placed"):
            self.field(self.division)
        if self.editable and (not self.key or self.division == "placed"):
            raise ValueError(f"{self.id}: what can be edited needs a key, and a place of its own")
        if self.measured is not None:
            self.measured.check(self.id, self.fields, self.key, timed=self.timed)
        if self.rollup is not None:
            self.rollup.check(self.id, self.fields, self.cell_resolution)
        self.detail.check(self.id, self.fields)
        if self.policy is not None:
            self.policy.check(self.id, self.by_name)

    @cached_property
    def layer(self) -> str:
        """The layer's name; also the PostgreSQL schema."""
        return self.id.partition(".")[0]

    @cached_property
    def noun(self) -> str:
        """The collection's own name; also the table."""
        return self.id.partition(".")[2]

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The zooms that generalised shapes are drawn at; none for points and for what has no tiles."""
        shaped = self.tiled and self.geometry in (Geometry.LINE, Geometry.POLYGON)
        return self.detail.bands(self.min_zoom) if shaped else ()

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by name, in declared order."""
        return {f.name: f for f in self.fields}

    def field(self, name: str) -> Field:
        """The field of that name. Raises UnknownName."""
        found = self.by_name.get(name)
        if found is None:
            raise UnknownName(
                f"{self.id} has no field {name!r}; it has {', '.join(self.by_name)}",
                f"{self.id} 没有字段 {name!r};可用字段:{'、'.join(self.by_name)}",
                subject=name,
            )
        return found
