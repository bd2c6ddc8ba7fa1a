"""The embedded PostGIS: a private server that the platform makes, owns, starts on demand and finds again.

Everything lies in one home folder (`.onemap/` of the checkout). The server listens on a socket that only its owner and
root can reach, and on a free port of 127.0.0.1 with a password, for QGIS, psql and ogr2ogr. It outlives the process
that started it. fsync is on: what was committed survives a kill -9 and a power cut.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from gis.errors import Conflict, SetupError, Unavailable
from gis.settings import Settings
from gis.store import cluster_binaries as binaries
from gis.store.cluster_config import free_port, server_settings
from gis.store.cluster_owner import Owner
from gis.store.cluster_postmaster import end_orphans, forget_stale, postmaster
from gis.store.cluster_record import Record
from gis.store.cluster_server import as_url, create_database, prepare_database

DATABASE = "onemap"
ROLE = "onemap"
_START_ATTEMPTS = 5
_START_PATIENCE_S = 600
_OUTSIDE = Path("/var/lib/onemap")


class Cluster:
    """One embedded server; `Cluster.at(home)` names it without touching anything."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.absolute()
        self.durable = durable
        self.owner = Owner.here()
        self.record = Record(self.home / "cluster.json")
        self._key = hashlib.sha256(f"{os.path.realpath(self.home)}:{self.owner.uid}".encode()).hexdigest()[:12]

    @classmethod
    def at(cls, home: Path, *, durable: bool = True) -> "Cluster":
        """The server of a home folder; `durable=False` trades safety for speed, for tests only."""
        return cls(home, durable=durable)

    @property
    def folder(self) -> Path:
        """Where the server keeps its files.

        In the home folder; below /var/lib when root's server user cannot pass through to the home, as under /root.
        """
        inside, outside = self.home / "postgres", _OUTSIDE / self._key
        there = next(folder for folder in (self.home, *self.home.parents) if folder.exists())
        if inside.exists() or (not outside.exists() and self.owner.reaches(there)):
            return inside
        return outside

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: short, since a socket's path may have 107 bytes and a checkout may lie deep."""
        return Path("/tmp") / f"onemap-{self._key}"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def made(self) -> bool:
        """Whether the data folder is there."""
        return (self.data / "PG_VERSION").exists()

    @property
    def pid(self) -> int | None:
        """The process number of the running server, or None."""
        return postmaster(self.data)

    @property
    def port(self) -> int | None:
        """The port that the server listens on or listened on last; None before its first start."""
        return self.record.port

    def url(self, database: str = DATABASE, *, tcp: bool = False) -> str:
        """The libpq URL of a database: over the socket, or over the port with the password in it.

        Raises Unavailable before the first start.
        """
        if self.port is None:
            raise Unavailable(
                f"There is no database in {self.home} yet: run “onemap db start”",
                f"{self.home} 中还没有数据库：请执行 onemap db start",
                subject=str(self.home),
            )
        if tcp:
            return f"postgresql://{ROLE}:{self.record.password}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.sockets), safe='')}&port={self.port}"

    def start(self) -> "Cluster":
        """Make the server if it is not there, start it if it does not run, and wait until it answers.

        Any number of processes may call this at once. Raises SetupError when it cannot be made or started.
        """
        with self._locked():
            if not self.made:
                self._make()
            if self.pid is not None and not self._reachable:
                self._halt()
            if self.pid is None or not self._answers():
                self._launch()
                if not self._answers():
                    raise self._failed("start", "启动", self._log_tail())
            self._mend_record()
            create_database(self.url("postgres"), DATABASE)
            prepare_database(self.url())
        return self

    def stop(self) -> bool:
        """Stop the server; open sessions are ended and their transactions rolled back. False when it did not run."""
        if not self.home.exists():
            return False
        with self._locked():
            if self.pid is None:
                return False
            self._halt()
            return True

    def remove(self) -> None:
        """Stop the server and delete everything in it, for good."""
        self.stop()
        for folder in (self.folder, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)
        self.record.forget()

    def _make(self) -> None:
        """Make the data folder beside its place and move it there when it is complete."""
        programs = binaries.newest()
        self._check_owner(self.folder)
        self.owner.give(self.folder)
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        with self._password_file(password) as password_file:
            # C.UTF-8 sorts by code point, alike on every system, and knows that 六 is a letter, as trigrams need.
            locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
            access = [f"--username={ROLE}", f"--pwfile={password_file}"]
            access += ["--auth-local=trust", "--auth-host=scram-sha-256"]
            safety = ["--data-checksums", *([] if self.durable else ["--no-sync"])]
            done = self.owner.run([programs["initdb"], "-D", fresh, *locale, *access, *safety])
        if done.returncode != 0:
            raise self._failed("make", "创建", done.stdout)
        self.owner.run(["sh", "-c", 'echo "include_if_exists = \'onemap.conf\'" >> "$1"/postgresql.conf', "-", fresh])
        self.record.keep(password=password)
        fresh.rename(self.data)

    def _launch(self) -> None:
        """Start the server on the kept port, or on another when someone else has taken it meanwhile."""
        self._check_owner(self.data)
        end_orphans(self.data)
        self._check_owner(self.sockets)
        self.owner.give(self.sockets)
        forget_stale(self.data, self.sockets)
        programs = self._binaries()
        command = [programs["pg_ctl"], "start", "-D", self.data, "-l", self.log, "-w", "-t", str(_START_PATIENCE_S)]
        said = ""
        for _ in range(_START_ATTEMPTS):
            port = free_port(self.port)
            self.record.keep(port=port)
            settings = server_settings(port, self.sockets, durable=self.durable, lz4=programs.has_lz4)
            self._write(self.data / "onemap.conf", settings)
            if self.owner.run(command, timeout_s=_START_PATIENCE_S + 30).returncode == 0:
                return
            said = self._log_tail()
            if not re.search(r"could not (bind|create any TCP)", said):
                break
        raise self._failed("start", "启动", said)

    def _answers(self) -> bool:
        """Wait until the server answers, through a start by another process or the replay after a crash.

        False when it is gone: a process that was killed a moment ago is still seen for another moment.
        """
        deadline_s = time.monotonic() + _START_PATIENCE_S
        while time.monotonic() < deadline_s:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=10).close()
            except psycopg.OperationalError:
                if self.pid is None:
                    return False
                time.sleep(0.05)
            else:
                return True
        raise self._failed("start", "启动", self._log_tail())

    def _halt(self) -> None:
        control = self._binaries()["pg_ctl"]
        done = self.owner.run([control, "stop", "-D", self.data, "-m", "fast", "-w", "-t", str(_START_PATIENCE_S)])
        if self.pid is not None:
            raise self._failed("stop", "停止", done.stdout)

    @property
    def _reachable(self) -> bool:
        """Whether the socket is where it belongs; cleaners of /tmp and lost records part a server from its callers."""
        return self.port is not None and (self.sockets / f".s.PGSQL.{self.port}").exists()

    def _mend_record(self) -> None:
        """Set a new password where the record with the old one was deleted."""
        if self.record.password:
            return
        password = secrets.token_urlsafe(24)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(ROLE), password))
        self.record.keep(password=password)

    def _binaries(self) -> binaries.Binaries:
        return binaries.of_major(int((self.data / "PG_VERSION").read_text()), self.data)

    def _check_owner(self, folder: Path) -> None:
        """Refuse a folder that belongs to somebody else."""
        if folder.exists() and folder.lstat().st_uid not in {self.owner.uid, 0 if self.owner.other else self.owner.uid}:
            raise Conflict(
                f"{folder} belongs to another user (number {folder.lstat().st_uid}): "
                "run as that user or as root, or set ONEMAP_HOME to a folder of your own",
                f"{folder} 属于另一个用户（编号 {folder.lstat().st_uid}）："
                "请以该用户或 root 身份运行，或把 ONEMAP_HOME 设为自己的目录",
                subject=str(folder),
            )

    def _failed(self, verb_en: str, verb_zh: str, said: str) -> SetupError:
        reason = " ".join(said.split())[-600:]
        return SetupError(
            f"Could not {verb_en} the database in {self.folder}: {reason} (log: {self.log})",
            f"无法{verb_zh} {self.folder} 中的数据库：{reason}（日志：{self.log}）",
            subject=str(self.folder),
        )

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        return ""

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        if self.owner.other:
            os.chown(path, self.owner.uid, self.owner.gid)

    @contextlib.contextmanager
    def _password_file(self, password: str) -> Iterator[Path]:
        path = self.folder / "password"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        try:
            self._write(path, password + "\n")
            yield path
        finally:
            path.unlink()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time make, start or stop this server."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "cluster.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def ensure_database(settings: Settings) -> str:
    """The URL of a database that is ready for migrations: the outside server's, or the embedded one's, started.

    Raises SetupError or Unavailable with the way out.
    """
    if settings.database_url:
        url = as_url(settings.database_url)
        prepare_database(url)
        return url
    return Cluster.at(settings.home).start().url()
