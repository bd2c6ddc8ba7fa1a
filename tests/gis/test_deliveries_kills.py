"""A delivery that is killed at any instant is taken up again, and ends as it would have ended undisturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.delivery import work_pending
from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from gis.store.database import Database
from gis.store.migrate import migrate
from layers import LAYERS
from tests.gis.deliveries import PERSONS, RECORDED, TABLES, Desk, Line, day, faulty, line, write_csv

PEOPLE = 1_200
PATIENCE_S = 120
DELIVER = """
import sys
from datetime import datetime
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import Unavailable
from gis.store.database import Database
from layers import LAYERS
print("ready", flush=True)
url, path, department, edition = sys.argv[1:]
sys.stdin.readline()
try:
    city = City(Database(url), Catalogue(LAYERS))
    city.deliver("base.persons", path, department=department, mode="full", edition=datetime.fromisoformat(edition))
except Unavailable:
    sys.exit(3)
"""
#: What must be alike however often it was tried: all but numbers of deliveries and the clock.
_PASSING = (
    "id,load,delivery,raised_by,rival_delivery,raised_at,due_on,closed_by,closed_at,closed_on,spool,done_rows,"
    "received_at,started_at,finished_at,recorded_at"
)
_STATES = "('done', 'withdrawn')"
Killer = Callable[["Ground", subprocess.Popen[str]], None]


def people(first: int, last: int, **said: str) -> list[Line]:
    """Persons of a department's file; every hundredth row is faulty."""
    made = [line(n, {"name": f"甲{n}", "household": f"H{n // 3}", **said}) for n in range(first, last)]
    return [faulty("check_digit", each, first + n) if n % 100 == 99 else each for n, each in enumerate(made)]


@dataclass(frozen=True)
class Handed:
    """A full delivery to be made."""

    path: Path
    department: str
    edition: str
    rows: int

    @classmethod
    def of(cls, folder: Path, department: str, number: int, lines: list[Line]) -> "Handed":
        """Write its file."""
        path = folder / f"{department}{number}.csv"
        write_csv(path, lines, full=True)
        return cls(path, department, day(number).isoformat(), len(lines))


@dataclass
class Ground:
    """A server of its own, deliveries one after another, and what is held after each."""

    server: Cluster
    desk: Desk
    home: Path
    deliveries: list[Handed]
    contents: list[Any] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)

    def content(self) -> list[Any]:
        """A digest of everything that a delivery leaves behind."""
        keep = {"exchange.delivery": f" WHERE state IN {_STATES}", "core.load": " WHERE false"}
        rows = "SELECT (to_jsonb(t) - '{{{1}}}'::text[])::text AS j FROM {0} t{2}"
        digest = "SELECT '{0}', count(*), md5(string_agg(j, ',' ORDER BY j)) FROM (" + rows + ") q"
        return sorted(self.desk.rows(" UNION ALL ".join(digest.format(t, _PASSING, keep.get(t, "")) for t in TABLES)))

    def deliver(self, step: int) -> None:
        """Make a delivery, undisturbed."""
        handed = self.deliveries[step]
        start = time.monotonic()
        with City(Database(self.desk.url), Catalogue(LAYERS)) as city:
            delivered = city.deliver(
                "base.persons", handed.path, department=handed.department, mode="full", edition=day(step)
            )
        self.took_s.append(time.monotonic() - start)
        assert (delivered.state, delivered.rows.delivered) == ("done", handed.rows)
        self.desk.assert_adds_up(delivered)

    def keep(self) -> None:
        """Note what is held, and set a copy aside."""
        self.contents.append(self.content())
        schema = f"kept{len(self.contents) - 1}"
        copies = [f"CREATE TABLE {schema}.{t.replace('.', '_')} AS TABLE {t}" for t in TABLES]
        with psycopg.connect(self.desk.url) as conn:
            conn.execute(";".join([f"CREATE SCHEMA {schema}", *copies]))

    def bring_back(self, step: int) -> None:
        """All tables as they were before a delivery."""
        order = [*reversed(RECORDED), *PERSONS, "exchange.delivery"]
        order += [t for t in TABLES if t not in order]
        fill = "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM kept{1}.{2}"
        self.desk.empty()
        with psycopg.connect(self.desk.url) as conn:
            conn.execute(";".join(fill.format(t, step, t.replace(".", "_")) for t in order))
        assert self.content() == self.contents[step]

    def settle(self) -> None:
        """Wait until no session of the killed delivery is left: one that computes ends when it has done so."""
        deadline_s = time.monotonic() + PATIENCE_S
        busy = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'onemap' AND pid <> pg_backend_pid()"
        while self.desk.rows(busy):
            assert time.monotonic() < deadline_s, "a session of a killed delivery goes on"
            time.sleep(0.05)

    def begin(self, step: int) -> subprocess.Popen[str]:
        """A process that makes a delivery when it is told to."""
        handed = self.deliveries[step]
        arguments = [self.desk.url, str(handed.path), handed.department, handed.edition]
        return subprocess.Popen(
            [sys.executable, "-c", DELIVER, *arguments],
            cwd=CHECKOUT,
            env=os.environ | {"ONEMAP_HOME": str(self.home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("kills")
    server = Cluster.at(folder / "home", durable=True)
    share = PEOPLE // 20
    deliveries = [
        Handed.of(folder, "police", 0, people(0, PEOPLE)),
        Handed.of(folder, "civil_affairs", 1, people(share, PEOPLE + share, household="H")),
        Handed.of(folder, "police", 2, people(share, PEOPLE + share, relation="户主")),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(folder / "spool"))
        try:
            server.start()
            migrate(server.url(), LAYERS)
            made = Ground(server, Desk(server.url(), folder), folder / "spool", deliveries)
            made.keep()
            for step in range(len(deliveries)):
                made.deliver(step)
                made.keep()
            yield made
        finally:
            server.remove()


def the_worker(ground: Ground, child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)


def its_sessions(ground: Ground, child: subprocess.Popen[str]) -> None:
    """One or all of them."""
    kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'onemap'"
    ground.desk.rows(kill + random.choice(["", " AND random() < 0.5"]))


def the_server(ground: Ground, child: subprocess.Popen[str]) -> None:
    assert ground.server.pid is not None
    os.kill(ground.server.pid, signal.SIGKILL)
    ground.server.start()


@pytest.mark.torture
@pytest.mark.parametrize("killer", [the_worker, its_sessions, the_server])
def test_killed_at_any_instant(ground: Ground, torture_scale: float, killer: Killer) -> None:
    for turn in range(max(7, round(200 / 3 * torture_scale))):
        step = turn % len(ground.deliveries)
        child = ground.begin(step)
        ground.bring_back(step)
        ended = disturbed(ground, child, step, killer)
        ground.settle()
        assert ended in ({0, -signal.SIGKILL} if killer is the_worker else {0, 3})
        before, after = ground.contents[step : step + 2]
        assert ground.content() in ([after] if ended == 0 else [before, after])
        with City(Database(ground.desk.url), Catalogue(LAYERS)) as city:
            taken_up = list(work_pending(city.database, city.catalogue))
        assert [delivered.error for delivered in taken_up if delivered.state != "done"] == []
        if ground.content() == before:  # it was killed before it had been received: hand it over again
            assert ground.desk.rows("SELECT id FROM exchange.delivery WHERE state IN ('received', 'working')") == []
            ground.deliver(step)
        assert ground.content() == after
        assert left_behind(ground) == []


def left_behind(ground: Ground) -> list[str]:
    """Tables that belong to no register, and deliveries that are neither done nor taken back."""
    return ground.desk.rows(
        "SELECT relname::text FROM pg_class WHERE relname ~ '__new' OR relname ~ 'stage'"
        " UNION ALL SELECT state FROM exchange.delivery WHERE state NOT IN ('done', 'withdrawn', 'failed')"
    )


def disturbed(ground: Ground, child: subprocess.Popen[str], step: int, killer: Killer) -> int:
    """Let the delivery begin, kill at some instant, and wait for its end; returns its exit code."""
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "ready\n"
    child.stdin.write("go\n")
    child.stdin.flush()
    time.sleep(random.uniform(0, 1.3 * ground.took_s[step]))
    killer(ground, child)
    _, said = child.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in said, said
    return child.returncode
