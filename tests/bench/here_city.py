"""A city of registers made in SQL: buildings with dwellings and their persons, addresses with their legal entities."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from gis.catalog import Catalogue
from gis.store.tables import Register
from layers import LAYERS

#: The south-western corner, and how far the city reaches from it, in degrees.
WEST, SOUTH, SIZE = 116.40, 31.65, 0.20


@dataclass(frozen=True)
class Sizes:
    """How many rows of each register."""

    buildings: int
    dwellings: int
    persons: int
    addresses: int
    entities: int
    pois: int

    @classmethod
    def of(cls, scale: float) -> "Sizes":
        """At 1: a million persons, 200 000 legal entities, 300 000 buildings."""
        whole = cls(300_000, 400_000, 1_000_000, 100_000, 200_000, 50_000)
        return cls(*(max(50, int(n * scale)) for n in vars(whole).values()))


_KINDS = "(ARRAY['school','hospital','government','shop','food','transport','culture','other'])[1 + i % 8]"
_USES = "(ARRAY['residential','commercial','office','industrial','school','hospital','public','other'])[1 + i % 8]"
_POINT = f"ST_SetSRID(ST_MakePoint({WEST} + random() * {SIZE}, {SOUTH} + random() * {SIZE}), 4326)"


def fill(conn: psycopg.Connection[Any], sizes: Sizes) -> None:
    """Fill the empty registers of a migrated database, and analyse them."""
    conn.execute("SELECT setseed(0.42)")
    for noun, columns, rows, beside in _registers(sizes):
        _take(conn, noun, f"SELECT i, {columns} FROM generate_series(1, {rows}) i {beside}")


def _registers(sizes: Sizes) -> list[tuple[str, str, int, str]]:
    """Noun, columns, how many rows, and what they are joined with."""
    strip = SIZE / 10
    envelope = f"ST_MakeEnvelope({WEST} + (i - 1) * {strip}, {SOUTH}, {WEST} + i * {strip}, {SOUTH + SIZE}, 4326)"
    kinds = "(ARRAY['enterprise', 'self_employed', 'social'])[1 + i % 3]"
    footprint = f"ST_Expand({_POINT}, 0.00015)"

    def of(noun: str, rows: int) -> str:
        return f"JOIN base.{noun} o ON o.fid = 1 + i % {rows}"

    return [
        ("buildings", f"{footprint} geom, 'B' || i code, 'b' || i AS name, {_USES} use", sizes.buildings, ""),
        ("dwellings", "ST_PointOnSurface(o.geom) geom, 'D' || i code, o.code building", sizes.dwellings,
         of("buildings", sizes.buildings)),
        ("persons", "o.geom, o.code dwelling", sizes.persons, of("dwellings", sizes.dwellings)),
        ("addresses", f"{_POINT} geom, 'A' || i code, 'a' || i AS text", sizes.addresses, ""),
        ("entities", f"o.geom, 'E' || i credit_code, 'e' || i AS name, o.code site, {kinds} kind", sizes.entities,
         of("addresses", sizes.addresses)),
        ("pois", f"{_POINT} geom, 'P' || i code, 'p' || i AS name, {_KINDS} kind", sizes.pois, ""),
        ("divisions", f"{envelope} geom, (341502000000 + i * 1000)::text code, 'd' || i AS name, 4 AS level", 10, ""),
    ]  # fmt: skip


def _take(conn: psycopg.Connection[Any], noun: str, rows: str) -> None:
    """Rows of i, geom and declared fields, as the register keeps them; indexed afterwards, as a first load does."""
    register = Register.of(Catalogue(LAYERS)[f"base.{noun}"])
    cursor = conn.execute(f"CREATE TEMP TABLE made ON COMMIT DROP AS {rows}")
    cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 2")
    names = [str(name) for (name,) in cursor.fetchall()]
    columns = [
        "fid",
        "rec_from",
        "digest",
        "load",
        "division",
        "geom",
        *(["geom_3857"] if register.tiled else []),
        *names,
    ]
    mercator = "ST_Transform(geom, 3857), " if register.tiled else ""
    west = f"(ST_X(ST_Centroid(geom)) - {WEST})"
    division = f"341502000000 + 1000 * (1 + floor({west} / {SIZE / 10}))::bigint"
    conn.execute(
        sql.SQL("INSERT INTO {} ({}) SELECT i, 1, i, 1, {}, geom, {} {} FROM made").format(
            sql.Identifier("base", noun),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(division),
            sql.SQL(mercator),
            sql.SQL(", ").join(map(sql.Identifier, names)),
        )
    )
    conn.execute("DROP TABLE made")
    conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("base", noun)))
