"""A question to the city, as one frozen value: the URL, the notebook cell, the tile source and the audit line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from gis.errors import BadQuery
from gis.geo.area import Area
from gis.query.filters import Filter
from gis.query.span import Span

TimeBin = Literal["hour", "day", "week", "month", "year", "hour-of-week"]
TIME_BINS: tuple[TimeBin, ...] = ("hour", "day", "week", "month", "year", "hour-of-week")
Function = Literal["count", "sum", "mean", "min", "max", "distinct"]
FUNCTIONS: tuple[Function, ...] = ("count", "sum", "mean", "min", "max", "distinct")


@dataclass(frozen=True, slots=True)
class ByCell:
    """Grouped by H3 cell of a resolution, 0 to the collection's finest."""

    resolution: int

    @property
    def column(self) -> str:
        """The groups' key in the answer."""
        return "cell"


@dataclass(frozen=True, slots=True)
class ByDivision:
    """Grouped by division of a level, 1 province to 5 village."""

    level: int

    @property
    def column(self) -> str:
        """The groups' key in the answer."""
        return "division"


@dataclass(frozen=True, slots=True)
class ByField:
    """Grouped by the values of a field."""

    name: str

    @property
    def column(self) -> str:
        """The groups' key in the answer."""
        return self.name


@dataclass(frozen=True, slots=True)
class ByTime:
    """Grouped by the bin, in Shanghai time, in which a row became valid; hours of the week are 0 (Monday) to 167."""

    bin: TimeBin

    @property
    def column(self) -> str:
        """The groups' key in the answer."""
        return "hour_of_week" if self.bin == "hour-of-week" else "time"


By = ByCell | ByDivision | ByField | ByTime


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of each group: rows counted, or a function of a field."""

    function: Function = "count"
    field: str | None = None

    @property
    def name(self) -> str:
        """Its column in the answer: `count`, `mean_height_m`."""
        return self.function if self.field is None else f"{self.function}_{self.field}"


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class After:
    """Where the page before ended, and the state of the register in which the first page was read.

    `fid` and `valid_from` (None: it always was) are the last row's, `values` its sort keys as PostgreSQL writes them.
    `now` is the moment that counted as now; `epoch` the last recorded change that was seen (None: follow changes).
    """

    fid: int
    valid_from: datetime | None = None
    values: tuple[str | None, ...] = ()
    now: datetime | None = None
    epoch: int | None = None

    def __post_init__(self) -> None:
        """Keep UTC, since equal instants in other zones may be unequal values."""
        for name in ("valid_from", "now"):
            value = getattr(self, name)
            object.__setattr__(self, name, value and value.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the rows: at most `limit` of them (None: all), after skipping `offset`, or after a row."""

    limit: int | None = None
    offset: int = 0
    after: After | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked of one collection.

    `time` is valid time (None: now, for collections that have it); `as_of` recorded time (None: what is known now);
    `scenario` a planned variant of the city (None: the city as it is); `fields` None means all. With `by` or
    `measure` the answer is groups, without them features. It grows no joins and no routing: those are analyses.
    """

    collection: str
    area: Area | None = None
    time: Span | None = None
    as_of: datetime | None = None
    scenario: str | None = None
    where: Filter | None = None
    fields: tuple[str, ...] | None = None
    by: tuple[By, ...] = ()
    measure: tuple[Measure, ...] = ()
    sort: tuple[Sort, ...] = ()
    page: Page = Page()

    def __post_init__(self) -> None:
        """Refuse what no plan could answer."""
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise BadQuery("as-of needs a time zone", "as-of 缺少时区", subject="as-of")
        object.__setattr__(self, "as_of", self.as_of and self.as_of.astimezone(UTC))
        if (self.page.limit is not None and self.page.limit < 1) or self.page.offset < 0:
            raise BadQuery("limit is at least 1, offset at least 0", "limit 至少为 1,offset 至少为 0", subject="limit")
        for measure in self.measure:
            if (measure.function == "count") != (measure.field is None):
                raise BadQuery(
                    f"measure {measure.name}: count takes no field, every other function takes one",
                    f"统计 {measure.name}:count 不带字段,其余函数须带字段",
                    subject="measure",
                )
        _check_once("properties", self.fields or ())
        _check_once("by", [by.column for by in self.by])
        _check_once("measure", [*(by.column for by in self.by), *(measure.name for measure in self.measure)])

    @property
    def grouped(self) -> bool:
        """Whether the answer is groups rather than features."""
        return bool(self.by or self.measure)

    def but(self, **changes: Any) -> "Query":
        """The same question with some parts changed."""
        return replace(self, **changes)


def _check_once(parameter: str, columns: Sequence[str]) -> None:
    """Refuse an answer with two columns of one name."""
    for name in columns:
        if columns.count(name) > 1:
            raise BadQuery(
                f"{parameter}: the answer would have two columns {name[:40]}",
                f"{parameter}:结果中会有两列 {name[:40]}",
                subject=parameter,
            )
