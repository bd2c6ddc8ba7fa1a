"""What a register's past costs the present: the same dwellings after one delivery and after five of each row."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import morecantile
import psycopg

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.city import City
from gis.query import answers
from gis.query.plan import Plan
from gis.query.span import now
from gis.query.statement import Statement
from gis.query.url import parse
from gis.store.cluster_server import in_database
from gis.store.database import Database
from gis.store.migrate import migrate
from layers import LAYERS
from tests.bench.deliveries import sample
from tests.bench.pairs import Comparison, compare
from tiles.grid import Tile
from tiles.mvt import statement

#: The present may take so many times as long, and read so many times the buffers, as without a past.
SLOWER_GOAL, BUFFERS_GOAL = 1.10, 1.10
VERSIONS = 5
_REGISTER = "base.dwellings"
_REPEATS = 40


@dataclass(frozen=True)
class Buffers:
    """Pages read for one question with and without a past."""

    name: str
    with_past: int
    without: int

    @property
    def ratio(self) -> float:
        """With a past over without."""
        return self.with_past / max(1, self.without)


def bench(server: str, folder: Path, people: int, pairs: int) -> tuple[list[Comparison], list[Buffers]]:
    """Items, a tile, cells and what the geocoder reads, each asked of both registers in turn."""
    files = sample(folder, people)
    once, often = (_city(server, name, files, versions) for name, versions in (("plain", 1), ("past", VERSIONS)))
    comparisons, buffers = [], []
    for name, statement_ in _questions(once).items():
        ours, theirs = (partial(_ask, city, statement_) for city in (often, once))
        comparisons.append(compare(f"{name}, {VERSIONS} versions", "no past", 1 / SLOWER_GOAL, ours, theirs, pairs))
        buffers.append(Buffers(name, _pages(often, statement_), _pages(once, statement_)))
    for city in (once, often):
        city.close()
    return comparisons, buffers


def _city(server: str, name: str, files: Path, versions: int) -> City:
    """A city of its own whose dwellings were delivered so many times, each time otherwise, the last time alike."""
    database = f"onemap_bench_{name}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {database}")
        conn.execute(f"CREATE DATABASE {database}")
    url = in_database(server, database)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    migrate(url, LAYERS)
    city = City(Database(url), Catalogue(LAYERS))
    for file, into in (("divisions.gpkg", "base.divisions"), ("buildings.shp", "base.buildings")):
        city.load(files / file, into)
    for version in range(VERSIONS - versions, VERSIONS):
        city.deliver(_REGISTER, _edition(files, version), department="real_estate", mode="full")
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE) base.dwellings")
    return city


def _edition(files: Path, version: int) -> Path:
    """The dwellings as they were registered in 2020, each with a floor area that every edition corrects."""
    path = files / f"dwellings_{version}.csv"
    lines = (files / "deliveries/dwellings_real_estate.csv").read_text("gbk").splitlines()
    made = [f"{line.rpartition(',')[0]},{60 + version},2020-01-01" for line in lines[1:]]
    path.write_text("\n".join([f"{lines[0]},生效日期", *made]) + "\n", "gbk")
    return path


def _questions(city: City) -> dict[str, Statement]:
    """The statements of four questions about the middle of the city."""
    with city.database.connection() as conn:
        found = conn.execute(
            "SELECT ST_X(c), ST_Y(c) FROM (SELECT geom AS c FROM base.dwellings ORDER BY fid LIMIT 1) q"
        ).fetchone()
    assert found is not None
    lon, lat = (float(v) for v in found)
    box = f"{lon - 0.005:.6f},{lat - 0.005:.6f},{lon + 0.005:.6f},{lat + 0.005:.6f}"
    items = _plan(city, f"{_REGISTER}?bbox={box}&limit=100")
    cells = _plan(city, f"{_REGISTER}?by=cell:9")
    whole = _plan(city, _REGISTER)
    at = morecantile.tms.get("WebMercatorQuad").tile(lon, lat, 17)
    tile = statement(_plan(city, f"{_REGISTER}?properties=code,room"), Tile(z=at.z, x=at.x, y=at.y))
    assert tile is not None
    relation = whole.relation()
    read = Statement(f"SELECT count(code), sum(length(address)) FROM ({relation.sql}) q", relation.args)
    return {"items": answers.features(items), "tile": tile, "cells": answers.groups(cells), "geocode": read}


def _plan(city: City, question: str) -> Plan:
    return Plan(parse(question, city.catalogue), city.catalogue, OWNER, now())


def _ask(city: City, question: Statement) -> None:
    for _ in range(_REPEATS if "LIMIT" in question.sql else 3):
        city.database.rows(question)


def _pages(city: City, question: Statement) -> int:
    with city.database.connection() as conn:
        found = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {question.sql}", question.args).fetchone()
    assert found is not None
    plan: dict[str, Any] = (json.loads(found[0]) if isinstance(found[0], str) else found[0])[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
