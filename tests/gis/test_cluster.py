"""The embedded server: made, started, found, stopped, and back after everything that can happen to it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gis.errors import Conflict, SetupError, Unavailable
from gis.settings import Settings
from gis.store import cluster_postmaster as postmasters
from gis.store.cluster import Cluster, ensure_database

pytestmark = pytest.mark.usefixtures("no_libpq_variables")


@pytest.fixture
def no_libpq_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of one real server, made once; each test starts it and may leave it in any state."""
    folder = tmp_path_factory.mktemp("home")
    yield folder
    Cluster.at(folder).remove()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Cluster]:
    """A server of this test's own, not made yet; it does not wait for the disk."""
    server = Cluster.at(tmp_path / "fresh", durable=False)
    yield server
    server.remove()


def rows(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question)
        return cursor.fetchall() if cursor.description else []


def kill(server: Cluster) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)


def test_made_started_found_stopped(fresh: Cluster) -> None:
    assert (fresh.made, fresh.pid, fresh.port) == (False, None, None)
    with pytest.raises(Unavailable, match="onemap db start"):
        fresh.url()
    fresh.start()
    found = Cluster.at(fresh.home, durable=False)
    assert (found.made, found.pid, found.port) == (True, fresh.pid, fresh.port)
    rows(found.url(), "CREATE TABLE kept (i int)")
    for url in (found.url(), found.url(tcp=True)):
        assert rows(url, "SELECT count(*) FROM kept") == [(0,)]
    port = found.port
    assert found.stop()
    assert found.pid is None
    assert not found.stop()
    assert found.start().port == port
    assert rows(found.url(), "SELECT count(*) FROM kept") == [(0,)]


def test_what_it_is(home: Path) -> None:
    url = Cluster.at(home).start().url()
    extensions = {name for (name,) in rows(url, "SELECT extname FROM pg_extension")}
    assert {"postgis", "btree_gist", "pg_trgm"} <= extensions
    asked = "fsync", "full_page_writes", "data_checksums", "jit", "TimeZone", "server_encoding", "listen_addresses"
    found = [rows(url, f"SHOW {name}")[0][0] for name in asked]
    assert found == ["on", "on", "on", "off", "UTC", "UTF8", "127.0.0.1"]
    assert rows(url, "SELECT similarity('六安市金安区', '金安区') > 0") == [(True,)], "Chinese text has trigrams"


def test_its_files_are_closed_to_others(home: Path) -> None:
    server = Cluster.at(home).start()
    for path, mode in ((server.data, 0o700), (server.sockets, 0o700), (server.record.path, 0o600)):
        assert path.stat().st_mode & 0o777 == mode, path
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url(tcp=True).replace(server.record.password, "guessed"))


def test_two_homes_at_once(home: Path, fresh: Cluster) -> None:
    one, other = Cluster.at(home).start(), fresh.start()
    rows(one.url(), "CREATE TABLE mine (i int)")
    assert one.port != other.port
    assert rows(other.url(), "SELECT to_regclass('mine')") == [(None,)]


def test_a_port_taken_meanwhile_is_left_to_its_holder(home: Path) -> None:
    server = Cluster.at(home).start()
    port = server.port
    server.stop()
    with socket.create_server(("127.0.0.1", port or 0)):
        server.start()
        assert server.port != port
        assert rows(server.url(tcp=True), "SELECT 1") == [(1,)]


def test_a_deep_checkout(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 90) / ("城" * 30) / "with space" / ".onemap"
    server = Cluster.at(deep, durable=False)
    try:
        assert rows(server.start().url(), "SELECT 1") == [(1,)]
        assert len(f"{server.sockets}/.s.PGSQL.{server.port}".encode()) <= 107
    finally:
        server.remove()


START = """
import sys, pathlib
from gis.store.cluster import Cluster
print(Cluster.at(pathlib.Path(sys.argv[1]), durable=False).start().pid)
"""


def test_many_start_it_at_once(fresh: Cluster) -> None:
    command = [sys.executable, "-c", START, str(fresh.home)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    pids = {process.communicate(timeout=120)[0].strip() for process in started}
    assert pids == {str(fresh.pid)}


def test_a_making_that_was_cut_short_is_begun_again(fresh: Cluster) -> None:
    (fresh.folder / "data.new" / "base").mkdir(parents=True)
    assert rows(fresh.start().url(), "SELECT 1") == [(1,)]


def test_a_lost_record_and_a_lost_socket_are_mended(home: Path) -> None:
    server = Cluster.at(home).start()
    server.record.path.unlink()
    for entry in server.sockets.iterdir():
        entry.unlink()
    server.start()
    assert rows(server.url(), "SELECT 1") == rows(server.url(tcp=True), "SELECT 1") == [(1,)]


@pytest.mark.parametrize("holder", ["gone", "another program", "another server"])
def test_a_stale_process_number(home: Path, cluster: Cluster, holder: str) -> None:
    """After a reboot the number in postmaster.pid may belong to anybody."""
    server = Cluster.at(home).start()
    told = (server.data / "postmaster.pid").read_text()
    server.stop()
    other = subprocess.Popen(["sleep", "60"])
    if holder == "gone":
        other.kill()
        other.wait()
    pid = cluster.pid if holder == "another server" else other.pid
    (server.data / "postmaster.pid").write_text(f"{pid}\n" + told.partition("\n")[2])
    assert postmasters.postmaster(server.data) is None
    assert rows(server.start().url(), "SELECT 1") == [(1,)]
    other.kill()
    other.wait()
    assert cluster.pid is not None


class Writer(threading.Thread):
    """Commits numbered rows until the server dies, and remembers each one that was acknowledged."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__()
        self.url, self.number = url, first
        self.acknowledged: list[int] = []

    def run(self) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while True:
                    connection.execute("INSERT INTO said VALUES (%s, repeat('x', 500))", [self.number])
                    self.acknowledged.append(self.number)
                    self.number += 1
        except psycopg.OperationalError:
            return


@pytest.mark.torture
def test_a_killed_server_loses_nothing_that_was_committed(home: Path, torture_scale: float) -> None:
    server = Cluster.at(home).start()
    rows(server.url(), "DROP TABLE IF EXISTS said")
    rows(server.url(), "CREATE TABLE said (i int PRIMARY KEY, t text)")
    acknowledged: set[int] = set()
    for turn in range(max(2, round(20 * torture_scale))):
        writer = Writer(server.url(), first=turn * 1_000_000)
        writer.start()
        while len(writer.acknowledged) < 20 + 5 * turn:
            time.sleep(0.01)
        kill(server)
        writer.join()
        acknowledged |= set(writer.acknowledged)
        server.start()
        found = {i for (i,) in rows(server.url(), "SELECT i FROM said")}
        assert acknowledged <= found
        assert len(found - acknowledged) <= turn + 1, "at most the row under way each time"


def test_a_server_killed_with_a_busy_session_starts_again(home: Path) -> None:
    """A session that computes does not notice that its server is gone, and keeps the shared memory."""
    server = Cluster.at(home).start()
    with psycopg.connect(server.url(), autocommit=True) as busy:
        thread = threading.Thread(target=compute, args=[busy])
        thread.start()
        time.sleep(0.3)
        kill(server)
        server.start()
        thread.join()
    assert rows(server.url(), "SELECT 1") == [(1,)]


def compute(connection: psycopg.Connection) -> None:
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END $$")


def test_a_cluster_of_a_version_that_is_gone_is_left_untouched(home: Path) -> None:
    server = Cluster.at(home).start()
    server.stop()
    version = (server.data / "PG_VERSION").read_text()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(SetupError, match="Nothing is lost: install postgresql-9") as caught:
        server.start()
    assert "数据没有丢失" in caught.value.text.zh
    (server.data / "PG_VERSION").write_text(version)
    assert rows(server.start().url(), "SELECT 1") == [(1,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_refused(home: Path) -> None:
    server = Cluster.at(home).start()
    server.stop()
    os.chown(server.data, 12345, 12345)
    with pytest.raises(Conflict, match="belongs to another user"):
        server.start()
    os.chown(server.data, server.owner.uid, server.owner.gid)


def test_settings_without_a_url_mean_the_embedded_server(home: Path) -> None:
    url = ensure_database(Settings(home=home, database_url=None))
    assert url == Cluster.at(home).url()
    assert Cluster.at(home).pid is not None
