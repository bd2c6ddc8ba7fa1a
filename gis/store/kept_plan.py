"""A long statement that is asked again and again with other values: planned once on each connection, then kept.

PostgreSQL plans a prepared statement anew for its values while that seems to pay. For a statement over many relations
whose way does not depend on its values, planning is half of the time.
"""

from typing import Any

from gis.query.statement import Statement
from gis.store.database import AsyncDatabase

_KEEP = "SET LOCAL plan_cache_mode = force_generic_plan"


async def rows(database: AsyncDatabase, statement: Statement) -> list[tuple[Any, ...]]:
    """All rows of a statement, in one round trip. Raises Unavailable, BadQuery."""
    async with database.connection() as conn, conn.pipeline(), conn.transaction():
        await conn.execute(_KEEP)
        cursor = await conn.execute(statement.sql, statement.args, binary=True, prepare=True)
        return await cursor.fetchall()
