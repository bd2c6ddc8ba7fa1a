"""Anonymous figures against attackers who know all of them, all sums and differences, and how they are made."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.access.anonymity import UNTOLD, Figures, Places, carried, partition, split
from gis.access.release import Counted, Release, chain, set_date
from gis.catalog import Anonymous, Catalogue, Grant, Policy
from gis.codes import division as division_code
from gis.codes import division_column
from gis.geo import cells
from layers import LAYERS

COARSE = h3.latlng_to_cell(31.75, 116.5, 7)
#: Leaves of two neighbourhoods of one cell of resolution 7, one of another, and no place.
LEAVES = [
    *(int(h3.cell_to_children(child, 9)[at], 16) for child in h3.cell_to_children(COARSE, 8)[:2] for at in range(3)),
    int(h3.latlng_to_cell(31.85, 116.6, 9), 16),
    0,
]
VILLAGES = [341502001001, 341502001002, 341502002001, 0]
INSIDE, OUTSIDE = Anonymous(9, 5, 2), Anonymous(7, 10, 2)
FIRST, SECOND = date(2026, 7, 1), date(2026, 10, 1)

#: How many persons of two sexes and three marital states live in a piece of a village, by leaf and village.
rows = st.tuples(
    st.sampled_from(LEAVES), st.sampled_from(VILLAGES), st.integers(1, 2), st.integers(0, 2), st.integers(0, 12)
)
cities = st.lists(rows, min_size=1, max_size=10, unique_by=lambda row: row[:4])
City = Sequence[tuple[int, int, int, int, int]]
#: One figure of a release: its atom and label.
At = tuple[int, tuple[int, ...]]


def counted(city: City) -> Counted:
    """A city as the register counts it."""
    table = np.array(city, dtype=np.int64).reshape(len(city), 5)
    cell, division = table[:, 0], table[:, 1]
    return Counted((cell, division), Places.of(cell, division, 9), table[:, 2:4], table[:, 4])


def released(city: City, before: Sequence[Release] = (), day: date = FIRST) -> tuple[Release, Release]:
    """What is released of it, inside and outside."""
    inside, outside = before or (Release.none(2), Release.none(2))
    inside = inside.after(counted(city), INSIDE, day)
    return inside, outside.after(inside.counted(), OUTSIDE, day, INSIDE.k)


def questions(city: City) -> Iterator[tuple[int | None, int | None, int | None, int | None]]:
    """Every cell of every resolution with every division of every level, and every label (0 and None: any)."""
    places = {None, *(parent(c, r) for c, *_ in city if c for r in (0, 6, 7, 8, 9))}
    divisions = {None, *(d - d % 10**n for _, d, *_ in city if d for n in (0, 3, 6, 8, 10))}
    return product(places, divisions, (None, 1, 2), (None, 0, 1, 2))


def within(release: Release, cell: int | None, division: int | None, sex: int | None, married: int | None) -> set[At]:
    """The figures of which an answer is the sum."""
    found = set()
    for atom, label in release.told:
        node = release.nodes.take(np.array([atom]))
        place, level = int(node.cell[0]), int(node.level[0])
        if cell is not None and (int(node.resolution[0]) < cell >> 52 & 15 or parent(place, cell >> 52 & 15) != cell):
            continue
        if division is not None:
            asked = int(division_column.levels(np.array([division]))[0])
            digits = 10 ** (12 - division_code.LEVEL_ENDS[asked - 1])
            if level < asked or int(node.division[0]) // digits != division // digits:
                continue
        if (sex is None or label[0] == sex) and (married is None or label[1] == married):
            found.add((atom, label))
    return found


@cache
def parent(cell: int, resolution: int) -> int:
    return int(cells.parents(np.array([cell]), resolution)[0])


def behind(release: Release, key: tuple[int, int], label: tuple[int, int]) -> At | None:
    """The figure in which those of a key and label are counted."""
    atom = release.atom_of.get(key)
    if atom is None:
        return None
    told = (atom, tuple(value if shown else UNTOLD for value, shown in zip(label, release.chosen[atom], strict=True)))
    return told if told in release.told else None


def derivable(figures: Iterable[Sequence[int]], sizes: Sequence[int], k: int) -> list[tuple[int, ...]]:
    """The sets of groups of 1 to k - 1 persons whose count is a rational combination of figures (0-1 rows)."""
    basis: list[list[Fraction]] = []
    pivots: list[int] = []
    for figure in {tuple(f) for f in figures}:
        rest = _reduced([Fraction(v) for v in figure], basis, pivots)
        pivot = next((at for at, value in enumerate(rest) if value), None)
        if pivot is not None:
            basis.append([value / rest[pivot] for value in rest])
            pivots.append(pivot)
    some = [at for at, size in enumerate(sizes) if 0 < size < k]
    found = []
    for many in range(1, len(some) + 1):
        for chosen in combinations(some, many):
            if sum(sizes[at] for at in chosen) < k:
                wanted = [Fraction(int(at in chosen)) for at in range(len(sizes))]
                if not any(_reduced(wanted, basis, pivots)):
                    found.append(chosen)
    return found


def _reduced(row: list[Fraction], basis: list[list[Fraction]], pivots: list[int]) -> list[Fraction]:
    for held, pivot in zip(basis, pivots, strict=True):
        if row[pivot]:
            row = [a - row[pivot] * b for a, b in zip(row, held, strict=True)]
    return row


@settings(max_examples=40)
@given(cities)
def test_no_combination_of_figures_counts_a_few(city: City) -> None:
    inside, outside = released(city)
    sizes = [row[4] for row in city]
    exposed: list[list[int]] = []
    for release, k in ((inside, INSIDE.k), (outside, OUTSIDE.k)):
        figures = []
        for question in questions(city):
            told = within(release, *question)
            if release is inside:
                stands = [behind(inside, row[:2], row[2:4]) for row in city]
                figure = [int(at in told) for at in stands]
                assert sum(release.told[at].count for at in told) == sum(
                    n for f, n in zip(figure, sizes, strict=True) if f
                )
            else:
                figure = [int(_outside(inside, outside, row) in told) for row in city]
            total = sum(release.told[at].count for at in told)
            assert total == 0 or total >= k
            figures.append(figure)
        exposed += figures
        assert derivable(figures, sizes, k) == []
    # those who hold both know no more than who holds the finer one
    assert derivable(exposed, sizes, INSIDE.k) == []


def _outside(inside: Release, outside: Release, row: tuple[int, int, int, int, int]) -> At | None:
    told = behind(inside, row[:2], row[2:4])
    return None if told is None else behind(outside, (told[0], 0), told[1])


def test_the_same_attacker_derives_counts_from_exact_figures() -> None:
    city = [(LEAVES[0], VILLAGES[0], 1, 1, 30), (LEAVES[0], VILLAGES[1], 1, 1, 2), (LEAVES[1], VILLAGES[1], 1, 1, 9)]
    figures = [[1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]]
    assert derivable(figures, [row[4] for row in city], 5) == [(1,)]


@given(cities, st.lists(st.integers(-9, 9), min_size=10, max_size=10), cities)
def test_dates_differ_by_multiples_of_k(city: City, changes: list[int], more: City) -> None:
    first = released(city)
    known = {row[:4] for row in city}
    later = [(*row[:4], max(row[4] + change, 0)) for row, change in zip(city, changes, strict=False)]
    later += [row for row in more if row[:4] not in known]
    second = released(later, first, SECOND)
    for before, after, k in zip(first, second, (INSIDE.k, OUTSIDE.k), strict=True):
        assert len(after.nodes) >= len(before.nodes)
        assert (after.nodes.cell[: len(before.nodes)] == before.nodes.cell).all()
        if before.told:
            for at in before.told.keys() | after.told.keys():
                new = after.told[at].count
                assert (new - (before.told[at].count if at in before.told else 0)) % k == 0
                assert after.told[at].day == (FIRST if at in before.told and new == before.told[at].count else SECOND)
        assert all(told.count == 0 or told.count >= k for told in after.told.values())
    assert released(later, second, date(2027, 1, 1))[0].told.keys() >= second[0].told.keys()


@pytest.mark.parametrize(
    ("k", "most", "leaves", "villages"), [(3, 4, (3, 1), 1), (3, 4, (2, 2), 2), (4, 5, (2, 2), 1), (5, 6, (3, 1), 1)]
)
def test_whoever_knows_the_rules_finds_no_count_out(k: int, most: int, leaves: tuple[int, int], villages: int) -> None:
    """Of all cities that have the same release, no set of leaves has one small number of persons in each."""
    children = h3.cell_to_children(COARSE, 8)
    cell = [
        int(h3.cell_to_children(c, 9)[at], 16) for c, many in zip(children, leaves, strict=False) for at in range(many)
    ]
    division = [VILLAGES[at % villages] for at in range(len(cell))]
    places = Places.of(np.array(cell), np.array(division), 9)
    alike: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    for world in product(range(most + 1), repeat=len(cell)):
        count = np.array(world)
        made = partition(places.take(count > 0), count[count > 0], k)
        told = np.bincount(made.atom[made.atom >= 0], count[count > 0][made.atom >= 0], len(made.nodes))
        nodes = made.nodes
        alike[tuple(sorted(zip(nodes.step, nodes.cell, nodes.division, told, strict=True)))].append(world)
    assert len(alike) > 50
    for worlds in alike.values():
        for some in product((0, 1), repeat=len(cell)):
            sums = {sum(n for n, is_in in zip(world, some, strict=True) if is_in) for world in worlds}
            assert len(sums) > 1 or not 0 < next(iter(sums)) < k


def test_what_is_too_few_climbs() -> None:
    city = [(LEAVES[0], VILLAGES[0], 1, 1, 40), (LEAVES[1], VILLAGES[0], 1, 1, 3), (LEAVES[2], VILLAGES[0], 1, 1, 3),
            (LEAVES[6], VILLAGES[0], 1, 1, 2), (LEAVES[0], VILLAGES[2], 1, 1, 4)]  # fmt: skip
    inside, _ = released(city)
    told = [(inside.nodes.resolution[a], inside.nodes.level[a], t.count) for (a, _), t in inside.told.items()]
    # three and three are told of the parent alone; two and four climb to the county together
    assert sorted(told) == [(-1, 3, 6), (8, 5, 6), (9, 5, 40)]


def test_pools_that_would_tell_are_withheld() -> None:
    city = [(LEAVES[at], VILLAGES[0], 1, 1, 4) for at in (0, 1)]
    assert released(city)[0].told == {}


def test_fields_are_told_where_every_value_has_enough() -> None:
    table = {
        0: [(1, 1, 9), (2, 1, 9), (1, 2, 7), (2, 2, 7)],
        1: [(1, 1, 9), (2, 1, 9), (1, 2, 3), (2, 2, 3)],
        2: [(1, 1, 9), (1, 2, 9), (2, 1, 3)],
        3: [(1, 1, 9)],
    }
    flat = [(atom, *row) for atom, some in table.items() for row in some]
    columns = np.array(flat, dtype=np.int64)
    figures = Figures(columns[:, 0], columns[:, 1:3], columns[:, 3])
    # in the third the few of one sex forbid telling the sexes; in the last one value would be told of everybody
    assert split(figures, 4, 5, 2).tolist() == [[True, True], [True, False], [False, True], [False, False]]
    assert split(figures, 4, 5, 1).tolist()[3] == [True, True]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [(0, 4, 0), (0, 7, 5), (7, 7, 7), (7, 11, 7), (7, 12, 12), (7, 0, 7), (23, 0, 8), (12, 1, 7)],
)
def test_figures_change_by_multiples_of_k(before: int, now: int, told: int) -> None:
    assert carried(np.array([before]), np.array([now]), 5).tolist() == [told]


def test_releases_are_a_chain() -> None:
    persons = Catalogue(LAYERS)["base.persons"]
    grants = tuple(
        Grant(roles=(role,), anonymous=one)
        for role, one in (("public", Anonymous(7, 10)), ("staff", Anonymous(9, 5, 2)), ("analyst", Anonymous(8, 20)))
    )
    changed = {name: getattr(persons, name) for name in persons.__dataclass_fields__} | {"policy": Policy(grants)}
    assert chain(type(persons)(**changed)) == (Anonymous(9, 5, 2), Anonymous(7, 10, 2), Anonymous(7, 20, 2))


@pytest.mark.parametrize(
    ("day", "first"), [("2026-11-22", "2026-10-01"), ("2026-01-01", "2026-01-01"), ("2026-06-30", "2026-04-01")]
)
def test_set_dates_begin_quarters(day: str, first: str) -> None:
    assert set_date(date.fromisoformat(day)) == date.fromisoformat(first)
