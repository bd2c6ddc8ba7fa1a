"""The tables of a rollup by name and column, as those who keep them and those who read them both need them.

`x_rollup` holds the sums by cell, division and dimensions, at every kept resolution; `x_rollup_cell` by cell alone,
with the cell's boundary for tiles; `x_rollup_delta` what was written since, at the finest resolution, signed. A row
without a cell is summed up under cell 0, one without a division under division 0.

Only rows that are valid without end and had begun by a moment well before now, the horizon, are in it, so that what is
valid now changes by writes alone. The function `x_due` says of a row by when it can be in, which is never for most of
those that are not; they have an index of their own. The horizon moves on now and then: who reads takes it from
`core.rollup`, so that it is of the same snapshot as the sums; who writes from the function `x_horizon`, which is the
newest in any snapshot once the register is locked, as moving it on locks writers out.
"""

from dataclasses import dataclass

from gis.catalog import Collection, FieldType, Rollup
from gis.geo import cells

#: Columns of the rollup begin with an underscore, which no field's name does.
ROWS = "_n"
KEY = "_key"
STALE = "_stale"
SHAPE = "_shape"


@dataclass(frozen=True, slots=True)
class RollupTables:
    """The tables of a collection's rollup, or of the copy of them that ends with a suffix."""

    collection: Collection
    suffix: str = ""

    @property
    def rollup(self) -> Rollup:
        """What is declared."""
        assert self.collection.rollup is not None
        return self.collection.rollup

    def table(self, part: str = "") -> str:
        """The quoted name of a part: `""` by cell, division and dimensions, `_cell` by cell, `_delta` not folded."""
        return f'"{self.collection.layer}"."{self.bare(part)}"'

    def bare(self, part: str = "") -> str:
        """A part's name without its schema."""
        return f"{self.collection.noun}_rollup{part}{self.suffix}"

    @property
    def register(self) -> str:
        """The quoted name of the register's open rows."""
        return f'"{self.collection.layer}"."{self.collection.noun}{self.suffix}"'

    def function(self, name: str) -> str:
        """The quoted name of a function: `due`, by when a row can be in; `horizon`; `indexed`, whether it has the index
        of those that are not in.
        """
        return f'"{self.collection.layer}"."{self.collection.noun}_{name}{self.suffix}"'

    @property
    def due(self) -> str:
        """By when a register's row can be in the rollup: where it begins, or infinity."""
        return f"{self.function('due')}({self._of_row})"

    @property
    def is_indexed(self) -> str:
        """The condition on a register's row that the index of those that are not in has it; some are in by now."""
        return f"{self.function('indexed')}({self._of_row})"

    @property
    def is_rolled(self) -> str:
        """The condition on a register's row that it is in the rollup, for who writes."""
        return f"{self.due} <= {self.function('horizon')}()"

    @property
    def horizon(self) -> str:
        """The moment by which rows must have begun, for who reads."""
        return f"(SELECT horizon FROM core.rollup WHERE register = '{self.collection.id}')"

    @property
    def _of_row(self) -> str:
        return ", ".join(("scenario", "valid_from", "valid_to", *map(quoted, self.rollup.measures)))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The quoted columns of the dimensions."""
        return tuple(map(quoted, self.rollup.dimensions))

    @property
    def figures(self) -> tuple[tuple[str, str, str, str], ...]:
        """Of each figure its column, SQL type, aggregate, and what one row of the register brings to it."""
        found = [(ROWS, "bigint", "sum", "1::bigint")]
        for name in self.rollup.measures:
            field, kind = quoted(name), self.collection.field(name).type
            found += [
                (f'"_count_{name}"', "bigint", "sum", f"({field} IS NOT NULL)::integer"),
                # decimals add up to the same in any order, and what is taken away leaves nothing behind
                (f'"_sum_{name}"', "numeric", "sum", f"coalesce({field}::numeric, 0)"),
                (f'"_min_{name}"', kind.sql, "min", field),
                (f'"_max_{name}"', kind.sql, "max", field),
            ]
        return tuple(found)

    @property
    def extremes(self) -> tuple[tuple[str, str], ...]:
        """The figures that cannot be taken back, as (column, aggregate)."""
        return tuple((column, how) for column, _, how, _ in self.figures if how in ("min", "max"))

    @property
    def finite(self) -> str:
        """The condition that all measures of a row are numbers that can be added up and taken away again."""
        floats = [n for n in self.rollup.measures if self.collection.field(n).type is FieldType.NUMBER]
        tests = [f"coalesce({quoted(n)} NOT IN ('NaN', 'Infinity', '-Infinity'), true)" for n in floats]
        return " AND ".join(tests) or "true"

    def cell_sql(self, column: str = "cell") -> str:
        """A row's cell at the finest resolution kept; 0 where it has none."""
        return f"coalesce({cells.parent_sql(column, self.rollup.finest)}, 0)"

    @property
    def row(self) -> str:
        """The columns of the rollup as one row of the register brings them, before they are summed up."""
        figures = [f"{value} AS {column}" for column, _, _, value in self.figures]
        return ", ".join(
            [f"{self.cell_sql()} AS cell", "coalesce(division, 0) AS division", *self.dimensions, *figures]
        )

    @property
    def columns(self) -> str:
        """The columns of a delta's row, and of any part's read for an answer."""
        return ", ".join(["cell", "division", *self.dimensions, *(column for column, *_ in self.figures)])

    def summed(self, source: str = "") -> list[str]:
        """The figures summed up over rows that have the columns already."""
        prefix = f"{source}." if source else ""
        return [f"{how}({prefix}{column})::{kind} AS {column}" for column, kind, how, _ in self.figures]


def quoted(name: str) -> str:
    """A declared name as SQL writes it."""
    return f'"{name}"'


def parent_sql(column: str, resolution: int) -> str:
    """The ancestor of a rollup's cell; 0, which is no cell, stays 0."""
    return f"CASE WHEN {column} = 0 THEN 0 ELSE {cells.parent_sql(column, resolution)} END"


def level(resolution: int) -> tuple[int, int]:
    """The closed range of the ids of all cells of a resolution."""
    low = (8 << 56) | (resolution << 52)
    return low, low | ((1 << 52) - 1)
