"""The digest of a tile changes with everything that may show in it, and with little else."""

from hypothesis import given
from hypothesis import strategies as st

from api.tile_question import Asked, Part
from gis.query.query import Query
from gis.store.changes_digests import Digests
from gis.store.changes_keys import DEEPEST, box_cover, tile_cover, tile_key
from tiles.freshness import digest, mixed
from tiles.grid import CGCS2000, WEB_MERCATOR, Grid, Tile


class Log:
    """Changes as a server keeps them, without a database."""

    incarnation = "one"

    def __init__(self) -> None:
        self._digests = Digests()
        self.moves = self.looked = 0

    async def reading(self) -> None:
        """Always read."""

    def change(self, z: int, x: int, y: int) -> None:
        self._digests.add("a.b", tile_key(z, x, y), 7)
        self.moves += 1

    def digest(self, register: str, z: int, x: int, y: int) -> int:
        self.looked += 1
        return self._digests.of_place(register, (z, x, y), tile_cover)

    def digest_of_box(self, register: str, west: float, south: float, east: float, north: float) -> int:
        return self._digests.of_place(register, (west, south, east, north), box_cover)

    def of(self, register: str) -> int:
        return self._digests.of(register)


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
    level = data.draw(st.integers(0, DEEPEST))
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
        if -180 < lon < 180 and -85 < lat < 85 and 3 < tile.mercator_zoom < DEEPEST - 1:
            columns, rows = WEB_MERCATOR.spans(DEEPEST, (lon, lat, lon, lat))
            log.change(DEEPEST, columns[0], rows[0])
    if abs(south) < 60 and abs(north) < 60:
        assert digest(log, "a.b", tile) == before


def test_digests_of_several_count_in_their_order() -> None:
    assert len({mixed([1, 2]), mixed([2, 1]), mixed([1, 3]), mixed([1]), mixed([1, 2, 0])}) == 5
    assert mixed([2**64 - 1, 0]) < 2**64


def test_a_tile_is_looked_up_anew_only_when_something_moved_or_a_minute_began() -> None:
    log, tile = Log(), Tile(4, 3, 5, WEB_MERCATOR)
    for follows_now in (False, True):
        part = Part(Query(collection="a.b"), tile, "key", follows_now, ())
        asked, log.looked = Asked("key", (part,), follows_now), 0
        first = asked.token(log, 7)
        assert asked.token(log, 7) is first and log.looked == 1
        assert (asked.token(log, 8) != first) == follows_now
        log.change(DEEPEST, 0, 0)  # elsewhere: the same token, looked up
        looked = log.looked
        assert asked.token(log, 7) == first and log.looked == looked + 1
        columns, rows = WEB_MERCATOR.spans(DEEPEST, tile.bounds)
        log.change(DEEPEST, columns[0], rows[0])
        assert asked.token(log, 7) != first
