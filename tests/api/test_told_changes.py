"""Where something changed is told to whom the place is told, and no finer."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from api.told_changes import ToldChanges, told_changes
from gis.access import PUBLIC, Identity
from gis.catalog import Anonymous, Catalogue, Grant, Policy, Rows
from gis.store.changes_keys import WORLD, tile_key
from layers import LAYERS
from tests.policies import with_policies

HERE, FAR = tile_key(12, 3373, 1668), tile_key(12, 3473, 1668)
DISTRICT = ((341502000000, 341502999999),)
NAME = "base.pois"


@dataclass
class Extent:
    """A database that knows where the duty lies."""

    box: tuple[float | None, ...]

    async def rows(self, statement: Any) -> list[tuple[float | None, ...]]:
        assert DISTRICT[0][0] in statement.args
        return [self.box]


@dataclass
class Asked:
    catalogue: Catalogue
    identity: Identity
    own: Extent


def told(policy: Policy, who: Identity, box: tuple[float | None, ...] = (116.4, 31.6, 116.6, 31.9)) -> ToldChanges:
    catalogue = with_policies(Catalogue(LAYERS), {NAME: policy})
    city: Any = Asked(catalogue, who, Extent(box))
    return asyncio.run(told_changes(city, [catalogue[NAME]]))


CLERK = Identity("li", "staff", DISTRICT)
GRANT = Grant(roles=("public", "staff"))
CASES = [
    (GRANT, PUBLIC, [HERE, FAR, WORLD]),
    (replace(GRANT, rows=Rows.DUTY), CLERK, [HERE, WORLD]),
    (replace(GRANT, precision=8), PUBLIC, [HERE, FAR, WORLD]),
    (replace(GRANT, precision=4), PUBLIC, [WORLD, WORLD, WORLD]),
    (replace(GRANT, precision="division"), PUBLIC, [WORLD, WORLD, WORLD]),
    (replace(GRANT, anonymous=Anonymous(7, 10)), PUBLIC, []),
]


@pytest.mark.parametrize(("grant", "who", "squares"), CASES)
def test_a_square_is_told_where_the_place_is(grant: Grant, who: Identity, squares: list[int]) -> None:
    written = [(NAME, HERE), (NAME, FAR), (NAME, WORLD), ("base.roads", HERE)]
    assert [key for _, key in told(Policy((grant,)), who).squares(written)] == squares


def test_a_duty_that_is_not_on_the_map_is_told_no_place() -> None:
    nowhere = told(Policy((replace(GRANT, rows=Rows.DUTY),)), CLERK, (None, None, None, None))
    assert list(nowhere.squares([(NAME, HERE), (NAME, FAR)])) == [(NAME, WORLD)] * 2
