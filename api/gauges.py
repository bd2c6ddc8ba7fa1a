"""What stands at a moment: connections, memory for tiles, how far back the changes are held, deliveries that wait."""

import asyncio
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.served import Served
from api.tile_server import TileServer
from gis.errors import Unavailable
from gis.query.statement import Statement

#: A scrape waits no longer for a database that is busy or away.
_PATIENCE_S = 2.0

#: How long the oldest transaction that may write has been open, and how many came to their end since it began. Other
#: users' transactions show their age to members of pg_read_all_stats alone; their number shows to everybody.
_OF_DATABASE = Statement(
    """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - least(
               (SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL),
               (SELECT min(prepared) FROM pg_prepared_xacts))), 0)::float8,
           CASE WHEN pg_is_in_recovery() THEN 0 ELSE
               pg_snapshot_xmax(pg_current_snapshot())::text::bigint
               - pg_snapshot_xmin(pg_current_snapshot())::text::bigint END,
           (SELECT count(*) FROM exchange.delivery WHERE state = 'received'),
           (SELECT count(*) FROM exchange.delivery WHERE state = 'working')
    """
)


async def gauges(served: Served, tiles: TileServer) -> list[Metric]:
    """All of them; those that the database has to be asked for are left out when it does not answer."""
    found = [*_pools(served), *_tiles(tiles), *_changes(served)]
    try:
        async with asyncio.timeout(_PATIENCE_S):
            ((held_s, held, waiting, working),) = await served.own.rows(_OF_DATABASE)
    except (Unavailable, TimeoutError):
        return [*found, _gauge("onemap_database_up", "Whether the database answers", 0)]
    deliveries = GaugeMetricFamily("onemap_deliveries", "Deliveries that are not done, by state", labels=["state"])
    deliveries.add_metric(["received"], waiting)
    deliveries.add_metric(["working"], working)
    return [
        *found,
        _gauge("onemap_database_up", "Whether the database answers", 1),
        _gauge("onemap_changes_held_back_seconds", "Age of the oldest open writer, which holds changes back", held_s),
        _gauge("onemap_changes_held_back_transactions", "Transactions that are over, but not yet told of", held),
        deliveries,
    ]  # fmt: skip


def _pools(served: Served) -> Iterable[Metric]:
    loads = {
        "server": served.database.load,
        "readers": served.readers.load,
        "own": served.own.load,
        "threads": served.threads.load,
    }
    for name, words in (
        ("most", "Database connections that may be open"),
        ("size", "Database connections that are open"),
        ("available", "Database connections that are free"),
        ("waiting", "Questions that wait for a database connection"),
    ):
        family = GaugeMetricFamily(f"onemap_pool_{name}", words, labels=["pool"])
        for pool, load in loads.items():
            family.add_metric([pool], getattr(load, name))
        yield family


def _tiles(tiles: TileServer) -> Iterable[Metric]:
    yield _gauge("onemap_tile_cache_bytes", "Memory that tiles take", tiles.cache.bytes)
    yield _gauge("onemap_tile_cache_tiles", "Tiles in memory", len(tiles.cache))
    yield _gauge("onemap_tile_flights", "Tiles that are being read", len(tiles.flights))
    shared = CounterMetricFamily(
        "onemap_tile_reads", "Tiles wanted from the database: begun, or shared with one under way", labels=["how"]
    )
    shared.add_metric(["begun"], tiles.flights.begun)
    shared.add_metric(["shared"], tiles.flights.shared)
    yield shared


def _changes(served: Served) -> Iterable[Metric]:
    age_s = served.changes.age_s
    if age_s is not None:
        yield _gauge("onemap_changes_poll_age_seconds", "Time since the log of changes was last read", age_s)
    polls = CounterMetricFamily("onemap_changes_polls", "Readings of the log of changes")
    polls.add_metric([], served.changes.polls)
    yield polls


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)
