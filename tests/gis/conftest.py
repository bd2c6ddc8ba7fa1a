"""A database for all tests of a module, where each leaves it as it found it or empties it."""

import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from gis.store.cluster import Cluster


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
