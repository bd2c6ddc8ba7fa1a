"""Emergencies: declared for some divisions and a span of time, they raise the rights of those whom policies name.

A declaration stays on record with who made it and why; so does its early end.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg

from gis.access.identity import Identity
from gis.access.rules import policy_of
from gis.catalog import Catalogue, Rows
from gis.codes.division import Division
from gis.errors import BadInput, NotFound
from gis.query.statement import Statement
from gis.store.database import AsyncDatabase, Database

#: What holds now or begins soon: begins, ends, division codes.
COMING = Statement(
    "SELECT begins, ends, divisions FROM access.emergency WHERE ended_at IS NULL"
    " AND ends > clock_timestamp() AND begins < clock_timestamp() + interval '1 minute'"
)
#: For so long what was read is taken to hold; an emergency that is ended early ends that much later for some.
KEPT_S = 3.0
#: No emergency is declared for longer: it is declared again.
LONGEST = timedelta(days=30)
#: Nor longer before it begins.
_AHEAD = timedelta(days=366)
_COLUMNS = "id, name, divisions, begins, ends, declared_by, why, declared_at, ended_at, ended_by"

Span = tuple[datetime, datetime, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Emergency:
    """One declaration; `divisions` are codes of 12 digits as numbers, each with all below it."""

    id: int
    name: str
    divisions: tuple[int, ...]
    begins: datetime
    ends: datetime
    declared_by: str
    why: str
    declared_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.begins <= now < (self.ended_at or self.ends)

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it, times being datetimes, divisions texts of 12 digits."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "divisions": [f"{code:012d}" for code in self.divisions]}


def declare(
    conn: psycopg.Connection[Any],
    name: str,
    divisions: Sequence[str],
    span: tuple[datetime, datetime],
    by: str,
    why: str,
) -> Emergency:
    """Declare an emergency for divisions (codes of 2 to 12 digits) from a moment until another.

    Raises BadInput for a code that is none, a span that is none, over, or longer than `LONGEST`, and without a name or
    reason.
    """
    begins, ends = span
    for subject, said in (("name", name.strip()), ("divisions", divisions), ("why", why.strip())):
        if not said:
            raise BadInput(
                "an emergency has a name, divisions and a reason", "紧急状态须有名称、区划和理由", subject=subject
            )
    now = datetime.now(UTC)
    if not timedelta(0) < ends - begins <= LONGEST or ends <= now or begins > now + _AHEAD:
        raise BadInput(
            f"an emergency ends in the future, and lasts up to {LONGEST.days} days; declare it again then",
            f"紧急状态须在将来结束,最长 {LONGEST.days} 天,到期可再次宣布",
            subject="ends",
        )
    codes = sorted({Division.parse(one).as_int for one in divisions})
    row = conn.execute(
        "INSERT INTO access.emergency (name, divisions, begins, ends, declared_by, why)"
        f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
        (name.strip(), codes, begins, ends, by, why.strip()),
    ).fetchone()
    return _read(row)


def end(conn: psycopg.Connection[Any], number: int, by: str) -> Emergency:
    """End an emergency now; one that has ended keeps its time. Raises NotFound."""
    conn.execute(
        "UPDATE access.emergency SET ended_at = clock_timestamp(), ended_by = %s"
        " WHERE id = %s AND ended_at IS NULL AND ends > clock_timestamp()",
        (by, number),
    )
    row = conn.execute(f"SELECT {_COLUMNS} FROM access.emergency WHERE id = %s", (number,)).fetchone()
    if row is None:
        raise NotFound(f"there is no emergency {number}", f"没有编号为 {number} 的紧急状态", subject=str(number))
    return _read(row)


def listed(conn: psycopg.Connection[Any]) -> list[Emergency]:
    """Every emergency that was ever declared, the newest first."""
    return [_read(row) for row in conn.execute(f"SELECT {_COLUMNS} FROM access.emergency ORDER BY id DESC")]


@lru_cache(maxsize=64)
def raised_roles(catalogue: Catalogue) -> frozenset[str]:
    """The roles to which any collection opens rows in an emergency."""
    return frozenset(
        role
        for collection in catalogue
        for grant in policy_of(collection).grants
        if grant.rows is Rows.EMERGENCY
        for role in grant.roles
    )


def raised(identity: Identity, spans: Iterable[Span], catalogue: Catalogue, now: datetime | None = None) -> Identity:
    """An identity with the ranges of the emergencies that hold now, where a policy raises its role in one."""
    if identity.role not in raised_roles(catalogue):
        return replace(identity, emergency=()) if identity.emergency else identity
    moment = now or datetime.now(UTC)
    codes = {code for begins, ends, divisions in spans if begins <= moment < ends for code in divisions}
    return replace(identity, emergency=tuple(sorted(Division.from_int(code).range_ for code in codes)))


class InForce:
    """The emergencies that hold, read at most every few seconds; for one event loop."""

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database
        self._spans: tuple[Span, ...] = ()
        self._read_at = -KEPT_S

    def forget(self) -> None:
        """Read again for whoever asks next: this very server has changed something."""
        self._read_at = -KEPT_S

    async def of(self, identity: Identity, catalogue: Catalogue) -> Identity:
        """The identity, raised where emergencies and policies have it so; nothing is read for all other roles.

        Raises Unavailable.
        """
        if identity.role not in raised_roles(catalogue):
            return identity
        if time.monotonic() - self._read_at > KEPT_S:
            asked_at = time.monotonic()
            self._spans = tuple((begins, ends, codes) for begins, ends, codes in await self._database.rows(COMING))
            self._read_at = asked_at
        return raised(identity, self._spans, catalogue)


def in_force(database: Database, identity: Identity, catalogue: Catalogue) -> Identity:
    """The identity, raised by what the database holds now: for commands and threads."""
    if identity.role not in raised_roles(catalogue):
        return identity
    return raised(identity, [(b, e, codes) for b, e, codes in database.rows(COMING)], catalogue)


def _read(row: Any) -> Emergency:
    number, name, divisions, *rest = row
    return Emergency(number, name, tuple(divisions), *rest)
