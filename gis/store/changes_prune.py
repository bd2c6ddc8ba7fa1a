"""The log kept for days, and what is older folded into sums, so that digests stay what they are."""

from gis.query.statement import Statement
from gis.store.database import AsyncDatabase

KEPT_DAYS = 3
PRUNE_EVERY_S = 3600.0
#: However young, so many rows are enough.
_MOST_ROWS = 1_000_000

# one statement, one snapshot: whoever reads sums sees each change either in the log or in the sums
_PRUNE = """
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(core.lock_key('prune', 'core.change')) AS ours
), settled AS MATERIALIZED (
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin,
        (SELECT xid FROM core.change ORDER BY xid DESC OFFSET %s LIMIT 1) AS too_many
), gone AS (
    DELETE FROM core.change AS c USING settled AS s, alone AS a
    WHERE a.ours AND c.xid < s.xmin AND (c.at < clock_timestamp() - make_interval(days => %s) OR c.xid <= s.too_many)
    RETURNING c.register, c.key, c.xid
), folded AS (
    INSERT INTO core.change_digest AS d (register, key, digest)
    SELECT register, key, mod(sum(core.change_hash(key, xid)), 18446744073709551616) FROM gone GROUP BY 1, 2
    ON CONFLICT (register, key) DO UPDATE SET digest = mod(d.digest + excluded.digest, 18446744073709551616)
), noted AS (
    UPDATE core.incarnation AS i SET pruned = greatest(i.pruned, g.xid)
    FROM (SELECT xid FROM gone ORDER BY xid DESC LIMIT 1) AS g
)
SELECT count(*) FROM gone
"""


async def prune(database: AsyncDatabase, days: int = KEPT_DAYS, most_rows: int = _MOST_ROWS) -> int:
    """Fold what is older than some days; returns how many rows that were. Raises Unavailable.

    On a standby it is the primary's to do, and where another server is at it, that one's.
    """
    if (await database.rows(Statement("SELECT pg_is_in_recovery()")))[0][0]:
        return 0
    return int((await database.rows(Statement(_PRUNE, (most_rows, days))))[0][0])
