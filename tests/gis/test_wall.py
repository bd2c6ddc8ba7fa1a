"""The second wall: what the reader's role is told, the plan set aside."""

import psycopg
import pytest

from gis.access import PUBLIC
from tests.gis.walled_city import CLERK, EVERYONE, Walled, walled


@pytest.fixture
def city(database_url: str) -> Walled:
    return walled(database_url)


def test_the_wall_is_row_level_security_where_boxes_are_leakproof(city: Walled) -> None:
    assert city.reader.mode == "rows"


@pytest.mark.parametrize(("identity", "count"), [(EVERYONE, 16), (CLERK, 10), (PUBLIC, 0)])
def test_persons_are_told_by_the_divisions_of_the_duty(city: Walled, identity: object, count: int) -> None:
    assert city.rows(identity, 'SELECT count(*) FROM "base"."persons"') == [(count,)]  # type: ignore[arg-type]


def test_what_is_open_is_told_to_everybody(city: Walled) -> None:
    assert city.rows(PUBLIC, 'SELECT count(*) FROM "base"."pois"') == [(16,)]


@pytest.mark.parametrize("table", ["persons", "pois", "persons_all", "pois_all", "pois_past", "pois_rollup_delta"])
def test_without_a_scope_nothing_is_told(city: Walled, table: str) -> None:
    with city.connected() as conn:
        assert conn.execute(f"SELECT count(*) FROM base.{table}").fetchone() == (0,)
