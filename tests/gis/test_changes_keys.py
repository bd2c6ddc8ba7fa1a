"""Keys nest as tiles do; a cover holds every square that can reach into a tile, and not the whole country."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.store.changes_keys import DEEPEST, WORLD, box_cover, tile_cover, tile_key, tile_of


@given(st.integers(0, DEEPEST).flatmap(lambda z: st.tuples(st.just(z), *[st.integers(0, (1 << z) - 1)] * 2)))
def test_a_key_is_its_tile_and_its_parent_two_bits_less(tile: tuple[int, int, int]) -> None:
    z, x, y = tile
    assert tile_of(tile_key(z, x, y)) == tile
    if z:
        assert tile_key(z, x, y) >> 2 == tile_key(z - 1, x >> 1, y >> 1)


def test_no_two_tiles_have_one_key() -> None:
    keys = {tile_key(z, x, y) for z in range(5) for x in range(1 << z) for y in range(1 << z)}
    assert len(keys) == sum(4**z for z in range(5))


@pytest.mark.parametrize("z", [0, 1, 5, 10, 11, 12, 13, 16, 22])
def test_a_cover_holds_the_tile_and_a_quarter_around_it(z: int) -> None:
    rng = random.Random(z)
    for _ in range(50):
        x, y = rng.randrange(1 << z), rng.randrange(1 << z)
        cover = tile_cover(z, x, y)
        for _ in range(20):
            dx, dy = rng.uniform(-0.249, 1.249), rng.uniform(-0.249, 1.249)
            row = (y + dy) / (1 << z)
            if not 0 <= row < 1:
                continue
            key = tile_key(DEEPEST, int((x + dx) / (1 << z) % 1 * 4096), int(row * 4096))
            ancestors = {key >> (2 * up) for up in range(DEEPEST + 1)}
            assert ancestors & set(cover.squares)
            assert WORLD in ancestors & {*cover.around, *cover.squares}


def test_covers_are_small_and_of_the_neighbourhood_alone() -> None:
    cover = tile_cover(10, 843, 415)
    assert tile_key(10, 843, 415) in cover.squares
    assert len(cover.squares) == 1 + 20
    # the middle of the next tile does not count
    far = tile_key(12, 4 * 844 + 2, 4 * 415 + 2)
    assert not {far >> (2 * up) for up in range(13)} & set(cover.squares)
    assert len(tile_cover(16, 54000, 26600).squares) <= 4


def test_a_cover_goes_on_beyond_the_antimeridian() -> None:
    assert tile_key(12, 4095, 1600) in tile_cover(12, 0, 1600).squares
    assert tile_key(12, 0, 1600) in tile_cover(12, 4095, 1600).squares


@pytest.mark.parametrize(
    "box", [(116.0, 31.0, 117.0, 32.0), (-180, -90, 180, 90), (116.5, 31.7, 116.5, 31.7), (179, 89, 180, 90)]
)
def test_boxes_in_degrees(box: tuple[float, float, float, float]) -> None:
    cover = box_cover(*box)
    assert cover.squares
    assert len(cover.squares) < 200
    assert WORLD in {*cover.around, *cover.squares}
