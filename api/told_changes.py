"""Which squares of the log of changes are told: where something changed is told no finer than what is there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from api.served import Served
from gis.access import OWNER, Identity, Rules, rules_in
from gis.catalog import Collection
from gis.query.plan import Plan, rounded
from gis.query.query import Query
from gis.query.span import now
from gis.query.statement import Statement
from gis.store.changes import tile_of
from gis.store.changes_keys import WORLD
from tiles.grid import Tile

_DIVISIONS = "base.divisions"
#: Cells of coarser resolutions are larger than the squares of the log.
_FINER_THAN_SQUARES = 6

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ToldChanges:
    """The registers of which changes are told; of each the box of the duty in degrees where there is one.

    Of those whose rows are not told, only anonymous figures, no changes are told either. `nowhere` are those of which
    it is told that they changed, but not where: places are told too coarsely, or nobody knows where the duty lies.
    """

    boxes: dict[str, Box | None]
    nowhere: frozenset[str] = frozenset()

    @property
    def registers(self) -> list[str]:
        """Their ids, in order."""
        return sorted(self.boxes)

    def squares(self, written: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """What is told of (register, key of a square)."""
        for register, key in written:
            if register not in self.boxes:
                continue
            told = self.key(register, key)
            if told is not None:
                yield register, told

    def key(self, register: str, key: int) -> int | None:
        """The square that is told in the place of one; None where nothing is."""
        if register in self.nowhere:
            return WORLD
        box = self.boxes[register]
        if box is None or key == WORLD:
            return key
        west, south, east, north = box
        left, lower, right, upper = Tile(*tile_of(key)).bounds
        return key if left <= east and west <= right and lower <= north and south <= upper else None


async def told_changes(city: Served, collections: Iterable[Collection]) -> ToldChanges:
    """What the caller is told of changes to collections that he may see. Raises Unavailable."""
    boxes: dict[str, Box | None] = {}
    nowhere = set()
    known: dict[tuple[tuple[int, int], ...], Box | None] = {}
    for collection in collections:
        rules = rules_in(city.catalogue, city.identity, collection.id)
        if rules.anonymous is not None:
            continue
        ranges = rules.divisions
        if ranges is not None and ranges not in known:
            known[ranges] = await _box(city, ranges)
        boxes[collection.id] = None if ranges is None else known[ranges]
        if _is_coarse(rules) or (ranges is not None and boxes[collection.id] is None):
            nowhere.add(collection.id)
    return ToldChanges(boxes, frozenset(nowhere))


def check_rows_told(city: Served, collection: Collection) -> None:
    """That the caller may be told rows of a collection, and so of their changes. Raises Forbidden."""
    Plan(Query(collection=collection.id), city.catalogue, city.identity, rounded(now())).check_rows()


def _is_coarse(rules: Rules) -> bool:
    if rules.precision == "division":
        return True
    return isinstance(rules.precision, int) and rules.precision < _FINER_THAN_SQUARES


async def _box(city: Served, ranges: tuple[tuple[int, int], ...]) -> Box | None:
    """The extent of the divisions of a duty; None where they are not on the map."""
    if not ranges or not any(c.id == _DIVISIONS for c in city.catalogue):
        return None
    of_duty: Identity = replace(OWNER, divisions=ranges)
    rows = Plan(Query(collection=_DIVISIONS, fields=()), city.catalogue, of_duty, rounded(now())).relation()
    box = "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(geom) AS e FROM ({}) q) x"
    ((west, south, east, north),) = await city.own.rows(Statement(box.format(rows.sql), rows.args))
    return None if west is None else (west, south, east, north)
