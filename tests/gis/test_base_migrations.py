"""Migrations of the base keep what is on record."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from gis.store.cluster import Cluster
from gis.store.cluster_server import prepare_database
from gis.store.migrate import _config, migrate
from layers import LAYERS


def to_revision(conn: Connection, revision: str) -> None:
    config = _config("gis.base.migrations")
    config.attributes |= {"connection": conn, "schema": "base"}
    command.upgrade(config, revision)


@pytest.fixture
def empty_url(cluster: Cluster) -> Iterator[str]:
    """A database with nothing but what every database here has."""
    name = f"test_{os.getpid()}_migration"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        prepare_database(cluster.url(name))
        yield cluster.url(name)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


PARTITION = "CREATE TABLE base.addresses_past_{} PARTITION OF base.addresses_past FOR VALUES FROM ('{}') TO ('{}')"
CLOSED = (
    "INSERT INTO base.addresses_past (fid, scenario, valid_from, valid_to, rec_from, digest, load, code, text, rec_to,"
    " closed_on) VALUES (1, 0, '-infinity', 'infinity', 1, 5, 1, 'A', '{0}', 2, '{0}')"
)


def test_past_addresses_outlive_the_column_of_the_main_address(empty_url: str) -> None:
    migrate(empty_url, [])
    engine = create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    with engine.begin() as conn:
        conn.execute(text('CREATE SCHEMA "base"'))
        to_revision(conn, "base_0002")
        for month, after in (("2026-11", "2026-12"), ("2026-12", "2027-01")):
            conn.execute(text(PARTITION.format(month.replace("-", ""), f"{month}-01", f"{after}-01")))
            conn.execute(text(CLOSED.format(f"{month}-15")))
    engine.dispose()
    assert migrate(empty_url, LAYERS)[0] == "base_0003"
    with psycopg.connect(empty_url) as conn:
        rows = "SELECT code, text, main, rec_to, tableoid::regclass::text FROM base.addresses_past ORDER BY closed_on"
        assert conn.execute(rows).fetchall() == [
            ("A", "2026-11-15", None, 2, "base.addresses_past_202611"),
            ("A", "2026-12-15", None, 2, "base.addresses_past_202612"),
        ]
        assert conn.execute("SELECT count(*), count(main) FROM base.addresses_all").fetchone() == (2, 0)


def test_registers_of_before_get_the_index_of_what_was_on_record(empty_url: str) -> None:
    migrate(empty_url, LAYERS)
    with psycopg.connect(empty_url) as conn:
        conn.execute("DROP INDEX base.pois_past_rec_to_rec_from_idx")
        # what came later is made again as well
        conn.execute("DROP SCHEMA access CASCADE")
        conn.execute("UPDATE core.version SET version_num = 'core_0004'")
    assert migrate(empty_url, LAYERS)[0] == "core_0005"
    with psycopg.connect(empty_url) as conn:
        made = "SELECT count(*) FROM pg_indexes WHERE tablename = 'pois_past' AND indexdef LIKE '%(rec_to, rec_from)'"
        assert conn.execute(made).fetchone() == (1,)
