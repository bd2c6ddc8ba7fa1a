"""Grids as a register: three kinds whose codes may be alike, loaded from the sample."""

import psycopg
import pytest

from gis.base import GRIDS
from gis.base.grids import KINDS
from gis.city import City
from gis.exchange.rows import key_sql


def test_the_sample_has_grids_of_each_kind(sample_city: str) -> None:
    with psycopg.connect(sample_city) as conn:
        found = dict(conn.execute("SELECT kind, count(*) FROM base.grids GROUP BY kind").fetchall())
        divided = conn.execute("SELECT count(*) FROM base.grids WHERE division IS NULL OR cell IS NULL").fetchone()
    assert set(found) == set(KINDS) and min(found.values()) >= 50
    assert divided == (0,)


def test_a_unit_grid_is_asked_by_its_kind(sample_city: str) -> None:
    with City.open(sample_city) as city:
        frame = city.ask("base.grids?kind=city_management").frame()
    assert len(frame) == 88 and frame["code"].str.len().eq(15).all()
    assert (frame["code"].str[:12] == frame["parent"]).all()


@pytest.mark.parametrize("kind", ["governance", "city_management"])
def test_equal_codes_of_two_kinds_are_two_grids(sample_city: str, kind: str) -> None:
    with psycopg.connect(sample_city) as conn:
        twice = "SELECT code FROM base.grids GROUP BY code HAVING count(DISTINCT kind) > 1 AND count(DISTINCT fid) > 1"
        assert len(conn.execute(twice).fetchall()) > 10
        wrong = conn.execute(
            f"SELECT count(*) FROM base.grids g JOIN base.grids_id i USING (fid) WHERE i.key <> {key_sql(GRIDS)}"
            " AND kind = %s",
            (kind,),
        ).fetchone()
    assert wrong == (0,)
