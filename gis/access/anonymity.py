"""Counts of persons that tell of nobody: one partition into groups of at least k, of which all figures are sums.

**The release.** Persons are put into disjoint *atoms* once; whatever is asked later is a sum of atoms. A guard that
looks at questions can be led round by many of them, by two callers, by sums and differences; here there is nothing to
lead round. Every rational combination of figures that counts a set of persons counts a union of atoms: 0 or at least k.

**The partition.** One tree carries both hierarchies that persons are counted by. Its leaves are the pieces of villages
that lie in one cell of the finest resolution; from there a piece climbs through coarser and coarser cells within its
village, then to the village, township, county, prefecture, province and the whole. So a figure by cell, by division or
by both is the sum of the atoms whose node lies in it, and no two hierarchies cut each other's atoms.
From below, at each node:

- a leaf with at least k persons is an atom; a smaller one is a remainder and climbs;
- remainders of one node that are fewer than k together climb on as one;
- q remainders of s >= k persons are an atom there, if q * least + DOUBT <= s <= q * (k - 1) - DOUBT;
- otherwise they are withheld: they stand in no figure at all.

A remainder is passed on or pooled, and no figure of a node contains what stands above it, so nothing has to be
suppressed to complement it: what is told of a node is what can be told there, and a few more may live in it.

**Who knows how it works** knows that each pooled remainder has `least` to k - 1 persons, and their sum. The bounds on s
leave each of them, and each set of some of them, at least DOUBT + 1 possible numbers: of a member the possible ones are
max(least, s - (q-1)(k-1)) to min(k - 1, s - (q-1) least), of which the width is s - q least, q(k-1) - s, their like
over q - 1 members, or k - 1 - least. A withheld or climbing remainder may as well be empty. That somebody is there may
be known of no cell beforehand; that nobody is there, of as many as one likes.

**Fields.** An atom is split by the declared coarse fields where every value (or combination) that occurs in it has at
least k persons and whatever shows a field shows at least `diversity` values of it; by all fields, else by the first one
that can be. The parts are then the atoms: the partition is refined, never cut across.

**Several releases.** A release with larger k or coarser cells is made of the figures of the finer one, never of
persons, by the same rules with `least` = the finer k. All callers together know no more than the one who sees the
finest, since the others' figures follow from theirs.

**Dates.** There is one release for each set date, and it stays. A later one keeps the partition, adding atoms only for
places that stood in no figure before. The first one tells counts; later ones change figures by multiples of k only (a
new one begins at a multiple of k), so that whatever is added up and subtracted over any places, the difference between
two dates is a multiple of k, too: 0 or at least k. Such a figure is off by less than 2 k.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gis.codes import division_column
from gis.codes.division import SPANS
from gis.geo import cells

Numbers = NDArray[np.int64]

#: The finest cells of any lattice, and how many steps of the tree lead from them to the whole.
FINEST = 9
_VILLAGE = FINEST + 1
WHOLE = _VILLAGE + len(SPANS)
#: How many numbers a pooled remainder may have beside the one that it has, at least.
DOUBT = 1
#: Of a label: this field is not told of the atom; of the rest 0 is a missing value.
UNTOLD = -1
WITHHELD = -1


@dataclass(frozen=True, slots=True)
class Places:
    """Nodes of the tree, in parallel arrays: at which step, which cell (0: none) and division (0: none)."""

    step: Numbers
    cell: Numbers
    division: Numbers

    @classmethod
    def of(cls, cell: Numbers, division: Numbers, resolution: int) -> "Places":
        """The leaves of persons with these cells (at least as fine as `resolution`; 0: no place) and divisions."""
        step = np.where(cell == cells.NO_CELL, _VILLAGE, FINEST - resolution).astype(np.int64)
        return cls(step, cells.parents(cell, resolution), division)

    def __len__(self) -> int:
        """How many nodes."""
        return len(self.step)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "Places":
        """Some of them."""
        return Places(self.step[chosen], self.cell[chosen], self.division[chosen])

    def at(self, step: int) -> "Places":
        """The nodes above them at a step, or they themselves."""
        cell = cells.parents(self.cell, FINEST - step) if step <= FINEST else np.zeros_like(self.cell)
        division = self.division
        if step >= WHOLE:
            division = np.zeros_like(division)
        elif step > _VILLAGE:
            division = division_column.at_level(division, WHOLE - step)
        return Places(np.full_like(self.step, step), cell, division)

    def lifted(self, step: int) -> "Places":
        """Those below a step in the place of their node there."""
        below = self.step < step
        above = self.take(below).at(step)
        cell, division = self.cell.copy(), self.division.copy()
        cell[below], division[below] = above.cell, above.division
        return Places(np.maximum(self.step, step), cell, division)

    @property
    def resolution(self) -> Numbers:
        """Of each one's cell; -1 where it has none."""
        return np.where(self.step <= FINEST, FINEST - self.step, -1)

    @property
    def level(self) -> Numbers:
        """Of each one's division, 1 to 5; 0 where it has none."""
        level = np.minimum(np.maximum(WHOLE - self.step, 0), division_column.levels(self.division).astype(np.int64))
        return np.where(self.division == 0, 0, level)


@dataclass(frozen=True, slots=True)
class Partition:
    """For each place the number of its atom, or WITHHELD; and the node of each atom."""

    atom: Numbers
    nodes: Places


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by atom and label: a column of codes for each coarse field (0: missing, UNTOLD: not told here)."""

    atom: Numbers
    labels: NDArray[np.int64]
    count: Numbers


def partition(places: Places, count: Numbers, k: int, *, least: int = 1, resolution: int = FINEST) -> Partition:
    """Atoms of at least `k` persons out of different places with `count` >= `least` persons each.

    `resolution` is that of the leaves; finer places count for their leaf.
    """
    start = FINEST - resolution
    work = _Climb(places.lifted(start), count, k, least)
    for step in range(start, WHOLE + 1):
        work.enter(step)
        if step > start:
            work.pool(step)
    return Partition(work.atom, work.nodes)


class _Climb:
    """The remainders on their way up, and the atoms made so far."""

    def __init__(self, places: Places, count: Numbers, k: int, least: int) -> None:
        self.places, self.count, self.k, self.least = places, count, k, least
        self.atom = np.full(len(places), WITHHELD, dtype=np.int64)
        #: the remainder that each place is part of
        self.owner = np.full(len(places), -1, dtype=np.int64)
        self._nodes: list[Places] = []
        self._atoms = 0
        self.size = np.zeros(0, dtype=np.int64)
        self.at = places.take(np.zeros(0, dtype=np.int64))

    @property
    def nodes(self) -> Places:
        return joined([self.places.take(np.zeros(0, dtype=np.int64)), *self._nodes])

    def enter(self, step: int) -> None:
        """Take in what stands at this step: leaves, and what has no finer place."""
        members = np.flatnonzero(self.places.step == step)
        nodes = self.places.take(members).at(step)
        first, group = _grouped(nodes)
        size = _sums(group, self.count[members], len(first))
        self.owner[members] = len(self.size) + group
        self.size = np.concatenate([self.size, size])
        self.at = joined([self.at, nodes.take(first)])
        self._close(self.size >= self.k, np.zeros_like(self.size, dtype=bool))

    def pool(self, step: int) -> None:
        """Bring the remainders of each node together."""
        above = self.at.at(step)
        first, group = _grouped(above)
        members, size = np.bincount(group, minlength=len(first)), _sums(group, self.size, len(first))
        enough = size >= self.k
        doubtful = (members * self.least + DOUBT <= size) & (size <= members * (self.k - 1) - DOUBT)
        under_way = self.owner >= 0
        self.owner[under_way] = group[self.owner[under_way]]
        self.at, self.size = above.take(first), size
        self._close(enough & doubtful, enough & ~doubtful)

    def _close(self, made: NDArray[np.bool_], withheld: NDArray[np.bool_]) -> None:
        """Turn some remainders into atoms, and give others up."""
        number = np.full(len(made), WITHHELD, dtype=np.int64)
        number[made] = self._atoms + np.arange(int(made.sum()))
        self._atoms += int(made.sum())
        self._nodes.append(self.at.take(made))
        stays = ~(made | withheld)
        renumbered = np.where(stays, np.cumsum(stays) - 1, -1)
        under_way = np.flatnonzero(self.owner >= 0)
        owner = self.owner[under_way]
        self.atom[under_way] = number[owner]
        self.owner[under_way] = renumbered[owner]
        self.at, self.size = self.at.take(stays), self.size[stays]


def split(rows: Figures, atoms: int, k: int, diversity: int) -> NDArray[np.bool_]:
    """By which fields each of so many atoms is told apart: a row an atom, a column a field.

    Of the rows, whose atoms are none of WITHHELD, those of one atom may have equal labels.
    """
    fields = rows.labels.shape[1]
    chosen = np.zeros((atoms, fields), dtype=bool)
    for some in _choices(fields):
        possible: NDArray[np.bool_] = np.logical_not(chosen.any(axis=1))
        named = rows.labels[:, some]
        atom, _, count = summed(rows.atom, named, rows.count)
        possible[atom[(count > 0) & (count < k)]] = False
        for told in range(len(some)):
            shown = (rows.count > 0) & (named[:, told] != UNTOLD)
            possible &= _is_diverse(rows.atom[shown], named[shown], told, atoms, diversity)
        for told in some:
            chosen[possible, told] = True
    return chosen


def labelled(rows: Figures, chosen: NDArray[np.bool_]) -> Figures:
    """The rows' sums by atom and by those labels that are told of it."""
    labels = np.where(chosen[rows.atom], rows.labels, UNTOLD) if len(rows.atom) else rows.labels
    return Figures(*summed(rows.atom, labels, rows.count))


def carried(before: Numbers, now: Numbers, k: int) -> Numbers:
    """What is told of figures that were told before (0: never): changed towards what they are now by a multiple of k.

    A figure that would fall to 1 to k - 1 falls by k less.
    """
    told = before + k * np.trunc((now - before) / k).astype(np.int64)
    return np.where((told > 0) & (told < k), told + k, told)


def summed(atom: Numbers, labels: NDArray[np.int64], count: Numbers) -> tuple[Numbers, NDArray[np.int64], Numbers]:
    """Counts summed up by atom and labels, in their order."""
    first, group = grouped([atom, *labels.T])
    return atom[first], labels[first], _sums(group, count, len(first))


def grouped(columns: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Of rows that are equal in all columns: where the first of each stands, in order, and to which each belongs."""
    order = np.lexsort(list(reversed(columns)))
    begins = np.zeros(len(order), dtype=bool)
    begins[:1] = True
    for column in columns:
        begins[1:] |= column[order][1:] != column[order][:-1]
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(begins) - 1
    return order[begins], group


def joined(parts: Sequence[Places]) -> Places:
    """Several lists of nodes as one."""
    return Places(
        np.concatenate([part.step for part in parts]),
        np.concatenate([part.cell for part in parts]),
        np.concatenate([part.division for part in parts]),
    )


def _grouped(places: Places) -> tuple[Numbers, Numbers]:
    return grouped([places.division, places.cell])


def _sums(group: Numbers, count: Numbers, groups: int) -> Numbers:
    # whole numbers up to 2**53 are exact in a double
    return np.bincount(group, weights=count, minlength=groups).astype(np.int64)


def _choices(fields: int) -> list[list[int]]:
    """Which fields are told together, the most first."""
    return [list(some) for size in range(fields, 0, -1) for some in combinations(range(fields), size)]


def _is_diverse(atom: Numbers, labels: NDArray[np.int64], told: int, atoms: int, diversity: int) -> NDArray[np.bool_]:
    """Of which atoms one field has enough values, whatever the other fields are."""
    others = np.delete(labels, told, axis=1)
    first, group = grouped([atom, *others.T])
    each, _ = grouped([group, labels[:, told]])
    values = np.bincount(group[each], minlength=len(first))
    diverse = np.ones(atoms, dtype=bool)
    diverse[atom[first][values < diversity]] = False
    return diverse
