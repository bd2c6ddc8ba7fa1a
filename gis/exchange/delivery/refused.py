"""Rows of a file that were refused: they are no word, but no silence either on those whom they may be about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.exchange.columns import Matching
from gis.exchange.converted import mask_of
from gis.exchange.delivery.checks import Checks
from gis.exchange.delivery.pseudonym import person_fids
from gis.exchange.delivery.references import code_fids
from gis.exchange.delivery.traces import MOST_ROWS, Traces, row_traces
from gis.exchange.delivery.words import Ints
from gis.exchange.notes import Notes
from gis.exchange.readers.source import Batch, Findings
from gis.exchange.registers import Deliverable
from gis.exchange.values import convert

#: So many rows are looked into at once: a few of each batch would cost as much as many.
_MANY = 65_536


@dataclass(slots=True)
class Refused:
    """What is to be known of a file's refused rows; complete once `settle` was called.

    `silent` holds, by row, the numbers of entities that they are about, where that can be read; `facts` how many items
    they fill in; `traces`, for a whole file, what those without a sound identifier tell of whom they are about.
    """

    deliverable: Deliverable
    checks: Checks
    silent: dict[int, int] = field(default_factory=dict)
    facts: dict[int, int] = field(default_factory=dict)
    traces: Traces = field(default_factory=Traces)
    _waiting: list[Batch] = field(default_factory=list)
    _twice: list[Ints] = field(default_factory=list)
    _doubtful_rows: int = 0

    def add(self, batch: Batch, matching: Matching, twice: Ints, *, whole: bool) -> None:
        """Rows of a file, a `whole` one or not; `twice` are the numbers of those about entities told of before."""
        if not len(batch):
            return
        if self._waiting and self._waiting[0].table.schema != batch.table.schema:
            self.settle(matching, whole=whole)
        self._waiting.append(batch)
        self._twice.append(twice)
        if sum(map(len, self._waiting)) >= _MANY:
            self.settle(matching, whole=whole)

    def settle(self, matching: Matching, *, whole: bool) -> None:
        """Look into the rows that were not looked into yet."""
        if not self._waiting:
            return
        table = pa.concat_tables([batch.table for batch in self._waiting]).combine_chunks()
        batch = Batch(np.concatenate([batch.rows for batch in self._waiting]), table)
        twice = np.concatenate(self._twice)
        self._waiting, self._twice = [], []
        filled = _filled(batch, matching, self.deliverable)
        self.facts |= dict(zip(batch.rows.tolist(), filled.tolist(), strict=True))
        fids = written_keys(batch, matching, self.deliverable, self.checks)
        known = fids != 0
        self.silent |= dict(zip(batch.rows[known].tolist(), fids[known].tolist(), strict=True))
        doubtful = ~known | np.isin(batch.rows, twice)
        doubtful &= np.cumsum(doubtful) <= MOST_ROWS - self._doubtful_rows
        if whole and doubtful.any():
            self._doubtful_rows += int(doubtful.sum())
            self.traces += row_traces(batch.take(doubtful), matching, self.checks, ~known[doubtful])


def key_only(matching: Matching) -> Matching:
    """The same with nothing required but the key: who ends need say no more."""
    collection = matching.collection
    fields = tuple(replace(f, required=f.name in collection.key) for f in collection.fields)
    kept = {name: match for name, match in matching.matches.items() if name in collection.key}
    return replace(matching, collection=replace(collection, fields=fields), matches=kept)


def key_fids(table: pa.Table, deliverable: Deliverable, checks: Checks) -> Ints:
    """The numbers of entities by their keys."""
    key = table.column(deliverable.key).combine_chunks()
    return person_fids(key, checks.secret) if deliverable.identifiers else code_fids(key)


def written_keys(batch: Batch, matching: Matching, deliverable: Deliverable, checks: Checks) -> Ints:
    """Whom rows are about, as far as that can be read; 0 elsewhere."""
    found = np.zeros(len(batch), np.int64)
    if not len(batch):
        return found
    keys = replace(key_only(matching), valid_from=None, valid_to=None)
    typed = convert(batch, keys, Findings(), Notes(), strict=True)
    if len(typed):
        fids = key_fids(checks.run(typed.table.select([deliverable.key])), deliverable, checks)
        for fault in checks.faults:
            fids[fault.where] = 0
        found[np.isin(batch.rows, typed.batch.rows)] = fids
    return found


def _filled(batch: Batch, matching: Matching, deliverable: Deliverable) -> Ints:
    """How many items each row fills in, as written."""
    items: dict[str, NDArray[np.bool_]] = {}
    words: Mapping[str, str] = {i.written.name: name for name, i in deliverable.items.items() if i.written is not None}
    for name, match in matching.matches.items():
        column = batch.table.column(match.column)
        given = mask_of(pc.is_valid(column.combine_chunks()))
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            given = given & mask_of(pc.not_equal(pc.utf8_trim_whitespace(column.combine_chunks()), ""))
        item = words.get(name, name)
        items[item] = items[item] | given if item in items else given
    found: Ints = np.sum([*items.values(), np.zeros(len(batch), bool)], axis=0).astype(np.int64)
    return found
