"""From weighed candidates to a verdict for each row: the same, a matter for a clerk, or nobody known."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gis.exchange.resolution.model import Floats, Levels, Model
from gis.text import Text

Ints = NDArray[np.int64]
KEPT = 6
"""So many candidates of a row are kept to be told of, the best first."""


class Verdict(IntEnum):
    """What became of a row."""

    DIFFERENT = 0
    CLERK = 1
    SAME = 2

    @property
    def word(self) -> str:
        """As it stands in tables."""
        return self.name.lower()

    @property
    def text(self) -> Text:
        """In words."""
        return _WORDS[self]


_WORDS = {
    Verdict.DIFFERENT: Text("登记库中没有与之相符的", "nobody in the register fits"),
    Verdict.CLERK: Text("需人工核对", "a clerk must look"),
    Verdict.SAME: Text("同一人(单位)", "the same"),
}


class Why(IntEnum):
    """Why a row whose best candidate is probable is not simply taken for it."""

    NONE = 0
    RIVAL = 1
    """Another candidate fits about as well."""
    UNSURE = 2
    BARRED = 3
    """Something speaks plainly against it."""
    ALONE = 4
    """Only one thing agrees."""
    COMMON = 5
    """All that the row says is shared by very many of the register."""
    TAKEN = 6
    """One to one was asked for, and another row fits the same candidate."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least probability of the best candidate for "same", and of all candidates together for a clerk."""

    same: float = 0.98
    clerk: float = 0.10


@dataclass(frozen=True, slots=True)
class Candidates:
    """The best candidates of all rows, rows ascending and each row's best first. `extra` are bits beyond the levels;
    `probability` takes all candidates of a row into account, those not kept too.
    """

    row: Ints
    fid: Ints
    levels: Levels
    extra: Floats
    weight: Floats
    probability: Floats

    @classmethod
    def joined(cls, parts: list["Candidates"]) -> "Candidates":
        """Several stretches as one."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))

    def take(self, kept: NDArray[np.bool_]) -> "Candidates":
        """Some of them."""
        return Candidates(*(getattr(self, name)[kept] for name in self.__slots__))

    def first(self, rows: int) -> tuple[Ints, Ints]:
        """Where each row's candidates begin and end."""
        found = np.searchsorted(self.row, np.arange(rows + 1))
        return found[:-1], found[1:]


@dataclass(frozen=True, slots=True)
class Decided:
    """For each row the verdict, why it is no better, its best candidate (−1 none) and how probable that is."""

    verdict: NDArray[np.int8]
    why: NDArray[np.int8]
    best: Ints
    probability: Floats


def weighed(row: Ints, fid: Ints, levels: Levels, extra: Floats, model: Model) -> Candidates:
    """Candidates with their weights and probabilities; of several entries of one person the best counts."""
    weight = np.round(model.each(levels).sum(axis=1) + extra, 4)
    order = np.lexsort((-weight, fid, row))
    own = order[_firsts(row[order], fid[order])]
    own = own[np.lexsort((fid[own], -weight[own], row[own]))]
    row, fid, levels, extra, weight = row[own], fid[own], levels[own], extra[own], weight[own]
    probability, _ = model.posterior(row, weight)
    place = np.arange(len(row)) - np.searchsorted(row, row)
    return Candidates(row, fid, levels, extra, weight, probability).take(place < KEPT)


def decide(found: Candidates, rows: int, common: NDArray[np.bool_], model: Model, limits: Thresholds) -> Decided:
    """The verdict of each of `rows` rows; `common` are those about which too many of the register agree."""
    begin, end = found.first(rows)
    some = end > begin
    at = np.where(some, begin, 0)
    empty = not len(found.row)
    best = np.where(some, begin, -1)
    top = np.zeros(rows) if empty else np.where(some, found.probability[at], 0.0)
    total = np.bincount(found.row, found.probability, minlength=rows)
    why = np.full(rows, Why.NONE, dtype=np.int8)
    why[top < limits.same] = Why.UNSURE
    why[(top < limits.same) & (total - top > 0.5 * np.minimum(top, 1 - top))] = Why.RIVAL
    if not empty:
        counted, barred = _evidence(found.levels[at], model)
        why[some & (top >= limits.same) & ~counted] = Why.ALONE
        why[some & (top >= limits.same) & barred] = Why.BARRED
    verdict = np.where(total >= limits.clerk, Verdict.CLERK, Verdict.DIFFERENT).astype(np.int8)
    verdict[some & (why == Why.NONE)] = Verdict.SAME
    lost = common & (verdict == Verdict.DIFFERENT)
    verdict[lost], why[lost] = Verdict.CLERK, Why.COMMON
    return Decided(verdict, why, best, top)


def _evidence(levels: Levels, model: Model) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether enough agrees (a whole code, or two things), and whether something stands in the way."""
    names = [c.name for c in model.comparisons]
    counts, bars = (_flags(levels, model, flag) for flag in ("counts", "bars"))
    for k, comparison in enumerate(model.comparisons):
        for n, level in enumerate(comparison.levels, start=1):
            if level.settled_by:
                lifted = counts[:, [names.index(s) for s in level.settled_by]].any(axis=1)
                bars[(levels[:, k] == n) & lifted, k] = False
    # the number comes first in every list of comparisons; whole, or with one slip, it is evidence enough
    code = (levels[:, 0] == 1) | (levels[:, 0] == 2)
    return np.asarray(code | (counts.sum(axis=1) >= 2)), np.asarray(bars.any(axis=1))


def _flags(levels: Levels, model: Model, flag: str) -> NDArray[np.bool_]:
    width = model.weights.shape[1]
    table = np.zeros((len(model.comparisons), width), dtype=np.bool_)
    for k, comparison in enumerate(model.comparisons):
        table[k, 1 : len(comparison.levels) + 1] = [getattr(level, flag) for level in comparison.levels]
    found: NDArray[np.bool_] = table[np.arange(len(model.comparisons)), levels]
    return found


def one_to_one(
    found: Candidates, rows: int, common: NDArray[np.bool_], model: Model, limits: Thresholds
) -> tuple[Candidates, Decided]:
    """Verdicts in which nobody is given to two rows.

    Of the rows that would have a person, the one that fits best has him if it fits by more than 5 bits better than the
    next one; otherwise none has. The others are judged again without him.
    """
    settled = np.zeros(rows, dtype=np.bool_)
    contested = np.zeros(rows, dtype=np.bool_)
    while True:
        decided = decide(found, rows, common, model, limits)
        claims = np.flatnonzero((decided.verdict == Verdict.SAME) & ~settled & ~contested)
        at = decided.best[claims]
        order = np.lexsort((-found.weight[at], found.fid[at]))
        claims, at = claims[order], at[order]
        first = _firsts(found.fid[at])
        lead = np.full(len(at), np.inf)
        lead[:-1] = np.where(first[1:], np.inf, found.weight[at[:-1]] - found.weight[at[1:]])
        tied = np.isin(found.fid[at], found.fid[at[first & (lead <= 5.0)]])
        contested[claims[tied]] = True
        winners = first & ~tied
        settled[claims[winners]] = True
        if not winners.any():
            break
        taken = np.isin(found.fid, found.fid[at[winners]]) & ~settled[found.row] & ~contested[found.row]
        found = _without(found, taken, model)
    decided.verdict[contested], decided.why[contested] = Verdict.CLERK, Why.TAKEN
    return found, decided


def _without(found: Candidates, gone: NDArray[np.bool_], model: Model) -> Candidates:
    """The candidates without some, probabilities shared anew among those that are left of their rows."""
    lost = np.bincount(found.row, found.probability * gone, minlength=int(found.row.max(initial=-1)) + 1)
    rest = found.take(~gone)
    share = rest.probability / np.maximum(1.0 - lost[rest.row], 1e-12)
    return Candidates(rest.row, rest.fid, rest.levels, rest.extra, rest.weight, np.minimum(share, 1.0))


def _firsts(*columns: Ints) -> NDArray[np.bool_]:
    """Which rows of sorted columns begin a new group."""
    size = len(columns[0])
    found = np.zeros(size, dtype=np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found
