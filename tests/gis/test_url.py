"""A question as a URL and back."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import h3
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.base import BASE
from gis.catalog import Catalogue
from gis.errors import BadQuery, UnknownName
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
from gis.query.token import Seal
from gis.query.url import ROWS, identity, pairs, parse, parse_parameters, render

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


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries)
def test_a_query_comes_back_from_its_url(query: Query) -> None:
    url = render(query)
    assert parse(url, CATALOGUE) == query
    assert render(parse(url, CATALOGUE)) == url
    assert url.isascii() and " " not in url


WRITTEN = [
    "base.pois?kind=school&name=%E4%B8%AD%E5%AD%A6",
    "base.pois?kind=school&filter=name LIKE '%25'",
    "base.buildings?storeys=6",
    "base.pois?datetime=2021-05-01",
    "base.pois?datetime=2021-05-01/..",
    "base.pois?datetime=/2021-05-01T08:00:00+08:00",
    "base.pois?as-of=2021-05-01",
    "base.pois?bbox=116,31,10,117,32,50&bbox-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    "base.pois?division=3415",
    "base.pois?area=POLYGON((0 0,1 0,1 1,0 0))",
    "base.pois?near=116.5,31.7,500&sortby=+name,-name&limit=010",
    "base.pois?by=cell:9,division:4,field:kind,time:day&measure=count,distinct:name",
    "base.pois?filter=((kind = 'a'))&filter-lang=cql2-text",
    "base.divisions?datetime=1986-05-04",
    "base.divisions?datetime=9999-12-31T23:59:59Z/..",
]


@pytest.mark.parametrize("url", WRITTEN)
def test_a_url_has_one_canonical_form(url: str) -> None:
    canonical = render(parse(url, CATALOGUE))
    assert render(parse(canonical, CATALOGUE)) == canonical
    assert parse(canonical, CATALOGUE) == parse(url, CATALOGUE)


def test_queryables_are_equalities_beside_the_filter() -> None:
    asked = parse("base.buildings?use=school&storeys=6&filter=height_m > 10", CATALOGUE)
    assert asked.where == Filter.parse("height_m > 10 AND use = 'school' AND storeys = 6")


def test_filters_are_text_where_text_says_the_same() -> None:
    assert "filter-lang" not in render(parse("base.pois?filter=kind = 'school'", CATALOGUE))
    single = Filter.parse('{"op":"and","args":[{"op":"=","args":[{"property":"kind"},"a"]}]}', "cql2-json")
    assert "filter-lang=cql2-json" in render(Query(collection="base.pois", where=single))


def test_short_division_codes_mean_all_below() -> None:
    assert parse("base.pois?division=341502", CATALOGUE).area == Division(341502000000)


REFUSED = [
    ("base.pois?colour=red", "colour"),
    ("base.pois?limit=0", "limit"),
    ("base.pois?limit=-1", "limit"),
    ("base.pois?limit=99999999999999999999", "limit"),
    ("base.pois?limit=10&limit=20", "limit"),
    ("base.pois?offset=x", "offset"),
    ("base.pois?bbox=1,2,3", "bbox"),
    ("base.pois?bbox=nan,0,1,1", "bbox"),
    ("base.pois?bbox=0,50,1,40", "bbox"),
    ("base.pois?bbox=116,31,117,32&near=116,31,5", "near"),
    ("base.pois?bbox=116,31,117,32&bbox-crs=EPSG:3395", "bbox-crs"),
    ("base.pois?near=116,31,-5", "near"),
    ("base.pois?cells=zzz", "cells"),
    ("base.pois?cells=ffffffffffffffff", "cells"),
    ("base.pois?division=34150", "division"),
    ("base.pois?area=POLYGON((0 0,1 1))", "area"),
    ("base.pois?area=POLYGON((0 0,1 1,0 1,1 0,0 0))", "area"),
    ("base.pois?area=nonsense", "area"),
    ("base.pois?datetime=yesterday", "datetime"),
    ("base.pois?datetime=2021-05-01T00:00:00", "datetime"),
    ("base.pois?datetime=2021-05-02/2021-05-01", "datetime"),
    ("base.pois?datetime=0001-01-01", "datetime"),
    ("base.pois?as-of=never", "as-of"),
    ("base.pois?scenario=Ä", "scenario"),
    ("base.pois?filter=kind =", "filter"),
    ("base.pois?filter=" + "(" * 60, "filter"),
    ("base.pois?filter=" + "NOT " * 300 + "kind = 'a'", "filter"),
    ("base.pois?filter=kind='a'&filter-lang=cql", "filter-lang"),
    ("base.pois?filter=kind='a'&filter-crs=EPSG:4479", "filter-crs"),
    ("base.buildings?storeys=many", "storeys"),
    ("base.pois?by=colour", "by"),
    ("base.pois?measure=median:name", "measure"),
    ("base.pois?measure=sum", "measure"),
    ("base.pois?after=abc", "after"),
    ("base.pois?name=%00", "name"),
    ("base.pois?name=%ff", ""),
]


@pytest.mark.parametrize(("url", "subject"), REFUSED)
def test_what_cannot_be_asked_names_the_parameter(url: str, subject: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(url, CATALOGUE)
    assert caught.value.subject == subject
    assert caught.value.in_("zh") != caught.value.in_("en")


def test_unknown_parameters_are_told_what_there_is() -> None:
    with pytest.raises(BadQuery, match=r"bbox.*kind"):
        parse("base.pois?colour=red", CATALOGUE)
    with pytest.raises(BadQuery, match="sortby"):
        parse_parameters(CATALOGUE["base.pois"], [("sortby", "name")], ROWS)


def test_an_unknown_collection() -> None:
    with pytest.raises(UnknownName, match=r"base\.pois"):
        parse("base.cats?limit=1", CATALOGUE)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["filter", "area", "datetime", "after", "bbox", "by", "cells", "kind"]))
def test_any_text_is_a_question_or_a_refusal(text: str, name: str) -> None:
    try:
        query = parse_parameters(CATALOGUE["base.pois"], [(name, text)])
    except BadQuery:
        return
    assert parse(render(query), CATALOGUE) == query


def test_parameters_are_decoded_once() -> None:
    assert pairs("a=%2541&b=1+2") == [("a", "%41"), ("b", "1 2")]


SEAL = Seal(b"a key of this city")
LATER = parse("base.pois?sortby=-name&kind=shop", CATALOGUE)
END = After(5, None, ("第1",), datetime(2026, 1, 1, tzinfo=UTC), 3)


def test_a_token_belongs_to_its_question_and_its_city() -> None:
    token = SEAL.token(END, identity(LATER))
    for same in ("base.pois?sortby=-name&kind=shop", "base.pois?kind=shop&sortby=-name&properties=code&limit=3"):
        assert parse(f"{same}&after={token}", CATALOGUE, SEAL).page.after == END
    for other in ("base.pois?kind=shop", "base.pois?sortby=name&kind=shop", "base.pois?sortby=-name&kind=food"):
        with pytest.raises(BadQuery, match="token"):
            parse(f"{other}&after={token}", CATALOGUE, SEAL)
    with pytest.raises(BadQuery, match="token"):
        parse(f"base.pois?sortby=-name&kind=shop&after={token}", CATALOGUE, Seal(b"another city's"))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**4), st.integers(0, 63))
def test_no_changed_token_is_taken(at: int, letter: int) -> None:
    token = SEAL.token(END, identity(LATER))
    at %= len(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = token[:at] + alphabet[letter] + token[at + 1 :]
    if changed != token:
        with pytest.raises(BadQuery, match="token"):
            SEAL.read(changed, identity(LATER))
    with pytest.raises(BadQuery, match="token"):
        SEAL.read(token[:at], identity(LATER))


BOXES = [
    ("bbox=116,31,117,32", Box(116, 31, 117, 32)),
    ("bbox=31,116,32,117&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326", Box(116, 31, 117, 32)),
    ("bbox=31,116,32,117&bbox-crs=[EPSG:4490]", Box(116, 31, 117, 32)),
    ("bbox=31,179,32,-179&bbox-crs=EPSG:4326", Box(179, 31, -179, 32)),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "area"), BOXES)
def test_a_box_has_the_axes_of_its_crs(parameters: str, area: Area) -> None:
    assert parse(f"base.pois?{parameters}", CATALOGUE).area == area


def test_a_box_of_metres_is_the_same_place() -> None:
    mercator = parse("base.pois?bbox=12913060,3632749,13024379,3763310&bbox-crs=EPSG:3857", CATALOGUE).area
    assert isinstance(mercator, Box) and mercator.edges == pytest.approx((116, 31, 117, 32), abs=1e-4)
    # northing first; on the central meridian of 117 degrees the easting is 500 km
    zone = parse("base.pois?bbox=3400000,499000,3401000,501000&bbox-crs=EPSG:4548", CATALOGUE).area
    assert isinstance(zone, Shape)
    shape = shapely.from_wkb(zone.wkb)
    assert shape.centroid.x == pytest.approx(117, abs=1e-6) and 30 < shape.centroid.y < 31
    assert len(shape.exterior.coords) > 20


def test_a_filter_has_the_axes_of_its_crs() -> None:
    plain = parse("base.pois?filter=S_INTERSECTS(geometry,POINT(116 31))", CATALOGUE)
    for written, crs in (("POINT(31 116)", "EPSG:4326"), ("POINT(31 116)", "EPSG:4490")):
        assert parse(f"base.pois?filter=S_INTERSECTS(geometry,{written})&filter-crs={crs}", CATALOGUE) == plain
    box = parse("base.pois?filter=S_INTERSECTS(geometry,BBOX(31,116,32,117))&filter-crs=EPSG:4326", CATALOGUE)
    assert box == parse("base.pois?filter=S_INTERSECTS(geometry,BBOX(116,31,117,32))", CATALOGUE)
    with pytest.raises(BadQuery, match="axes"):
        parse("base.pois?filter=S_INTERSECTS(geometry,POINT(116 31))&filter-crs=EPSG:4326", CATALOGUE)


def test_ids_are_a_filter() -> None:
    assert parse("base.pois?ids=5,7", CATALOGUE) == parse("base.pois?filter=fid IN (5,7)", CATALOGUE)
    for wrong in ("", "x", "5,,7", "-1"):
        with pytest.raises(BadQuery, match="ids"):
            parse(f"base.pois?ids={wrong}", CATALOGUE)
