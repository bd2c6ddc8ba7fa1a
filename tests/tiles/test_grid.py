"""The grid against morecantile, which computes the same in another way."""

import morecantile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import NotFound
from tiles.grid import EXTENT, MARGIN, Tile

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
