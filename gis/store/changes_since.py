"""What changed since a position in the log: for who was away for a while, minutes or days."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gis.errors import BadQuery, Gone
from gis.query.statement import Statement
from gis.store.changes import Changes
from gis.store.changes_keys import WORLD
from gis.store.changes_poll import POSITION
from gis.store.database import AsyncDatabase

_FORM = re.compile(r"([0-9a-f]{12})-(\d{1,19}:\d{1,19}:[\d,]{0,8000})")
#: A register that was written to in more squares than this is told as a whole.
MOST_SQUARES = 10_000
_SQL = f"""
WITH p AS MATERIALIZED (
    SELECT {POSITION.replace("%", "%%")} AS position, i.pruned >= pg_snapshot_xmin(%s::pg_snapshot) AS is_pruned
    FROM core.incarnation AS i
),
c AS MATERIALIZED (
    SELECT register, key, xid, at FROM core.change WHERE register = ANY(%s) AND xid >= pg_snapshot_xmin(%s::pg_snapshot)
        AND NOT pg_visible_in_snapshot(xid, %s::pg_snapshot)
),
w AS (
    SELECT register, CASE WHEN s.squares > %s THEN {WORLD} ELSE key END AS key, xid, at
    FROM c JOIN (SELECT register, count(DISTINCT key) AS squares FROM c GROUP BY 1) AS s USING (register)
)
SELECT p.position, p.is_pruned, w.register, w.key, max(w.at), count(DISTINCT w.xid) FROM p LEFT JOIN w ON true
GROUP BY 1, 2, 3, 4 ORDER BY 5, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Written:
    """That so many transactions wrote to a register in the square `key`, the last of them about then."""

    register: str
    key: int
    at: datetime
    transactions: int


@dataclass(frozen=True, slots=True)
class Since:
    """What changed, the latest last, and the position from which to go on."""

    position: str
    written: tuple[Written, ...]


async def since(database: AsyncDatabase, changes: Changes, position: str, registers: Sequence[str]) -> Since:
    """What became visible in some registers after a position, each square once, or the whole of a register.

    Raises BadQuery where it is no position, Gone where it is of another life of the database or the log does not go
    back so far, Unavailable.
    """
    await changes.settled()
    found = _FORM.fullmatch(position)
    if found is None:
        raise BadQuery("since is the position of an answer of /changes or /live",
                       "since 应为 /changes 或 /live 返回的位置", subject="since")  # fmt: skip
    life, snapshot = found.groups()
    if life != changes.incarnation:
        raise _gone()
    rows = await database.rows(Statement(_SQL, (snapshot, list(registers), snapshot, snapshot, MOST_SQUARES)))
    now, is_pruned = rows[0][:2]
    if is_pruned:
        raise _gone()
    written = tuple(Written(*row[2:]) for row in rows if row[2] is not None)
    return Since(f"{life}-{now}", written)


def _gone() -> Gone:
    return Gone(
        "the log of changes does not go back to this position: read the data anew, and go on from the position that"
        " /changes gives without since",
        "变更日志已不保留该位置:请重新读取数据,再从不带 since 的 /changes 给出的位置继续",
        subject="since",
    )
