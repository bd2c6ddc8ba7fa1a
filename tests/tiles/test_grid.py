"""The grid against morecantile, which computes the same in another way."""

import morecantile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import NotFound
from tiles.grid import CGCS2000, EXTENT, MARGIN, WEB_MERCATOR, Grid, Tile
from tiles.matrix_sets import matrix_set

GRID = morecantile.tms.get("WebMercatorQuad")


@st.composite
def places(draw: st.DrawFn) -> Tile:
    z = draw(st.integers(0, 24))
    return Tile(z, draw(st.integers(0, 2**z - 1)), draw(st.integers(0, 2**z - 1)))


@given(places())
def test_bounds_are_morecantiles(tile: Tile) -> None:
    theirs = morecantile.Tile(tile.x, tile.y, tile.z)
    assert tile.bounds == pytest.approx(tuple(GRID.bounds(theirs)), abs=1e-8)
    assert tile.bounds_3857 == pytest.approx(tuple(GRID.xy_bounds(theirs)), abs=1e-6)


@given(places())
def test_the_reach_holds_the_tile_and_its_margin(tile: Tile) -> None:
    (west, south, east, north), *around = tile.reach
    inner = tile.bounds
    assert west <= inner[0] + 1e-9 and south <= inner[1] and east >= inner[2] - 1e-9 and north >= inner[3]
    margin_deg = 360 / 2**tile.z * MARGIN / EXTENT
    if not around:
        assert (inner[0] - west, east - inner[2]) == pytest.approx((margin_deg, margin_deg), rel=1e-3, abs=1e-9)
    for far_west, _, far_east, _ in around:
        assert -180 in (far_west, -far_east)
        assert far_east - far_west >= margin_deg * 0.999 - 1e-9


@pytest.mark.parametrize(
    ("z", "x", "y", "shifts"), [(0, 0, 0, 3), (1, 0, 0, 2), (1, 1, 1, 2), (5, 0, 3, 2), (5, 31, 3, 2), (5, 30, 3, 1)]
)
def test_edge_tiles_reach_around_the_globe(z: int, x: int, y: int, shifts: int) -> None:
    assert len(Tile(z, x, y).shifts_m) == len(Tile(z, x, y).reach) == shifts


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (25, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0)])
def test_there_is_no_tile_outside_the_grid(z: int, x: int, y: int) -> None:
    with pytest.raises(NotFound, match=f"{z}/{y}/{x}"):
        Tile(z, x, y)


CGCS = morecantile.tms.get("WorldCRS84Quad")


@st.composite
def cgcs_places(draw: st.DrawFn) -> Tile:
    z = draw(st.integers(0, 23))
    return Tile(z, draw(st.integers(0, 2 ** (z + 1) - 1)), draw(st.integers(0, 2**z - 1)), CGCS2000)


@given(cgcs_places())
def test_cgcs2000_divides_the_globe_as_the_standards_quad_of_degrees_does(tile: Tile) -> None:
    theirs = tuple(CGCS.xy_bounds(morecantile.Tile(tile.x, tile.y, tile.z)))
    assert tile.envelope == tile.bounds == pytest.approx(theirs, abs=1e-9)
    first, *around = tile.reach
    assert all(-90 <= box[1] < box[3] <= 90 and -180 <= box[0] < box[2] <= 180 for box in (first, *around))
    assert len(around) == (tile.x == 0) + (tile.x == 2 ** (tile.z + 1) - 1)


@given(cgcs_places())
def test_zooms_mean_the_width_of_a_tile(tile: Tile) -> None:
    same = Tile(min(tile.mercator_zoom, 24), 0, 0)
    assert tile.side_m == pytest.approx(same.side_m, rel=1e-9)


@pytest.mark.parametrize(("z", "x", "y"), [(0, 2, 0), (0, 0, 1), (3, 16, 0), (3, 0, 8)])
def test_cgcs2000_is_twice_as_wide_as_high(z: int, x: int, y: int) -> None:
    with pytest.raises(NotFound, match="CGCS2000Quad"):
        Tile(z, x, y, CGCS2000)


@pytest.mark.parametrize(("grid", "model"), [(WEB_MERCATOR, GRID), (CGCS2000, CGCS)])
def test_a_definition_is_one_that_the_standards_library_reads(grid: Grid, model: morecantile.TileMatrixSet) -> None:
    told = morecantile.TileMatrixSet.model_validate(matrix_set(grid, "en"))
    assert told.crs.to_epsg() == int(grid.crs.rpartition("/")[2])
    for ours, theirs in zip(told.tileMatrices, model.tileMatrices, strict=False):
        assert (ours.matrixWidth, ours.matrixHeight) == (theirs.matrixWidth, theirs.matrixHeight)
        assert ours.scaleDenominator == pytest.approx(theirs.scaleDenominator, rel=1e-8)
        assert ours.cellSize == pytest.approx(theirs.cellSize, rel=1e-9)
    bounds = told.xy_bounds(morecantile.Tile(5, 3, 4))
    assert tuple(bounds) == pytest.approx(Tile(4, 5, 3, grid).envelope, abs=1e-6)
