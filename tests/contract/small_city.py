"""A small city in which every declared collection has rows of every kind: past, present, future, planned, on record."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import h3
import psycopg
import shapely

from gis.catalog import Catalogue, Collection, Field, FieldType, Geometry
from gis.store.tables import Register
from layers import LAYERS

CATALOGUE = Catalogue(LAYERS)
ROWS = 40
#: South-west corner of the quarter in which everything lies, and its width in degrees.
WEST, SOUTH, WIDTH = 116.5050, 31.7550, 0.0020
PLAN = "plan"
#: The first recorded change, the second, and a moment between them.
FIRST, SECOND = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
BETWEEN = datetime(2026, 2, 1, tzinfo=UTC)
_PRESENT = datetime.now(UTC).replace(microsecond=0)
_VALID = (
    (None, None),
    (datetime(2019, 1, 1, tzinfo=UTC), datetime(2021, 7, 1, tzinfo=UTC)),
    (datetime(2021, 7, 1, tzinfo=UTC), None),
    (_PRESENT - timedelta(hours=3), None),
    (None, _PRESENT + timedelta(days=2)),
    (_PRESENT + timedelta(days=3), None),
)
_DIVISIONS = (341502001001, 341502002002, 341503001001, None)


def fill(url: str) -> None:
    """Put the city into a migrated database."""
    chance = random.Random(11)
    with psycopg.connect(url) as conn:
        conn.execute("""INSERT INTO core.scenario (name, title) VALUES (%s, '{"zh": "规划", "en": "Plan"}')""", [PLAN])
        load = conn.execute(
            "INSERT INTO core.load (collection, dataset, file, file_sha256, source, licence) VALUES"
            """ ('base.pois', 'sample', 'x', 'x', '{"zh": "样例", "en": "Sample"}', 'CC0-1.0') RETURNING id"""
        ).fetchone()
        assert load is not None
        for collection in CATALOGUE:
            for number, when in ((1, FIRST), (2, SECOND)):
                conn.execute("INSERT INTO core.epoch VALUES (%s, %s, %s, %s)", (collection.id, number, when, load[0]))
            conn.execute(f"CREATE TABLE {Register.of(collection).table('_past_known')} PARTITION OF"
                         f" {Register.of(collection).table('_past')} DEFAULT")  # fmt: skip
            for fid in range(1, ROWS + 1):
                _insert(conn, collection, fid, load[0], chance)


def _insert(conn: psycopg.Connection[Any], collection: Collection, fid: int, load: int, chance: random.Random) -> None:
    """One feature; some have a planned variant, some are known since the second change, some were closed by it."""
    row = _row(collection, fid, load, chance)
    since, table = (2 if fid % 7 == 0 else 1), Register.of(collection)
    if fid % 9 == 0 and since == 1:
        _put(conn, table.table("_past"), {**row, "rec_from": 1, "rec_to": 2, "closed_on": SECOND.date()})
        return
    _put(conn, table.table(), {**row, "rec_from": since})
    if fid % 8 == 0:
        _put(conn, table.table(), {**row, "rec_from": 1, "scenario": 1, "division": 341503009009})


def _row(collection: Collection, fid: int, load: int, chance: random.Random) -> dict[str, Any]:
    shape = _shape(collection, chance) if fid % 20 else None
    start, end = _VALID[fid % len(_VALID)] if collection.timed else (None, None)
    wkb, cell = None, None
    if shape is not None:
        wkb, spot = shapely.to_wkb(shape), shape.point_on_surface()
        cell = int(h3.latlng_to_cell(spot.y, spot.x, collection.cell_resolution), 16)
    row = {
        "fid": fid, "scenario": 0, "valid_from": start or "-infinity", "valid_to": end or "infinity",
        "digest": 0, "load": load, "src_row": fid, "cell": cell, "division": chance.choice(_DIVISIONS), "geom": wkb,
        **{field.name: _value(field, fid) for field in collection.fields},
    }  # fmt: skip
    return {**row, "geom_3857": wkb} if collection.tiled else row


def _put(conn: psycopg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    shapes = {
        "geom": "ST_GeomFromWKB(%s, 4326)",
        "geom_3857": "ST_Transform(ST_GeomFromWKB(%s, 4326), 3857)",
    }
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(shapes.get(name, "%s") for name in row)
    conn.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", list(row.values()))


def _shape(collection: Collection, chance: random.Random) -> shapely.Geometry | None:
    lon, lat = WEST + chance.random() * WIDTH, SOUTH + chance.random() * WIDTH
    if collection.geometry is Geometry.POINT:
        return shapely.Point(lon, lat)
    if collection.geometry is Geometry.LINE:
        return shapely.LineString([(lon, lat), (lon + 0.0006, lat + 0.0004)])
    return shapely.box(lon, lat, lon + 0.0005, lat + 0.0004) if collection.geometry else None


def _value(field: Field, fid: int) -> Any:
    if field.values:
        return [*field.values, None][fid % (len(field.values) + 1)] if not field.required else next(iter(field.values))
    return {
        FieldType.TEXT: f'{field.name} {fid}, "{"省" * (fid % 3)}"',
        FieldType.INTEGER: fid % 13,
        FieldType.NUMBER: fid / 4,
        FieldType.BOOLEAN: fid % 2 == 0,
        FieldType.DATE: FIRST.date() - timedelta(days=fid),
        FieldType.INSTANT: FIRST - timedelta(hours=fid),
    }[field.type]
