"""The rows of a small city that the tests of the web know, and how they are put into a database."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import h3
import httpx
import psycopg
import shapely
from psycopg import sql

from gis.catalog import Catalogue
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
        name = f'第{rng.randrange(40)}中学\'s "{fid}"' if fid % 5 else f'\\"<b>&\n{fid}'
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
        use, name, storeys = "office" if fid % 10 else "school", f"楼{fid}" if fid % 2 else None, fid % 30 + 1
        fields = {"code": f"B{fid}", "name": name, "use": use, "storeys": storeys, "height_m": storeys * 3.1}
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
    other = {**fields, "code": "341503000000", "name": "裕安区"}
    return [
        Row(123, shapely.box(116.4, 31.65, 116.5, 31.85), None, None, fields, 341502000000),
        Row(124, shapely.box(116.5, 31.65, 116.6, 31.85), None, None, other, 341503000000),
    ]


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


MAKERS = {"base.pois": _pois, "base.buildings": _buildings, "base.roads": _roads, "base.divisions": _divisions}


def fill(url: str) -> dict[str, list[Row]]:
    """Put the city into a migrated database; the rows by collection."""
    rng = random.Random(SEED)
    rows = {collection: make(rng) for collection, make in MAKERS.items()}
    with psycopg.connect(url) as conn:
        for collection, made in rows.items():
            _insert(conn, collection, made)
    return rows
