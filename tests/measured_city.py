"""A measured layer for the tests alone: stations, and what they measured hour by hour; made in SQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import xxhash

from gis.catalog import Catalogue, Collection, Geometry, Layer, Measured, Style
from gis.catalog.field import integer, number, text
from gis.store.tables import Register
from gis.text import Text

STATIONS = Collection(
    id="trial.stations",
    title=Text("测站", "Stations"),
    description=Text("监测站点", "Stations that measure"),
    geometry=Geometry.POINT,
    key=("code",),
    fields=(
        text("code", "编码", "Code", required=True, sortable=True),
        text("name", "名称", "Name"),
        number("height_m", "离地高度", "Height above ground", unit="m"),
    ),
    style=Style(color="#0072b2", dark="#56b4e9", label="name"),
)
HOURS = Collection(
    id="trial.hours",
    title=Text("小时值", "Hourly values"),
    description=Text("逐小时观测", "What was measured hour by hour"),
    geometry=None,
    key=("code",),
    tiled=False,
    style=None,
    fields=(
        text("code", "编码", "Code", required=True),
        number("pm25_ugm3", "细颗粒物", "PM2.5", unit="ug/m3"),
        number("temperature_cel", "气温", "Temperature", unit="Cel"),
        number("sd", "标准差", "Standard deviation"),
        integer("n", "读数个数", "Number of readings"),
        text("quality", "质量", "Quality"),
    ),
    measured=Measured(
        of="trial.stations", parameters=("pm25_ugm3", "temperature_cel"), reach_m=3_000, height="height_m"
    ),
)
TRIAL = Layer(name="trial", title=Text("试验", "Trial"), collections=(STATIONS, HOURS))
CATALOGUE = Catalogue([TRIAL])

#: Midnight of a Shanghai day: two days of hours begin here, the first day being the 1st of March 2026.
START = datetime(2026, 2, 28, 16, tzinfo=UTC)
#: The station of which nothing was measured, that whose last hours lack PM2.5, and that which stopped half-way.
SILENT, PATCHY, STOPPED = 5, 3, 7


@dataclass(frozen=True)
class Sizes:
    """How many stations, and for how many hours each."""

    stations: int = 12
    hours: int = 48


def fid_of(code: str) -> int:
    """The number under which both registers keep a key."""
    return xxhash.xxh3_64_intdigest(code.encode()) & (1 << 53) - 1


def place_of(station: int) -> tuple[float, float]:
    """Longitude and latitude: along a line, about a kilometre apart."""
    return 116.40 + station * 0.01, 31.75


def value_of(station: int, hour: int) -> tuple[float | None, float | None] | None:
    """PM2.5 and temperature of an hour; None where there is no row."""
    if station == SILENT or (station == STOPPED and hour >= 24):
        return None
    return (None if station == PATCHY and hour >= 44 else station * 10.0 + hour % 24), 20.0 - hour % 24


def fill(conn: psycopg.Connection[Any], sizes: Sizes) -> None:
    """Make the registers in a migrated database and fill them."""
    for collection in (STATIONS, HOURS):
        for statement in Register.of(collection).create():
            conn.execute(statement)
    own = "fid, rec_from, digest, load, valid_from, valid_to, division, geom"
    with conn.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO trial.stations ({own}, geom_3857, code, name, height_m) VALUES (%s, 1, 0, 1, '-infinity',"
            " 'infinity', NULL, ST_SetSRID(ST_MakePoint(%s, %s), 4326), NULL, %s, %s, %s)",
            [(fid_of(f"S{s}"), *place_of(s), f"S{s}", f"测站{s}", s * 1.5) for s in range(sizes.stations)],
        )
        with cursor.copy(
            "COPY trial.hours (fid, rec_from, digest, load, valid_from, valid_to, code, pm25_ugm3, temperature_cel,"
            " sd, n, quality) FROM STDIN"
        ) as copy:
            for row in _rows(sizes):
                copy.write_row(row)
    conn.execute("ANALYZE trial.stations")
    conn.execute("ANALYZE trial.hours")


def _rows(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    for station in range(sizes.stations):
        for hour in range(sizes.hours):
            values = value_of(station, hour)
            if values is not None:
                begin = START + timedelta(hours=hour)
                end = begin + timedelta(hours=1)
                yield (fid_of(f"S{station}"), 1, 0, 1, begin, end, f"S{station}", *values, 0.5, 60, "good")
