"""Accounts of a small site: who there is, what they may do, and who of the administrators may change what.

The rules stand in the tables (`access.guard_account`); what is here says them in people's words and names the actor.
"""

import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import errors

from gis.access.identity import Identity
from gis.access.passwords import hashed, one_time_password
from gis.access.roles import ADMINISTRATORS, PUBLIC_ROLE, ROLES
from gis.errors import BadInput, Conflict, Forbidden, NotFound

#: Whoever works at the machine itself; the accounts' own numbers stand for all others.
AT_THE_MACHINE = "owner"
#: The account itself, while it signs in.
ITSELF = "self"
#: How long a one-time password waits to be used.
ONE_TIME = timedelta(days=3)
#: An account that nobody used for so long is shut until the system administrator opens it again.
UNUSED = timedelta(days=90)

_COLUMNS = (
    "id, name, person, role, divisions, department, created_at, created_by, expires_at, disabled_at, factor_confirmed,"
    " one_time_until, signed_in_at, greatest(enabled_at, signed_in_at) < clock_timestamp() - %(unused)s"
)

Connection = psycopg.Connection[Any]
Divisions = tuple[tuple[int, int], ...] | None


@dataclass(frozen=True, slots=True)
class Account:
    """What is on record of an account; `has_factor`: it signs in with a second factor. `unused`: for too long."""

    id: int
    name: str
    person: str
    role: str
    divisions: Divisions
    department: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    disabled_at: datetime | None
    has_factor: bool
    one_time_until: datetime | None
    signed_in_at: datetime | None
    unused: bool

    @property
    def is_administrator(self) -> bool:
        """Whether it is one of the three that must have a second factor."""
        return self.role in ADMINISTRATORS

    @property
    def identity(self) -> Identity:
        """Who asks when this account has signed in."""
        return Identity(self.name, self.role, self.divisions, self.department)

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it, times being datetimes."""
        return asdict(self)


def tidy_name(name: str) -> str:
    """A name as accounts have it: in small letters, half-width."""
    return _tidy(name).lower()


def _tidy(text: str) -> str:
    """What cannot be seen counts as a space, so that no two names look alike."""
    shown = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFKC", text))
    return " ".join(shown.split())


def _tidy_person(person: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", person).split())


@contextmanager
def acting(conn: Connection, actor: str) -> Iterator[None]:
    """A transaction in which `actor` changes accounts. Raises Forbidden, Conflict for what the tables refuse."""
    try:
        with conn.transaction():
            conn.execute("SELECT set_config('onemap.actor', %s, true)", (actor,))
            yield
    except errors.InsufficientPrivilege:
        raise Forbidden(
            "this is not for you to change: the system administrator keeps accounts, the security administrator gives"
            " rights, and nobody changes their own",
            "您无权作此更改:系统管理员管理账号,安全管理员授予权限,任何人不得更改自己的权限",
            subject="role",
        ) from None
    except errors.UniqueViolation as error:
        raise _taken(error) from None


def add(
    conn: Connection, name: str, person: str, *, actor: str, by: str, expires_at: datetime | None = None
) -> tuple[Account, str]:
    """Make an account without rights; returns it and a one-time password, which is kept nowhere.

    `person` names whose it is so that no other person is meant: name and number of the post. Raises BadInput, Conflict,
    Forbidden.
    """
    once = one_time_password()
    try:
        with acting(conn, actor):
            conn.execute(
                "INSERT INTO access.account (name, person, password, one_time_until, expires_at, created_by)"
                " VALUES (%s, %s, %s, clock_timestamp() + %s, %s, %s)",
                (
                    tidy_name(name),
                    _tidy(person),
                    hashed(once),
                    ONE_TIME,
                    expires_at,
                    by,
                ),
            )
    except errors.CheckViolation:
        raise BadInput(
            f"{name[:70]!r} cannot be an account's name, or the person is not named: write 2 to 63 letters, digits,"
            " dots, dashes or underscores",
            f"账号名 {name[:70]!r} 无效或未填写使用人:账号名为 2 至 63 个字母、数字、点、横线或下划线",
            subject="name",
        ) from None
    return find(conn, name), once


def find(conn: Connection, name: str) -> Account:
    """The account of a name. Raises NotFound."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM access.account WHERE name = %(name)s",
        {"unused": UNUSED, "name": tidy_name(name)},
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no account {name[:63]!r}", f"没有账号 {name[:63]!r}", subject=name[:63])
    return _account(row)


def listed(conn: Connection) -> list[Account]:
    """Every account that was ever made, by name."""
    found = conn.execute(f"SELECT {_COLUMNS} FROM access.account ORDER BY name", {"unused": UNUSED})
    return [_account(row) for row in found]


def grant(
    conn: Connection, name: str, role: str, *, actor: str, divisions: Divisions = (), department: str | None = None
) -> Account:
    """Give an account its one role and where it holds; divisions None is everywhere. An administrator has no divisions.

    Raises NotFound, BadInput, Forbidden; Conflict where the person is an administrator already.
    """
    if role not in ROLES or role == AT_THE_MACHINE:
        there = ", ".join(r for r in ROLES if r != AT_THE_MACHINE)
        raise BadInput(f"there is no role {role[:40]!r}; there are {there}", f"没有角色 {role[:40]!r};可用:{there}",
                       subject="role")  # fmt: skip
    of_an_office = role in ADMINISTRATORS or role == PUBLIC_ROLE
    ranges = json.dumps([] if of_an_office else divisions) if of_an_office or divisions is not None else None
    return _change(conn, name, actor, "role = %(role)s, divisions = %(divisions)s, department = %(department)s",
                   role=role, divisions=ranges, department=None if of_an_office else department)  # fmt: skip


def disable(conn: Connection, name: str, *, actor: str) -> Account:
    """Shut an account now; its sessions end. Raises NotFound, Forbidden."""
    found = _change(conn, name, actor, "disabled_at = coalesce(disabled_at, clock_timestamp())")
    conn.execute("DELETE FROM access.session WHERE account = %s", (found.id,))
    return found


def enable(conn: Connection, name: str, *, actor: str, expires_at: datetime | None = None) -> Account:
    """Open a shut account again, until a time if one is given. Raises NotFound, Forbidden."""
    return _change(conn, name, actor, "disabled_at = NULL, enabled_at = clock_timestamp(), expires_at = %(until)s",
                   until=expires_at)  # fmt: skip


def reset(conn: Connection, name: str, *, actor: str) -> tuple[Account, str]:
    """Give an account a one-time password in the place of its own; its sessions end. Raises NotFound, Forbidden."""
    once = one_time_password()
    found = _change(conn, name, actor, "password = %(password)s, one_time_until = clock_timestamp() + %(wait)s",
                    password=hashed(once), wait=ONE_TIME)  # fmt: skip
    conn.execute("DELETE FROM access.session WHERE account = %s", (found.id,))
    return found, once


def take_factor(conn: Connection, name: str, *, actor: str) -> Account:
    """Take an account's second factor away, whose phone is lost. Raises NotFound, Forbidden."""
    with conn.transaction():
        found = _change(conn, name, actor, "factor = NULL, factor_confirmed = false")
        conn.execute("DELETE FROM access.recovery_code WHERE account = %s", (found.id,))
        conn.execute("DELETE FROM access.session WHERE account = %s", (found.id,))
    return found


def _change(conn: Connection, name: str, actor: str, settings: str, **values: Any) -> Account:
    with acting(conn, actor):
        changed = conn.execute(
            f"UPDATE access.account SET {settings} WHERE name = %(name)s",
            {"name": tidy_name(name), **values},
        ).rowcount
    # one that is not there is told of by the search for it
    return find(conn, name if changed else tidy_name(name))


def _account(row: tuple[Any, ...]) -> Account:
    id_, name, person, role, divisions, *rest = row
    return Account(id_, name, person, role, ranges_of(divisions), *rest)


def ranges_of(document: Any) -> Divisions:
    """Ranges of divisions as JSON holds them; null is everywhere."""
    return None if document is None else tuple((int(low), int(high)) for low, high in document)


def _taken(error: errors.UniqueViolation) -> Conflict:
    if error.diag.constraint_name == "one_office_a_person":
        return Conflict(
            "this person is an administrator already: nobody holds two of these offices",
            "该使用人已担任一种管理员:三员不得兼任",
            subject="role",
        )
    return Conflict("there is an account of this name", "账号名已存在", subject="name")
