"""Which tiles of an archive are not as they were: those under which something was written, began or ended since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from gis.geo.area import Within
from gis.query.plan import Plan
from gis.query.span import TICK, Span
from gis.query.statement import Statement
from gis.store.changes_digests import Digests
from gis.store.changes_keys import DEEPEST, tile_cover, tile_key
from tiles.grid import WEB_MERCATOR, Box, Tile
from tiles.snapshot import Snapshot

_WRITTEN = """
SELECT DISTINCT c.key FROM core.change AS c
WHERE c.register = %s AND c.xid >= pg_snapshot_xmin(%s::pg_snapshot)
    AND NOT pg_visible_in_snapshot(c.xid, %s::pg_snapshot)
"""
_PRUNED = "SELECT pruned >= pg_snapshot_xmin(%s::pg_snapshot) FROM core.incarnation"
#: What began or ended between two moments that counted as now.
_TURNED = "((valid_from > %s AND valid_from <= %s) OR (valid_to > %s AND valid_to <= %s))"
_MOST_KEYS = 4


@dataclass(frozen=True, slots=True)
class Dirty:
    """Tiles of WebMercatorQuad to be made anew: those that the squares of `changed` may show in."""

    register: str
    changed: Digests

    def among(self, tiles: Sequence[Tile]) -> list[Tile]:
        """Those of the tiles that may not be as they were."""
        return [t for t in tiles if self.changed.of_place(self.register, (t.z, t.x, t.y), tile_cover)]


def dirty_since(position: str, then: str | None, plan: Plan, snapshot: Snapshot, present: str) -> Dirty | None:
    """What changed between a position in the log and the present one; None where nobody can tell: everything counts.

    `then` is the moment that counted as now at that position (None: the question does not follow now).
    """
    life, _, since = position.partition("-")
    if life != present.partition("-")[0] or snapshot.rows(Statement(_PRUNED, (since,)))[0][0]:
        return None
    before = datetime.fromisoformat(then) if then else plan.now
    if isinstance(plan.query.area, Within) or before > plan.now:
        # another feature, which may be elsewhere now, says where to look; or clocks disagree
        return None
    register = plan.collection.id
    keys = {key for (key,) in snapshot.rows(Statement(_WRITTEN, (register, since, since)))}
    if before < plan.now:
        keys.update(_turned(plan, before, snapshot))
    return Dirty(register, Digests((register, key, 1) for key in keys))


def _turned(plan: Plan, before: datetime, snapshot: Snapshot) -> Iterator[int]:
    """The squares of what began or ended since."""
    query = plan.query.but(time=Span(before, plan.now + TICK), fields=())
    also = Statement(f"{_TURNED} AND geom IS NOT NULL", (before, plan.now, before, plan.now))
    relation = Plan(query, plan.catalogue, plan.identity, plan.now).relation(also=also)
    sides = ", ".join(f"ST_{side}(geom)" for side in ("XMin", "YMin", "XMax", "YMax"))
    for box in snapshot.rows(Statement(f"SELECT DISTINCT {sides} FROM ({relation.sql}) q", relation.args)):  # noqa: S608
        yield from _keys(box)


def _keys(box: Box) -> Iterator[int]:
    """A few squares that hold a box of degrees, as small as may be."""
    for zoom in range(DEEPEST, -1, -1):
        columns, rows = WEB_MERCATOR.spans(zoom, box)
        if len(columns) * len(rows) <= _MOST_KEYS:
            yield from (tile_key(zoom, x, y) for x, y in product(columns, rows))
            return
