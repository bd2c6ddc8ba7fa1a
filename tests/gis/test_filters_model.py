"""Random filters over random rows: the database finds the rows that a plain evaluation in Python finds."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import BadQuery
from gis.query.filters import Filter
from gis.store.database import translated
from tests.gis.filter_model import Row, holds
from tests.gis.test_filters import THINGS

ROWS = 120
T0 = datetime(2020, 1, 1, tzinfo=UTC)
TEXTS = ["a", "A", "ab", "Ab", "b%", "b_", "第1", "it's", "", "a\\b"]
#: Few moments, so that ends meet: midnights of Shanghai, a microsecond before, and hours between.
MIDNIGHT = datetime(2020, 1, 1, 16, tzinfo=UTC)
MOMENTS = [MIDNIGHT + timedelta(days=d, microseconds=m) for d in range(4) for m in (-1, 0, 3_600_000_000)]
DAYS = [date(2020, 1, 1) + timedelta(days=d) for d in range(6)]
SHAPES = [
    shapely.Point(1, 1), shapely.Point(2, 2), shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3), shapely.box(4, 4, 5, 5),
    shapely.LineString([(0, 0), (2, 2)]), shapely.LineString([(0, 2), (2, 0)]), shapely.box(2, 0, 3, 2),
]  # fmt: skip


def _rows() -> list[Row]:
    rng = random.Random(5)

    def some(values: list[Any]) -> Any:
        return None if rng.random() < 0.15 else rng.choice(values)

    rows = []
    for fid in range(ROWS):
        start, end = sorted((rng.choice(MOMENTS), rng.choice(MOMENTS) + timedelta(days=1)))
        rows.append({
            "fid": fid, "name": some(TEXTS), "n": some([-3, -1, 0, 1, 2, 7]),
            "height_m": some([-2.5, 0.0, 0.5, 2.0, 7.0]),
            "open": some([True, False]), "built": some(DAYS), "at": some(MOMENTS), "geometry": some(SHAPES),
            "valid_from": some([start]), "valid_to": some([end]),
        })  # fmt: skip
    return rows


ALL = _rows()


@pytest.fixture(scope="module")
def table(cluster: Any, template: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.url(template), options="-c timezone=UTC") as conn:
        conn.execute(
            "CREATE TEMP TABLE things (fid bigint, name text, n bigint, height_m float8, open boolean, built date,"
            " at timestamptz, geom geometry(Geometry, 4326), valid_from timestamptz, valid_to timestamptz)"
        )
        for row in ALL:
            given_ = {**row, "geometry": row["geometry"] and shapely.to_wkb(row["geometry"])}
            conn.execute(
                "INSERT INTO things VALUES (%(fid)s, %(name)s, %(n)s, %(height_m)s, %(open)s, %(built)s, %(at)s,"
                " ST_GeomFromWKB(%(geometry)s, 4326), coalesce(%(valid_from)s, '-infinity'::timestamptz),"
                " coalesce(%(valid_to)s, 'infinity'::timestamptz))",
                given_,
            )
        yield conn
        conn.rollback()


MEETING = [
    ("T_MEETS(INTERVAL('2020-01-01','2020-01-05'), INTERVAL('2020-01-05','..'))", True),
    ("T_MEETS(INTERVAL('2020-01-01','2020-01-04'), INTERVAL('2020-01-05','..'))", False),
    ("T_METBY(INTERVAL('2020-01-05','2020-01-09'), INTERVAL('..','2020-01-05'))", True),
    ("T_OVERLAPS(INTERVAL('2020-01-01','2020-01-05'), INTERVAL('2020-01-05','..'))", False),
    ("T_DURING(DATE('2020-01-05'), INTERVAL('2020-01-04','2020-01-06'))", True),
    ("T_DURING(DATE('2020-01-05'), INTERVAL('2020-01-05','2020-01-06'))", False),
    ("T_EQUALS(DATE('2020-01-05'), INTERVAL('2020-01-04T16:00:00Z','2020-01-05T15:59:59.999999Z'))", True),
    # a day ends where the next one begins
    ("T_MEETS(DATE('2020-01-05'), INTERVAL('2020-01-05T16:00:00Z','..'))", True),
    ("T_INTERSECTS(DATE('2020-01-05'), TIMESTAMP('2020-01-05T15:59:59Z'))", True),
    ("T_INTERSECTS(DATE('2020-01-05'), TIMESTAMP('2020-01-05T16:00:00Z'))", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), MEETING)
def test_dates_among_themselves_and_beside_instants(table: psycopg.Connection, text: str, wanted: bool) -> None:
    condition = Filter.parse(text).sql(THINGS, frozenset())
    assert table.execute(f"SELECT {condition.sql}", condition.args).fetchone() == (wanted,)


def prop(*names: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(names).map(lambda n: {"property": n})


COMPARED = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
numbers = st.sampled_from([-3, -1, 0, 0.5, 1, 2, 2.5, 7])
arithmetic = st.recursive(
    prop("n", "height_m") | numbers,
    lambda inner: st.tuples(st.sampled_from(["+", "-", "*", "/", "div", "%", "^"]), inner, inner).map(
        lambda t: {"op": t[0], "args": [t[1], t[2]]}
    ),
    max_leaves=3,
)
texts = prop("name") | st.sampled_from(TEXTS)
folded = texts.map(lambda t: {"op": "casei", "args": [t]})
patterns = st.sampled_from(["a%", "%b", "_", "b\\%", "b\\_", "%", "", "第_", "%\\\\%"])
instants = prop("at", "valid_from", "valid_to") | st.sampled_from(MOMENTS).map(
    lambda t: {"timestamp": t.isoformat().replace("+00:00", "Z")}
)
days = prop("built") | st.sampled_from(DAYS).map(lambda d: {"date": d.isoformat()})


def _pair(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(COMPARED, values, values).map(lambda t: {"op": t[0], "args": [t[1], t[2]]})


stamps = st.sampled_from(MOMENTS).map(lambda t: t.isoformat().replace("+00:00", "Z"))
instant_intervals = st.tuples(stamps | st.just(".."), stamps | st.just("..")).filter(
    lambda t: t != ("..", "..") and (".." in t or t[0] <= t[1])
)
TIMES = ["after", "before", "contains", "disjoint", "during", "equals", "finishedBy", "finishes", "intersects",
         "overlappedBy", "overlaps", "startedBy", "starts"]  # fmt: skip
#: Sides that are instants beside another that may be a day, so that days are spans of instants.
moments = st.one_of(
    prop("at"),
    stamps.map(lambda t: {"timestamp": t}),
    instant_intervals.map(lambda t: {"interval": list(t)}),
    st.just({"interval": [{"property": "valid_from"}, {"property": "valid_to"}]}),
)
temporal = st.tuples(st.sampled_from(TIMES), moments, moments | days).map(
    lambda t: {"op": f"t_{t[0]}", "args": [t[1], t[2]]}
)
shapes = st.sampled_from(SHAPES).map(lambda s: json.loads(shapely.to_geojson(s))) | st.just({"bbox": [0, 0, 2, 2]})
SPATIAL = ["intersects", "equals", "disjoint", "touches", "within", "overlaps", "crosses", "contains"]
spatial = st.tuples(st.sampled_from(SPATIAL), prop("geometry"), shapes, st.booleans()).map(
    lambda t: {"op": f"s_{t[0]}", "args": [t[1], t[2]] if t[3] else [t[2], t[1]]}
)
leaves = st.one_of(
    _pair(arithmetic), _pair(texts), _pair(folded), _pair(instants), _pair(days),
    st.tuples(texts, patterns).map(lambda t: {"op": "like", "args": [t[0], t[1]]}),
    st.tuples(arithmetic, numbers, numbers).map(lambda t: {"op": "between", "args": list(t)}),
    st.tuples(prop("name"), st.lists(st.sampled_from(TEXTS), max_size=3)).map(lambda t: {"op": "in", "args": list(t)}),
    prop("name", "n", "open", "built", "at", "geometry", "valid_from", "valid_to").map(
        lambda p: {"op": "isNull", "args": [p]}
    ),
    prop("open"), st.booleans(), temporal, spatial,
)  # fmt: skip
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda t: {"op": t[0], "args": t[1]}
        ),
        inner.map(lambda t: {"op": "not", "args": [t]}),
    ),
    max_leaves=5,
)


def _holds(tree: Any, row: Row) -> Any:
    """Whether the filter holds for the row; "too large" where a double cannot hold what is computed on the way."""
    try:
        return holds(tree, row)
    except OverflowError:
        return "too large"


def _check(table: psycopg.Connection, tree: Any) -> None:
    asked = Filter.parse(json.dumps(tree), "cql2-json")
    condition = asked.sql(THINGS, frozenset(THINGS.by_name))
    wanted = [_holds(tree, row) for row in ALL]
    try:
        with table.transaction():
            rows = table.execute(f"SELECT fid, ({condition.sql}) FROM things ORDER BY fid", condition.args).fetchall()
            found = table.execute(f"SELECT fid FROM things WHERE {condition.sql} ORDER BY fid", condition.args)
            assert [fid for (fid,) in found] == [fid for fid, truth in rows if truth]
    except psycopg.errors.NumericValueOutOfRange:
        assert "too large" in wanted
        return
    # what decides an "and" or "or" may spare the database the part that is too large
    assert all(truth == expected for (_, truth), expected in zip(rows, wanted, strict=True) if expected != "too large")


def test_a_number_too_large_is_the_askers_fault(table: psycopg.Connection) -> None:
    tree = {"op": "=", "args": [{"op": "^", "args": [{"property": "n"}, {"op": "^", "args": [7, 7]}]}, 1]}
    assert "too large" in [_holds(tree, row) for row in ALL]
    _check(table, tree)
    condition = Filter.parse(json.dumps(tree), "cql2-json").sql(THINGS, frozenset(THINGS.by_name))
    with pytest.raises(BadQuery, match="out of range"), translated(), table.transaction():
        table.execute(f"SELECT fid FROM things WHERE {condition.sql}", condition.args)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=filters)
def test_the_database_and_a_plain_evaluation_agree(table: psycopg.Connection, tree: Any) -> None:
    _check(table, tree)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.one_of(temporal, spatial, _pair(arithmetic)))
def test_each_function_agrees(table: psycopg.Connection, tree: Any) -> None:
    _check(table, tree)


@pytest.mark.torture
def test_many_filters_agree(table: psycopg.Connection, torture_scale: float) -> None:
    @settings(max_examples=max(50, int(20_000 * torture_scale)), deadline=None, database=None)
    @given(tree=filters)
    def agree(tree: Any) -> None:
        _check(table, tree)

    agree()
