"""Rows in the order of a mark lead back to it, and to no other; and nothing else of them has changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.access.watermark_order import FEWEST_ROWS, likeliest, order

MARKS = [f"omx-{n:016x}-00000000" for n in range(300)]
_FIDS = st.lists(st.integers(0, 2**53 - 1), max_size=400, unique=True).map(lambda found: np.array(found, np.int64))


@given(_FIDS, st.sampled_from(MARKS))
def test_an_order_leaves_every_row_where_another_was(fids: np.ndarray, mark: str) -> None:
    places = order(fids, mark)
    assert sorted(places.tolist()) == list(range(len(fids)))
    assert order(fids[places], mark).tolist() == list(range(len(fids))), "rows in their order stay"


def _exported(mark: str, rows: int = 20_000, batch: int = 1_000) -> np.ndarray:
    fids = np.random.default_rng(7).choice(2**53, rows, replace=False).astype(np.int64)
    parts = [fids[start : start + batch] for start in range(0, rows, batch)]
    return np.concatenate([part[order(part, mark)] for part in parts])


@pytest.mark.parametrize("rows", [100, 1_000])
@pytest.mark.parametrize("kind", ["in one piece", "some of them"])
def test_a_part_of_an_export_leads_to_its_mark_alone(rows: int, kind: str) -> None:
    for mark in MARKS[::40]:
        whole = _exported(mark)
        chosen = np.sort(np.random.default_rng(3).choice(len(whole), rows, replace=False))
        part = whole[5_300 : 5_300 + rows] if kind == "in one piece" else whole[chosen]
        found = likeliest(part, MARKS)
        if kind == "in one piece":
            assert [one.mark for one in found] == [mark]
            assert found[0].pairs == rows - 1 and found[0].agreeing >= rows - 3
        else:
            # of few rows of many batches hardly two stood in one: nothing is said rather than something wrong
            assert [one.mark for one in found] in ([mark], [])


def test_what_was_sorted_anew_or_is_short_leads_nowhere() -> None:
    whole = _exported(MARKS[5])
    assert likeliest(np.sort(whole[:1_000]), MARKS) == []
    assert likeliest(whole[: FEWEST_ROWS - 1], MARKS) == []
    assert likeliest(np.repeat(whole[:3], 500), MARKS) == [], "a row that is repeated says nothing"
    assert likeliest(np.array([], np.int64), MARKS) == []
