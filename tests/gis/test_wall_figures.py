"""Released figures behind the wall: who speaks SQL as the reader's role is told what a signed scope opens of them."""

import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors

from gis.access import OWNER, PUBLIC, Identity
from gis.access.scope import FIGURES, scope, signed
from gis.catalog import Anonymous, Grant, Policy, Rows
from gis.query import answers
from gis.query.plan import Plan
from gis.query.query import ByCell, ByField, Query
from gis.query.span import now
from gis.store.cluster import Cluster
from gis.store.migrate import migrate
from gis.store.released import make, set_date
from gis.store.wall_roles import reader
from layers import LAYERS
from tests.anonymous_city import CATALOGUE, fill
from tests.conftest import copied_database
from tests.gis.walled_city import Walled
from tests.policies import with_policies

ANALYST = Identity("analyst", "analyst")
#: Someone whose duty ends in one village of six, and who is not told sexes.
CONFINED = Identity("staff", "staff", ((341502001001, 341502001001),))
PERSONS = CATALOGUE["base.persons"]
POLICY = PERSONS.policy or Policy(())
POLICIES = with_policies(
    CATALOGUE,
    {
        "base.persons": replace(
            POLICY,
            grants=(
                *POLICY.grants,
                Grant(roles=("staff",), rows=Rows.DUTY, anonymous=Anonymous(9, 5, 2), hidden=("sex",)),
            ),
        )
    },
)
NAMED = frozenset({FIGURES})
FIGURE_COUNT, RELEASE_COUNT = "SELECT count(*) FROM access.released_told", "SELECT count(*) FROM access.release_told"
SOON = int(time.time()) + 3600


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str) -> Iterator[Walled]:
    """3 000 persons of whom two releases are told, one of them outside."""
    with copied_database(cluster, template, "figures") as url:
        fill(url)
        with psycopg.connect(url, autocommit=True) as conn:
            make(conn, POLICIES["base.persons"], set_date(now().date()))
            conn.execute("ANALYZE access.released")
        yield Walled(url, reader(url), POLICIES)


def _counts(city: Walled, text: str | None) -> tuple[int, int]:
    with city.connected(text) as conn:
        found = [conn.execute(sql).fetchone() for sql in (RELEASE_COUNT, FIGURE_COUNT)]
    return found[0][0], found[1][0]  # type: ignore[index]


def _own(city: Walled, sql: str) -> int:
    with psycopg.connect(city.url) as conn:
        row = conn.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def _scopes(key: bytes) -> Iterator[tuple[str, str | None]]:
    whole = scope(POLICIES, ANALYST, NAMED)
    good = signed(key, whole, SOON)
    outside = signed(key, scope(POLICIES, PUBLIC, NAMED), SOON)
    yield "none", None
    yield "empty", ""
    yield "stale", signed(key, whole, int(time.time()) - 1)
    yield "signed by another key", signed(b"x" * 32, whole, SOON)
    yield "a smaller k", outside.replace('"k":10', '"k":5')
    yield "finer cells", outside.replace('"resolution":7', '"resolution":9')
    yield "for longer", good.replace(str(SOON), str(SOON * 2), 1)
    yield "of who sees rows", signed(key, scope(POLICIES, OWNER, NAMED), SOON)
    yield "of a statement that names no figures", signed(key, scope(POLICIES, ANALYST, frozenset()), SOON)
    yield "of another collection", signed(key, whole.replace("base.persons", "base.parsons"), SOON)


@pytest.mark.parametrize("name", [name for name, _ in _scopes(b"k" * 32)])
def test_no_other_scope_opens_figures(city: Walled, name: str) -> None:
    assert _counts(city, dict(_scopes(city.reader.key))[name]) == (0, 0)


def test_everybody_is_told_figures_at_least_as_coarse_as_theirs(city: Walled) -> None:
    both = _own(city, "SELECT count(*) FROM access.released")
    outside = _own(city, "SELECT count(*) FROM access.released WHERE rank = 1")
    assert 0 < outside < both
    key = city.reader.key
    assert _counts(city, signed(key, scope(POLICIES, ANALYST, NAMED), SOON)) == (2, both)
    assert _counts(city, signed(key, scope(POLICIES, PUBLIC, NAMED), SOON)) == (1, outside)
    with city.connected(signed(key, scope(POLICIES, PUBLIC, NAMED), SOON)) as conn:
        assert conn.execute("SELECT min(count) >= 10, max(resolution) <= 7 FROM access.released_told").fetchone() == (
            True,
            True,
        )


def test_where_the_duty_ends_and_what_is_hidden_is_not_told(city: Walled) -> None:
    with city.connected(signed(city.reader.key, scope(POLICIES, CONFINED, NAMED), SOON)) as conn:
        told = conn.execute("SELECT DISTINCT division, label ? 'sex' FROM access.released_told").fetchall()
    assert told == [(341502001001, False)]
    assert _own(city, "SELECT count(*) FROM access.released WHERE label ? 'sex'") > 0


@pytest.mark.parametrize(
    "sql",
    [
        "TABLE access.release",
        "TABLE access.released",
        "SELECT count(*) FROM access.released",
        "TABLE access.release_atom",
        "TABLE access.release_key",
        "INSERT INTO access.released_told SELECT * FROM access.released_told",
        "DELETE FROM access.release_told",
    ],
)
def test_no_table_of_figures_is_the_readers(city: Walled, sql: str) -> None:
    with city.connected(signed(city.reader.key, scope(POLICIES, ANALYST, NAMED), SOON)) as conn:
        conn.execute("SET default_transaction_read_only = off")
        with pytest.raises((errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState)):
            conn.execute(sql)


def test_errors_tell_nothing_of_figures_that_are_not_opened(city: Walled) -> None:
    """A condition that fails for every finer figure is not tried on one."""
    sql = "SELECT FROM access.released_told WHERE 1 / (CASE WHEN rank = 0 THEN 0 ELSE 1 END) = 1"
    with city.connected(signed(city.reader.key, scope(POLICIES, PUBLIC, NAMED), SOON)) as conn:
        assert conn.execute(sql).rowcount > 0
    with (
        city.connected(signed(city.reader.key, scope(POLICIES, ANALYST, NAMED), SOON)) as conn,
        pytest.raises(errors.DivisionByZero),
    ):
        conn.execute(sql)


QUESTIONS = [
    Query(collection="base.persons", by=(ByCell(7),)),
    Query(collection="base.persons", by=(ByField("marital_status"),)),
    Query(collection="base.persons", by=(ByCell(6), ByField("marital_status"))),
]


@pytest.mark.parametrize("who", [ANALYST, PUBLIC, CONFINED], ids=["analyst", "public", "confined"])
@pytest.mark.parametrize("query", QUESTIONS, ids=["cells", "field", "both"])
def test_a_plan_is_told_the_same_behind_the_wall(city: Walled, query: Query, who: Identity) -> None:
    statement = answers.groups(Plan(query, POLICIES, who, now()))
    with psycopg.connect(city.url) as conn:
        before = conn.execute(statement.sql, statement.args).fetchall()
    assert before or who is CONFINED
    assert city.rows(who, statement.sql, *statement.args) == before


def test_a_plan_made_for_somebody_else_is_not_answered(city: Walled) -> None:
    statement = answers.groups(Plan(QUESTIONS[0], POLICIES, ANALYST, now()))
    finest = city.rows(ANALYST, statement.sql, *statement.args)
    assert city.rows(PUBLIC, statement.sql, *statement.args) != finest
    assert city.rows(OWNER, statement.sql, *statement.args) == []


def test_figures_are_found_by_their_date(city: Walled) -> None:
    statement = answers.groups(Plan(QUESTIONS[0], POLICIES, ANALYST, now()))
    prepared, text = city.prepared(ANALYST, statement.sql, statement.args)
    with city.connected(text) as conn:
        conn.execute("SET enable_seqscan = off")
        told = "\n".join(row[0] for row in conn.execute(f"EXPLAIN (COSTS OFF) {prepared.sql}", prepared.args))
    # the leakproof conditions of the question are tried inside the barrier, by the index
    assert "released_by_date" in told
    index_condition = told[told.index("released_by_date") :].splitlines()[1]
    assert all(name in index_condition for name in ("collection", "rank", "on_date"))


def test_an_upgraded_database_takes_the_right_to_the_tables_away(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("GRANT SELECT ON access.release, access.released TO onemap_readers")
        conn.execute("REVOKE ALL ON access.released_told FROM onemap_readers")
        migrate(database_url, LAYERS)
        row = conn.execute(
            "SELECT has_table_privilege('onemap_readers', 'access.released', 'SELECT'),"
            " has_table_privilege('onemap_readers', 'access.released_told', 'SELECT')"
        ).fetchone()
    assert row == (False, True)
