"""CQL2 filters: what is compiled, what is refused, and that nothing in them reaches the SQL text."""

import json
from datetime import UTC, date, datetime

import pytest
import shapely
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


NUMBER, WHOLE = "%s::double precision", "%s::bigint"
SHANGHAI_DAY = "(%s::date::timestamp AT TIME ZONE 'Asia/Shanghai')"
BOX = shapely.to_wkb(shapely.box(1, 2, 3, 4), byte_order=1)
T1 = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
COMPILED = [
    ("name = 'a'", '("name" = %s::text)', ("a",)),
    ("name = 'it''s %s'", '("name" = %s::text)', ("it's %s",)),
    ("name = 341502000000", '("name" = %s::text)', ("341502000000",)),
    ("name = 1.5", '("name" = %s::text)', ("1.5",)),
    # of the column's own type, so that its index serves
    ("n >= 3", f'("n" >= {WHOLE})', (3,)),
    ("n >= 3.5", f'("n" >= {NUMBER})', (3.5,)),
    ("n = '3'", f'("n" = {WHOLE})', (3,)),
    ("3 < n", f'({WHOLE} < "n")', (3,)),
    ("n = height_m", '("n" = "height_m")', ()),
    ("height_m BETWEEN 1 AND 2", f'("height_m" BETWEEN {NUMBER} AND {NUMBER})', (1.0, 2.0)),
    ("name IN ('a', 'b')", '("name" IN (%s::text, %s::text))', ("a", "b")),
    ("fid IN (1, 2)", f'("fid" IN ({WHOLE}, {WHOLE}))', (1, 2)),
    ("name LIKE 'a%'", '("name" LIKE %s::text)', ("a%",)),
    ("name NOT LIKE 'a%'", '(NOT ("name" LIKE %s::text))', ("a%",)),
    ("casei(name) LIKE casei('A%')", '(lower("name") LIKE lower(%s::text))', ("A%",)),
    ("name IS NULL", '("name" IS NULL)', ()),
    ("geometry IS NOT NULL", "(NOT (geom IS NULL))", ()),
    ("valid_to IS NULL", "(nullif(valid_to, 'infinity') IS NULL)", ()),
    ("open", '"open"', ()),
    ("NOT open = true", '(NOT ("open" = %s::boolean))', (True,)),
    ("(n > 1) = open", f'((("n" > {WHOLE})) = "open")', (1,)),
    ("built > DATE('2020-01-02')", '("built" > %s::date)', (date(2020, 1, 2),)),
    ("at = TIMESTAMP('2020-01-02T03:04:05Z')", '("at" = %s::timestamptz)', (T1,)),
    ("height_m / n > 2", f'(("height_m" / NULLIF("n"::double precision, 0)) > {NUMBER})', (2.0,)),
    ("n div 2 = 1", f'(trunc("n"::double precision / NULLIF({NUMBER}, 0)) = {NUMBER})', (2.0, 1.0)),
    ("casei(name) = casei('A')", '(lower("name") = lower(%s::text))', ("A",)),
    ("n < 1 AND open OR n > 2", f'((("n" < {WHOLE}) AND "open") OR ("n" > {WHOLE}))', (1, 2)),
    (
        "S_WITHIN(geometry, BBOX(1,2,3,4))",
        "(geom && ST_GeomFromWKB(%s, 4326) AND"
        " (CASE WHEN ST_Within(geom, ST_GeomFromWKB(%s, 4326)) THEN 0 END IS NOT NULL OR geom IS NULL))",
        (BOX, BOX),
    ),
    ("S_DISJOINT(geometry, BBOX(1,2,3,4))", "ST_Disjoint(geom, ST_GeomFromWKB(%s, 4326))", (BOX,)),
    ("T_AFTER(built, DATE('2020-01-02'))", '("built" > %s::date)', (date(2020, 1, 2),)),
    ("T_BEFORE(at, DATE('2020-01-02'))", f'("at" < {SHANGHAI_DAY})', (date(2020, 1, 2),)),
    ("T_DURING(at, INTERVAL('..','2020-01-02T03:04:05Z'))",
     "(\"at\" > '-infinity'::timestamptz AND \"at\" < %s::timestamptz)", (T1,)),
    ("T_INTERSECTS(INTERVAL(valid_from,valid_to), TIMESTAMP('2020-01-02T03:04:05Z'))",
     "(valid_from <= %s::timestamptz AND (valid_to - interval '1 microsecond') >= %s::timestamptz)", (T1, T1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql", "args"), COMPILED)
def test_filters_become_sql_with_bound_values(text: str, sql: str, args: tuple[object, ...]) -> None:
    assert compiled(text) == Statement(sql, args)
    assert Filter.parse(Filter.parse(text).json, "cql2-json") == Filter.parse(text)


REFUSED = [
    ("colour = 'red'", "colour"), ("name = ", "line 1, column 8"), ("name", "not true or false"), ("1", "condition"),
    ("n = 'three'", "three"), ("built = DATE('2020-13-01')", "2020-13-01"), ("name = 'a", "line 1"),
    ("(n = 1", "bracket"), ("n = 1)", "bracket"), ("S_INTERSECTS(name, POINT(1 2))", "s_intersects(name"),
    ("S_INTERSECTS(geometry, POINT(500 2))", "500"), ("T_AFTER(name, DATE('2020-01-01'))", "t_after(name"),
    ("(" * 10 + "n BETWEEN " + ")" * 10, "line 1"), ("pg_sleep(5) = 1", "'pg_sleep' is not offered"),
    ("name = 'a' AND", "column 15"), ("foo(name)", "'foo' is not offered"), ("", "line 1"), (" ", "line 1"),
    ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "Self-intersection"),
    ("S_INTERSECTS(geometry, BBOX(3,4,1))", "four numbers"), ("name = 'a\0'", "NUL"), ("NOT " * 400 + "open", "nested"),
    ("(" * 50, "nested"), ("n = 1" + " + 1" * 300, "nested"), ("accenti(name) = 'a'", "'accenti' is not offered"),
    ("A_CONTAINS(name, ('a','b'))", "array"), ("name = n", "text is compared with a number"),
    ("at > DATE('2020-01-01')", "T_AFTER"), ("built = at", "T_AFTER"), ("open < 3", "true or false"),
    ("name LIKE 5 AND n = built", "n = built"), ("name LIKE 'a\\'", "escape"), ("name + 1 = 2", "name is text"),
    ("T_DURING(at, 'x')", "'x'"), ("T_AFTER(at, INTERVAL('2020-01-01','2019-13-01'))", "2019-13-01"),
    ("n = 1 AND (open OR name = DATE('2020-01-01'))", "at name = DATE('2020-01-01')"), ("name = name2", "name2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_what_is_not_a_filter_is_told_where(text: str, told: str) -> None:
    with pytest.raises(BadQuery) as caught:
        compiled(text)
    assert told in str(caught.value) and len(str(caught.value)) < 700
    assert caught.value.subject in ("filter", "area", "bbox")


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


@given(st.integers(0, 2**53))
@settings(max_examples=200)
def test_a_features_number_is_asked_for_as_it_stands(fid: int) -> None:
    asked = Filter.parse(json.dumps({"op": "in", "args": [{"property": "fid"}, [fid]]}), "cql2-json")
    for read in (asked, Filter.parse(asked.json, "cql2-json"), Filter.parse(f"fid IN ({fid})", "cql2-text")):
        assert fid in {
            value for arg in read.sql(THINGS, frozenset()).args for value in (arg if isinstance(arg, list) else [arg])
        }
