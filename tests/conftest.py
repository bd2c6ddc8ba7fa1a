"""What every test may ask for: a server for the run, a migrated template, and a fresh copy of it for each test."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import hypothesis
import psycopg
import pytest
from psycopg import sql

from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from gis.store.cluster_server import prepare_database
from tests.served import serving

# how long an example takes says more of the machine than of the code
hypothesis.settings.register_profile("onemap", deadline=None)
hypothesis.settings.load_profile("onemap")

# tests ask more than any caller may; those of the limit set their own
os.environ.setdefault("ONEMAP_REQUESTS_PER_S_ADDRESS", "1000000000")
os.environ.setdefault("ONEMAP_REQUESTS_PER_S_ACCOUNT", "1000000000")

_SHAPES_TABLES = ("gis/store", "gis/base", "gis/catalog", "gis/exchange/migrations", "layers")
_MAKES_SAMPLE = ("gis", "api/commands", "data-samples/luan")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first: begun last, they would keep one process busy when the others have done."""
    long = {item.path for item in items if item.get_closest_marker("torture") or item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The embedded server of the test runs: kept between runs for speed, shared by runs at the same time.

    Its data may be lost, so nothing waits for a disk; after a crash of the machine it is made anew. The last run that
    uses it stops it.
    """
    server = Cluster.at(CHECKOUT / ".onemap" / "test", durable=False)
    server.home.mkdir(parents=True, exist_ok=True)
    with (server.home / "in-use.lock").open("a") as in_use:
        if _first(in_use) and server.made and server.pid is None and (server.data / "postmaster.pid").exists():
            server.remove()
        fcntl.flock(in_use, fcntl.LOCK_SH)
        server.start()
        _drop_left_over(server)
        yield server
        if _first(in_use):
            _drop_old_templates(server)
            server.stop()


def _first(lock: IO[str]) -> bool:
    """Whether no other run holds the lock; it is then held by this run alone."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a migrated, empty database; made again when a declaration or a migration has changed."""
    name = f"template_{_digest_of(_SHAPES_TABLES)}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(4711)")
        if not _exists(server, name):
            _build_template(cluster, server, name)
    return name


def _digest_of(rooms: Sequence[str]) -> str:
    """Of all that is in these folders of the checkout but what programs leave there."""
    files = sorted(
        path
        for room in rooms
        for path in (CHECKOUT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )
    digest = hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files))
    return digest.hexdigest()[:12]


def _build_template(cluster: Cluster, server: psycopg.Connection, name: str) -> None:
    """Build under another name first, so that a template that is there is always a complete one."""
    _drop(server, f"{name}_new")
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(f"{name}_new")))
    prepare_database(cluster.url(f"{name}_new"))
    if importlib.util.find_spec("gis.store.migrate"):
        from gis.store.migrate import migrate
        from layers import LAYERS

        migrate(cluster.url(f"{name}_new"), LAYERS)
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(f"{name}_new"), sql.Identifier(name))
    )


@pytest.fixture
def database_url(cluster: Cluster, template: str) -> Iterator[str]:
    """A fresh, migrated, empty database of this test's own; dropped afterwards."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        yield cluster.url(name)
        _drop(server, name)


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to this test's database; what it did not commit is gone at the end."""
    with psycopg.connect(database_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="session")
def sample_database(cluster: Cluster, template: str) -> str:
    """The name of a database that holds the sample city, to be copied only: nobody may be connected to it.

    Loaded by the command that users run; kept, as the template is, until something changes of what it is made of.
    """
    name = f"sample_{_digest_of([*_MAKES_SAMPLE, *_SHAPES_TABLES])}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(4712)")
        if not _exists(server, name):
            home = _sample_home(cluster, name)
            shutil.rmtree(home, ignore_errors=True)
            with copied_database(cluster, template, "sample_new") as url:
                _load_sample(url, home)
                made = sql.Identifier(f"test_{os.getpid()}_sample_new")
                server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(made, sql.Identifier(name)))
    return name


@pytest.fixture(scope="session")
def sample_home(cluster: Cluster, sample_database: str) -> Path:
    """Where the files are kept that the sample city's departments handed over; to be copied only."""
    return _sample_home(cluster, sample_database)


def _sample_home(cluster: Cluster, name: str) -> Path:
    return cluster.home / "samples" / name


@pytest.fixture(scope="session")
def sample_city(cluster: Cluster, sample_database: str) -> Iterator[str]:
    """A database that holds the sample city, for tests that only read it."""
    with copied_database(cluster, sample_database, "sample") as url:
        yield url


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server with the sample city; ONEMAP_TEST_URL names one that runs already."""
    standing = os.environ.get("ONEMAP_TEST_URL")
    if standing:
        yield standing.rstrip("/")
        return
    if not (CHECKOUT / "api" / "web" / "dist" / "index.html").exists():
        pytest.fail("the web map is not built: run “make setup”")
    with serving(request.getfixturevalue("sample_city"), tmp_path_factory.mktemp("served")) as url:
        yield url


@contextlib.contextmanager
def copied_database(cluster: Cluster, source: str, name: str) -> Iterator[str]:
    """A copy of a database to which nobody is connected, of this run; dropped afterwards."""
    name = f"test_{os.getpid()}_{name}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        server.execute(copy.format(sql.Identifier(name), sql.Identifier(source)))
        try:
            yield cluster.url(name)
        finally:
            _drop(server, name)


def _load_sample(url: str, home: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "api.cli", "demo"],
        cwd=CHECKOUT,
        env=os.environ | {"ONEMAP_DATABASE_URL": url, "ONEMAP_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 0, f"onemap demo:\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real data beside the checkout; ONEMAP_REALDATA names another."""
    folder = Path(os.environ.get("ONEMAP_REALDATA") or CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set ONEMAP_REALDATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def torture_scale() -> float:
    """The share of each long run that is wanted: 1 for `make torture`, a hundredth in `make test`."""
    return float(os.environ.get("ONEMAP_TORTURE_SCALE") or 0.01)


def _exists(server: psycopg.Connection, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_left_over(server: Cluster) -> None:
    """Drop the databases of runs that were killed: each name holds the number of the process that made it."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for name in _databases(connection, "^test_[0-9]+_"):
            if not Path(f"/proc/{name.split('_')[1]}").exists():
                _drop(connection, name)
        _drop_readers(connection)


def _drop_readers(server: psycopg.Connection) -> None:
    """Drop the readers of databases that are gone: each name holds the database's number."""
    found = server.execute(
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^onemap_reader_[0-9]+$' AND NOT EXISTS (SELECT FROM pg_database"
        " WHERE oid::text = substr(rolname, 15))"
    ).fetchall()
    for (name,) in found:
        with contextlib.suppress(psycopg.Error):
            server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def _drop_old_templates(server: Cluster) -> None:
    """Keep the newest template and sample alone; done by the last run, since another may still copy an older one."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for name in _databases(connection, "^template_")[:-1]:
            _drop(connection, name)
        for name in _databases(connection, "^sample_")[:-1]:
            _drop(connection, name)
            shutil.rmtree(_sample_home(server, name), ignore_errors=True)


def _databases(connection: psycopg.Connection, pattern: str) -> list[str]:
    """The databases whose name fits a pattern, oldest first; the server's own left out."""
    found = connection.execute(
        "SELECT datname FROM pg_database WHERE datname ~ %s AND NOT datname ~ '^template[01]$' ORDER BY oid", [pattern]
    )
    return [str(name) for (name,) in found]
