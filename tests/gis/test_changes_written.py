"""The log of changes: what it says of each write."""

import random
from collections.abc import Iterator

import psycopg
import pytest

from tests.gis.change_log import HERE, INSERT, POIS, THERE, emptied, keys_of


@pytest.fixture
def conn(module_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(emptied(module_url)) as connection:
        yield connection
        connection.rollback()


def logged(conn: psycopg.Connection, register: str = POIS) -> set[int]:
    """The keys of what is in the log, which is emptied."""
    found = conn.execute("DELETE FROM core.change WHERE register = %s RETURNING key", (register,))
    return {key for (key,) in found}


@pytest.mark.parametrize("rows", [1, 3, 50])
def test_a_write_is_logged_by_the_squares_of_its_boxes(conn: psycopg.Connection, rows: int) -> None:
    rng = random.Random(rows)
    conn.autocommit = True
    for _ in range(12):
        expected, shapes = set(), []
        for _ in range(rows):
            west, south = rng.uniform(-180, 179), rng.uniform(-89, 88)
            size = rng.choice([0, 0, 0.01, 0.2, 5])
            box = (west, south, min(west + size, 180), min(south + size, 90))
            shapes.append(f"LINESTRING({box[0]} {box[1]}, {box[2]} {box[3]})")
            expected |= keys_of(*box)
        made = "SELECT n, 1, 0, 1, ST_GeomFromText(t, 4326) FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n)"
        conn.execute(f"INSERT INTO base.pois (fid, rec_from, digest, load, geom) {made}", (shapes,))
        assert logged(conn) == expected
        conn.execute("UPDATE base.pois SET name = 'a'")
        assert logged(conn) == expected
        conn.execute("DELETE FROM base.pois")
        assert logged(conn) == expected


def test_a_move_is_logged_where_it_came_from_and_went_to(conn: psycopg.Connection) -> None:
    conn.execute(INSERT, (1, HERE))
    logged(conn)
    conn.execute("UPDATE base.pois SET geom = ST_GeomFromText(%s, 4326)", (THERE,))
    assert logged(conn) == keys_of(116.5, 31.7, 116.5, 31.7) | keys_of(116.9, 31.9, 116.9, 31.9)


PLACELESS = [None, "POINT EMPTY", "POLYGON EMPTY"]
BEYOND = ["POINT(190 95)", "POINT(-200 -100)", "LINESTRING(-1e300 -1e300, 1e300 1e300)"]


@pytest.mark.parametrize("shape", PLACELESS)
def test_what_has_no_place_counts_as_the_whole(conn: psycopg.Connection, shape: str | None) -> None:
    conn.execute(INSERT, (1, shape))
    assert logged(conn) == {1}
    conn.execute(INSERT, (2, HERE))
    conn.execute("UPDATE base.pois SET name = 'a'")
    assert logged(conn) == {1} | keys_of(116.5, 31.7, 116.5, 31.7)


@pytest.mark.parametrize("shape", BEYOND)
def test_what_lies_beyond_the_world_can_be_written(conn: psycopg.Connection, shape: str) -> None:
    conn.execute(INSERT, (1, shape))
    assert logged(conn)


def test_not_a_number_can_be_written(conn: psycopg.Connection) -> None:
    conn.execute(
        "INSERT INTO base.pois (fid, rec_from, digest, load, geom) VALUES (1, 1, 0, 1, ST_SetSRID(ST_Point('NaN',"
        " 'Infinity'), 4326))"
    )
    assert logged(conn)


WHOLE = ["TRUNCATE base.pois", "DELETE FROM base.pois_past", "TRUNCATE base.pois_past"]


@pytest.mark.parametrize("statement", WHOLE)
def test_what_empties_a_table_counts_as_the_whole(conn: psycopg.Connection, statement: str) -> None:
    conn.execute(statement)
    assert logged(conn) == {1}


def test_nothing_written_is_nothing_logged(conn: psycopg.Connection) -> None:
    conn.execute("UPDATE base.pois SET name = 'a' WHERE fid = 0")
    conn.execute("DELETE FROM base.pois WHERE fid = 0")
    assert logged(conn) == set()
