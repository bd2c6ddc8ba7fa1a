"""What the data say of a collection as a whole: extent, time, number, age; found once after each recorded change."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gis.catalog import Collection
from gis.query.crs import zones
from gis.query.plan import Plan
from gis.query.span import Span
from gis.query.statement import Statement
from gis.store.database import AsyncDatabase
from gis.store.tables import Register
from gis.text import Text

#: Below this many rows they are counted; above it the planner's estimate is good enough.
_COUNTED = 10_000
_MOST_CONFINED = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the loads said: the last one's number and instant, all sources and licences."""

    last: int
    at: datetime
    source: Text
    licence: str


@dataclass(frozen=True, slots=True)
class Known:
    """`bbox` is west, south, east, north in degrees (None: no data), an open end of valid time is None.

    `count` is None where the caller is not told how many rows there are.
    """

    bbox: tuple[float, float, float, float] | None
    start: datetime | None
    end: datetime | None
    count: int | None
    loaded: Loaded | None


class Facts:
    """The facts of all collections, kept until the next load of one, or the next change that is recorded of it.

    What is found once for all is read by `own`; what is made of the rows that a caller may see, by `asked`, which
    reads nothing else.
    """

    def __init__(self, own: AsyncDatabase, asked: AsyncDatabase) -> None:
        self._database, self._asked = own, asked
        self._kept: dict[str, tuple[tuple[int, int], Known]] = {}
        self._confined: dict[tuple[str, str], tuple[tuple[int, int], Known]] = {}
        self._zones: tuple[int, tuple[str, ...]] | None = None

    async def of(self, collections: list[Collection]) -> dict[str, Known]:
        """What is known of each, by id. Raises Unavailable."""
        loads = {
            name: Loaded(last, at, Text(zh, en), licence)
            for name, last, at, zh, en, licence in await self._database.rows(_LOADS)
        }
        # a delivery that is taken back is no load, but a change
        epochs: dict[str, int] = dict(await self._database.rows(_EPOCHS))
        return {c.id: await self._one(c, loads.get(c.id), epochs.get(c.id, 0)) for c in collections}

    async def seen(self, plans: list[Plan]) -> dict[str, Known]:
        """The same as far as callers may know it, by collection: of rows that they may see, as these are told.

        Raises Unavailable.
        """
        whole = await self.of([plan.register for plan in plans])
        return {plan.collection.id: await self._seen(plan, whole[plan.collection.id]) for plan in plans}

    async def _seen(self, plan: Plan, whole: Known) -> Known:
        rules = plan.rules
        if rules.divisions is None and rules.precision == "exact" and rules.anonymous is None:
            return whole
        if rules.anonymous is not None:
            return Known(None, None, None, None, whole.loaded)
        key, state = (plan.collection.id, plan.rules_digest), self._kept[plan.collection.id][0]
        kept = self._confined.get(key)
        if kept is None or kept[0] != state:
            kept = (state, _known((await self._asked.rows(_seen_facts(plan)))[0], whole.loaded))
            if len(self._confined) >= _MOST_CONFINED:
                self._confined.clear()
            self._confined[key] = kept
        return kept[1]

    async def zones(self, collections: list[Collection]) -> tuple[str, ...]:
        """The 3-degree zones of CGCS2000 over which the city lies, by its collections' extents; found once a load.

        A collection that goes beyond a few zones says nothing of where the city is. Raises Unavailable.
        """
        last = (await self._database.rows(_LAST_LOAD))[0][0]
        if self._zones is None or self._zones[0] != last:
            boxes = [known.bbox for known in (await self.of(collections)).values() if known.bbox]
            found = {zone for box in boxes for zone in zones(box[0], box[2])}
            self._zones = (last, tuple(sorted(found)))
        return self._zones[1]

    async def _one(self, collection: Collection, loaded: Loaded | None, epoch: int) -> Known:
        state = (loaded.last if loaded else 0, epoch)
        kept = self._kept.get(collection.id)
        if kept is None or kept[0] != state or loaded is None:
            row = (await self._database.rows(_facts(collection)))[0]
            kept = (state, _known(row, loaded))
            self._kept[collection.id] = kept
        return kept[1]


_LAST_LOAD = Statement("SELECT coalesce(max(id), 0) FROM core.load")
_EPOCHS = Statement("SELECT register, max(epoch) FROM core.epoch GROUP BY register")
_LOADS = Statement(
    "SELECT collection, max(id), max(loaded_at), string_agg(DISTINCT source->>'zh', ';'),"
    " string_agg(DISTINCT source->>'en', '; '), string_agg(DISTINCT licence, ', ') FROM core.load GROUP BY collection"
)


def _known(row: tuple[Any, ...], loaded: Loaded | None) -> Known:
    west, south, east, north, start, end, count = row
    bbox = None if west is None else (west, south, east, north)
    return Known(bbox, start, end, count, loaded)


def _facts(collection: Collection) -> Statement:
    """The extent of the spatial index where there is one (to the precision of float4), which costs nothing."""
    table = Register.of(collection).table()
    return Statement(
        f"""
        SELECT round(ST_XMin(box)::numeric, 6)::float8, round(ST_YMin(box)::numeric, 6)::float8,
               round(ST_XMax(box)::numeric, 6)::float8, round(ST_YMax(box)::numeric, 6)::float8,
               nullif((SELECT min(valid_from) FROM {table}), '-infinity'),
               nullif((SELECT max(valid_to) FROM {table}), 'infinity'),
               CASE WHEN size.estimate >= {_COUNTED} THEN size.estimate
                    ELSE (SELECT count(*) FROM {table} WHERE scenario = 0) END
        FROM (SELECT CASE WHEN EXISTS (SELECT FROM {table})
                     THEN coalesce(ST_EstimatedExtent(%s, %s, 'geom'), (SELECT ST_Extent(geom) FROM {table})) END AS box
             ) extent,
             (SELECT reltuples::bigint AS estimate FROM pg_class WHERE oid = %s::regclass) size
        """,  # noqa: S608  the table's name is a declaration
        (collection.layer, collection.noun, table),
    )


def _seen_facts(plan: Plan) -> Statement:
    """The same columns of the rows that a caller may see, whenever they are valid."""
    ever = plan.query.but(time=Span() if plan.collection.timed else None, fields=())
    rows = replace(plan, query=ever).relation()
    return Statement(
        "SELECT round(ST_XMin(box)::numeric, 6)::float8, round(ST_YMin(box)::numeric, 6)::float8,"  # noqa: S608
        " round(ST_XMax(box)::numeric, 6)::float8, round(ST_YMax(box)::numeric, 6)::float8,"
        " nullif(first, '-infinity'), nullif(last, 'infinity'), n FROM (SELECT ST_Extent(geom) AS box,"
        f" min(valid_from) AS first, max(valid_to) AS last, count(*) AS n FROM ({rows.sql}) q) f",
        rows.args,
    )
