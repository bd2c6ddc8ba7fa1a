"""Answers to who is told counts alone: the release that they rest on, made where it is not there yet."""

from typing import Any

from api.served import Served
from gis.query.plan import Plan
from gis.query.released import foundation, is_anonymous, widened
from gis.store.released import ensure, is_known

#: The header that says it where an answer is no JSON: `date=2026-10-01, smallest=5`.
HEADER = "onemap-anonymous"


async def foundation_of(city: Served, plan: Plan) -> dict[str, Any]:
    """The members of an answer that say what its anonymous figures rest on; none for exact ones.

    Raises BadQuery where nothing is released for so early a date, Unavailable.
    """
    if not is_anonymous(plan):
        return {}
    if not is_known(city.threads, plan.register, plan.now):
        await city.slowly(ensure, city.threads, plan.register, plan.now)
    return widened(plan, await city.database.rows(foundation(plan))).members()


def headers(members: dict[str, Any]) -> dict[str, str]:
    """The same as headers."""
    said = members.get("onemap:anonymous")
    if said is None:
        return {}
    area = "widened" if said["areaWidened"] else "exact"
    return {HEADER: f"date={said['date']}, smallest={said['smallest']}, area={area}"}
