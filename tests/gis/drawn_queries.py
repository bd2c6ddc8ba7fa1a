"""Questions drawn at random: of every kind of area, span, filter, grouping and page."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import h3
import shapely
from hypothesis import strategies as st

from gis.base import BASE
from gis.catalog import Catalogue
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape, Within
from gis.query.filters import Filter
from gis.query.query import (
    TIME_BINS,
    After,
    By,
    ByCell,
    ByDivision,
    ByField,
    ByTime,
    Measure,
    Page,
    Query,
    Sort,
)
from gis.query.span import SHANGHAI, Span

CATALOGUE = Catalogue((BASE,))

words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
names = st.sampled_from(["name", "kind", "code", "class", "height_m"])
lons, lats = st.floats(-180, 180), st.floats(-90, 90)
instants = st.datetimes(
    datetime(1900, 1, 1),
    datetime(2999, 12, 31),
    timezones=st.sampled_from([UTC, SHANGHAI, timezone(timedelta(hours=-5))]),
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    kind = draw(st.sampled_from(["day", "instant", "open start", "open end", "open", "both"]))
    first, second = sorted(draw(st.tuples(instants, instants)))
    if kind == "day":
        return Span.day(draw(st.dates(date(1900, 1, 1), date(2999, 12, 31))))
    if kind == "instant":
        return Span.at(first)
    start = None if kind in ("open start", "open") else first
    end = None if kind in ("open end", "open") else second + timedelta(microseconds=draw(st.integers(1, 10**12)))
    return Span(start, end)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    west, south = draw(st.floats(-179, 170)), draw(st.floats(-89, 80))
    width, height = draw(st.floats(0.001, 9)), draw(st.floats(0.001, 9))
    box = shapely.box(west, south, west + width, south + height)
    hole = shapely.box(west + width / 4, south + height / 4, west + width / 2, south + height / 2)
    return Shape.of(
        draw(
            st.sampled_from(
                [box, box.difference(hole), shapely.Point(west, south), box.exterior, box.centroid.buffer(0.1)]
            )
        )
    )


areas: st.SearchStrategy[Area] = st.one_of(
    st.builds(Box, lons, st.floats(-90, 0), lons, st.floats(0, 90)),
    st.builds(Circle, lons, lats, st.floats(0.001, 1e6)),
    shapes(),
    st.builds(Within, st.sampled_from(["base.divisions", "air.grid_1km"]), st.integers(0, 2**53 - 1)),
    st.builds(Division, st.integers(0, 10**12 - 1)),
    st.lists(st.tuples(lats, lons, st.integers(0, 15)), max_size=3).map(
        lambda cells: Cells(tuple(int(h3.latlng_to_cell(*cell), 16) for cell in cells))
    ),
)

prop = names.map(lambda n: {"property": n})
numbers = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-(10**9), 10**9)
scalars = st.one_of(
    words,
    numbers,
    st.booleans(),
    st.dates(date(1000, 1, 1)).map(lambda d: {"date": d.isoformat()}),
    st.just({"timestamp": "2021-05-01T00:00:00.000001Z"}),
)
leaves = st.one_of(
    st.tuples(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), prop, scalars).map(
        lambda t: {"op": t[0], "args": [t[1], t[2]]}
    ),
    st.tuples(prop, numbers, numbers).map(lambda t: {"op": "between", "args": list(t)}),
    st.tuples(prop, st.lists(words, min_size=1, max_size=3)).map(lambda t: {"op": "in", "args": list(t)}),
    st.tuples(prop, words).map(lambda t: {"op": "like", "args": list(t)}),
    prop.map(lambda p: {"op": "isNull", "args": [p]}),
    st.tuples(prop, numbers, numbers).map(
        lambda t: {"op": ">", "args": [{"op": "*", "args": [{"op": "-", "args": [t[0], t[1]]}, t[2]]}, 3]}
    ),
    st.tuples(prop, words).map(
        lambda t: {"op": "=", "args": [{"op": "casei", "args": [t[0]]}, {"op": "casei", "args": [t[1]]}]}
    ),
    shapes().map(
        lambda s: {
            "op": "s_intersects",
            "args": [{"property": "geometry"}, json.loads(shapely.to_geojson(shapely.from_wkb(s.wkb)))],
        }
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=4)).map(
            lambda t: {"op": t[0], "args": t[1]}
        ),
        inner.map(lambda t: {"op": "not", "args": [t]}),
    ),
    max_leaves=6,
)
filters = trees.map(lambda t: Filter.parse(json.dumps(t), "cql2-json"))

groupings: st.SearchStrategy[By] = st.one_of(
    st.builds(ByCell, st.integers(0, 15)),
    st.builds(ByDivision, st.integers(1, 5)),
    st.builds(ByField, names),
    st.builds(ByTime, st.sampled_from(TIME_BINS)),
)
figures = st.just(Measure()) | st.builds(Measure, st.sampled_from(["sum", "mean", "min", "max", "distinct"]), names)
pages = st.builds(Page, st.none() | st.integers(1, 10**9 - 1), st.integers(0, 10**9 - 1))
first_pages = st.builds(
    Query,
    collection=st.sampled_from([c.id for c in CATALOGUE]),
    area=st.none() | areas,
    time=st.none() | spans(),
    as_of=st.none() | instants,
    scenario=st.none() | st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
    where=st.none() | filters,
    fields=st.none() | st.lists(names, max_size=3, unique=True).map(tuple),
    by=st.lists(groupings, max_size=3, unique_by=lambda by: by.column).map(tuple),
    measure=st.lists(figures, max_size=3, unique_by=lambda measure: measure.name).map(tuple),
    sort=st.lists(st.builds(Sort, names, st.booleans()), max_size=2).map(tuple),
    page=pages,
)


ends = st.builds(
    After,
    st.integers(0, 2**53 - 1),
    st.none() | instants,
    st.lists(st.none() | words, min_size=2, max_size=2).map(tuple),
    st.none() | instants,
    st.none() | st.integers(0, 2**63 - 1),
)


@st.composite
def queries_(draw: st.DrawFn) -> Query:
    """A question, on its first page or a later one: of which the token tells as many values as there are sort keys."""
    query = draw(first_pages)
    after = draw(st.none() | ends)
    return (
        query
        if after is None
        else query.but(page=replace(query.page, after=replace(after, values=after.values[: len(query.sort)])))
    )


queries = queries_()
