"""How the database goes about a statement, in one line without a value: steps, tables, indexes and numbers of rows."""

from typing import Any

from gis.query.statement import Statement
from gis.store.database import AsyncDatabase

_EXPLAIN = "EXPLAIN (FORMAT JSON) "
_MOST_STEPS = 12
#: With longer values the planner, and what writes its plan down, takes minutes and heeds no time limit.
_MOST_VALUES = 16_384
#: A remark in a log waits for nobody: not for a lock, and not for a planner that thinks long.
_BRIEFLY = "SET LOCAL lock_timeout = '50ms'; SET LOCAL statement_timeout = '1s'"


async def explained(database: AsyncDatabase, statement: Statement) -> str:
    """`Limit 10 < Index Scan pois pois_geom_idx 1200`: each step with the rows expected of it, the last one first.

    It is planned, not run. Of the plan only names of tables and indexes are told, since conditions hold what was asked
    for. A statement with very long values, a shape of thousands of points, is not planned again. Raises Unavailable,
    BadQuery.
    """
    if sum(len(value) for value in statement.args if isinstance(value, bytes | str)) > _MOST_VALUES:
        return "values too long to be planned again"
    async with database.connection() as conn, conn.transaction():
        await conn.execute(_BRIEFLY)
        # what is estimated was itself a question to the planner alone
        asked = await database.stated(conn, statement)
        sql = f"{_EXPLAIN}{asked.sql.removeprefix(_EXPLAIN)}"
        rows = await (await conn.execute(sql, asked.args)).fetchall()
    steps = list(_steps(rows[0][0][0]["Plan"]))
    more = [f"… {len(steps) - _MOST_STEPS} more"] if len(steps) > _MOST_STEPS else []
    return " < ".join([*steps[:_MOST_STEPS], *more])


def _steps(node: dict[str, Any]) -> list[str]:
    names = (node["Node Type"], node.get("Relation Name"), node.get("Index Name"), str(node["Plan Rows"]))
    return [" ".join(name for name in names if name), *(step for n in node.get("Plans", ()) for step in _steps(n))]
