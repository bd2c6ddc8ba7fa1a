"""Cells as tiles: where points would be too many, the hexagons that they are counted in, from the rollup.

They lie in a source layer `{collection}:cells`: polygons with `n` (how many), `per_km2` (by the cell's own area) and of
each declared measure `sum_…` and `mean_…`; a feature's id is the low 53 bits of its H3 cell. Hexagons are whole: what
lies beyond a tile's edge is the next tile's too.

Whether a tile shows cells or points follows from the zoom alone, and from one number of the whole collection, the zoom
from which its densest tile is not too dense: so neighbours and repeated requests choose alike.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import h3

from gis.catalog import Collection, Geometry, Rollup
from gis.geo.cell_windows import window
from gis.geo.mercator import RADIUS_M
from gis.query import rollups
from gis.query.plan import Plan
from gis.query.rollup_bounds import bounded_in
from gis.query.rollup_sums import Sums
from gis.query.rollup_tables import ROWS, SHAPE, RollupTables, parent_sql
from gis.query.statement import Statement, conjunction
from gis.store.changes_keys import REACH
from tiles.grid import EXTENT, MARGIN, WEB_MERCATOR, Tile

#: From here on points are drawn however many they are: no closer tiles are cut.
POINTS_ZOOM: Final = 16
#: In how many coarse cells a tile is looked for.
_MOST_WINDOW = 80
#: The mean radius of the sphere on which H3 measures areas, to that of the Mercator projection.
_SPHERE = (6_371_007.180918475 / RADIUS_M) ** 2

#: How far a cell reaches, in its edges; and the length of the parallel of 31 degrees, where our cities lie.
_ACROSS = 2.3
_PARALLEL_KM = 34_350.0

# OFFSET keeps the planner from writing an expression out wherever it is used
_SQL = """
SELECT coalesce(ST_AsMVT(t, '{name}', {extent}, 'geom', 'id'), '') AS tile, false AS left_out FROM (
    SELECT cell & {low_bits} AS id, n, (n / ({area}))::real AS per_km2{figures},
        ST_Reverse(ST_SnapToGrid(
            ST_Affine(drawn, %s::float8, 0, 0, -(%s::float8), ({shift} - %s::float8) * %s::float8, %s::float8), 1
        )) AS geom
    FROM (SELECT *, {drawn} AS drawn FROM (
        SELECT f.*, coalesce(f.{shape}, (SELECT s.{shape} FROM {cells} s WHERE s.cell = f.cell),
            core.cell_boundary(f.cell, true)) AS shape
        FROM ({found}) f OFFSET 0) d OFFSET 0) d{around}
    WHERE drawn && ST_MakeEnvelope(%s::float8 - {shift}, %s, %s::float8 - {shift}, %s, {srid})
    ORDER BY cell, {shift}
) t
"""
# a cell's area in km², from its boundary in the Mercator projection, whose scale grows with latitude
_AREA = f"ST_Area(shape) * {_SPHERE!r} / 1e6 / power(cosh((ST_YMin(shape) + ST_YMax(shape)) / {2 * RADIUS_M!r}), 2)"
# beyond 180 degrees there are no coordinates to transform: there the boundary is made anew
_DEGREES = (
    "CASE WHEN greatest(ST_XMax(shape), -ST_XMin(shape)) > 20037508 THEN core.cell_boundary(cell, false)"
    " ELSE ST_Transform(shape, 4326) END"
)


def layer_name(collection: Collection) -> str:
    """The source layer that holds a collection's cells."""
    return f"{collection.id}:cells"


def has_cells(collection: Collection) -> bool:
    """Whether a collection is drawn in cells from far."""
    return collection.tiled and collection.rollup is not None and collection.geometry is Geometry.POINT


def near_zoom(collection: Collection) -> int:
    """The zoom from which a collection's features themselves may be drawn; below it there are cells, or nothing."""
    nearest = collection.rollup.near_zoom if has_cells(collection) and collection.rollup else 0
    return max(collection.min_zoom, nearest)


def last_zoom(rollup: Rollup) -> int:
    """The last zoom at which cells may be drawn: closer, they would reach too far from one tile into another."""
    across_km = _ACROSS * h3.average_hexagon_edge_length(rollup.finest, "km")
    return min(POINTS_ZOOM - 1, int(math.log2(REACH * _PARALLEL_KM / across_km)))


def resolution_at(collection: Collection, zoom: int) -> int:
    """The resolution that a tile shows: of those kept, the one whose cells are 10 to 30 pixels wide, or the next."""
    assert collection.rollup is not None
    wanted = max(0, zoom - (1 if zoom <= 7 else 2 if zoom <= 10 else 3))
    kept = collection.rollup.resolutions
    return max((r for r in kept if r <= wanted), default=kept[0])


def statement(plan: Plan, tile: Tile, points: Statement) -> Statement | None:
    """The statement whose one row is (tile bytes, false) where cells are drawn; None where only points ever are.

    `points` is the statement for the same tile with points, for zooms at which either may be drawn: then the
    database chooses. What the rollup cannot tell is counted from the rows, within bounds beyond which the statement
    fails as BadQuery. Raises UnknownName, Forbidden, BadQuery as the plan does.
    """
    collection, zoom = plan.collection, tile.mercator_zoom
    if not has_cells(collection) or collection.rollup is None or zoom > last_zoom(collection.rollup):
        return None
    drawn, is_clear = _Drawn(plan, tile).statement(), clear(collection, zoom)
    if is_clear is None:
        return drawn
    return Statement(
        f"SELECT * FROM ({points.sql}) p WHERE {is_clear.sql}"
        f" UNION ALL SELECT * FROM ({drawn.sql}) c WHERE NOT {is_clear.sql}",
        (*points.args, *is_clear.args, *drawn.args, *is_clear.args),
    )


def clear(collection: Collection, zoom: int) -> Statement | None:
    """The condition under which points are drawn at a zoom where cells may be; None where only one of both ever is."""
    rollup = collection.rollup
    if not has_cells(collection) or rollup is None or not rollup.near_zoom <= zoom <= last_zoom(rollup):
        return None
    return Statement(
        "(SELECT coalesce((SELECT clear_zoom FROM core.rollup WHERE register = %s), 0) <= %s)", (collection.id, zoom)
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The cells of one tile."""

    plan: Plan
    tile: Tile

    def statement(self) -> Statement:
        tile, collection = self.tile, self.plan.collection
        found = self._summed() if rollups.answerable(self.plan) else self._counted()
        is_shifted = len(tile.shifts) > 1
        sql = _SQL.format(
            found=found.sql, shape=SHAPE, cells=RollupTables(self.plan.register).table("_cell"),
            name=layer_name(collection), extent=EXTENT, low_bits=(1 << 53) - 1, area=_AREA,
            figures="".join(f", {f}" for f in self._figures()),
            drawn="shape" if tile.grid is WEB_MERCATOR else _DEGREES, srid=tile.grid.srid,
            around=" CROSS JOIN unnest(%s::float8[]) AS around(shift)" if is_shifted else "",
            shift="shift" if is_shifted else "0.0::float8",
        )  # fmt: skip
        (west, _, _, north), scale = tile.envelope, EXTENT / tile.side
        shifts = (list(tile.shifts),) if is_shifted else ()
        return Statement(sql, (scale, scale, west, scale, north * scale, *found.args, *shifts, *self._around()))

    @property
    def resolution(self) -> int:
        return resolution_at(self.plan.collection, self.tile.mercator_zoom)

    def _measures(self) -> tuple[str, ...]:
        """The declared measures that the caller may know and has not left out."""
        assert self.plan.collection.rollup is not None
        return tuple(name for name in self.plan.collection.rollup.measures if name in self.plan.fields)

    def _figures(self) -> list[str]:
        """What is told of each measure, from its sum and count as `found` brings them."""
        return [
            f'"sum_{name}"::real AS "sum_{name}", ("sum_{name}" / "count_{name}")::real AS "mean_{name}"'
            for name in self._measures()
        ]

    def _columns(self) -> list[str]:
        """The columns of a rollup that are needed."""
        return [ROWS, *(f'"_{kind}_{name}"' for name in self._measures() for kind in ("count", "sum"))]

    def _summed(self) -> Statement:
        """The tile's cells from the rollup."""
        sums = Sums(
            self.plan, self.resolution, figures=tuple(self._columns()), window=self._window(), shapes=True,
            within=self._around() if self.tile.grid is WEB_MERCATOR and len(self.tile.shifts) == 1 else None,
        )  # fmt: skip
        return self._found(sums.by_cell())

    def _around(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the tile with its margin."""
        west, south, east, north = self.tile.envelope
        margin = self.tile.side * MARGIN / EXTENT
        return west - margin, south - margin, east + margin, north + margin

    def _counted(self) -> Statement:
        """The tile's cells from the rows that lie in it and a cell's width around it."""
        tables = RollupTables(self.plan.register)
        boxes = [self._wide(box) for box in self.tile.reach]
        bound = bounded_in(self.plan, boxes)
        inside = " OR ".join(["geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326)"] * len(boxes))
        near = Statement(f"({inside})", tuple(edge for box in boxes for edge in box))
        fields = tuple(dict.fromkeys((*self._measures(), *self.plan.fields)))
        plan = replace(self.plan, query=self.plan.query.but(fields=fields))
        rows = plan.relation(also=conjunction([*([bound] if bound else []), near]))
        figures = ", ".join(
            f"{how}({value})::{kind} AS {column}"
            for column, kind, how, value in tables.figures
            if column in self._columns()
        )
        cell = parent_sql(tables.cell_sql(), self.resolution)
        counted = f"SELECT {cell} AS cell, {figures}, NULL::geometry AS {SHAPE} FROM ({rows.sql}) r GROUP BY 1"
        return self._found(Statement(f"SELECT * FROM ({counted}) g WHERE cell <> 0", rows.args))

    def _found(self, source: Statement) -> Statement:
        """The cells with n, sums and counts: decimals are made numbers once, which takes longer than to draw them."""
        figures = [
            f'"_sum_{name}"::float8 AS "sum_{name}", nullif("_count_{name}", 0) AS "count_{name}"'
            for name in self._measures()
        ]
        listed = ", ".join(["cell", f"{ROWS} AS n", *figures, SHAPE])
        return Statement(f"SELECT {listed} FROM ({source.sql}) g", source.args)

    def _window(self) -> tuple[int, ...] | None:
        """Coarse cells that hold all that the tile shows; None where they are few anyway."""
        assert self.plan.collection.rollup is not None
        coarser = tuple(r for r in self.plan.collection.rollup.resolutions if r < self.resolution)
        if not coarser or self.resolution <= 2:
            return None
        found = [window(box, _MOST_WINDOW, coarser) for box in self.tile.reach]
        if len(found) > 1 and None not in found:
            # one resolution for both sides of the antimeridian
            shared = min(cell >> 52 & 15 for cells in found for cell in cells or ())
            found = [window(box, 7 * _MOST_WINDOW, (shared,)) for box in self.tile.reach]
        return None if None in found else tuple(sorted({cell for cells in found for cell in cells or ()}))

    def _wide(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A box with room for the cells at its edge, whose points may all lie outside of it."""
        west, south, east, north = box
        width_m = 2.5e6 / math.sqrt(7.0) ** self.resolution
        dlat = width_m / 111_000.0
        dlon = dlat / max(0.05, math.cos(math.radians(min(89.0, max(abs(south), abs(north))))))
        return max(-180.0, west - dlon), max(-90.0, south - dlat), min(180.0, east + dlon), min(90.0, north + dlat)


def described(collection: Collection) -> dict[str, Any]:
    """The properties of a cell, by name, with what TileJSON says of each type."""
    assert collection.rollup is not None
    figures = [f"{how}_{name}" for name in collection.rollup.measures for how in ("sum", "mean")]
    return dict.fromkeys(("n", "per_km2", *figures), "Number")
