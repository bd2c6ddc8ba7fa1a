"""How many features questions match, remembered for as long as nothing changed: paging through them counts once."""

from collections import OrderedDict
from dataclasses import replace

from api.matched import matched
from api.served import Served
from gis.query.matching_rows import Matched
from gis.query.plan import Plan
from gis.query.query import Page

_KEPT = 4_096

#: What a count depends on: the question without its page and fields, the moment that counts as now, rights, the state.
Key = tuple[object, ...]


class Counts:
    """Counts of one city, for one event loop."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._kept: OrderedDict[Key, Matched] = OrderedDict()

    def known(self, plan: Plan, state: object) -> Matched | None:
        """How many features match in a state of the data, where that was found out before."""
        return self._kept.get(_key(plan, state))

    def keep(self, plan: Plan, state: object, found: Matched) -> Matched:
        """Remember how many they are."""
        self._kept[_key(plan, state)] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    async def of(self, plan: Plan, state: object) -> Matched:
        """How many features match in a state of the data. Raises Unavailable, BadQuery."""
        return self.known(plan, state) or self.keep(plan, state, await matched(self._served, plan))


def _key(plan: Plan, state: object) -> Key:
    bare = replace(plan.query, fields=None, sort=(), page=Page())
    # a page that pins an earlier state of the register counts what was there then
    pinned = plan.query.page.after and plan.query.page.after.epoch
    moment = plan.now if plan.collection.timed and plan.query.time is None else None
    return bare, moment, plan.rules_digest, pinned, state
