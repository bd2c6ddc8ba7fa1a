"""The second wall on a server where we are not superuser: views with the condition, and none where roles cannot be."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql

from gis.access import OWNER, PUBLIC, Identity
from gis.access.scope import scope, signed
from gis.store.cluster import Cluster
from gis.store.cluster_server import EXTENSIONS, server_facts
from gis.store.derived import ensure
from gis.store.migrate import migrate
from gis.store.wall_roles import reader
from layers import LAYERS
from tests.gis.test_wall import MASKED, SEEN
from tests.gis.walled_city import CATALOGUE, CLERK, Walled, walled
from tests.policies import with_policies


@pytest.fixture(scope="module")
def outside(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """The URLs of a database as its owner, who is no superuser, and as the server's superuser."""
    name, owner = f"test_{os.getpid()}_outside", f"test_owner_{os.getpid()}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(owner)))
        server.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
        with psycopg.connect(cluster.url(name), autocommit=True) as conn:
            for extension in EXTENSIONS:
                conn.execute(f"CREATE EXTENSION {extension}")
        try:
            yield cluster.url(name).replace("onemap@", f"{owner}@"), cluster.url(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(owner)))


@pytest.fixture(scope="module")
def city(outside: tuple[str, str]) -> Walled:
    """The city that nobody changes."""
    migrate(outside[0], LAYERS)
    return walled(outside[0])


def test_views_stand_where_boxes_cannot_be_marked(city: Walled) -> None:
    assert (city.reader.mode, server_facts(city.url)["wall"]) == ("views", "views")


@pytest.mark.parametrize(("identity", "persons", "pois"), [(OWNER, 16, 16), (CLERK, 10, 16), (PUBLIC, 0, 16)])
def test_rows_are_told_by_the_divisions_of_the_duty(city: Walled, identity: Identity, persons: int, pois: int) -> None:
    assert city.rows(identity, 'SELECT count(*) FROM "base"."persons"') == [(persons,)]
    assert city.rows(identity, 'SELECT count(*) FROM "base"."pois"') == [(pois,)]
    assert city.rows(identity, 'SELECT count(*) FROM "base"."pois_all"') == [(pois,)]
    assert city.rows(identity, 'SELECT sum(_n) FROM "base"."pois_rollup_delta"') == [(pois,)]


def test_without_a_scope_of_this_database_nothing_is_told(city: Walled) -> None:
    forged = signed(b"x" * 32, scope(CATALOGUE, OWNER, frozenset({"base.persons"})), 99_999_999_999)
    for text in (None, "", forged):
        with city.connected(text) as conn:
            for view in ("persons_exact", "pois_exact", "pois_all_exact", "pois_rollup_exact"):
                assert conn.execute(f"SELECT count(*) FROM base.{view}").fetchone() == (0,)


@pytest.mark.parametrize("table", ["persons", "pois", "pois_past", "pois_rollup", "persons_identifier"])
def test_no_table_is_the_readers(city: Walled, table: str) -> None:
    _, text = city.prepared(OWNER, 'SELECT FROM "base"."persons"')
    with city.connected(text) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute(f"TABLE base.{table}")


@pytest.mark.parametrize(
    "condition",
    [
        "1 / (fid - 12) > -5",
        "(CASE WHEN fid = 12 THEN '-' ELSE '1' END)::integer = 1",
        "ST_GeomFromText(CASE WHEN fid = 12 THEN 'x' ELSE 'POINT(1 1)' END) IS NOT NULL",
    ],
)
@pytest.mark.parametrize("view", ["persons_exact", "persons_all_exact"])
def test_errors_tell_nothing_of_persons_that_are_not_opened(city: Walled, view: str, condition: str) -> None:
    _, text = city.prepared(CLERK, 'SELECT FROM "base"."persons"')
    with city.connected(text) as conn:
        told = conn.execute(f"SELECT fid FROM base.{view} WHERE {condition}").fetchall()
    assert {fid for (fid,) in told} <= set(range(1, 11))


@pytest.mark.parametrize(
    ("condition", "index"),
    [("true", "persons_division"), ("fid = 7", "persons_pkey"), ("division = 341502001000", "persons_division"),
     ("cell = 5", "persons_cell")],
)  # fmt: skip
def test_behind_a_barrier_persons_are_found_by_division_key_and_cell(city: Walled, condition: str, index: str) -> None:
    _, text = city.prepared(CLERK, 'SELECT FROM "base"."persons"')
    with city.connected(text) as conn:
        # sixteen rows are read whole, were they not of a table that might be large
        conn.execute("SET enable_seqscan = off")
        found = conn.execute(f"EXPLAIN (COSTS OFF) SELECT fid FROM base.persons_exact WHERE {condition}").fetchall()
    assert index in "\n".join(line for (line,) in found)


def test_fields_are_masked(city: Walled) -> None:
    with psycopg.connect(city.url, autocommit=True) as conn:
        conn.execute("UPDATE base.pois SET name = '欧阳娜娜', telephone = '13812348000'")
        (pois,) = [c for c in with_policies(CATALOGUE, {"base.pois": MASKED}) if c.id == "base.pois"]
        ensure(conn, pois)
    masked = Walled(city.url, city.reader, with_policies(CATALOGUE, {"base.pois": MASKED}))
    assert masked.rows(Identity("someone", "command"), SEEN) == [("欧阳**", "138****8000", None)]


def test_where_no_role_can_be_made_it_is_said(
    cluster: Cluster, database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        return None

    monkeypatch.setattr("gis.store.wall_roles._login", none)
    found = reader(database_url)
    assert (found.mode, found.url) == ("none", database_url)
    assert "ONEMAP_READER_URL" in caplog.text


def test_a_reader_that_somebody_made_is_used(database_url: str) -> None:
    name = f"test_reader_{os.getpid()}"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN IN ROLE onemap_readers")
        try:
            given = database_url.replace("onemap@", f"{name}@")
            assert reader(database_url, given).url == given
        finally:
            conn.execute(f"DROP ROLE {name}")
