"""A load that is killed at any instant leaves the register as before or as after it, and is then simply repeated."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.readers import ReadOptions
from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from gis.store.database import Database
from gis.store.migrate import migrate
from layers import LAYERS
from tests.gis.register_state import bring_back, empty, keep, leftovers, state

ROWS = 12_000
PATIENCE_S = 120
LOAD = """
import sys
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import Unavailable
from gis.exchange.readers import ReadOptions
from gis.store.database import Database
from layers import LAYERS
print("ready", flush=True)
try:
    city = City(Database(sys.argv[1]), Catalogue(LAYERS))
    city.load(sys.argv[2], "base.pois", read=ReadOptions(crs="EPSG:4326", batch_rows=1000))
except Unavailable:
    sys.exit(3)
"""
#: What must be alike however often a load was tried: all but the numbers of loads and the day.
CONTENT = """
    SELECT md5(string_agg(concat_ws('|', fid, scenario, valid_from, valid_to, rec_from, digest, src_row, cell, geom,
                                    geom_3857, code, name, address), ',' ORDER BY fid)),
           (SELECT md5(string_agg(concat_ws('|', fid, rec_from, rec_to, digest, code), ',' ORDER BY fid, rec_from))
            FROM base.pois_past),
           (SELECT md5(string_agg(concat_ws('|', fid, key, since), ',' ORDER BY fid)) FROM base.pois_id),
           (SELECT string_agg(epoch::text, ',' ORDER BY epoch) FROM core.epoch WHERE register = 'base.pois')
    FROM base.pois
"""
SEEN = "SELECT count(*), sum(digest::numeric) FROM base.pois"
Killer = Callable[["Ground", subprocess.Popen[str]], None]


def pois_csv(path: Path, codes: range, change_every: int) -> Path:
    lines = [
        f"P{n},点{n}{'新' if n % change_every == 0 else ''},116.{n:05d},31.{n * 7 % 100_000:05d},皖西大道{n}号"
        for n in codes
    ]
    path.write_text("\n".join(["编码,名称,经度,纬度,地址", *lines]), "utf-8")
    return path


@dataclass
class Ground:
    """A server of its own with a city, two editions of a file, and what the register holds after each."""

    server: Cluster
    first: Path
    later: Path
    contents: list[Any] = field(default_factory=list)
    sights: list[Any] = field(default_factory=list)
    load_s: list[float] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url()

    def ask(self, sql: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as conn:
            return conn.execute(sql).fetchone()

    def load(self, path: Path) -> None:
        with City(Database(self.url), Catalogue(LAYERS)) as city:
            start = time.monotonic()
            report = city.load(path, "base.pois", read=ReadOptions(crs="EPSG:4326"))
            self.load_s.append(time.monotonic() - start)
        assert (report.rejected, report.rows) == (0, ROWS)

    def note(self) -> None:
        self.contents.append(self.ask(CONTENT))
        self.sights.append(self.ask(SEEN))

    def prepare(self, step: int) -> None:
        """The register before the first edition (0) or after it (1)."""
        empty(self.url)
        if step == 1:
            bring_back(self.url)
        assert self.ask(CONTENT) == self.contents[step]

    def settle(self) -> None:
        """Wait until no session of the killed load is left: one that computes ends when it has done so."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'onemap'") != (0,):
            assert time.monotonic() < deadline_s, "a session of a killed load goes on"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("kills")
    server = Cluster.at(folder / "home", durable=True)
    try:
        server.start()
        migrate(server.url(), LAYERS)
        first = pois_csv(folder / "pois.csv", range(ROWS), change_every=ROWS + 1)
        (folder / "later").mkdir()
        later = pois_csv(folder / "later" / "pois.csv", range(ROWS // 20, ROWS + ROWS // 20), change_every=7)
        made = Ground(server, first, later)
        made.note()
        made.load(first)
        made.note()
        keep(made.url)
        made.load(later)
        made.note()
        yield made
    finally:
        server.remove()


class Reader(threading.Thread):
    """Asks what the register holds, over and over, and connects again when the server was killed."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.seen, self.done = url, set[Any](), threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, autocommit=True) as conn:
                while not self.done.is_set():
                    self.seen.add(conn.execute(SEEN).fetchone())
                    time.sleep(0.005)
            time.sleep(0.05)

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()


def the_client(ground: Ground, child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)


def its_sessions(ground: Ground, child: subprocess.Popen[str]) -> None:
    """One or both of them; a load has a second one while it builds indexes."""
    ground.ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'onemap'"
        + random.choice(["", " AND random() < 0.5"])
    )


def the_server(ground: Ground, child: subprocess.Popen[str]) -> None:
    assert ground.server.pid is not None
    os.kill(ground.server.pid, signal.SIGKILL)
    ground.server.start()


@pytest.mark.torture
@pytest.mark.parametrize("killer", [the_client, its_sessions, the_server])
def test_killed_at_any_instant(ground: Ground, torture_scale: float, killer: Killer) -> None:
    for turn in range(max(2, round(200 / 3 * torture_scale))):
        step = turn % 2
        ground.prepare(step)
        path = [ground.first, ground.later][step]
        before, after = ground.contents[step : step + 2]
        with Reader(ground.url) as reader:
            ended = disturbed(ground, path, killer)
        ground.settle()
        assert ended in ({0, -signal.SIGKILL} if killer is the_client else {0, 3})
        assert ground.ask(CONTENT) in ([after] if ended == 0 else [before, after])
        assert reader.seen <= set(ground.sights[step : step + 2])
        ground.load(path)
        assert ground.ask(CONTENT) == after
        assert leftovers(ground.url) == []
        assert state(ground.url).held == ()


def disturbed(ground: Ground, path: Path, killer: Killer) -> int:
    """Load in a process of its own, kill at some instant, and wait for its end; returns its exit code."""
    child = subprocess.Popen(
        [sys.executable, "-c", LOAD, ground.url, str(path)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(random.uniform(0, 1.3 * max(ground.load_s[:2])))
    killer(ground, child)
    _, said = child.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in said
    return child.returncode
