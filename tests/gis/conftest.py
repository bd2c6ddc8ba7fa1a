"""Databases: one for all tests of a module, where each leaves it as it found it or empties it; a fresh one, pooled."""

import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from gis.exchange.directory import directory
from gis.store.cluster import Cluster
from gis.store.database import Database


@pytest.fixture(scope="module")
def module_url(cluster: Cluster, template: str) -> Iterator[str]:
    """A migrated, empty database of this module's own; dropped afterwards."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    own, model = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(own, model))
        try:
            yield cluster.url(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(own))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of the test's own."""
    held = Database(database_url)
    yield held
    held.close()


@pytest.fixture(scope="module")
def untouched(module_url: str) -> Iterator[Database]:
    """A database for all directories that are refused: nothing of any is ever applied."""
    held = Database(module_url)
    yield held
    assert directory(held).version == 0
    held.close()
