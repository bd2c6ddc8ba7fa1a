"""The sums of a rollup as one relation: what is kept, what is not folded yet, and the few rows that are in neither.

They are read in one statement and so of one snapshot. The rows come first in its text: whoever puts a register in
place locks it before its rollup.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gis.geo import cells
from gis.geo.area import Cells, Division
from gis.query.areas import area_condition
from gis.query.plan import Plan
from gis.query.rollup_tables import ROWS, SHAPE, STALE, RollupTables, level, parent_sql, quoted
from gis.query.statement import Statement, conjunction


@dataclass(frozen=True, slots=True)
class Sums:
    """What is to be read of a rollup: cells of a resolution, what else keys the sums, and the figures.

    `names` are the dimensions that matter. `window` narrows the cells to the descendants of some coarser ones, all of
    one resolution. With `shapes` there is a column more, the cell's boundary where it is at hand. `within` (west,
    south, east, north in metres of EPSG:3857) lets kept sums out whose boundary is known to lie outside of it; what
    else there is of their cells is not.
    """

    plan: Plan
    resolution: int
    names: tuple[str, ...] = ()
    by_division: bool = False
    figures: tuple[str, ...] = (ROWS,)
    window: tuple[int, ...] | None = None
    shapes: bool = False
    within: tuple[float, float, float, float] | None = None

    @property
    def tables(self) -> RollupTables:
        """The tables that hold them."""
        return RollupTables(self.plan.register)

    @property
    def by_cell_alone(self) -> bool:
        """Whether the sums by cell suffice."""
        plan = self.plan
        narrowed = plan.rules.divisions is not None or isinstance(plan.query.area, Division) or plan.query.where
        return not (self.names or self.by_division or narrowed)

    @property
    def columns(self) -> list[str]:
        """The columns that `statement` brings: cell, division and dimensions where they matter, figures."""
        keys = ["division", *map(quoted, self.names)] if not self.by_cell_alone else []
        return ["cell", *keys, *self.figures]

    def statement(self) -> Statement:
        """All parts together; a group's figures add up over any number of its rows. A cell 0 is none."""
        parts = self._unrolled()
        if {column for column, _ in self.tables.extremes} & set(self.figures):
            parts += self._with_extremes()
        else:
            parts += [self._stored(self.resolution), self._open()]
        return _union(parts)

    def by_cell(self) -> Statement:
        """One row a cell that has rows: its id, each figure, the boundary where it is at hand. No least, no largest.

        Kept sums by cell alone are one row a cell already: only those to which something is to be added are added up.
        """
        cell = f"{parent_sql('cell', self.resolution)} AS cell"
        kinds = {column: f"{how}({column})::{kind} AS {column}" for column, kind, how, _ in self.tables.figures}
        summed = ", ".join(kinds[figure] for figure in self.figures)
        listed = ", ".join(["cell", *self.figures, SHAPE])
        if not self.by_cell_alone:
            at_hand = f"(array_agg({SHAPE}) FILTER (WHERE {SHAPE} IS NOT NULL))[1] AS {SHAPE}"
            every = self.statement()
            grouped = f"SELECT {cell}, {summed}, {at_hand} FROM ({every.sql}) u WHERE cell <> 0 GROUP BY 1"
            return Statement(f"SELECT {listed} FROM ({grouped}) g WHERE {ROWS} > 0", every.args)
        beside, kept = _union([*self._unrolled(), self._open()]), self._stored(self.resolution)
        added = ", ".join(f"b.{figure} + coalesce(k.{figure}, 0)" for figure in self.figures)
        # looked up one by one: how few they are the planner cannot know
        looked_up = f"SELECT * FROM {self.tables.table('_cell')} WHERE cell = b.cell OFFSET 0"
        sql = (
            f"WITH beside AS MATERIALIZED (SELECT {cell}, {summed} FROM ({beside.sql}) u WHERE cell <> 0 GROUP BY 1)"
            f" SELECT {listed} FROM (SELECT {listed} FROM ({kept.sql}) s"
            " WHERE cell <> 0 AND cell NOT IN (SELECT cell FROM beside) UNION ALL"
            f" SELECT b.cell, {added}, k.{SHAPE} FROM beside b LEFT JOIN LATERAL ({looked_up}) k ON true) u"
            f" WHERE {ROWS} > 0"
        )
        return Statement(sql, beside.args + kept.args)

    def _select(self, source: Statement, where: Statement) -> Statement:
        """The columns of a FROM item, within the window."""
        if self.window is not None:
            # few rows, read as a whole: their cells are of the finest resolution
            above = cells.parent_sql("cell", self.window[0] >> 52 & 15) if self.window else "cell"
            where = conjunction([where, Statement(f"{above} = ANY(%s::bigint[])", (_listed(self.window),))])
        shape = [f"NULL::geometry AS {SHAPE}"] if self.shapes else []
        columns = ", ".join([*self.columns, *shape])
        return Statement(f"SELECT {columns} FROM {source.sql} WHERE {where.sql}", source.args + where.args)

    def _unrolled(self) -> list[Statement]:
        """The rows that are not in the rollup, as the plan has them: those that never will be, and those not yet due.

        Each is a range of their index; most of the former have ended, and are passed over.
        """
        tables = self.tables
        never, later = f"{tables.due} = 'infinity'", f"{tables.due} > {tables.horizon} AND {tables.due} < 'infinity'"
        found = []
        for which in (never, later):
            where = conjunction([Statement(f"{tables.is_indexed} AND {which}"), self.plan.conditions()])
            rows = Statement(f"(SELECT {tables.row} FROM {tables.register} r WHERE {where.sql}) q", where.args)
            found.append(self._select(rows, Statement("true")))
        return found

    def _stored(self, resolution: int, also: str = "true") -> Statement:
        """The kept sums of a resolution, and under cell 0 those of rows that are nowhere."""
        alone = self.by_cell_alone
        shape = [SHAPE if alone else f"NULL::geometry AS {SHAPE}"] if self.shapes else []
        select = f"SELECT {', '.join([*self.columns, *shape])} FROM {self.tables.table('_cell' if alone else '')} WHERE"
        where = conjunction([self._conditions(resolution), Statement(also)])
        if alone and self.within is not None:
            inside = f"({SHAPE} IS NULL OR {SHAPE} && ST_MakeEnvelope(%s, %s, %s, %s, 3857))"
            where = conjunction([where, Statement(inside, self.within)])
        if self.window is None:
            low, high = level(resolution)
            return Statement(f"{select} (cell BETWEEN {low} AND {high} OR cell = 0) AND {where.sql}", where.args)
        ends = [cells.child_range(cell, resolution) for cell in self.window]
        # each range is looked up in the index, which the planner would take for most of the table otherwise
        ranged = f"{select} cell BETWEEN w.low AND w.high AND {where.sql} OFFSET 0"
        return Statement(
            f"SELECT s.* FROM unnest(%s::bigint[], %s::bigint[]) AS w(low, high) CROSS JOIN LATERAL ({ranged}) s",
            (_listed(low for low, _ in ends), _listed(high for _, high in ends), *where.args),
        )

    def _open(self, also: str = "true") -> Statement:
        where = conjunction([self._conditions(self.tables.rollup.finest), Statement(also)])
        return self._select(Statement(self.tables.table("_delta")), where)

    def _with_extremes(self) -> list[Statement]:
        """Where rows went from a cell since it was folded, its finest sums give way to the rows, its coarse ones to
        the finest of the other cells in them.
        """
        tables, finest = self.tables, self.tables.rollup.finest
        stale = f"(SELECT DISTINCT cell FROM {tables.table('_delta')} WHERE {STALE})"
        wider = f"(SELECT DISTINCT {parent_sql('cell', self.resolution)} FROM {tables.table('_delta')} WHERE {STALE})"
        fresh = f"cell NOT IN {stale}"
        if self.resolution == finest:
            stored = [self._stored(finest, fresh)]
        else:
            under = f"{parent_sql('cell', self.resolution)} IN {wider}"
            stored = [
                self._stored(self.resolution, f"cell NOT IN {wider}"),
                self._stored(finest, f"{under} AND {fresh} AND cell <> 0"),
            ]
        return [self._stale(stale), *stored, self._open(fresh)]

    def _stale(self, stale: str) -> Statement:
        """The rows in cells from which rows went."""
        tables = self.tables
        low, high = cells.child_range_sql("s.cell", tables.rollup.finest, self.plan.collection.cell_resolution)
        rows = (
            f"SELECT r.* FROM {stale} s JOIN {tables.register} r ON r.cell BETWEEN {low} AND {high} WHERE s.cell <> 0"
            f" UNION ALL SELECT r.* FROM {tables.register} r WHERE r.cell IS NULL AND 0 IN {stale}"
        )
        rolled = f"(SELECT {tables.row} FROM ({rows}) r WHERE {tables.due} <= {tables.horizon}) q"
        return self._select(Statement(rolled), self._conditions(tables.rollup.finest))

    def _conditions(self, resolution: int) -> Statement:
        """The plan's conditions on sums whose cells are of a resolution, or of none."""
        plan, parts = self.plan, list[Statement]()
        if plan.rules.divisions is not None:
            ranges = [
                Statement("division BETWEEN %s AND %s", (max(low, 1), high)) for low, high in plan.rules.divisions
            ]
            parts.append(_either(ranges))
        area = plan.query.area
        if isinstance(area, Cells):
            parts.append(
                _either([Statement("cell BETWEEN %s AND %s", cells.child_range(c, resolution)) for c in area.ids])
            )
        elif isinstance(area, Division):
            parts.append(area_condition(area, plan.collection))
        if plan.query.where is not None:
            parts.append(plan.query.where.sql(plan.collection, plan.rules.fields))
        return conjunction(parts)


def _listed(cells: Iterable[int]) -> str:
    """Cells as PostgreSQL writes an array: the driver takes longer to write a list than the database to read this."""
    return f"{{{','.join(map(str, cells))}}}"


def _either(parts: list[Statement]) -> Statement:
    if not parts:
        return Statement("false")
    return Statement(f"({' OR '.join(p.sql for p in parts)})", tuple(v for p in parts for v in p.args))


def _union(parts: list[Statement]) -> Statement:
    return Statement(" UNION ALL ".join(p.sql for p in parts), tuple(v for p in parts for v in p.args))
