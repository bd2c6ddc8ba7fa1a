"""Answers to who is told counts alone: the release that they rest on, made where it is not there yet."""

from functools import partial
from typing import Any

from api.served import Served
from gis.catalog import Collection
from gis.errors import BadQuery
from gis.geo.area import Within
from gis.query import answers
from gis.query.here import Here
from gis.query.plan import Plan
from gis.query.query import Measure, Query
from gis.query.released import foundation, is_anonymous, widened
from gis.store.released import ensure, is_known
from gis.text import Language

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
    rows = await city.database.rows(foundation(plan))
    if not rows and plan.query.time is None and plan.query.as_of is None:
        # releases may have been taken back elsewhere; and nothing is released while nobody is registered
        await city.slowly(partial(ensure, city.threads, plan.register, plan.now, again=True))
        rows = await city.database.rows(foundation(plan))
        if not rows:
            return {}
    return widened(plan, rows).members()


def headers(members: dict[str, Any]) -> dict[str, str]:
    """The same as headers."""
    said = members.get("onemap:anonymous")
    if said is None:
        return {}
    area = "widened" if said["areaWidened"] else "exact"
    return {HEADER: f"date={said['date']}, smallest={said['smallest']}, area={area}"}


async def counts_at(
    city: Served, asked: Here, collections: list[Collection], language: Language
) -> list[dict[str, Any]]:
    """Of each collection of which the caller is told counts alone, how many there are at a place.

    The extent of a feature is left to those who are told rows. `count` is null, with `why`, where nothing is released
    for so early a date.
    """
    plans = [] if isinstance(asked.area, Within) else [city.plan(_count(asked, one)) for one in collections]
    found = []
    for plan in filter(is_anonymous, plans):
        head = {"collection": plan.collection.id, "title": plan.collection.title.in_(language)}
        try:
            members = await foundation_of(city, plan)
        except BadQuery as nothing:
            found.append({**head, "count": None, "why": nothing.text.in_(language)})
            continue
        count = (await city.database.rows(answers.groups(plan)))[0][0]
        found.append({**head, "count": count, **members})
    return found


def _count(asked: Here, collection: Collection) -> Query:
    return asked.query(collection).but(measure=(Measure(),))
