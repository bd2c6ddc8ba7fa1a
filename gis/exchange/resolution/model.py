"""How much an agreement says: the model of Fellegi and Sunter (1969), for rows of which each is at most one person.

A comparison finds one of a few levels for a pair. `m` is how often the level is seen between a row and its own person,
`u` how often by chance between a row and somebody else; log2(m/u) is the level's weight in bits, and the weights of a
pair add up. `u` is counted in the register itself. `m` is learnt from the rows by expectation and maximisation
(Dempster, Laird, Rubin 1977) beside a declared beginning that counts as so many rows, so that a file of ten rows is
not taken for a law.

Usual libraries judge each pair by itself, and two persons who fit a row equally well then both come out as certain.
Here the candidates of a row share its probability with one another and with "nobody in the register" (as in Sadinle
2017), so that a rival always takes its share. That is why the sums are ours. Splink 5 (MIT, on DuckDB) was weighed: it
is well kept and fast, but scores pairs only, estimates `u` from random pairs whose choice depends on the order of the
rows, may learn weights of agreement below 0, and brings 80 MB of packages; comparing Chinese names, damaged numbers
and places would have had to be written all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gis.text import Text

Floats = NDArray[np.float64]
Levels = NDArray[np.int8]
"""(pairs, comparisons): the level found, 1 the best, 0 where one side is silent."""

_PRIOR_ROWS = 60.0
_PRIOR_PAIRS = 200.0
_ROUNDS = 25
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome of a comparison: in words, with the `m` and `u` to begin with.

    `agrees`: it speaks for the same person or entity, so its weight is never below 0; the others' never above.
    `counts`: it is evidence enough to stand beside another one. `bars`: it speaks so plainly against it that a person
    must look, whatever else agrees; `settled_by` names comparisons of which one that counts lifts the bar.
    """

    text: Text
    m: float
    u: float
    agrees: bool = False
    counts: bool = False
    bars: bool = False
    settled_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and its levels from the best to the worst."""

    name: str
    title: Text
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Comparisons that say partly the same: of the agreeing weights of `first` and of all `others` only the greater
    counts, and `more` bits where both agree.
    """

    first: str
    others: tuple[str, ...]
    more: float = 0.0
    first_levels: int = 99
    """Only the best so many levels of `first` overlap."""


@dataclass(frozen=True, slots=True)
class Model:
    """The weights in force. `weights` is (comparisons, levels + 1), column 0 for silence; `share` is how many of the
    rows are expected to be in the register; `population` how many stand in it.
    """

    comparisons: tuple[Comparison, ...]
    overlaps: tuple[Overlap, ...]
    m: Floats
    u: Floats
    share: float
    population: int
    weights: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Weights from m and u: a worse level never weighs more than a better one, an agreement never less than 0."""
        object.__setattr__(self, "weights", _weights(self.comparisons, self.m, self.u))

    @classmethod
    def declared(
        cls,
        comparisons: tuple[Comparison, ...],
        overlaps: tuple[Overlap, ...],
        population: int,
        chance: "Chance",
    ) -> "Model":
        """The model before any row was seen: declared m, and u as the register tells it."""
        width = max(len(c.levels) for c in comparisons) + 1
        m, u = (np.full((len(comparisons), width), np.nan) for _ in range(2))
        for k, comparison in enumerate(comparisons):
            n = len(comparison.levels)
            m[k, 1 : n + 1] = _normal(np.array([v.m for v in comparison.levels]))
            u[k, 1 : n + 1] = chance.of(comparison)
        return cls(comparisons, overlaps, m, u, 0.8, max(population, 1))

    def each(self, levels: Levels) -> Floats:
        """(pairs, comparisons): the weight of each comparison in bits, overlaps settled."""
        found = self.weights[np.arange(len(self.comparisons)), levels]
        names = [c.name for c in self.comparisons]
        for overlap in self.overlaps:
            first = names.index(overlap.first)
            others = [names.index(n) for n in overlap.others]
            own = np.where(levels[:, first] <= overlap.first_levels, np.maximum(found[:, first], 0.0), 0.0)
            theirs = np.maximum(found[:, others], 0.0)
            total = theirs.sum(axis=1)
            both = (own > 0) & (total > 0)
            # what is said twice counts once: the others keep what they say beyond the first
            kept = np.where(both, np.maximum(total - own, 0.0) + overlap.more, total)
            scale = np.where(total > 0, np.minimum(kept, total) / np.where(total > 0, total, 1.0), 1.0)
            found[:, others] = np.where(theirs > 0, theirs * scale[:, None], found[:, others])
        return found

    def posterior(self, row: NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
        """The probability of each candidate, and for each row (0 … the greatest) that it is nobody known.

        `row` is ascending. Each of `population` is as likely as the other before anything is compared.
        """
        many = int(row[-1]) + 1 if len(row) else 0
        bits = weight + np.log2(self.share / self.population)
        nobody = np.log2(1.0 - self.share)
        top = np.full(many, nobody)
        np.maximum.at(top, row, bits)
        odds = np.exp2(bits - top[row])
        none = np.exp2(nobody - top)
        total = np.bincount(row, odds, minlength=many) + none
        return odds / total[row], none / total

    def learnt(self, row: NDArray[np.int64], levels: Levels, extra: Floats, rows: int) -> "Model":
        """The model after `rows` rows whose candidates (pairs in ascending `row`) were compared.

        `extra` are bits of single pairs that no level knows, like a rare name's. The order of the rows changes nothing:
        expectations are summed as whole numbers.
        """
        model = self
        prior = np.where(np.isnan(self.m), 0.0, self.m * _PRIOR_ROWS)
        for _ in range(_ROUNDS if len(row) else 0):
            expected, _ = model.posterior(row, model.each(levels).sum(axis=1) + extra)
            parts = np.round(expected * (1 << 20)).astype(np.int64)
            m = np.full_like(self.m, np.nan)
            for k, comparison in enumerate(self.comparisons):
                n = len(comparison.levels)
                counts = prior[k, 1 : n + 1] + [
                    int(parts[levels[:, k] == level].sum()) / (1 << 20) for level in range(1, n + 1)
                ]
                m[k, 1 : n + 1] = counts / counts.sum()
            share = (0.8 * _PRIOR_ROWS + int(parts.sum()) / (1 << 20)) / (_PRIOR_ROWS + rows)
            after = replace(model, m=np.round(m, 6), share=float(np.clip(round(share, 6), 0.02, 0.98)))
            settled = np.nanmax(np.abs(after.m - model.m)) < 1e-4
            model = after
            if settled:
                break
        return model


@dataclass(frozen=True, slots=True)
class Chance:
    """How often levels are seen by chance: `seen` counts them in random pairs of the register, `exact` are those that
    the register's own frequencies tell (0 is impossible and taken as very rare).
    """

    seen: Mapping[str, Sequence[int]]
    exact: Mapping[tuple[str, int], float]

    def of(self, comparison: Comparison) -> Floats:
        """The u of a comparison's levels; they add up to 1."""
        declared = _normal(np.array([v.u for v in comparison.levels]))
        counts = np.array(self.seen.get(comparison.name, [0] * len(comparison.levels)), dtype=np.float64)
        u = (counts + _PRIOR_PAIRS * declared) / (counts.sum() + _PRIOR_PAIRS)
        for (name, level), value in self.exact.items():
            if name == comparison.name:
                u[level - 1] = max(value, _LEAST)
        found: Floats = u
        return found


def _normal(values: Floats) -> Floats:
    found: Floats = np.maximum(values, _LEAST) / np.maximum(values, _LEAST).sum()
    return found


def _weights(comparisons: tuple[Comparison, ...], m: Floats, u: Floats) -> Floats:
    weights = np.zeros_like(m)
    for k, comparison in enumerate(comparisons):
        n = len(comparison.levels)
        bits = _falling(np.maximum(m[k, 1 : n + 1], _LEAST), np.maximum(u[k, 1 : n + 1], _LEAST))
        agrees = np.array([v.agrees for v in comparison.levels])
        weights[k, 1 : n + 1] = np.where(agrees, np.maximum(bits, 0.0), np.minimum(bits, 0.0))
    return np.round(weights, 4)


def _falling(m: Floats, u: Floats) -> Floats:
    """log2(m/u) of levels; neighbours of which the worse would weigh more are taken together (pool adjacent violators,
    Ayer et al. 1955).
    """
    pools: list[tuple[float, float, int]] = []
    for own_m, own_u in zip(m.tolist(), u.tolist(), strict=True):
        pool = (own_m, own_u, 1)
        while pools and pool[0] * pools[-1][1] > pools[-1][0] * pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    return np.repeat(np.log2([a / b for a, b, _ in pools]), [size for _, _, size in pools])
