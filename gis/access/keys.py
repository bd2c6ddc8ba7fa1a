"""Keys by which systems and departments' clerks sign in: shown once, kept as a digest, revoked or expired at will.

A key is `<number>-<secret>`: the number finds its record, the secret is 256 random bits of which only the SHA-256 is
kept. That much randomness needs no slow hash: there is nothing to guess from.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from gis.access.identity import Identity
from gis.access.roles import INSIDE
from gis.errors import BadQuery, NotFound, NotSignedIn

#: The department that stands for all of them: the data centre.
EVERY = "*"

_KEY = re.compile(r"(\d{1,9})-([A-Za-z0-9_-]{43})")
_DEPARTMENT = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COLUMNS = (
    "id, name, department, role, divisions, collections, writes, per_minute, created_at, created_by, expires_at,"
    " revoked_at, used_at"
)
_STANDS = "revoked_at IS NULL AND coalesce(expires_at > clock_timestamp(), true)"
#: How exactly it is known when a key was used last.
_USED_EVERY = "1 minute"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key is for: a role and its divisions (None: everywhere), collections (None: all that the role may see),
    whether it may write, and how often a minute it may ask (None: as often as anybody).
    """

    role: str = "staff"
    divisions: tuple[tuple[int, int], ...] | None = None
    collections: tuple[str, ...] | None = None
    writes: bool = True
    per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What is on record of a key; the key itself is not."""

    id: int
    name: str
    department: str | None
    scope: Scope
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    @property
    def identity(self) -> Identity:
        """Who asks with it."""
        of = None if self.scope.collections is None else frozenset(self.scope.collections)
        return Identity(f"key {self.id}", self.scope.role, self.scope.divisions, self.department, collections=of)

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it, times being datetimes."""
        found = asdict(self)
        return {**found, **found.pop("scope")}


def add(
    conn: Connection, department: str, expires_at: datetime | None = None, known: Iterable[str] = ()
) -> tuple[Key, str]:
    """Make a key for a department, or `*` for the data centre; returns its record and the key, which is kept nowhere.

    `known` are the departments that there are, where that is known. Raises BadQuery naming the department.
    """
    check_department(department, known)
    return issue(conn, Scope(), department=department, expires_at=expires_at)


def check_department(department: str, known: Iterable[str] = ()) -> None:
    """That there is such a department. Raises BadQuery."""
    listed = sorted(known)
    is_known = department in listed if listed else _DEPARTMENT.fullmatch(department)
    if department != EVERY and not is_known:
        there = ", ".join(listed) or "police, civil_affairs …"
        raise BadQuery(
            f"there is no department {department!r}; there are {there}, and * for the data centre",
            f"没有部门 {department!r};可用:{there},数据中心用 *",
            subject=department,
        )


def issue(
    conn: Connection,
    scope: Scope,
    *,
    department: str | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    by: str = "owner",
) -> tuple[Key, str]:
    """Make a key of a scope, `name` saying for what; returns its record and the key, which is kept nowhere.

    Raises BadQuery for a role that no system has.
    """
    if scope.role not in INSIDE:
        raise BadQuery(
            f"a key cannot have the role {scope.role[:40]!r}; it can have {', '.join(INSIDE)}",
            f"密钥不能具有角色 {scope.role[:40]!r};可用:{'、'.join(INSIDE)}",
            subject="role",
        )
    secret = secrets.token_urlsafe(32)
    divisions = None if scope.divisions is None else json.dumps(scope.divisions)
    collections = None if scope.collections is None else list(scope.collections)
    row = conn.execute(
        "INSERT INTO access.key (name, department, role, divisions, collections, writes, per_minute, digest,"  # noqa: S608
        f" created_by, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
        (name, department, scope.role, divisions, collections, scope.writes, scope.per_minute, _digest(secret), by,
         expires_at),
    ).fetchone()  # fmt: skip
    assert row is not None
    return _key(row), f"{row[0]}-{secret}"


def listed(conn: Connection) -> list[Key]:
    """Every key that was ever made, the newest first."""
    return [_key(row) for row in conn.execute(f"SELECT {_COLUMNS} FROM access.key ORDER BY id DESC")]  # noqa: S608


def revoke(conn: Connection, key: int) -> Key:
    """End a key now; one that has ended keeps its time. Raises NotFound."""
    row = conn.execute(
        "UPDATE access.key SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = %s"  # noqa: S608
        f" RETURNING {_COLUMNS}",
        (key,),
    ).fetchone()
    if row is None:
        raise NotFound(
            f"there is no key {key}; onemap keys list shows them",
            f"没有密钥 {key};可用 onemap keys list 查看",
            subject=str(key),
        )
    return _key(row)


def shown(conn: Connection, key: str) -> Key:
    """The record of a key that stands, which counts as used now.

    Raises NotSignedIn without a word on what is wrong with it, and never with the key itself. An unknown number is
    compared like a known one, so that the time taken tells nothing either.
    """
    found = _KEY.fullmatch(key)
    number, secret = (int(found[1]), found[2]) if found else (0, "")
    asked = f"SELECT digest, {_STANDS}, {_COLUMNS} FROM access.key WHERE id = %s"  # noqa: S608
    row = conn.execute(asked, (number,)).fetchone()
    digest, stands = (bytes(row[0]), row[1]) if row else (bytes(32), False)
    if not (hmac.compare_digest(digest, _digest(secret)) and stands and row):
        raise NotSignedIn(
            "this key is not valid: it is mistyped, expired or revoked", "密钥无效:输入有误、已过期或已吊销"
        )
    conn.execute(
        "UPDATE access.key SET used_at = clock_timestamp() WHERE id = %s"  # noqa: S608
        f" AND coalesce(used_at < clock_timestamp() - interval '{_USED_EVERY}', true)",
        (number,),
    )
    return _key(row[2:])


def holder(conn: Connection, key: str) -> Identity:
    """Who holds a key. Raises NotSignedIn as `shown` does."""
    return shown(conn, key).identity


def _key(row: tuple[Any, ...]) -> Key:
    id_, name, department, role, divisions, collections, writes, per_minute, *when = row
    ranges = None if divisions is None else tuple((int(low), int(high)) for low, high in divisions)
    scope = Scope(role, ranges, None if collections is None else tuple(collections), writes, per_minute)
    return Key(id_, name, department, scope, *when)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
