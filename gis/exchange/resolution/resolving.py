"""Rows against a register: candidates by blocks, compared, weighed, decided; stretch by stretch, in bounded memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.access import OWNER, Identity
from gis.catalog import Catalogue
from gis.exchange.directory.registers import known_deliverable
from gis.exchange.resolution.asked import asked
from gis.exchange.resolution.blocking import Blocks
from gis.exchange.resolution.decision import Candidates, Thresholds, decide, one_to_one, weighed
from gis.exchange.resolution.model import Chance, Floats, Levels, Model
from gis.exchange.resolution.preparation import sides_of
from gis.exchange.resolution.register import Source
from gis.exchange.resolution.resolution import Resolution
from gis.exchange.resolution.sides import Sides
from gis.store.database import Database

Ints = NDArray[np.int64]
Progress = Callable[[int, int], None]

_STRETCH_ROWS = 2048
_LEARNT_ROWS = 10_000
_CHANCE_PAIRS = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOptions:
    """`columns` ({field: column}) go before what the names of columns say. `one_to_one`: no two rows are the same one.

    A `model` learnt before is used as it is; without one it is learnt from the rows. `at` is the moment at which the
    register is valid (default: now). `identity` is who asks.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    one_to_one: bool = False
    model: Model | None = None
    at: datetime | None = None
    identity: Identity = OWNER


def resolve(
    database: Database,
    catalogue: Catalogue,
    register: str,
    table: pa.Table,
    options: ResolveOptions | None = None,
    progress: Progress | None = None,
) -> Resolution:
    """Find whom each row of `table` is about among `register` (base.persons or base.entities).

    Columns are recognised by their names as those of deliveries are. Nothing is written. Raises Forbidden unless the
    identity may see personal data, UnknownName, BadInput.
    """
    options = options or ResolveOptions()
    source = Source(database, catalogue, options.identity, options.at)
    source.allow()
    known_deliverable(database, register)
    rows = asked(register, table, options.columns)
    sides = sides_of(register, source, rows)
    return replace(resolved(register, sides, options, progress), decisions=rows.decisions)


def resolved(register: str, sides: Sides, options: ResolveOptions, progress: Progress | None = None) -> Resolution:
    """The same, for sides that are already in memory."""
    blocks = Blocks.of(sides.probes(), len(sides.register))
    model = options.model or learnt(sides, blocks)
    rows = len(sides.asked)
    parts: list[Candidates] = []
    common = np.zeros(rows, dtype=np.bool_)
    for start in range(0, rows, _STRETCH_ROWS):
        stop = min(start + _STRETCH_ROWS, rows)
        row, other, common[start:stop] = blocks.candidates(start, stop)
        levels, extra = _compared(sides, row, other, model)
        part = weighed(row - start, sides.fid[other], levels, extra, model)
        parts.append(replace(part, row=part.row + start))
        if progress:
            progress(stop, rows)
    found = Candidates.joined(parts or [_nothing(model)])
    if options.one_to_one:
        found, decided = one_to_one(found, rows, common, model, options.thresholds)
    else:
        decided = decide(found, rows, common, model, options.thresholds)
    return Resolution(register, model, found, decided)


def learnt(sides: Sides, blocks: Blocks) -> Model:
    """The model that the register and these rows teach; of many rows, a share chosen by what they say."""
    chance = Chance(_by_chance(sides), sides.register.coincidence())
    model = Model.declared(sides.comparisons, sides.overlaps, len(np.unique(sides.fid)), chance)
    chosen = np.sort(np.argsort(sides.asked.content(), kind="stable")[:_LEARNT_ROWS])
    row, other = _candidates_of(blocks, chosen)
    levels, extra = _compared(sides, row, other, model)
    order = np.lexsort((-(model.each(levels).sum(axis=1) + extra), sides.fid[other], row))
    row, fid = row[order], sides.fid[other][order]
    first = np.r_[True, (row[1:] != row[:-1]) | (fid[1:] != fid[:-1])][: len(row)]
    return model.learnt(row[first], levels[order][first], extra[order][first], len(chosen))


def _candidates_of(blocks: Blocks, chosen: Ints) -> tuple[Ints, Ints]:
    """The pairs of some rows, numbered from 0."""
    rows, others = [], []
    for low in range(0, len(chosen), _STRETCH_ROWS):
        part = chosen[low : low + _STRETCH_ROWS]
        for start, stop in _runs(part):
            row, other, _ = blocks.candidates(start, stop)
            rows.append(np.searchsorted(chosen, row))
            others.append(other)
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *rows]), np.concatenate([none, *others])


def _runs(rows: Ints) -> list[tuple[int, int]]:
    """Stretches of rows that follow one another."""
    ends = np.flatnonzero(np.diff(rows) > 1)
    return list(zip(rows[np.r_[0, ends + 1]].tolist(), (rows[np.r_[ends, len(rows) - 1]] + 1).tolist(), strict=True))


def _compared(sides: Sides, row: Ints, other: Ints, model: Model) -> tuple[Levels, Floats]:
    """Levels of pairs, and bits beyond them: those of a common name never make it worse than one that is alike."""
    levels = sides.asked.compare(row, sides.register, other)
    rare = sides.register.rarity(other, levels)
    k = [c.name for c in model.comparisons].index("name")
    return levels, np.maximum(rare, model.weights[k, 2] - model.weights[k, 1])


def _by_chance(sides: Sides) -> dict[str, list[int]]:
    """How often each level is seen between random rows of the register; always the same ones."""
    size = len(sides.register)
    if size < 2:
        return {}
    rng = np.random.default_rng(0)
    pairs = min(_CHANCE_PAIRS, size * size)
    a, b = rng.integers(0, size, pairs), rng.integers(0, size, pairs)
    apart = sides.fid[a] != sides.fid[b]
    levels = sides.register.compare(a[apart], sides.register, b[apart])
    return {
        c.name: np.bincount(levels[:, k], minlength=len(c.levels) + 1)[1:].tolist()
        for k, c in enumerate(sides.comparisons)
        if k > 0
    }


def _nothing(model: Model) -> Candidates:
    none, reals = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Candidates(none, none, np.zeros((0, len(model.comparisons)), dtype=np.int8), reals, reals, reals)
