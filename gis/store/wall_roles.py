"""The roles of the second wall, its key, and the address by which a server reads as one who may do nothing else.

`stand` is part of bringing a database to the present, `reader` of beginning to serve it. Both are asked again and
again, and change nothing where nothing changed. Every database has a reader of its own, with a password made from its
own key, so that several servers of a city need share no file and copies of a database are strangers to each other.
"""

import contextlib
import hashlib
import hmac
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from gis.store.cluster_server import as_url
from gis.store.database import connect, translated
from gis.store.wall import MASKERS, READERS, Mode, mode

_LOG = logging.getLogger("onemap.wall")

#: Functions that fail for nothing and tell nothing of a shape but its box, of a place but what is told of it: with them
#: an index may be asked before the policy is. An update of the extension takes the mark away.
_LEAKPROOF = (
    "geometry_overlaps(geometry, geometry)", "st_expand(geometry, double precision)", "access.blurred(bigint, integer)",
)  # fmt: skip
_BLOCK_BYTES = 64
_LIMITS = {
    "statement_timeout": "3600000", "idle_in_transaction_session_timeout": "60000",
    "default_transaction_read_only": "on", "row_security": "on",
}  # fmt: skip
#: What plans read beside registers: nothing in it is of one person, and of loads not what was found in them.
_SHARED = (
    f"GRANT USAGE ON SCHEMA core, access TO {READERS}, {MASKERS}",
    f"GRANT SELECT ON core.epoch, core.scenario TO {READERS}",
    f"GRANT SELECT (id, source, licence, file, source_crs, loaded_at) ON core.load TO {READERS}",
    f"REVOKE ALL ON access.release, access.released FROM {READERS}",
    f"GRANT SELECT ON access.release_told, access.released_told TO {READERS}",
    f"GRANT EXECUTE ON FUNCTION access.opened(text) TO {READERS}, {MASKERS}",
)
#: Whether there is a function of rights that anybody may use, as new ones are, or a view that readers may not use yet.
_UNCONFINED = (
    "SELECT EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
    " WHERE p.pronamespace = 'access'::regnamespace AND a.grantee = 0)"
    f" OR NOT has_table_privilege('{READERS}', 'access.released_told', 'SELECT')"
)
#: What tells the extent of any table from statistics, in the name of PostGIS's owner.
_EXTENTS = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'st_estimatedextent'"
_SYSTEM = (
    "SELECT (SELECT system_identifier FROM pg_control_system()), d.oid::bigint, w.system, w.database::bigint, w.key"
    " FROM pg_database d, access.wall w WHERE d.datname = current_database()"
)


@dataclass(frozen=True, slots=True)
class Reader:
    """How a server reads: by which address, behind which wall, with which key its scopes are signed.

    `ahead_s` is how far the database's clock is ahead of this machine's.
    """

    url: str
    mode: Mode
    key: bytes
    ahead_s: float = 0.0


def stand(conn: psycopg.Connection[Any]) -> None:
    """Have the group of readers and the owner of views, as far as this user may; note which wall there can be.

    Where that is another one than before, every register is walled in anew by whoever derives next.
    """
    before = mode(conn)
    with conn.transaction():
        _mark(conn)
    now: Mode = "none"
    if have_roles(conn):
        now = "rows" if _is_leakproof(conn) else "views"
        if now != before or conn.execute(_UNCONFINED).fetchone() == (True,):
            for statement in _SHARED:
                conn.execute(statement.encode())
            _confine(conn)
    if before != now:
        conn.execute("UPDATE access.wall SET mode = %s", (now,))
        conn.execute("DELETE FROM core.derived WHERE kind = 'wall'")


def reader(url: str, given: str | None = None) -> Reader:
    """How to read the database of its owner's address `url`; `given` is the address of a reader that somebody made.

    Where there can be no reader the owner's address is brought, and mode "none". Raises Unavailable.
    """
    with translated(), connect(url, autocommit=True) as conn:
        key, how = own_key(conn), mode(conn)
        now = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        ahead_s = float(now[0]) - time.time() if now else 0.0
        _close_public(conn)
        own = given or (_login(conn, url, key) if how != "none" else None)
    if own is not None and how != "none" and _lets_in(own):
        return Reader(own, how, key, ahead_s)
    _LOG.warning(
        "rights are kept by the statements alone: the database has no reader's role that can sign in; let its owner"
        " create roles, or name one by ONEMAP_READER_URL / 权限仅由查询语句保证:数据库没有可登录的只读角色"
    )
    return Reader(url, "none", key, ahead_s)


def _mark(conn: psycopg.Connection[Any]) -> None:
    """Mark what is leakproof, which superusers may."""
    if conn.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone() != (True,):
        return
    for function in _LEAKPROOF:
        found = conn.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE oid = to_regprocedure(%s) AND NOT proleakproof",
            (function,),
        ).fetchone()
        if found is not None:
            conn.execute(f"ALTER FUNCTION {found[0]} LEAKPROOF")


def _is_leakproof(conn: psycopg.Connection[Any]) -> bool:
    row = conn.execute(
        "SELECT bool_and(proleakproof) FROM unnest(%s::text[]) f JOIN pg_proc p ON p.oid = to_regprocedure(f)",
        (list(_LEAKPROOF),),
    ).fetchone()
    return row == (True,)


def have_roles(conn: psycopg.Connection[Any]) -> bool:
    """Whether the group and the owner of views are there and ours to use."""
    for name in (READERS, MASKERS):
        try:
            with conn.transaction():
                if conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
                    conn.execute(f"CREATE ROLE {name} NOLOGIN")
        except (errors.DuplicateObject, errors.UniqueViolation):
            pass  # another database of the server was quicker
        except errors.InsufficientPrivilege:
            return False
    try:
        with conn.transaction():
            # views are given to it by its members
            conn.execute(
                f"DO $$ BEGIN IF NOT pg_has_role('{MASKERS}', 'MEMBER') THEN GRANT {MASKERS} TO CURRENT_USER; END IF;"
                " END $$"
            )
    except errors.InsufficientPrivilege:
        return False
    return True


def _confine(conn: psycopg.Connection[Any]) -> None:
    """Of the functions of rights the readers may use those that mask, and the one that reads scopes."""
    conn.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA access FROM PUBLIC")
    found = conn.execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'access'::regnamespace AND NOT prosecdef"
        " AND (proname LIKE 'mask%' OR proname IN ('cell_point', 'blurred'))"
    ).fetchall()
    for (function,) in found:
        conn.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {READERS}, {MASKERS}".encode())
    for (function,) in conn.execute(_EXTENTS).fetchall():
        with contextlib.suppress(errors.InsufficientPrivilege), conn.transaction():
            conn.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC".encode())


def _close_public(conn: psycopg.Connection[Any]) -> None:
    """Nobody but the owner makes tables or functions, not even temporary ones: they could stand before ours."""
    row = conn.execute(
        "SELECT current_database(), has_database_privilege('public', current_database(), 'TEMP'),"
        " has_schema_privilege('public', 'public', 'CREATE')"
    ).fetchone()
    assert row is not None
    name, temporary, public = row
    # who does not own the database is warned, not stopped, by the server
    if temporary:
        conn.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    if public:
        conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def own_key(conn: psycopg.Connection[Any]) -> bytes:
    """The database's own key; a copy of another, or what was restored from one, gets a new one."""
    row = conn.execute(_SYSTEM).fetchone()
    assert row is not None
    system, database, of_system, of_database, key = row
    if key is not None and (system, database) == (of_system, of_database):
        return bytes(key)
    fresh = secrets.token_bytes(32)
    padded = fresh.ljust(_BLOCK_BYTES, b"\0")
    # another server of the city may have made one at this very moment: that of the first holds
    made = conn.execute(
        "UPDATE access.wall SET system = %s, database = %s, key = %s, inner_block = %s, outer_block = %s"
        " WHERE key IS NULL OR (system, database::bigint) <> (%s, %s)",
        (system, database, fresh, bytes(b ^ 0x36 for b in padded), bytes(b ^ 0x5C for b in padded), system, database),
    )
    return fresh if made.rowcount else own_key(conn)


def _login(conn: psycopg.Connection[Any], url: str, key: bytes) -> str | None:
    """The address of this database's reader, who is made where there is none; None where that may not be."""
    row = conn.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    name = f"onemap_reader_{row[0] if row else 0}"
    password = hmac.new(key, b"password", hashlib.sha256).hexdigest()
    role = sql.Identifier(name)
    make = [
        sql.SQL("CREATE ROLE {} LOGIN NOCREATEDB NOCREATEROLE IN ROLE {}").format(role, sql.Identifier(READERS)),
        *(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(n), sql.Literal(v))
            for n, v in _LIMITS.items()
        ),
    ]
    try:
        with conn.transaction():
            if conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
                for statement in make:
                    conn.execute(statement)
            conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
    except (errors.DuplicateObject, errors.UniqueViolation):
        pass
    except errors.InsufficientPrivilege:
        return None
    return as_url(make_conninfo(url, user=name, password=password))


def _lets_in(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=10) as conn:
            return conn.execute("SELECT pg_has_role(%s, 'MEMBER')", (READERS,)).fetchone() == (True,)
    except psycopg.Error:
        return False
