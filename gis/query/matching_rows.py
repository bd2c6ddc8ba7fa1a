"""How many rows match: exactly where that is cheap, else as the planner estimates, which is then said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gis.access import rules_in
from gis.query.features import count
from gis.query.plan import Plan
from gis.query.statement import Statement

#: Up to so many rows are counted: about a millisecond.
EXACT_TO = 10_000
#: So many are counted along with a page of an area, whose rows have been found for it anyway.
FEW = 1_000
#: Where the planner expects more than this, nothing is counted at all.
_HOPELESS = 5 * EXACT_TO


@dataclass(frozen=True, slots=True)
class Matched:
    """How many rows match; an estimate comes from the planner's statistics, the least was counted and no further."""

    number: int
    is_estimate: bool = False
    is_least: bool = False

    def members(self) -> dict[str, Any]:
        """The members of a feature collection that say it."""
        if self.is_least:
            return {"onemap:numberMatchedAtLeast": self.number}
        said = {"numberMatched": self.number}
        return {**said, "onemap:numberMatchedIsEstimate": True} if self.is_estimate else said


def estimate(plan: Plan) -> Statement:
    """The planner's view of the rows: one row for `expected`."""
    relation = plan.relation()
    return Statement(f"EXPLAIN (FORMAT JSON) {relation.sql}", relation.args)


def expected(rows: Sequence[tuple[Any, ...]]) -> int:
    """The number of rows in the answer to `estimate`."""
    return int(rows[0][0][0]["Plan"]["Plan Rows"])


def is_estimable(plan: Plan) -> bool:
    """Whether the planner's estimate tells of nothing but rows that the caller may see: its statistics are of all."""
    return all(rules_in(plan.catalogue, plan.identity, name).divisions is None for name in plan.registers)


def exact(plan: Plan, expected_rows: int) -> Statement | None:
    """One number for `matched`, counted no further than it is cheap; None where so many are expected that it is not.

    For whom nothing is estimated rows are always counted, but no further.
    """
    if not is_estimable(plan):
        return count(plan, EXACT_TO + 1)
    return count(plan, EXACT_TO + 1) if expected_rows <= _HOPELESS else None


def matched(expected_rows: int | None, counted: int | None) -> Matched:
    """What to say after asking both; nothing is estimated for whom statistics would tell of more than they see."""
    if counted is not None and counted <= EXACT_TO:
        return Matched(counted)
    if expected_rows is None:
        return Matched(EXACT_TO + 1, is_least=True)
    return Matched(max(expected_rows or 0, EXACT_TO + 1), is_estimate=True)
