"""A whole database into one file and back: taken by pg_dump while everyone works, restored all or nothing."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gis.errors import BadInput, Conflict, SetupError, Unavailable
from gis.store.cluster_binaries import installed
from gis.store.cluster_server import as_url, database_name, in_database
from gis.store.wall_roles import have_roles

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""

_TABLES_WITH_ROWS = """
SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


def backup(url: str, path: Path, progress: Progress) -> int:
    """Write a database, as of one moment, to a file; the answer is the file's size in bytes.

    The file appears under its name when it is complete. Raises BadInput when it cannot be written, Unavailable when
    the server breaks off.
    """
    if not path.absolute().parent.is_dir():
        raise BadInput(
            f"{path.parent} is not a folder: make it first", f"{path.parent} 不是目录：请先创建", subject=str(path)
        )
    with psycopg.connect(url) as connection:
        program = _program("pg_dump", connection.info.server_version // 10000)
        total = _count(connection)
    beside = path.with_name(path.name + ".part")
    command = [program, "--format=custom", "--compress=6", "--verbose", "--file", beside]
    done = 0
    try:
        for line in _run(command, url):
            if match := re.search(r"dumping contents of table \"?([^\"]+)", line):
                done += 1
                progress(match.group(1), done, max(done, total))
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error}", f"无法写入 {path}：{error}", subject=str(path)) from error
    finally:
        beside.unlink(missing_ok=True)
    return path.stat().st_size


def restore(url: str, path: Path, progress: Progress, *, replace: bool, finish: Callable[[str], object]) -> None:
    """Bring a database back from a file of `backup`.

    The file goes into a new database beside the old one; `finish` (migrations) runs there, and only when all of it is
    done do the two change names, in one transaction. Whatever fails before leaves the old one as it was.

    Raises BadInput when the file is not such a backup, Conflict when the database holds tables and `replace` is false.
    """
    name = database_name(url)
    with psycopg.connect(in_database(url, "postgres"), autocommit=True) as server:
        program = _program("pg_restore", server.info.server_version // 10000)
        total = _entries(program, path)
        if not replace:
            _check_empty(url, name)
        fresh = f"{name}_restoring"
        _drop(server, fresh)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(fresh)))
        try:
            _roles(in_database(url, fresh))
            _fill(program, in_database(url, fresh), path, lambda what, done: progress(what, done, max(done, total)))
            _forget_wall(in_database(url, fresh))
            finish(in_database(url, fresh))
            _renew(in_database(url, fresh))
            _swap(server, fresh, name)
        finally:
            _drop(server, fresh)


def _fill(program: Path, url: str, path: Path, progress: Callable[[str, int], None]) -> None:
    command = [program, "--exit-on-error", "--no-owner", "--verbose", f"--jobs={min(os.cpu_count() or 1, 4)}"]
    done = 0
    for line in _run([*command, "--dbname", database_name(url), path], url):
        if match := re.search(r"(?:finished item \d+|creating) (.+)", line):
            done += 1
            progress(match.group(1), done)


def _roles(url: str) -> None:
    """The roles to which the backup grants rights, as far as this user may make them."""
    with psycopg.connect(url, autocommit=True) as connection:
        have_roles(connection)


def _forget_wall(url: str) -> None:
    """Views are restored as ours, though they belong to a role that sees less: the wall is built anew."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('core.derived')").fetchone() != (None,):
            connection.execute("DELETE FROM core.derived WHERE kind = 'wall'")


def _renew(url: str) -> None:
    """What servers and browsers keep of the old database must never be taken for the restored one's."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regproc('core.renew_incarnation')").fetchone() != (None,):
            connection.execute("SELECT core.renew_incarnation(true)")


def _swap(server: psycopg.Connection, fresh: str, name: str) -> None:
    """Let the new database take the name; sessions on the old one end, and it is dropped."""
    old = f"{name}_replaced"
    _drop(server, old)
    target, before = sql.Identifier(name), sql.Identifier(old)
    server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(target))
    try:
        server.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])
        with server.transaction():
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(target, before))
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(fresh), target))
    except psycopg.Error as error:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(target))
        raise Conflict(
            f"The database {name} is in use and could not be replaced: {error}. Stop the server and restore again",
            f"数据库 {name} 正在使用，无法替换：{error}。请先停止服务再恢复",
            subject=name,
        ) from error
    _drop(server, old)


def _check_empty(url: str, name: str) -> None:
    with psycopg.connect(url) as connection:
        tables = _count(connection)
    if tables:
        raise Conflict(
            f"The database {name} already holds {tables} tables: add --replace to put the backup in their place",
            f"数据库 {name} 中已有 {tables} 张表：如要用备份替换，请加 --replace",
            subject=name,
        )


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute(_TABLES_WITH_ROWS).fetchone()
    return int(row[0]) if row else 0


def _entries(program: Path, path: Path) -> int:
    """How many things a backup holds. Raises BadInput when the file is none."""
    listed = subprocess.run([program, "--list", path], capture_output=True, text=True, errors="replace", check=False)
    if listed.returncode != 0 or not path.is_file():
        reason = " ".join(listed.stderr.split()) or "not a file"
        raise BadInput(
            f"{path} is not a backup made by “onemap db backup”: {reason}",
            f"{path} 不是由 onemap db backup 生成的备份：{reason}",
            subject=str(path),
        )
    return sum(1 for line in listed.stdout.splitlines() if line and not line.startswith(";"))


def _run(command: Sequence[object], url: str) -> Iterator[str]:
    """Run a program of PostgreSQL on a database and hand on what it says; the password stays out of `ps`."""
    facts = conninfo_to_dict(url)
    password = str(facts.pop("password", None) or os.environ.get("PGPASSWORD", ""))
    environment = {**os.environ, "PGPASSWORD": password, "LC_ALL": "C"} | _environment(facts)
    with subprocess.Popen(
        [str(part) for part in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        last: list[str] = []
        for line in process.stderr:
            last = [*last[-4:], line]
            yield line
    if process.returncode != 0:
        reason = " ".join(" ".join(last).split())
        raise Unavailable(
            f"{Path(str(command[0])).name} broke off on {as_url(make_conninfo('', **facts))}: {reason}",
            f"{Path(str(command[0])).name} 中断：{reason}",
            subject=database_name(url),
        )


def _environment(facts: Mapping[str, object]) -> dict[str, str]:
    """The variables that lead libpq's programs to a database (libpq, section 34.15)."""
    names = {"dbname": "PGDATABASE", "sslrootcert": "PGSSLROOTCERT"}
    return {names.get(key, f"PG{key.upper()}"): str(value) for key, value in facts.items() if value is not None}


def _program(name: str, server_major: int) -> Path:
    """pg_dump or pg_restore, not older than the server."""
    for one in reversed(installed()):
        if one.major >= server_major and (one.folder / name).exists():
            return one[name]
    raise SetupError(
        f"{name} of PostgreSQL {server_major} or newer is not installed: apt-get install postgresql-client",
        f"未安装 PostgreSQL {server_major} 或更高版本的 {name}：请执行 apt-get install postgresql-client",
        subject=name,
    )


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
