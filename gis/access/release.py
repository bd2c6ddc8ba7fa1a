"""What is released of a collection at one set date after another: figures of atoms that stay, each with its date.

See `gis.access.anonymity` for what makes them safe. Here is no database: persons come in as counts by place and label.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gis.access.anonymity import (
    FINEST,
    WITHHELD,
    Figures,
    Numbers,
    Places,
    carried,
    grouped,
    joined,
    labelled,
    partition,
    split,
)
from gis.access.rules import policy_of
from gis.catalog import Anonymous, Collection

Label = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are by key, place and label; the key (two numbers) names the place for good.

    Rows of one key have one place. `labels` has a column of codes for each coarse field.
    """

    key: tuple[Numbers, Numbers]
    places: Places
    labels: NDArray[np.int64]
    count: Numbers


@dataclass(frozen=True, slots=True)
class Told:
    """One figure, and the set date of which it is."""

    count: int
    day: date


@dataclass(frozen=True, slots=True)
class Release:
    """The atoms (whose number is their position) with what is told of them; `atom_of` names that of each known key."""

    atom_of: dict[tuple[int, int], int]
    nodes: Places
    chosen: NDArray[np.bool_]
    told: dict[tuple[int, Label], Told] = field(default_factory=dict)

    @classmethod
    def none(cls, fields: int) -> "Release":
        """Nothing is released yet."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls({}, Places(nothing, nothing, nothing), np.zeros((0, fields), dtype=bool))

    def after(self, now: Counted, scheme: Anonymous, day: date, least: int = 1) -> "Release":
        """The release of the next set date. `least` is the smallest count of a key: k of the release that it is of."""
        atom_of, nodes, chosen = self._extended(now, scheme, least)
        first, of = grouped(now.key)
        found = _look_up(atom_of, (now.key[0][first], now.key[1][first]))[of]
        inside = found != WITHHELD
        figures = labelled(Figures(found[inside], now.labels[inside], now.count[inside]), chosen)
        return Release(atom_of, nodes, chosen, _carried_forward(self.told, figures, scheme.k, day))

    def counted(self) -> Counted:
        """The figures as what a coarser release is made of."""
        atom = np.array([at for at, _ in self.told], dtype=np.int64)
        labels = np.array([label for _, label in self.told], dtype=np.int64).reshape(len(atom), self.chosen.shape[1])
        count = np.array([told.count for told in self.told.values()], dtype=np.int64)
        return Counted((atom, np.zeros_like(atom)), self.nodes.take(atom), labels, count)

    def _extended(
        self, now: Counted, scheme: Anonymous, least: int
    ) -> tuple[dict[tuple[int, int], int], Places, NDArray[np.bool_]]:
        """The partition with atoms for keys that stood in no figure before."""
        first, of = grouped(now.key)
        size = np.bincount(of, weights=now.count, minlength=len(first)).astype(np.int64)
        keys = (now.key[0][first], now.key[1][first])
        new = (_look_up(self.atom_of, keys) == WITHHELD) & (size > 0)
        where, of_leaf = _leaves(now.places.take(first[new]), scheme.resolution)
        sizes = np.bincount(of_leaf, weights=size[new], minlength=len(where)).astype(np.int64)
        made = partition(where, sizes, scheme.k, least=least, resolution=scheme.resolution)
        atom = np.full(len(first), WITHHELD, dtype=np.int64)
        atom[new] = made.atom[of_leaf]
        rows = np.flatnonzero(atom[of] != WITHHELD)
        figures = Figures(atom[of][rows], now.labels[rows], now.count[rows])
        chosen = split(figures, len(made.nodes), scheme.k, scheme.diversity)
        number = np.where(atom == WITHHELD, WITHHELD, atom + len(self.nodes))
        known = {(int(a), int(b)): int(n) for a, b, n in zip(*keys, number, strict=True) if n != WITHHELD}
        return (
            self.atom_of | known,
            joined([self.nodes, made.nodes]),
            np.concatenate([self.chosen, chosen]),
        )


def chain(collection: Collection) -> tuple[Anonymous, ...]:
    """The releases that a collection's policy asks for, each made of the one before it: larger k, coarser cells."""
    asked = {grant.anonymous for grant in policy_of(collection).grants if grant.anonymous is not None}
    found: list[Anonymous] = []
    for one in sorted(asked, key=lambda a: (a.k, -a.resolution, a.diversity)):
        above = found[-1] if found else Anonymous(FINEST, one.k, 1)
        diversity = max(one.diversity, above.diversity)
        coarser = Anonymous(min(one.resolution, above.resolution), one.k, diversity)
        if coarser not in found:
            found.append(coarser)
    return tuple(found)


def set_date(day: date) -> date:
    """The set date that holds on a day: the first of its quarter."""
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _leaves(places: Places, resolution: int) -> tuple[Places, Numbers]:
    """The different leaves that some places are in, or they themselves where they are coarser; and that of each."""
    lifted = places.lifted(FINEST - resolution)
    first, of = grouped([lifted.step, lifted.cell, lifted.division])
    return lifted.take(first), of


def _look_up(atom_of: dict[tuple[int, int], int], keys: tuple[Numbers, Numbers]) -> Numbers:
    pairs: Iterable[tuple[int, int]] = zip(keys[0].tolist(), keys[1].tolist(), strict=True)
    return np.array([atom_of.get(pair, WITHHELD) for pair in pairs], dtype=np.int64)


def _carried_forward(
    before: dict[tuple[int, Label], Told], figures: Figures, k: int, day: date
) -> dict[tuple[int, Label], Told]:
    """What is told now: of the first release the counts, later what may be told of how they changed."""
    labels = [tuple(label) for label in figures.labels.tolist()]
    now = dict(zip(zip(figures.atom.tolist(), labels, strict=True), figures.count.tolist(), strict=True))
    if not before:
        return {at: Told(count, day) for at, count in now.items() if count}
    places = sorted(before.keys() | now.keys())
    were = np.array([before[at].count if at in before else 0 for at in places], dtype=np.int64)
    are = np.array([now.get(at, 0) for at in places], dtype=np.int64)
    told = {}
    for at, old, new in zip(places, were.tolist(), carried(were, are, k).tolist(), strict=True):
        if new or at in before:
            told[at] = Told(new, day) if new != old else before[at]
    return told
