"""Figures of one server process, counted while it serves, in the families that Prometheus reads.

What is counted for each tile from memory is counted in plain dictionaries, for that costs a tenth of a microsecond; the
client library's own counters take a lock each. No label holds what somebody asked for: routes are templates.
"""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, Metric

from api.noted import NOTED
from gis.query.statement import Statement

TILE_ROUTE = "tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: The status of an answer that nobody waited for.
HUNG_UP = 499

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DATABASE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class TileCounts:
    """Answers to requests for tiles by zoom, where the tile came from, method and status; bytes by zoom."""

    def __init__(self) -> None:
        self.answers: dict[tuple[int, str, str, int], int] = {}
        self.bytes: dict[int, int] = {}

    def count(self, zoom: int, source: str, method: str, status: int, size: int) -> None:
        """Count one answer; `source` is memory, database, or caller where the caller held the newest tile."""
        key = (zoom, source, method, status)
        answers = self.answers
        answers[key] = answers.get(key, 0) + 1
        if size:
            self.bytes[zoom] = self.bytes.get(zoom, 0) + size


class Metrics:
    """The figures that are counted."""

    def __init__(self) -> None:
        self.tiles = TileCounts()
        self.registry = CollectorRegistry()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds = Histogram(
            "onemap_request_seconds", "Time to answer, by route; tiles from memory are counted, not timed",
            ["route"], buckets=_REQUEST_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._held = Histogram(
            "onemap_database_seconds", "Time that a database connection was held by a question",
            buckets=_DATABASE_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._waited = Histogram(
            "onemap_database_wait_seconds", "Time that a question waited for a database connection",
            buckets=_DATABASE_BUCKETS, registry=self.registry,
        )  # fmt: skip

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request. `route` is a template, never an address."""
        self._requests[route, method if method in METHODS else "other", status // 100] += 1
        self._seconds.labels(route).observe(seconds)

    def timed(self, seconds: float) -> None:
        """A tile that was not at hand took so long; it is counted among the tiles."""
        self._seconds.labels(TILE_ROUTE).observe(seconds)

    def took(self, waited_s: float, held_s: float, statement: Statement | None) -> None:
        """What the database took; noted for the request that is being answered."""
        self._waited.observe(waited_s)
        self._held.observe(held_s)
        noted = NOTED.get()
        if noted is not None:
            noted.took(waited_s, held_s, statement)

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield self._requests_family()
        yield from self._tile_families()
        for collector in (self.registry, PROCESS_COLLECTOR, GC_COLLECTOR, PLATFORM_COLLECTOR):
            yield from collector.collect()

    def _requests_family(self) -> Metric:
        found = Counter(self._requests)
        for (_, _, method, status), number in list(self.tiles.answers.items()):
            found[TILE_ROUTE, method, status // 100] += number
        family = CounterMetricFamily(
            "onemap_requests", "Requests answered, by route, method and class of status", labels=["route", "method",
                                                                                                "status"],
        )  # fmt: skip
        for (route, method, status), number in sorted(found.items()):
            family.add_metric([route, method, f"{status}xx"], number)
        return family

    def _tile_families(self) -> Iterator[Metric]:
        answers = CounterMetricFamily(
            "onemap_tile_answers", "Answers to requests for tiles, by zoom and where the tile came from",
            labels=["zoom", "source"],
        )  # fmt: skip
        by_source: Counter[tuple[int, str]] = Counter()
        for (zoom, source, _, _), number in list(self.tiles.answers.items()):
            by_source[zoom, source] += number
        for (zoom, source), number in sorted(by_source.items()):
            answers.add_metric([str(zoom), source], number)
        sent = CounterMetricFamily("onemap_tile_bytes", "Bytes of tiles sent, by zoom", labels=["zoom"])
        for zoom, size in sorted(self.tiles.bytes.items()):
            sent.add_metric([str(zoom)], size)
        yield answers
        yield sent
