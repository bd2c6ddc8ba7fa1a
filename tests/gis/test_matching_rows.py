"""What is said of how many rows match, by what was estimated and what was counted."""

from dataclasses import replace

import pytest

from gis.access import OWNER, Identity
from gis.catalog import Catalogue, Grant, Policy, Rows
from gis.query.ask import Ask
from gis.query.matching_rows import EXACT_TO, Matched, exact, is_estimable, matched
from gis.query.plan import Plan
from gis.query.query import Query
from layers import LAYERS

_LEAST = EXACT_TO + 1


@pytest.mark.parametrize(
    ("expected", "counted", "found", "said"),
    [
        (7, 5, Matched(5), {"numberMatched": 5}),
        (7, EXACT_TO, Matched(EXACT_TO), {"numberMatched": EXACT_TO}),
        (90_000, None, Matched(90_000, is_estimate=True),
         {"numberMatched": 90_000, "onemap:numberMatchedIsEstimate": True}),
        (7, _LEAST, Matched(_LEAST, is_estimate=True),
         {"numberMatched": _LEAST, "onemap:numberMatchedIsEstimate": True}),
        (None, 5, Matched(5), {"numberMatched": 5}),
        (None, _LEAST, Matched(_LEAST, is_least=True), {"onemap:numberMatchedAtLeast": _LEAST}),
    ],
)  # fmt: skip
def test_what_is_said(expected: int | None, counted: int | None, found: Matched, said: dict[str, object]) -> None:
    assert matched(expected, counted) == found
    assert found.members() == said


def _plan(identity: Identity) -> Plan:
    catalogue = Catalogue(
        replace(layer, collections=tuple(
            replace(c, policy=Policy((Grant(roles=("staff",), rows=Rows.DUTY),))) for c in layer.collections
        )) for layer in LAYERS
    )  # fmt: skip
    return Ask(query=Query(collection="base.pois"), identity=identity).plan(catalogue)


def test_nobody_is_counted_for_without_end() -> None:
    """A question of somebody confined costs no more than one of somebody who is not."""
    confined = _plan(Identity("clerk", "staff", ((341502000000, 341502999999),)))
    assert not is_estimable(confined) and is_estimable(_plan(OWNER))
    for plan in (confined, _plan(OWNER)):
        counting = exact(plan, 0)
        assert counting is not None and counting.args[-1] == _LEAST
