"""What is here, over a whole city's registers, against the slowest of the single questions that it is made of."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.geo.area import Circle
from gis.query import here
from gis.query.ask import Ask
from gis.query.here import Here
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.statement import Statement
from gis.store.cluster_server import in_database
from gis.store.migrate import migrate
from layers import LAYERS
from tests.bench.here_city import SIZE, SOUTH, WEST, Sizes, fill
from tests.bench.pairs import Comparison

_NAME = "onemap_bench_here"
_CATALOGUE = Catalogue(LAYERS)
#: The whole may take so many times as long as the slowest of its parts.
GOAL = 3.0
_PLACES, _RADIUS_M = 20, 300.0
#: As the server asks, whether all collections or one: planned once a connection.
_OPTIONS = "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c plan_cache_mode=force_generic_plan"


def bench(url: str, scale: float, pairs: int) -> list[Comparison]:
    """p95 over twenty places of all collections in one statement, and of the slowest collection asked alone."""
    with _city(url, scale) as made, _connected(made) as kept, _connected(made) as plain:
        draw = random.Random(7)
        whole_s, slowest_s = [], []
        for pair in range(pairs + 1):
            places = [_place(draw) for _ in range(_PLACES)]
            whole, slowest = _p95(kept, [here.statement(at, _plans(at)) for at in places]), _slowest(plain, places)
            if pair:
                whole_s.append(whole)
                slowest_s.append(slowest)
    name = f"/here within {_RADIUS_M:g} m, p95"
    return [Comparison(name, "its slowest part", 1 / GOAL, whole_s, slowest_s)]


def _slowest(conn: psycopg.Connection[Any], places: list[Here]) -> float:
    questions: dict[str, list[Statement]] = {}
    for at in places:
        for plan in _plans(at):
            questions.setdefault(plan.collection.id, []).append(here.statement(at, [plan]))
    return max(_p95(conn, asked) for asked in questions.values())


def _place(draw: random.Random) -> Here:
    lon, lat = WEST + draw.uniform(0.1, 0.9) * SIZE, SOUTH + draw.uniform(0.1, 0.9) * SIZE
    return Here(area=Circle(lon, lat, _RADIUS_M), lon=lon, lat=lat)


def _plans(at: Here) -> list[Plan]:
    plan: Callable[[Query], Plan] = lambda query: Ask(query=query, identity=OWNER).plan(_CATALOGUE)  # noqa: E731
    return at.plans(_CATALOGUE, plan)


def _p95(conn: psycopg.Connection[Any], asked: list[Statement]) -> float:
    taken = []
    for question in asked:
        start = time.perf_counter()
        conn.execute(question.sql, question.args, binary=True, prepare=True).fetchall()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[int(0.95 * len(taken))]


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True, options=_OPTIONS) as conn:
        yield conn


@contextmanager
def _city(url: str, scale: float) -> Iterator[str]:
    """A database of its own with the registers filled; dropped afterwards."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {_NAME}")
        try:
            made = in_database(url, _NAME)
            with psycopg.connect(made, autocommit=True) as conn:
                conn.execute("CREATE EXTENSION IF NOT EXISTS postgis")
            migrate(made, LAYERS)
            with psycopg.connect(made) as conn:
                fill(conn, Sizes.of(scale))
            yield made
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)")
