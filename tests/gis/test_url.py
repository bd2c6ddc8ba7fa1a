"""A question as a URL and back."""

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import BadQuery, UnknownName
from gis.geo.area import Area, Box, Division, Shape
from gis.query.filters import Filter
from gis.query.query import (
    Query,
)
from gis.query.url import ROWS, pairs, parse, parse_parameters, render
from tests.gis.drawn_queries import CATALOGUE, queries


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
