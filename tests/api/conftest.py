"""A small city that every test of the web reads: made once a run, from rows that the tests know."""

import asyncio
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h3
import httpx
import psycopg
import pytest
import shapely
from psycopg import sql

from api.app import create_app
from gis.catalog import Catalogue
from gis.store.cluster import Cluster
from layers import LAYERS

SEED = 20260101
KINDS = ("school", "hospital", "shop", "food", None)
LOADED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
T0 = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One row as it was put into the database."""

    fid: int
    shape: shapely.Geometry | None
    start: datetime | None
    end: datetime | None
    fields: dict[str, Any]
    division: int | None = None
    past: bool = False


@dataclass
class SampleCity:
    """The rows, and a way to ask the server."""

    url: str
    rows: dict[str, list[Row]] = field(default_factory=dict)
    get: Callable[..., httpx.Response] = field(default=lambda *_: None)  # type: ignore[arg-type, return-value]


def _pois(rng: random.Random) -> list[Row]:
    rows = []
    for fid in range(1, 401):
        lon, lat = round(rng.uniform(116.40, 116.60), 6), round(rng.uniform(31.65, 31.85), 6)
        start = T0 + timedelta(days=rng.randrange(0, 1500)) if fid % 3 == 0 else None
        end = (start or T0) + timedelta(days=rng.randrange(1, 900)) if fid % 4 == 0 else None
        name = f"第{rng.randrange(40)}中学's \"{fid}\"" if fid % 5 else f'\\"<b>&\n{fid}'
        fields = {"code": f"P{fid:04d}", "name": name, "kind": KINDS[fid % 5], "telephone": None, "address": "人民路"}
        rows.append(Row(fid, shapely.Point(lon, lat), start, end, fields, 341502000000 + fid % 7 * 1000))
        if end is not None and fid % 8 == 0:
            rows.append(Row(fid, shapely.Point(lon, lat), end, None, {**fields, "kind": "culture"}, 341503000000))
    rows.append(Row(9001, shapely.Point(179.9999, 10.0), None, None, {"code": "E", "name": "east"}))
    rows.append(Row(9002, shapely.Point(-179.9999, 10.0), None, None, {"code": "W", "name": "west"}))
    rows.append(Row(9003, None, None, None, {"code": "N", "name": "nowhere"}))
    return rows


def _buildings(rng: random.Random) -> list[Row]:
    rows = []
    for fid in range(1, 201):
        lon, lat = rng.uniform(116.49, 116.51), rng.uniform(31.74, 31.76)
        shape = shapely.box(lon, lat, lon + rng.uniform(0.0001, 0.0008), lat + rng.uniform(0.0001, 0.0008))
        fields = {"code": f"B{fid}", "name": f"楼{fid}" if fid % 2 else None, "use": "school" if fid % 10 == 0 else "office",
                  "storeys": fid % 30 + 1, "height_m": (fid % 30 + 1) * 3.1}  # fmt: skip
        rows.append(Row(fid, shape, None, None, fields))
    return rows


def _roads(rng: random.Random) -> list[Row]:
    rows = []
    for fid in range(1, 61):
        line = shapely.LineString([(rng.uniform(116.4, 116.6), rng.uniform(31.65, 31.85)) for _ in range(4)])
        rows.append(Row(fid, line, None, None, {"code": f"R{fid}", "name": f"路{fid}", "class": "primary", "lanes": 4}))
    return rows


def _divisions(_: random.Random) -> list[Row]:
    fields = {"code": "341502000000", "name": "金安区", "level": 3, "parent": "341500000000"}
    return [
        Row(123, shapely.box(116.4, 31.65, 116.5, 31.85), None, None, fields, 341502000000),
        Row(124, shapely.box(116.5, 31.65, 116.6, 31.85), None, None, {**fields, "code": "341503000000", "name": "裕安区"},
            341503000000),
    ]  # fmt: skip


def _insert(conn: psycopg.Connection, collection: str, rows: list[Row]) -> None:
    declared = Catalogue(LAYERS)[collection]
    names = list(declared.by_name)
    load = conn.execute(
        "INSERT INTO core.load (collection, dataset, file, file_sha256, source, licence, loaded_at) VALUES"
        " (%s, 'sample', 'sample.csv', 'x', '{\"zh\": \"样例\", \"en\": \"Sample\"}', 'CC0-1.0', %s) RETURNING id",
        (collection, LOADED),
    ).fetchone()
    assert load is not None
    conn.execute("INSERT INTO core.epoch VALUES (%s, 1, %s, %s)", (collection, LOADED, load[0]))
    columns = ["fid", "valid_from", "valid_to", "rec_from", "digest", "load", "src_row", "cell", "division", "geom",
               "geom_3857", *names]  # fmt: skip
    given = "%s, coalesce(%s, '-infinity'::timestamptz), coalesce(%s, 'infinity'::timestamptz), 1, 0, %s, %s, %s, %s"
    shape = "ST_GeomFromWKB(%s, 4326), ST_Transform(ST_GeomFromWKB(%s, 4326), 3857)"
    statement = sql.SQL(f"INSERT INTO {collection} ({{}}) VALUES ({given}, {shape}, {{}})").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join([sql.Placeholder()] * len(names))
    )
    for number, row in enumerate(rows, 1):
        wkb, cell = None, None
        if row.shape is not None:
            wkb, spot = shapely.to_wkb(row.shape), row.shape.point_on_surface()
            cell = int(h3.latlng_to_cell(spot.y, spot.x, declared.cell_resolution), 16)
        values = (row.fid, row.start, row.end, load[0], number, cell, row.division, wkb, wkb)
        conn.execute(statement, (*values, *(row.fields.get(n) for n in names)))


@pytest.fixture(scope="session")
def sample_url(cluster: Cluster, template: str) -> Iterator[tuple[str, dict[str, list[Row]]]]:
    """The database of the sample city, and its rows."""
    name, rng = f"test_{__import__('os').getpid()}_{uuid.uuid4().hex[:8]}", random.Random(SEED)
    makers = {"base.pois": _pois, "base.buildings": _buildings, "base.roads": _roads, "base.divisions": _divisions}
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            rows = {collection: make(rng) for collection, make in makers.items()}
            with psycopg.connect(cluster.url(name)) as conn:
                for collection, made in rows.items():
                    _insert(conn, collection, made)
            yield cluster.url(name), rows
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built web map in small."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>map</title>")
    (folder / "assets" / "app-1a2b.js").write_text("export {}")
    return folder


@pytest.fixture(scope="session")
def city(sample_url: tuple[str, dict[str, list[Row]]], web_folder: Path) -> Iterator[SampleCity]:
    """The sample city, served in this process."""
    url, rows = sample_url
    runner = asyncio.Runner()
    app = create_app(url, Catalogue(LAYERS), web_folder)
    stack = AsyncExitStack()

    async def start() -> httpx.AsyncClient:
        framework = app.inner.inner  # type: ignore[attr-defined]
        await stack.enter_async_context(framework.router.lifespan_context(framework))
        transport = httpx.ASGITransport(app=app)
        return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://city.test"))

    client = runner.run(start())

    def get(path: str, method: str = "GET", **more: Any) -> httpx.Response:
        return runner.run(client.request(method, path, **more))

    yield SampleCity(url, rows, get)
    runner.run(stack.aclose())
    runner.close()
