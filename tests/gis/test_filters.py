"""CQL2 filters: what is compiled, what is refused, and that nothing in them reaches the SQL text."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.base import BUILDINGS
from gis.catalog import Collection, Field, FieldType, Geometry
from gis.errors import BadQuery
from gis.query.filters import Filter
from gis.query.statement import Statement
from gis.text import Text

NAMES = (
    ("name", "text"),
    ("n", "integer"),
    ("height_m", "number"),
    ("open", "boolean"),
    ("built", "date"),
    ("at", "instant"),
)
THINGS = Collection(
    id="test.things", title=Text("物", "Things"), description=Text("物", "Things"), geometry=Geometry.POINT, style=None,
    fields=tuple(Field(name=n, type=FieldType(t), title=Text(n, n)) for n, t in NAMES),
)  # fmt: skip


def compiled(text: str, language: str = "cql2-text") -> Statement:
    return Filter.parse(text, language).sql(THINGS, frozenset(THINGS.by_name))


NUMBER, ENVELOPE = "%s::double precision", "ST_MakeEnvelope(%s, %s, %s, %s, 4326)"
COMPILED = [
    ("name = 'a'", '("name" = %s::text)', ("a",)),
    ("name = 'it''s %s'", '("name" = %s::text)', ("it's %s",)),
    ("name = 341502000000", '("name" = %s::text)', ("341502000000",)),
    ("name = 1.5", '("name" = %s::text)', ("1.5",)),
    ("n >= 3", '("n" >= %s::double precision)', (3.0,)),
    ("n = '3'", '("n" = %s::double precision)', (3.0,)),
    ("height_m BETWEEN 1 AND 2", '("height_m" BETWEEN %s::double precision AND %s::double precision)', (1.0, 2.0)),
    ("name IN ('a', 'b')", '("name" IN (%s::text, %s::text))', ("a", "b")),
    ("name LIKE 'a%'", '("name" LIKE %s::text)', ("a%",)),
    ("name IS NULL", '("name" IS NULL)', ()),
    ("open", '"open"', ()),
    ("NOT open = true", '(NOT ("open" = %s::boolean))', (True,)),
    ("built > DATE('2020-01-02')", '("built" > %s::date)', (date(2020, 1, 2),)),
    ("height_m / n > 2", '(("height_m" / NULLIF("n", 0)) > %s::double precision)', (2.0,)),
    ("casei(name) = casei('A')", '(lower("name") = lower(%s::text))', ("A",)),
    ("n < 1 AND open OR n > 2", f'((("n" < {NUMBER}) AND "open") OR ("n" > {NUMBER}))', (1.0, 2.0)),
    ("S_WITHIN(geometry, BBOX(1,2,3,4))", f"ST_Within(geom, {ENVELOPE})", (1.0, 2.0, 3.0, 4.0)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql", "args"), COMPILED)
def test_filters_become_sql_with_bound_values(text: str, sql: str, args: tuple[object, ...]) -> None:
    assert compiled(text) == Statement(sql, args)
    assert Filter.parse(Filter.parse(text).json, "cql2-json") == Filter.parse(text)


REFUSED = [
    "colour = 'red'", "name = ", "name", "1", "n = 'three'", "built = DATE('2020-13-01')", "name = 'a", "(n = 1",
    "n = 1)", "S_INTERSECTS(name, POINT(1 2))", "S_INTERSECTS(geometry, POINT(500 2))",
    "T_AFTER(at, DATE('2020-01-01'))", "(" * 10 + "n BETWEEN " + ")" * 10,
    "pg_sleep(5) = 1", "name = 'a' AND", "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "foo(name)",
    "S_INTERSECTS(geometry, BBOX(3,4,1))", "", " ", "name = 'a\0'", "NOT " * 400 + "open", "(" * 50,
    "n = 1" + " + 1" * 300,
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_a_filter(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        compiled(text)
    assert len(str(caught.value)) < 700


N = {"property": "n"}
TREES: list[object] = [
    {}, [], None, 5, "x", {"op": "and"}, {"op": "and", "args": 5}, {"op": "=", "args": [{"property": ["n"]}, 1]},
    {"op": ["="], "args": [1, 1]}, {"op": "in", "args": [N, 5]}, {"op": "=", "args": [N]}, {"op": "not", "args": []},
    {"op": "=", "args": [N, {"date": 5}]}, {"op": "s_within", "args": [{"property": "geometry"}, {"type": 5}]},
    {"op": "like", "args": [{"property": "name"}, ["a"]]}, {"op": "drop table", "args": []},
]  # fmt: skip


@pytest.mark.parametrize("tree", TREES)
def test_trees_that_are_no_filters(tree: object) -> None:
    with pytest.raises(BadQuery):
        compiled(json.dumps(tree), "cql2-json")


WORDS = (
    "name", "=", "'a'", "AND", "(", ")", "n", "1", "NOT", "LIKE", "BETWEEN", "IN", ",", "-", "+", "IS NULL",
    "POINT(1 2)", "S_INTERSECTS", "geometry",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_text_is_a_filter_or_a_refusal(text: str) -> None:
    try:
        found = compiled(text)
    except BadQuery:
        return
    assert found.sql.count("%s") == len(found.args) and "'" not in found.sql


def test_only_visible_columns_can_be_named() -> None:
    with pytest.raises(BadQuery):
        Filter.parse("use = 'school'").sql(BUILDINGS, frozenset({"name"}))


@pytest.mark.parametrize("number", ["1.7976931348623157e308", "-1.7976931348623157e308", "5e-324"])
def test_the_largest_and_the_smallest_numbers_stay_numbers(number: str) -> None:
    once = Filter.parse(f'{{"op":"<","args":[{{"property":"area_m2"}},{number}]}}', "cql2-json")
    assert Filter.parse(once.json, "cql2-json") == once
