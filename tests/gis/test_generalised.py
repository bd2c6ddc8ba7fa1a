"""Generalised shapes follow the register, whatever is written to it, and say what is drawn from how far."""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import numpy as np
import psycopg
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.catalog import Band, Catalogue, Detail
from gis.catalog.detail import UNIT_M
from gis.store import derived
from gis.store.cluster import Cluster
from gis.store.generalised import Generalised, band_at, band_table
from gis.store.tables import Register
from layers import LAYERS
from tests.conftest import copied_database

CATALOGUE = Catalogue(LAYERS)
ROADS, WATER = CATALOGUE["base.roads"], CATALOGUE["base.water"]
FIRST = dict(ROADS.detail.first_zooms)

Row = tuple[int, datetime, str | None, shapely.Geometry | None]


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str) -> Iterator[psycopg.Connection]:
    """One database for all examples; each leaves it as it was."""
    with copied_database(cluster, template, "generalised") as url, psycopg.connect(url, autocommit=True) as conn:
        yield conn


def open_rows(conn: psycopg.Connection) -> list[Row]:
    rows = conn.execute("SELECT fid, valid_from, class, ST_AsBinary(geom_3857) FROM base.roads").fetchall()
    return [(fid, since, kind, shapely.from_wkb(shape) if shape else None) for fid, since, kind, shape in rows]


def expected(rows: list[Row], band: Band) -> dict[tuple[int, datetime], int]:
    """Which rows a band draws, from which zoom on: computed here, not there."""
    found = {}
    for fid, since, kind, shape in rows:
        if shape is None or shape.is_empty:
            continue
        west, south, east, north = shape.bounds
        size_m = max(east - west, north - south)
        grown = math.ceil(math.log2(UNIT_M / size_m)) if size_m > 0 else 99
        zoom = max(band.first, grown, FIRST.get(kind or "", 13))
        if zoom <= band.last:
            found[fid, since] = zoom
    return found


def check(conn: psycopg.Connection) -> int:
    """The bands are exactly what the register's rows make; returns how many shapes were compared."""
    rows = open_rows(conn)
    exact = {(fid, since): shape for fid, since, _, shape in rows}
    compared = 0
    for band in ROADS.bands:
        kept = conn.execute(
            f"SELECT _fid, _valid_from, _from_zoom, ST_AsBinary(_geom) FROM {band_table(ROADS, band)}"
        ).fetchall()
        assert {(fid, since): zoom for fid, since, zoom, _ in kept} == expected(rows, band)
        for fid, since, _, wkb in kept:
            shape, true = shapely.from_wkb(wkb), exact[fid, since]
            assert shape.is_valid and shapely.hausdorff_distance(shape, true) <= band.tolerance_m * 1.001
            assert shapely.get_num_coordinates(shape) <= shapely.get_num_coordinates(true)
        compared += len(kept)
    return compared


def line(fid: int, size_m: float) -> shapely.Geometry:
    bends = np.sin(np.arange(30) * fid) * size_m / 200
    return shapely.linestrings(np.c_[np.linspace(0, size_m, 30), bends] + (12_968_000 + fid, 3_730_000))


def insert(conn: psycopg.Connection, fids: list[int], size_m: float, kind: str | None, since: int) -> None:
    conn.execute(
        "INSERT INTO base.roads (fid, valid_from, rec_from, digest, load, class, geom, geom_3857, code)"
        " SELECT f, '2020-01-01'::timestamptz + %s * interval '1 day', 1, 1, 1, %s, ST_Transform(g, 4326), g, f::text"
        " FROM (SELECT f, ST_SetSRID(w::geometry, 3857) AS g FROM unnest(%s::bigint[], %s::bytea[]) AS u(f, w)) s"
        " ON CONFLICT DO NOTHING",
        (since, kind, fids, [shapely.to_wkb(line(f, size_m)) for f in fids]),
    )


sizes = st.floats(0.5, 200_000)
kinds = st.sampled_from([None, "motorway", "primary", "residential", "service"])
numbers = st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True)
writes = st.one_of(
    st.tuples(st.just("insert"), numbers, sizes, kinds, st.integers(0, 2)),
    st.tuples(st.just("reshape"), numbers, st.floats(0.01, 100)),
    st.tuples(st.just("reclass"), numbers, kinds),
    st.tuples(st.just("rekey"), numbers, st.integers(3, 5)),
    st.tuples(st.just("touch"), numbers),
    st.tuples(st.just("unshape"), numbers),
    st.tuples(st.just("delete"), numbers),
    st.tuples(st.just("truncate")),
)
STATEMENTS = {
    "reshape": "UPDATE base.roads SET geom_3857 = ST_Scale(geom_3857, ST_MakePoint(%s, %s),"
    " ST_StartPoint(geom_3857)) WHERE fid = ANY(%s)",
    "reclass": "UPDATE base.roads SET class = %s WHERE fid = ANY(%s)",
    "rekey": "UPDATE base.roads SET valid_from = valid_from + %s * interval '1 day' WHERE fid = ANY(%s)",
    "touch": "UPDATE base.roads SET src_row = 7 WHERE fid = ANY(%s)",
    "unshape": "UPDATE base.roads SET geom = NULL, geom_3857 = NULL WHERE fid = ANY(%s)",
    "delete": "DELETE FROM base.roads WHERE fid = ANY(%s)",
    "truncate": "TRUNCATE base.roads",
}


def write(conn: psycopg.Connection, kind: str, *how: object) -> None:
    if kind == "insert":
        insert(conn, *how)  # type: ignore[arg-type]
        return
    fids, *values = how if how else (None,)
    if kind == "reshape":
        values = values * 2
    # a key that is taken undoes the statement, and with it what its trigger did
    with suppress(psycopg.errors.UniqueViolation), conn.transaction():
        conn.execute(STATEMENTS[kind], (*values, *([fids] if fids else [])))


@given(history=st.lists(writes, min_size=1, max_size=8))
@settings(max_examples=25)
def test_whatever_is_written_the_bands_are_what_the_register_makes(
    city: psycopg.Connection, history: list[tuple[object, ...]]
) -> None:
    with city.transaction(force_rollback=True):
        insert(city, list(range(1, 6)), 5000.0, "motorway", 0)
        for kind, *how in history:
            write(city, str(kind), *how)
            check(city)


def test_writers_at_the_same_time_leave_the_same_bands(cluster: Cluster, template: str) -> None:
    with (
        copied_database(cluster, template, "bands_together") as url,
        psycopg.connect(url) as one,
        psycopg.connect(url) as other,
    ):
        insert(one, [1, 2], 90_000.0, "motorway", 0)
        insert(other, [3, 4], 90_000.0, "motorway", 0)
        # neither sees what the other has not committed, in the register or in its bands
        assert check(one) == check(other) == 2 * len(ROADS.bands)
        one.commit()
        other.execute("DELETE FROM base.roads WHERE fid = 1")
        other.commit()
        assert check(one) == 3 * len(ROADS.bands)


def test_a_register_that_is_swapped_in_brings_its_bands_and_keeps_them(conn: psycopg.Connection) -> None:
    insert(conn, [1, 2, 3], 60_000.0, "motorway", 0)
    register = Register.of(ROADS)
    copy = replace(register, suffix="__new")
    for statement in (*copy.create_open(), *copy.index_open(), *copy.constrain_open(), *copy.index_identity()):
        conn.execute(statement)
    conn.execute(f"INSERT INTO {copy.table()} SELECT * FROM base.roads WHERE fid > 1")
    generalised = Generalised()
    generalised.remove(conn, ROADS, "__new")
    generalised.copy(conn, ROADS, "__new")
    assert check(conn) == 3 * len(ROADS.bands)
    for statement in register.replace_by(copy):
        conn.execute(statement)
    generalised.swap(conn, ROADS, "__new")
    assert check(conn) == 2 * len(ROADS.bands)
    insert(conn, [9], 60_000.0, "primary", 0)
    assert check(conn) == 2 * len(ROADS.bands) + 2


def test_another_declaration_makes_other_bands(conn: psycopg.Connection) -> None:
    insert(conn, [1, 2], 60_000.0, "motorway", 0)
    coarser = replace(ROADS, detail=Detail(last_zooms=(6,)))
    assert Generalised().digest(coarser) != Generalised().digest(ROADS)
    assert "base.roads:generalised" in derived.ensure(conn, coarser)
    assert derived.ensure(conn, coarser) == []
    tables = conn.execute("SELECT relname FROM pg_class WHERE relname ~ '^roads_band[0-9]+$'").fetchall()
    assert tables == [("roads_band6",)]
    assert derived.ensure(conn, ROADS) == ["base.roads:generalised", "base.roads:wall"]
    assert check(conn) == 2 * len(ROADS.bands)


def test_a_shape_that_cannot_be_simplified_stops_nobody(conn: psycopg.Connection) -> None:
    conn.execute(
        "INSERT INTO base.water (fid, rec_from, digest, load, code, geom_3857) SELECT i, 1, 1, 1, i::text, g FROM"
        " (VALUES (1, 'POLYGON EMPTY'), (2, 'POLYGON((0 0, 9e4 9e4, 9e4 0, 0 9e4, 0 0))'),"
        " (3, 'POLYGON((0 0, 1e5 0, 1e5 0, 0 0))'), (4, 'GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 9e4 9e4))'))"
        " AS v(i, w), ST_GeomFromText(w, 3857) AS g"
    )
    kept = conn.execute(f"SELECT _fid FROM {band_table(WATER, WATER.bands[-1])} ORDER BY 1").fetchall()
    assert kept == [(2,), (3,), (4,)]


def test_neighbours_show_no_gap_wider_than_half_a_pixel(conn: psycopg.Connection) -> None:
    """Areas that share a border are simplified each for itself; what comes between them stays under four units."""
    draw = np.random.default_rng(3)
    border = np.c_[np.linspace(0, 40_000, 800), np.cumsum(draw.normal(0, 60, 800))]
    left = shapely.Polygon([*border, (40_000, 50_000), (0, 50_000)])
    right = shapely.Polygon([*border[::-1], (0, -50_000), (40_000, -50_000)])
    for fid, shape in enumerate((left, right), 1):
        conn.execute(
            "INSERT INTO base.divisions (fid, rec_from, digest, load, code, name, geom_3857)"
            " VALUES (%s, 1, 1, 1, %s, 'n', ST_SetSRID(%s::geometry, 3857))",
            (fid, str(fid), shapely.to_wkb(shapely.make_valid(shape))),
        )
    divisions = CATALOGUE["base.divisions"]
    for band in divisions.bands:
        rows = conn.execute(f"SELECT ST_AsBinary(_geom) FROM {band_table(divisions, band)}").fetchall()
        one, other = (shapely.from_wkb(wkb) for (wkb,) in rows)
        between = shapely.box(1, -40_000, 39_999, 40_000) - shapely.union(one, other)
        assert between.buffer(-2 * band.unit_m).is_empty
        assert shapely.intersection(one, other).buffer(-2 * band.unit_m).is_empty


@pytest.mark.parametrize(
    ("detail", "why"),
    [
        (Detail(last_zooms=(7, 4)), "rise"),
        (Detail(smallest=-1), "smallest"),
        (Detail(first_zooms=(("motorway", 0),)), "rank"),
        (Detail(rank="colour"), "no field"),
        (Detail(rank="name"), "neither"),
        (Detail(rank="class", first_zooms=(("canal", 0),)), "canal"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(detail: Detail, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(ROADS, detail=detail)


def test_bands_begin_with_the_collection_and_points_have_none() -> None:
    assert CATALOGUE["base.land"].bands == (Band(8, 10), Band(11, 12))
    assert CATALOGUE["base.pois"].bands == () and replace(ROADS, tiled=False).bands == ()
    assert [band_at(ROADS, zoom) for zoom in (0, 4, 5, 12, 13)] == [
        Band(0, 4), Band(0, 4), Band(5, 7), Band(11, 12), None,
    ]  # fmt: skip


def test_small_shapes_are_kept_where_that_is_declared(conn: psycopg.Connection) -> None:
    keeping = replace(WATER, detail=Detail(small="keep"))
    derived.ensure(conn, keeping)
    conn.execute(
        "INSERT INTO base.water (fid, rec_from, digest, load, code, geom_3857)"
        " VALUES (1, 1, 1, 1, '1', ST_MakeEnvelope(0, 0, 1, 1, 3857))"
    )
    for band in keeping.bands:
        assert conn.execute(f"SELECT _from_zoom FROM {band_table(keeping, band)}").fetchone() == (band.first,)
