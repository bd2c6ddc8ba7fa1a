"""Placing: which coordinates and geometries are refused or repaired."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.catalog import Geometry
from gis.exchange.shape_checks import MOST_CROSSINGS, crossings, repaired_polygon
from tests.gis.given import BOW_TIE, LINE, LUAN, POINT, POLYGON, Given, placed, points


@pytest.mark.parametrize(
    ("xy", "reason"),
    [((np.nan, 1.0), "nan-coordinate"), ((1.0, np.inf), "nan-coordinate"), ((181.0, 1.0), "out-of-range"),
     ((1.0, -91.0), "out-of-range"), ((1e300, 1.0), "out-of-range")],
)  # fmt: skip
@pytest.mark.parametrize("as_shapes", [False, True])
def test_coordinates_that_are_no_place_are_listed(xy: tuple[float, float], reason: str, as_shapes: bool) -> None:
    good = [(float(i), 1.0) for i in range(9)]
    rows = points(*good[:4], xy, *good[4:])
    with np.errstate(invalid="ignore"):
        geometry = [shapely.LineString([p, p + 1]) for p in rows] if as_shapes else rows
    _, found, rejects = placed(Given(geometry, "EPSG:4326"), LINE if as_shapes else POINT)
    assert len(found) == 9
    assert rejects == [(5, reason)]


def test_what_a_projection_does_not_reach_is_out_of_range() -> None:
    rows = points(*[(500_000.0 + i, 3_500_000.0) for i in range(5)], (1e12, 3_500_000.0))
    _, found, rejects = placed(Given(rows, "EPSG:4548"), POINT)
    assert (len(found), rejects) == (5, [(6, "out-of-range")])


MIXED: list[Any] = [
    shapely.Point(1, 2), shapely.MultiPoint([(1, 2), (3, 4)]), shapely.LineString([(0, 0), (1, 1)]),
    shapely.MultiLineString([[(0, 0), (1, 1)]]), shapely.LinearRing([(0, 0), (1, 1), (1, 0)]), shapely.box(0, 0, 1, 1),
    shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), shapely.GeometryCollection([shapely.Point(1, 2)]),
    shapely.Polygon(), None,
]  # fmt: skip


@pytest.mark.parametrize(("geometry", "taken"), [(POINT, [1, 2]), (LINE, [3, 4, 5]), (POLYGON, [6, 7])])
def test_only_the_declared_type_is_taken(geometry: Geometry, taken: Sequence[int]) -> None:
    _, found, rejects = placed(Given(MIXED, "EPSG:4326"), geometry)
    assert [s.geom_type for s in found] == [MIXED[i - 1].geom_type for i in taken]
    wrong = [(i, "wrong-type") for i in range(1, 9) if i not in taken]
    assert sorted(rejects) == sorted([*wrong, (9, "no-geometry"), (10, "no-geometry")])


def test_points_are_no_lines() -> None:
    assert placed(Given(points(LUAN, LUAN), "EPSG:4326"), LINE)[1:] == ([], [(1, "wrong-type"), (2, "wrong-type")])


def test_heights_are_dropped_and_said() -> None:
    source = Given([shapely.LineString([(0, 0, 5), (1, 1, 6)])], "EPSG:4326")
    _, found, _ = placed(source, LINE)
    assert not found[0].has_z
    assert [d.value for d in source.findings.decisions if d.about == "height"] == ["dropped"]


def test_a_crossing_polygon_is_repaired_and_counted() -> None:
    source = Given([shapely.box(0, 0, 1, 1), BOW_TIE], "EPSG:4326")
    _, found, rejects = placed(source, POLYGON)
    assert rejects == []
    assert all(s.is_valid for s in found)
    assert found[1].area == pytest.approx(2.0)
    (told,) = [d for d in source.findings.decisions if d.about == "repaired"]
    assert (told.value, told.sure) == ("1", False)
    assert "2: Self-intersection" in told.evidence.en


@pytest.mark.parametrize(
    "shape",
    [shapely.Polygon([(0, 0), (1, 1), (2, 2)]), shapely.Polygon([(0, 0), (0, 0), (0, 0)])],
)
def test_a_collapsed_polygon_is_listed(shape: shapely.Polygon) -> None:
    assert placed(Given([shape], "EPSG:4326"), POLYGON)[1:] == ([], [(1, "bad-geometry")])


def test_a_line_without_length_is_listed() -> None:
    line = shapely.LineString([(1, 1), (1, 1)])
    assert placed(Given([line], "EPSG:4326"), LINE)[1:] == ([], [(1, "bad-geometry")])


def scribble(count: int, seed: int = 5) -> shapely.Polygon:
    return shapely.polygons(np.random.default_rng(seed).random((count, 2)))


def zigzag(count: int) -> shapely.Polygon:
    """Two long sides that cross each other about a thousand times."""
    x = np.linspace(0, 1, count // 2)
    up, down = 0.1 * np.sin(900 * x), 0.1 * np.sin(1200 * x + 1)
    return shapely.Polygon(np.column_stack([np.r_[x, x[::-1]], np.r_[up, down[::-1]]]))


@pytest.mark.timeout(60)
def test_20_000_vertices_that_cross_everywhere_are_refused_and_a_thousand_times_repaired() -> None:
    source = Given([scribble(20_000), zigzag(20_000), shapely.box(0, 0, 1, 1)], "EPSG:4326")
    _, found, rejects = placed(source, POLYGON)
    assert rejects == [(1, "bad-geometry")]
    assert len(found) == 2
    assert all(s.is_valid for s in found)


def test_crossings_are_estimated_within_a_quarter() -> None:
    shape = scribble(400)
    ring = shapely.get_coordinates(shape)
    edges = shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1))
    one, other = shapely.STRtree(edges).query(edges, predicate="crosses")
    assert crossings(shape) == pytest.approx((one < other).sum(), rel=0.25)
    assert crossings(shapely.box(0, 0, 1, 1)) == 0
    assert crossings(scribble(20_000)) > MOST_CROSSINGS


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=12))
def test_a_repaired_polygon_is_valid_and_not_larger_than_its_hull(ring: list[tuple[int, int]]) -> None:
    shape = shapely.Polygon(ring)
    repaired = repaired_polygon(shape)
    if repaired is not None:
        assert repaired.is_valid
        assert repaired.geom_type in ("Polygon", "MultiPolygon")
        assert 0 < repaired.area <= shape.convex_hull.area + 1e-9
