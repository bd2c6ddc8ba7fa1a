"""Releases in the database: one a set date, kept as they are, made of what stood before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from gis.catalog import Anonymous, Catalogue, Grant, Policy
from gis.store.database import Database
from gis.store.released import anonymous, ensure, forget, make
from tests.anonymous_city import CATALOGUE, fill
from tests.commands import onemap

PERSONS = CATALOGUE["base.persons"]
FIRST, SECOND, THIRD = date(2026, 7, 1), date(2026, 10, 1), date(2027, 1, 1)
INSIDE, OUTSIDE = Anonymous(9, 5, 2), Anonymous(7, 10, 2)

Figures = dict[tuple[int, str], int]


@pytest.fixture
def city(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    fill(database_url)
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def figures(conn: psycopg.Connection[Any], rank: int, day: date) -> Figures:
    rows = conn.execute(
        "SELECT atom, label::text, count FROM access.released WHERE (rank, on_date) = (%s, %s)", (rank, day)
    )
    return {(atom, label): count for atom, label, count in rows}


def test_a_release_stays_and_the_next_differs_by_multiples_of_k(city: psycopg.Connection[Any]) -> None:
    assert make(city, PERSONS, FIRST) == [INSIDE, OUTSIDE]
    assert make(city, PERSONS, FIRST) == []
    first = [figures(city, rank, FIRST) for rank in (0, 1)]
    city.execute("DELETE FROM base.persons WHERE fid % 7 = 0")
    city.execute("UPDATE base.persons SET cell = (SELECT min(cell) FROM base.persons) WHERE fid % 11 = 0")
    assert make(city, PERSONS, FIRST) == []
    assert [figures(city, rank, FIRST) for rank in (0, 1)] == first
    assert make(city, PERSONS, SECOND) == [INSIDE, OUTSIDE]
    for rank, k in ((0, 5), (1, 10)):
        before, after = first[rank], figures(city, rank, SECOND)
        assert after != before
        assert all((count - before.get(at, 0)) % k == 0 and (count == 0 or count >= k) for at, count in after.items())
        assert before.keys() <= after.keys()
    assert make(city, PERSONS, FIRST) == []
    assert make(city, PERSONS, THIRD) == [INSIDE, OUTSIDE]
    assert figures(city, 0, THIRD) == figures(city, 0, SECOND)


def test_figures_are_those_of_the_register_at_first(city: psycopg.Connection[Any]) -> None:
    make(city, PERSONS, FIRST)
    rows = city.execute(
        "SELECT division, sum(count), (SELECT count(*) FROM base.persons p WHERE p.division = r.division)"
        " FROM access.released r WHERE rank = 0 AND level = 5 GROUP BY 1"
    ).fetchall()
    assert len(rows) == 6
    # a few are told above their village, or withheld
    assert all(0.97 * there <= told <= there for _, told, there in rows)


def test_what_a_policy_asks_for_later_is_made_of_what_is_told(city: psycopg.Connection[Any]) -> None:
    assert make(city, PERSONS, FIRST) == [INSIDE, OUTSIDE]
    grants = (*(PERSONS.policy.grants if PERSONS.policy else ()), Grant(roles=("staff",), anonymous=Anonymous(5, 20)))
    wider = replace(PERSONS, policy=Policy(grants))
    city.execute("DELETE FROM base.persons WHERE fid % 2 = 0")
    assert make(city, wider, FIRST) == [Anonymous(5, 20, 2)]
    assert make(city, wider, FIRST) == []
    assert sum(figures(city, 2, FIRST).values()) > 2_000
    assert make(city, wider, SECOND) == [INSIDE, OUTSIDE, Anonymous(5, 20, 2)]


def test_nothing_is_released_while_nobody_is_registered(database: Database) -> None:
    ensure(database, PERSONS)
    with database.connection() as conn:
        assert conn.execute("SELECT count(*) FROM access.release").fetchone() == (0,)
    fill(database.url)
    ensure(database, PERSONS)
    with database.connection() as conn:
        assert conn.execute("SELECT count(*) FROM access.release").fetchone() == (2,)
        assert forget(conn, PERSONS.id) == 2
        assert conn.execute("SELECT count(*) FROM access.released").fetchone() == (0,)
    assert anonymous(CATALOGUE) == [PERSONS]
    assert anonymous(Catalogue(())) == []


def test_who_knows_no_policy_reads_no_keys(city: psycopg.Connection[Any]) -> None:
    make(city, PERSONS, FIRST)
    rows = city.execute(
        "SELECT table_name, grantee FROM information_schema.role_table_grants WHERE table_schema = 'access'"
        " AND table_name LIKE 'release%' AND grantee LIKE 'onemap_%'"
    ).fetchall()
    assert {table for table, _ in rows} <= {"release_told", "released_told"}


def test_releases_are_made_and_taken_back_by_commands(city: psycopg.Connection[Any], database_url: str) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = onemap("anonymous", *words, ONEMAP_DATABASE_URL=database_url, ONEMAP_LANG="en")
        return done.returncode, done.stdout

    assert run("release", "base.persons")[0] == 0
    assert run("release", "base.pois") == (0, "Nobody is told counts of base.pois\n")
    assert run("forget", "base.persons", "--yes") == (0, "2 releases of base.persons are taken back\n")
