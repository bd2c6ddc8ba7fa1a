"""Keys by which a department's clerks and programs sign in: shown once, kept as a digest, revoked or expired at will.

A key is `<number>-<secret>`: the number finds its record, the secret is 256 random bits of which only the SHA-256 is
kept. That much randomness needs no slow hash: there is nothing to guess from.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from gis.access.identity import Identity
from gis.errors import BadQuery, NotFound, NotSignedIn

#: The department that stands for all of them: the data centre.
EVERY = "*"

_KEY = re.compile(r"(\d{1,9})-([A-Za-z0-9_-]{43})")
_DEPARTMENT = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COLUMNS = "id, department, created_at, expires_at, revoked_at"


@dataclass(frozen=True, slots=True)
class Key:
    """What is on record of a key; the key itself is not."""

    id: int
    department: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it, times being datetimes."""
        return asdict(self)


def add(
    conn: psycopg.Connection[Any], department: str, expires_at: datetime | None = None, known: Iterable[str] = ()
) -> tuple[Key, str]:
    """Make a key for a department, or `*` for the data centre; returns its record and the key, which is kept nowhere.

    `known` are the departments that there are, where that is known. Raises BadQuery naming the department.
    """
    listed = sorted(known)
    is_known = department in listed if listed else _DEPARTMENT.fullmatch(department)
    if department != EVERY and not is_known:
        there = ", ".join(listed) or "police, civil_affairs …"
        raise BadQuery(
            f"there is no department {department!r}; there are {there}, and * for the data centre",
            f"没有部门 {department!r};可用:{there},数据中心用 *",
            subject=department,
        )
    secret = secrets.token_urlsafe(32)
    row = conn.execute(
        f"INSERT INTO exchange.key (department, digest, expires_at) VALUES (%s, %s, %s) RETURNING {_COLUMNS}",  # noqa: S608
        (department, _digest(secret), expires_at),
    ).fetchone()
    assert row is not None
    return Key(*row), f"{row[0]}-{secret}"


def listed(conn: psycopg.Connection[Any]) -> list[Key]:
    """Every key that was ever made, the newest first."""
    return [Key(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM exchange.key ORDER BY id DESC")]  # noqa: S608


def revoke(conn: psycopg.Connection[Any], key: int) -> Key:
    """End a key now; one that has ended keeps its time. Raises NotFound."""
    row = conn.execute(
        "UPDATE exchange.key SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = %s"  # noqa: S608
        f" RETURNING {_COLUMNS}",
        (key,),
    ).fetchone()
    if row is None:
        raise NotFound(
            f"there is no key {key}; onemap keys list shows them",
            f"没有密钥 {key};可用 onemap keys list 查看",
            subject=str(key),
        )
    return Key(*row)


def holder(conn: psycopg.Connection[Any], key: str) -> Identity:
    """Who holds a key. Raises NotSignedIn without a word on what is wrong with it, and never with the key itself.

    An unknown number is compared like a known one, so that the time taken tells nothing either.
    """
    found = _KEY.fullmatch(key)
    number, secret = (int(found[1]), found[2]) if found else (0, "")
    row = conn.execute(
        "SELECT department, digest, revoked_at IS NULL AND coalesce(expires_at > clock_timestamp(), true)"
        " FROM exchange.key WHERE id = %s",
        (number,),
    ).fetchone()
    department, digest, stands = row or ("", b"", False)
    if not (hmac.compare_digest(bytes(digest) or bytes(32), _digest(secret)) and stands):
        raise NotSignedIn(
            "this key is not valid: it is mistyped, expired or revoked", "密钥无效:输入有误、已过期或已吊销"
        )
    return Identity(f"key {number}", "staff", department=department)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
