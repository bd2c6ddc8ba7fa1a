"""What the platform asks of a server, its own or another: versions, the database, the extensions."""

from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gis.errors import SetupError, Unavailable

OLDEST_SERVER = 15
OLDEST_POSTGIS = (3, 3)
EXTENSIONS = ("postgis", "btree_gist", "pg_trgm")
CONNECT_TIMEOUT_S = 10


def as_url(given: str) -> str:
    """Any libpq connection string as a URL that begins with `postgresql://`, as other libraries want it.

    Raises SetupError when it is no connection string.
    """
    try:
        facts = {key: str(value) for key, value in conninfo_to_dict(given).items() if value is not None}
    except psycopg.ProgrammingError as error:
        raise SetupError(
            f"ONEMAP_DATABASE_URL is not a database URL: {error}. Write postgresql://user:password@host:5432/database",
            f"ONEMAP_DATABASE_URL 不是数据库地址：{error}。应写作 postgresql://用户:口令@主机:5432/数据库",
            subject="ONEMAP_DATABASE_URL",
        ) from error
    user, password = (quote(facts.pop(key, ""), safe="") for key in ("user", "password"))
    who = (user + (f":{password}" if password else "") + "@") if user else ""
    database = quote(facts.pop("dbname", ""), safe="")
    if "/" in facts.get("host", "") or "," in facts.get("host", "") or ":" in facts.get("host", ""):
        where = ""  # sockets, several hosts and IPv6 addresses go where they need no escaping of their own
    else:
        port = f":{facts.pop('port')}" if {"host", "port"} <= facts.keys() else ""
        where = facts.pop("host", "") + port
    return f"postgresql://{who}{where}/{database}" + (f"?{urlencode(facts, quote_via=quote)}" if facts else "")


def without_password(url: str) -> str:
    """A database URL as it may be shown: the password is left out."""
    return as_url(
        make_conninfo("", **{key: value for key, value in conninfo_to_dict(url).items() if key != "password"})
    )


def in_database(url: str, database: str) -> str:
    """The URL of another database of the same server."""
    return as_url(make_conninfo(url, dbname=database))


def database_name(url: str) -> str:
    """The database that a URL leads to, as libpq sees it: the user's name where none is given."""
    facts = conninfo_to_dict(url)
    return str(facts.get("dbname") or facts.get("user") or "")


def create_database(url: str, database: str) -> None:
    """Create a database where it is not there yet; `url` leads to another database of the server."""
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            return
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def prepare_database(url: str) -> None:
    """Check the versions and create or update the extensions.

    Raises Unavailable when the server does not answer, SetupError when it is too old or the extensions are missing;
    both name the server and the way out.
    """
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error as error:
        raise _no_answer(url, error) from error
    with connection:
        _check_server(connection, url)
        for extension in EXTENSIONS:
            _have_extension(connection, extension, url)
        _check_postgis(connection, url)


def _no_answer(url: str, error: Exception) -> Unavailable:
    shown = without_password(url)
    reason = " ".join(str(error).split())
    return Unavailable(
        f"The database {shown} does not answer: {reason}. Check the URL, and that the server runs and lets you in",
        f"数据库 {shown} 无法连接：{reason}。请检查地址，并确认服务器已启动且允许登录",
        subject=shown,
    )


def _check_server(connection: psycopg.Connection, url: str) -> None:
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        raise SetupError(
            f"The server {without_password(url)} is PostgreSQL {major}; {OLDEST_SERVER} or newer is needed: upgrade it",
            f"服务器 {without_password(url)} 是 PostgreSQL {major}，需要 {OLDEST_SERVER} 或更高版本：请先升级",
            subject=without_password(url),
        )


def _have_extension(connection: psycopg.Connection, extension: str, url: str) -> None:
    """Create an extension; one that is there is moved on to the version that the server now has."""
    row = connection.execute(
        "SELECT installed_version, default_version FROM pg_available_extensions WHERE name = %s", [extension]
    ).fetchone()
    if row and row[0] is not None and row[0] == row[1]:
        return
    name = sql.Identifier(extension)
    try:
        if row and row[0] is not None:
            _update_extension(connection, name)
        else:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(name))
    except pg.InsufficientPrivilege as error:
        raise _missing(extension, url, "you may not create it", "当前用户无权创建") from error
    except (pg.FeatureNotSupported, pg.UndefinedFile) as error:
        raise _missing(extension, url, "the server does not have it", "服务器上没有安装") from error


def _update_extension(connection: psycopg.Connection, name: sql.Identifier) -> None:
    try:
        connection.execute(sql.SQL("ALTER EXTENSION {} UPDATE").format(name))
    except pg.InsufficientPrivilege:
        return  # it works as it is; the version check that follows decides


def _missing(extension: str, url: str, why_en: str, why_zh: str) -> SetupError:
    shown = without_password(url)
    return SetupError(
        f"The database {shown} lacks the extension {extension} and {why_en}: install it on the server "
        f"(Debian: postgresql-NN-postgis-3) and have an administrator run CREATE EXTENSION {extension}",
        f"数据库 {shown} 缺少扩展 {extension}，{why_zh}：请在服务器上安装"
        f"（Debian：postgresql-NN-postgis-3），并由管理员执行 CREATE EXTENSION {extension}",
        subject=extension,
    )


def _check_postgis(connection: psycopg.Connection, url: str) -> None:
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'postgis'").fetchone()
    version = str(row[0]) if row else "0.0"
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_POSTGIS:
        least = ".".join(map(str, OLDEST_POSTGIS))
        raise SetupError(
            f"The database {without_password(url)} has PostGIS {version}; {least} or newer is needed: upgrade it",
            f"数据库 {without_password(url)} 的 PostGIS 为 {version}，需要 {least} 或更高版本：请先升级",
            subject="postgis",
        )


def server_facts(url: str) -> dict[str, str | bool]:
    """What a running server is: versions, size, and which second wall keeps rights on rows.

    `wall` is "rows" where row-level security stands around the registers, with boxes that are leakproof; "views" where
    views with the same conditions do; "none" where the statements alone keep rights, since no reader's role could be
    made or nothing was made yet. Raises Unavailable.
    """
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            row = connection.execute(_FACTS).fetchone()
            walled = connection.execute("SELECT to_regclass('access.wall') IS NOT NULL").fetchone() == (True,)
            wall = connection.execute("SELECT mode FROM access.wall").fetchone() if walled else None
    except psycopg.Error as error:
        raise _no_answer(url, error) from error
    assert row is not None
    server, postgis, size = row
    return {
        "postgresql": str(server),
        "postgis": str(postgis or "-"),
        "size": str(size),
        "wall": str(wall[0]) if wall else "none",
    }


_FACTS = """
SELECT current_setting('server_version'),
       (SELECT extversion FROM pg_extension WHERE extname = 'postgis'),
       pg_size_pretty(pg_database_size(current_database()))
"""
