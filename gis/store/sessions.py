"""Sessions of accounts: random tokens of which only a digest is kept; they end when idle, when old, and at will."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from gis.access.identity import Identity
from gis.access.roles import ADMINISTRATORS
from gis.store.accounts import ranges_of

Connection = psycopg.Connection[Any]

#: An account may be signed in at so many places; the oldest makes room.
_MOST = 8
#: How exactly it is known when a session was used last.
_SEEN_EVERY = timedelta(seconds=60)
#: What is kept of somebody who has no account here.
_TOLD = ("name", "role", "divisions", "department")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts: unused, and at most."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that stands, and whose it is; a `restricted` one may only set up its second factor.

    `account` is None for who signed in at a provider.
    """

    account: int | None
    identity: Identity
    restricted: bool


def begin(conn: Connection, account: int, origin: str, *, restricted: bool) -> str:
    """Begin a session from an address; returns its token, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    with conn.transaction():
        conn.execute(
            "INSERT INTO access.session (digest, account, origin, restricted) VALUES (%s, %s, %s, %s)",
            (_digest(token), account, origin, restricted),
        )
        conn.execute(
            "DELETE FROM access.session WHERE digest IN (SELECT digest FROM access.session WHERE account = %s"
            " ORDER BY begun_at DESC OFFSET %s)",
            (account, _MOST),
        )
    return token


def begin_outside(conn: Connection, identity: Identity, issuer: str, origin: str) -> str:
    """Begin a session of somebody who signed in at a provider; returns its token, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    kept = [getattr(identity, name) for name in _TOLD]
    conn.execute(
        "INSERT INTO access.session (digest, issuer, identity, origin, restricted) VALUES (%s, %s, %s, %s, false)",
        (_digest(token), issuer, Jsonb(dict(zip(_TOLD, kept, strict=True))), origin),
    )
    return token


def session(conn: Connection, token: str, lifetime: Lifetime, issuer: str | None = None) -> Session | None:
    """The session of a token, which counts as used now; None where there is none, or its account is shut.

    `issuer` is the provider that is believed: sessions by others have ended.
    """
    row = conn.execute(
        """
        SELECT a.id, a.name, a.role, a.divisions, a.department, s.identity,
            s.restricted OR (a.role = ANY(%(administrators)s) AND NOT a.factor_confirmed),
            s.seen_at < clock_timestamp() - %(every)s
        FROM access.session s LEFT JOIN access.account a ON a.id = s.account
        WHERE s.digest = %(digest)s AND s.seen_at > clock_timestamp() - %(idle)s
            AND s.begun_at > clock_timestamp() - %(longest)s AND a.disabled_at IS NULL
            AND coalesce(a.expires_at > clock_timestamp(), true)
            AND (s.account IS NOT NULL OR s.issuer = %(issuer)s)
        """,
        {"digest": _digest(token), "every": _SEEN_EVERY, "idle": lifetime.idle, "longest": lifetime.longest,
         "administrators": list(ADMINISTRATORS), "issuer": issuer},
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    account, name, role, divisions, department, told, restricted, is_due = row
    if is_due:
        conn.execute("UPDATE access.session SET seen_at = clock_timestamp() WHERE digest = %s", (_digest(token),))
    if told is not None:
        return Session(None, Identity(**{**told, "divisions": ranges_of(told["divisions"])}), False)
    identity = Identity(name, "public" if restricted else role, ranges_of(divisions), department)
    return Session(account, identity, bool(restricted))


def end(conn: Connection, token: str) -> None:
    """End the session of a token, if there is one."""
    conn.execute("DELETE FROM access.session WHERE digest = %s", (_digest(token),))


def end_others(conn: Connection, account: int, token: str) -> None:
    """End all sessions of an account but one."""
    conn.execute("DELETE FROM access.session WHERE account = %s AND digest <> %s", (account, _digest(token)))


def lift(conn: Connection, account: int) -> None:
    """Its sessions are restricted no longer."""
    conn.execute("UPDATE access.session SET restricted = false WHERE account = %s AND restricted", (account,))


def prune(conn: Connection, lifetime: Lifetime) -> None:
    """Drop what has ended by itself."""
    conn.execute(
        "DELETE FROM access.session WHERE seen_at < clock_timestamp() - %s OR begun_at < clock_timestamp() - %s",
        (lifetime.idle, lifetime.longest),
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
