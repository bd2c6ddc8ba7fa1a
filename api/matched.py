"""How many features match a question, asked beside the page and remembered until the register changes."""

from api.served import Served
from gis.query import matching_rows
from gis.query.matching_rows import Matched
from gis.query.plan import Plan


async def matched(city: Served, plan: Plan) -> Matched:
    """How many features match, whatever the page. Raises Unavailable, BadQuery."""
    expected = None
    if matching_rows.is_estimable(plan):
        expected = matching_rows.expected(await city.database.rows(matching_rows.estimate(plan)))
    counting = matching_rows.exact(plan, expected or 0)
    counted = (await city.database.rows(counting))[0][0] if counting else None
    return matching_rows.matched(expected, counted)
