"""The digest of a tile changes with everything that may show in it, and with little else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.freshness import KEY_ZOOM, digest, keys
from tiles.grid import CGCS2000, WEB_MERCATOR, Grid, Tile


class Log:
    """Changes as the store keeps them: numbers by tile, each counting for its ancestors and what lies below it."""

    incarnation = "one"

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int, int], int] = {}

    async def settled(self) -> None:
        """Always settled."""

    def change(self, z: int, x: int, y: int, number: int = 7) -> None:
        self.seen[z, x, y] = self.seen.get((z, x, y), 0) + number

    def digest(self, register: str, z: int, x: int, y: int) -> int:
        found = 0
        for (cz, cx, cy), number in self.seen.items():
            shift = abs(cz - z)
            nested = (cx >> shift, cy >> shift) == (x, y) if cz >= z else (x >> shift, y >> shift) == (cx, cy)
            found += number if nested else 0
        return found

    def of(self, register: str) -> int:
        return sum(self.seen.values())


@st.composite
def tiles(draw: st.DrawFn) -> Tile:
    grid: Grid = draw(st.sampled_from([WEB_MERCATOR, CGCS2000]))
    z = draw(st.integers(0, 18))
    x = draw(st.integers(0, (grid.columns << z) - 1))
    return Tile(z, x, draw(st.integers(0, (grid.rows << z) - 1)), grid)


@given(tiles(), st.floats(0, 1), st.floats(0, 1), st.data())
def test_what_is_drawn_in_a_tile_changes_its_digest(tile: Tile, right: float, up: float, data: st.DataObject) -> None:
    """Wherever in the tile or its margin something changed: recorded as small as may be, or as a larger box."""
    box = data.draw(st.sampled_from(tile.reach))
    lon, lat = box[0] + right * (box[2] - box[0]), box[1] + up * (box[3] - box[1])
    level = data.draw(st.integers(0, KEY_ZOOM))
    columns, rows = WEB_MERCATOR.spans(level, (lon, lat, lon, lat))
    log = Log()
    before = digest(log, "a.b", tile)
    log.change(level, columns[0], rows[0])
    assert digest(log, "a.b", tile) != before


@given(tiles())
def test_what_is_far_off_does_not(tile: Tile) -> None:
    log = Log()
    before = digest(log, "a.b", tile)
    west, south, east, north = tile.bounds
    width, height = east - west, north - south
    for lon, lat in ((west - 2 * width, south), (east + 2 * width, north), (west, north + 2 * height)):
        if -180 < lon < 180 and -85 < lat < 85 and tile.mercator_zoom < KEY_ZOOM - 1:
            columns, rows = WEB_MERCATOR.spans(KEY_ZOOM, (lon, lat, lon, lat))
            log.change(KEY_ZOOM, columns[0], rows[0])
    if tile.mercator_zoom > 3 and abs(south) < 60 and abs(north) < 60:
        assert digest(log, "a.b", tile) == before


@pytest.mark.parametrize(
    ("z", "x", "y", "number"),
    [(16, 52005, 26005, 1), (16, 52000, 26000, 4), (14, 13000, 6500, 4), (8, 200, 100, 21), (0, 0, 0, 17)],
)
def test_few_numbers_are_looked_up(z: int, x: int, y: int, number: int) -> None:
    tile = Tile(z, x, y)
    assert len(keys(tile)) <= number
    assert len(set(keys(tile))) == len(keys(tile))
