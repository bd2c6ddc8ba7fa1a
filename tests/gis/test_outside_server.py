"""A server that ONEMAP_DATABASE_URL names: the same code, and a clear word when it does not do."""

from pathlib import Path

import psycopg
import pytest

from gis.city import City
from gis.errors import OneMapError, SetupError, Unavailable
from gis.settings import Settings
from gis.store import cluster_server
from gis.store.cluster import Cluster, ensure_database
from gis.store.cluster_server import as_url, in_database, server_facts, without_password


def use(url: str) -> str:
    return ensure_database(Settings(database_url=url))


def test_an_outside_server_is_used_as_it_is(cluster: Cluster, database_url: str, tmp_path: Path) -> None:
    name = cluster_server.database_name(database_url)
    outside = cluster.url(name, tcp=True)
    assert ensure_database(Settings(database_url=outside, home=tmp_path / "unused")) == outside
    assert not (tmp_path / "unused").exists()


def test_extensions_are_created_where_they_are_missing(cluster: Cluster, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP EXTENSION IF EXISTS pg_trgm CASCADE")
    use(database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'").fetchone() == (1,)


def test_a_guest_who_may_not_create_extensions(cluster: Cluster, database_url: str) -> None:
    name = cluster_server.database_name(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP EXTENSION IF EXISTS btree_gist CASCADE")
        connection.execute("DROP ROLE IF EXISTS test_guest")
        connection.execute("CREATE ROLE test_guest LOGIN")
    try:
        with pytest.raises(SetupError, match="CREATE EXTENSION btree_gist") as caught:
            use(cluster.url(name).replace("onemap@", "test_guest@"))
        assert caught.value.subject == "btree_gist"
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP ROLE test_guest")


def test_a_guest_who_may_not_make_tables(cluster: Cluster, database_url: str) -> None:
    name = cluster_server.database_name(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS test_reader")
        connection.execute("CREATE ROLE test_reader LOGIN")
    try:
        with pytest.raises(SetupError, match="may not make or change its tables"):
            City.open(cluster.url(name).replace("onemap@", "test_reader@"))
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP ROLE test_reader")


def test_a_city_that_does_not_answer() -> None:
    with pytest.raises(Unavailable):
        City.open("postgresql://city:secret@127.0.0.1:1/city")


@pytest.mark.parametrize(
    ("limit", "value", "word"),
    [("OLDEST_SERVER", 99, "99 or newer is needed"), ("OLDEST_POSTGIS", (9, 9), "9.9 or newer is needed")],
)
def test_versions_that_are_too_old(
    database_url: str, monkeypatch: pytest.MonkeyPatch, limit: str, value: object, word: str
) -> None:
    monkeypatch.setattr(cluster_server, limit, value)
    with pytest.raises(SetupError, match=word) as caught:
        use(database_url)
    assert "请先升级" in caught.value.text.zh


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://city:secret@127.0.0.1:1/city", Unavailable),
        ("host=/nowhere dbname=city user=city password=secret", Unavailable),
        ("http://127.0.0.1/", SetupError),
        ("not a url", SetupError),
    ],
)
def test_a_url_that_leads_nowhere(url: str, kind: type[OneMapError]) -> None:
    with pytest.raises(kind) as caught:
        use(url)
    assert "secret" not in caught.value.text.en + caught.value.text.zh + caught.value.subject


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://a:b@h:5433/db?sslmode=require", "postgresql://a:b@h:5433/db?sslmode=require"),
        ("postgres://a:p%40w@h/db", "postgresql://a:p%40w@h/db"),
        ("host=h port=5433 dbname=六安 user=a", "postgresql://a@h:5433/%E5%85%AD%E5%AE%89"),
        ("host=/tmp/s port=25400 user=onemap dbname=onemap", "postgresql://onemap@/onemap?host=%2Ftmp%2Fs&port=25400"),
        ("postgresql://a@[::1]:5433/db", "postgresql://a@/db?host=%3A%3A1&port=5433"),
        ("dbname=x options='-c jit=off'", "postgresql:///x?options=-c%20jit%3Doff"),
    ],
)
def test_any_libpq_string_becomes_a_url_that_means_the_same(given: str, expected: str) -> None:
    assert as_url(given) == expected
    assert psycopg.conninfo.conninfo_to_dict(as_url(given)) == psycopg.conninfo.conninfo_to_dict(given)


def test_another_database_of_the_server() -> None:
    assert in_database("postgresql://a:b@h:5433/db?sslmode=require", "x") == "postgresql://a:b@h:5433/x?sslmode=require"


def test_the_shown_url_has_no_password() -> None:
    assert without_password("postgresql://a:b@h/db") == "postgresql://a@h/db"


def test_facts_of_a_server(database_url: str) -> None:
    facts = server_facts(database_url)
    assert set(facts) == {"postgresql", "postgis", "size", "wall"}
    assert facts["wall"] == "rows"
    assert int(str(facts["postgresql"]).split(".")[0]) >= 15
