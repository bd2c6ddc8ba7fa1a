"""The parts of the address index on their own: small registers, spelling, clusters of places."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gis.codes.address_levels import AddressLevel
from gis.exchange.matching import AddressIndex, Register, ReverseGeocoder
from gis.exchange.matching.clusters import clusters
from gis.exchange.matching.spelling import Spelling, one_edit
from tests.bench.address_noise import edits


def test_an_empty_register_answers_nothing():
    names = ("code", "division", "street", "plate", "compound", "building", "lon", "lat")
    nothing = pa.table({name: pa.array([], pa.string()) for name in names})
    index = AddressIndex(
        Register(nothing, pa.table({"code": pa.array([], pa.string()), "name": pa.array([], pa.string())}))
    )
    assert index.match("皖西路88号").place is None
    assert ReverseGeocoder(index).at(116.5, 31.7).address is None


def test_texts_alone_make_an_index():
    rows = pa.table(
        {"text": ["六安市裕安区皖西路88号3栋", "皖西路90号"], "division": ["341503"] * 2, "lon": [116.5, 116.501],
         "lat": [31.7] * 2, "fid": [7, 8]}
    )  # fmt: skip
    found = AddressIndex(Register(rows, pa.table({"code": ["341503"], "name": ["裕安区"]}))).match(
        "裕安区皖西路88号3栋"
    )
    assert found.place is not None and (found.place.fid, found.level) == (7, AddressLevel.BUILDING)


NAMES = st.text("东西南北路街安长", min_size=1, max_size=6)


@given(NAMES, NAMES)
def test_one_edit_agrees_with_the_table_of_edits(a, b):
    swap = any(a[:k] + a[k : k + 2][::-1] + a[k + 2 :] == b for k in range(len(a) - 1))
    assert one_edit(a, b) == (a != b and (edits(a, b) == 1 or swap))


@given(st.sets(NAMES.filter(lambda n: len(n) >= 3), max_size=20), NAMES.filter(lambda n: len(n) >= 3))
def test_spelling_finds_what_trying_all_names_finds(names, written):
    assert Spelling(names).near(written) == sorted(n for n in names if one_edit(n, written))


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=25))
def test_clusters_are_the_connected_squares(points):
    token, x, y = (np.array(v) for v in zip(*points, strict=True))
    found = clusters(token.astype(np.int64), x * 50.0, y * 50.0, 100.0)
    squares = list(zip(token.tolist(), (x * 50 // 100).tolist(), (y * 50 // 100).tolist(), strict=True))
    label = list(range(len(points)))
    for _ in points:
        for i, a in enumerate(squares):
            for j, b in enumerate(squares):
                if a[0] == b[0] and abs(a[1] - b[1]) <= 1 and abs(a[2] - b[2]) <= 1:
                    label[i] = label[j] = min(label[i], label[j])
    pairs = {(i, j) for i in range(len(points)) for j in range(len(points)) if label[i] == label[j]}
    assert pairs == {(i, j) for i in range(len(points)) for j in range(len(points)) if found[i] == found[j]}
