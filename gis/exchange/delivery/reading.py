"""A file as a department's words: typed, checked, numbered and fingerprinted, batch after batch; every row told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from gis.exchange import columns
from gis.exchange.columns import Matching, Typed
from gis.exchange.converted import mask_of
from gis.exchange.delivery import pseudonym
from gis.exchange.delivery.account import Mode
from gis.exchange.delivery.checks import Checks, returned
from gis.exchange.delivery.operations import OPERATION, TASK, answered, named, operations
from gis.exchange.delivery.recall import Recall, together
from gis.exchange.delivery.refused import Refused, key_fids, key_only, written_keys
from gis.exchange.delivery.remembered import Memories, Remembered
from gis.exchange.delivery.words import Ints, Seen, Words, among, places
from gis.exchange.notes import Notes
from gis.exchange.readers.confined import ConfinedSource
from gis.exchange.readers.csv import CsvSource
from gis.exchange.readers.source import Batch, Source
from gis.exchange.registers import Deliverable
from gis.exchange.values import convert
from gis.store import copy
from gis.text import Text

Repeats = Callable[[Ints, Ints, Ints, Ints], NDArray[np.bool_]]

#: What the readers of values call it, and what a returned row is told.
_REASONS = {
    "missing-required": "missing", "excel-damaged": "excel_damaged", "unknown-code": "unknown_value",
    "bad-date": "bad_date", "bad-valid-time": "bad_date", "bad-instant": "bad_date",
    "ragged": "form",
}  # fmt: skip
_NOBODY: Ints = np.empty(0, np.int64)
ERASED = Text(
    "该人员的个人信息已依法删除,不得再次报送;请从贵部门的数据中同步删除,或凭新的法律依据向数据中心申请",
    "this person's data were erased by law and are not taken again; erase them too, or apply to the data centre on a"
    " new legal basis",
)


@dataclass(slots=True)
class Reading:
    """One reading of a file. Refused rows are in the source's findings; what else is to be known of them is here.

    `refused` tells of whom refused rows may be; `answered` holds the tasks that rows say they answer; `held_back` the
    refused rows that keep an entity from its end. `repeats` is asked of
    rows, their entities, digests and facts which of them only repeat what the department had said: those were checked
    then, and are no words again. `erased` are those whom the city was told to forget, ascending: their rows are
    returned.
    `memories` tell what rows were read as whose text stands as it stood in an earlier file.
    """

    deliverable: Deliverable
    source: Source
    checks: Checks
    overrides: Mapping[str, str]
    repeats: Repeats = lambda rows, fids, digests, facts: np.zeros(len(fids), bool)
    mode: Mode = "auto"
    erased: Ints = field(default_factory=lambda: _NOBODY)
    memories: Memories | None = None
    notes: Notes = field(default_factory=Notes)
    refused: Refused = field(init=False)
    answered: dict[int, int] = field(default_factory=dict)
    held_back: set[int] = field(default_factory=set)
    read_rows: int = 0
    _seen: Seen = field(default_factory=Seen)
    _recall: Recall | None = None

    def __post_init__(self) -> None:
        self.refused = Refused(self.deliverable, self.checks)

    def words(self) -> Iterator[Words]:
        """All rows that can be taken. Raises BadInput where the file does not fit the register at all."""
        self.source.findings.keep = 1 << 62
        batches = self.source.batches()
        first = next(batches, None)
        operation = named(first.table.column_names, OPERATION) if first is not None else None
        if self.mode == "auto":
            self.mode = "incremental" if operation else "full"
        if first is None:
            return
        names = first.table.column_names
        matching = columns.match(names, self.deliverable.intake, first.table, overrides=self.overrides)
        task = named(names, TASK)
        if self.memories is not None:
            self._recall = Recall(self.memories.of(_layout(self.deliverable, names, matching)), self._seed)
        batches = copy.ahead(self._begun(first, batches, task))
        for number, batch in enumerate(batches):
            if not number:
                self.source.findings.decisions += matching.decisions
            self.read_rows += len(batch) if batch.skimmed is None else len(batch.skimmed.rows)
            yield from self._batch(batch, matching, operation, task)
        self.refused.settle(matching, whole=self.mode == "full")

    def _begun(self, first: Batch, batches: Iterator[Batch], task: str | None) -> Iterator[Batch]:
        """The batches whose first one was drawn; from the beginning where known lines need not be read at all."""
        # who answers tasks is told of in every row, so that all have to be read
        if self._recall is None or task is not None or not isinstance(self.source, CsvSource | ConfinedSource):
            return chain([first], batches)
        self.source.skim = self._recall.skim
        return self.source.batches()

    def remember(self) -> None:
        """Keep what the rows of a whole file were read as, for the next one."""
        if self._recall is not None and self.mode == "full":
            self._recall.memory.keep()

    def _batch(self, batch: Batch, matching: Matching, operation: str | None, task: str | None) -> Iterator[Words]:
        self.answered |= answered(batch, task)
        before = len(self.source.findings.rejects)
        batch = self._without_known(batch, matching)
        ends = operations(batch, operation, self.source.findings)
        parts = [(batch.take(ends == 0), matching, False), (batch.take(ends == 1), key_only(matching), True)]
        for part, own, is_end in parts:
            if len(part):
                typed = convert(part, own, self.source.findings, self.notes, strict=True)
                if len(typed):
                    yield self._said(typed, ends=is_end)
        rejects = self.source.findings.rejects[before:]
        refused = np.array([r.row for r in rejects], np.int64)
        twice = np.array([r.row for r in rejects if r.reason == "duplicate"], np.int64)
        self.refused.add(batch.take(np.isin(batch.rows, refused)), matching, twice, whole=self.mode == "full")

    def _without_known(self, batch: Batch, matching: Matching) -> Batch:
        """The rows that have to be read: without those whose text is known, and which only repeat what was said.

        Another row about the same entity, here or before, makes a row one to be read.
        """
        if self._recall is None:
            return batch
        left, skimmed = self._recall.of(batch)
        known = np.flatnonzero(skimmed.at >= 0) if skimmed is not None else _NOBODY
        if skimmed is None or not len(known):
            return left
        told = self._recall.memory.told(skimmed.at[known])
        # in the order of entities: they are looked for among many others several times
        order = np.argsort(told.fids)
        known, told = known[order], told.take(order)
        rows = skimmed.rows[known]
        left_fids = written_keys(left, matching, self.deliverable, self.checks)
        sole = ~(self._seen.again(told.fids) | among(told.fids, left_fids))
        done = np.flatnonzero(sole)
        once = told.take(sole)
        done = done[self.repeats(rows[sole], once.fids, once.digests, once.facts)]
        again = np.zeros(len(known), bool)
        again[done] = True
        self._seen.add(told.fids[again], rows[again])
        self._recall.keep(rows[again], told.take(again))
        to_read = np.zeros(len(skimmed.rows), bool)
        to_read[known[~again]] = True
        return together(left, skimmed.read(to_read)) if to_read.any() else left

    def _said(self, typed: Typed, *, ends: bool) -> Words:
        """The rows that say something new and pass the checks, numbered, each entity once."""
        typed = _from_then_on(typed) if ends else typed
        keys = self.checks.run(typed.table.select([self.deliverable.key]))
        ids = self.checks.persons
        keep = self._refuse(typed, np.ones(len(typed), bool))
        fids = key_fids(keys, self.deliverable, self.checks)
        keep &= self._not_erased(typed, fids)
        digests = _end_digests(typed) if ends else self._digests(typed)
        facts = np.ones(len(typed), np.int64) if ends else self._facts(typed.table)
        sole = np.flatnonzero(keep & ~self._seen.again(np.where(keep, fids, 0)))
        done = sole[self.repeats(typed.batch.rows[sole], fids[sole], digests[sole], facts[sole])]
        self._seen.add(fids[done], typed.batch.rows[done])
        if self._recall is not None:
            self._recall.remember(typed.batch.rows[done], Remembered(fids[done], digests[done], facts[done]))
        keep[done] = False
        typed, fids, digests, facts = _only(typed, keep), fids[keep], digests[keep], facts[keep]
        table = self.checks.run(typed.table, ids.take(keep) if ids is not None else None)
        keep = self._refuse(typed, np.ones(len(typed), bool), key_only=ends)
        self._note(typed, keep)
        keep &= self._once(typed.batch.rows, fids, keep)
        if self._recall is not None:
            self._recall.remember(typed.batch.rows[keep], Remembered(fids[keep], digests[keep], facts[keep]))
        return self._word(typed, table, (fids, digests, facts), ends=ends).take(keep)

    def _refuse(self, typed: Typed, keep: NDArray[np.bool_], *, key_only: bool = False) -> NDArray[np.bool_]:
        """List the rows in which the checks found a fault; returns those that are left."""
        faults = [f for f in self.checks.faults if not key_only or f.item == self.deliverable.key]
        for fault, where in returned(faults):
            keep[where] = False
            column = typed.table.column(fault.item)
            for i in where.tolist():
                text = fault.text if isinstance(fault.text, Text) else fault.text(i)
                title = self.deliverable.intake.field(fault.item).title
                said = Text(f"{title.zh}:{text.zh}", f"{title.en}: {text.en}")
                self.source.findings.reject(typed.batch.rows[i], fault.reason, said, column[i].as_py(), fault.item)
        return keep

    def _not_erased(self, typed: Typed, fids: Ints) -> NDArray[np.bool_]:
        """Which rows are about nobody who is to be forgotten; the others are listed."""
        known, where = places(self.erased, fids)
        del known
        for row in typed.batch.rows[where].tolist():
            self.source.findings.reject(row, "erased", ERASED, "", self.deliverable.key)
        return ~where

    def _note(self, typed: Typed, keep: NDArray[np.bool_]) -> None:
        for note in self.checks.notes:
            at = np.flatnonzero(note.where & keep)
            values = ["…"] * len(at) if self._is_personal(note.item) else typed.table.column(note.item).take(
                pa.array(at)).to_pylist()  # fmt: skip
            self.notes.add(note.item, note.reason, note.text, typed.batch.rows[at].tolist(), values)

    def _digests(self, typed: Typed) -> Ints:
        """Fingerprints of what rows say, seeded with the city's key; odd, since even ones stand for ends."""
        columns = [typed.valid_from, typed.valid_to, *(c.combine_chunks() for c in typed.table.columns)]
        encoded = copy.encode([copy.arrow(c) for c in columns], len(typed)).to_pylist()
        hashed = map(partial(xxhash.xxh3_64_intdigest, seed=self._seed), encoded)
        return np.fromiter(hashed, np.uint64, len(encoded)).view(np.int64) | 1

    @property
    def _seed(self) -> int:
        return int.from_bytes(self.checks.secret[:8], "big")

    def _facts(self, table: pa.Table) -> Ints:
        """How many items each row fills in."""
        written = {i.written.name: name for name, i in self.deliverable.items.items() if i.written is not None}
        given = {name: mask_of(pc.is_valid(table.column(name).combine_chunks())) for name in table.column_names}
        for name, item in written.items():
            given[item] = given[item] | given.pop(name)
        found: Ints = np.sum(list(given.values()), axis=0).astype(np.int64)
        return found

    def _is_personal(self, item: str) -> bool:
        return item in {f.name for f in self.deliverable.identifiers} or self.deliverable.item(item).check == "person"

    def _once(self, rows: Ints, fids: Ints, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows are the first of their entity in this file; the others are refused."""
        at = np.flatnonzero(keep)
        kept = self._seen.first(fids[at], rows[at])
        fresh = np.zeros(len(rows), bool)
        fresh[at[kept == 0]] = True
        for i, original in zip(at[kept > 0].tolist(), kept[kept > 0].tolist(), strict=True):
            text = Text(
                f"与第 {original} 行为同一对象,保留第 {original} 行",
                f"the same entity as row {original}, which was kept",
            )
            self.source.findings.reject(rows[i], "duplicate", text, "", self.deliverable.key)
        return fresh

    def _word(self, typed: Typed, table: pa.Table, known: tuple[Ints, Ints, Ints], *, ends: bool) -> Words:
        fids, digests, facts = known
        identifiers = self.deliverable.identifiers
        texts = {f.name: table.column(f.name).combine_chunks() for f in identifiers}
        hidden = [pseudonym.digests(fids, texts[f.name], self.checks.secret) for f in identifiers[1:]]
        content = (*hidden, *(table.column(f.name).combine_chunks() for f in self.deliverable.collection.fields))
        if ends:
            content = tuple(pa.nulls(len(fids), c.type) for c in content)
        return Words(
            typed.batch.rows, fids, np.full(len(fids), ends), digests, facts,
            typed.valid_from, typed.valid_to, content, texts,
        )  # fmt: skip


def _only(typed: Typed, keep: NDArray[np.bool_]) -> Typed:
    """The rows for which `keep` is true; of what was read of them only what it was typed as."""
    if keep.all():
        return typed
    mask = pa.array(keep)
    table = typed.table.filter(mask)
    batch = Batch(typed.batch.rows[keep], table)
    return Typed(batch, table, typed.valid_from.filter(mask), typed.valid_to.filter(mask), typed.notes)


def _from_then_on(typed: Typed) -> Typed:
    """Ends hold from their date on, under whichever of the two columns it was written."""
    since = pc.coalesce(typed.valid_from, typed.valid_to)
    return replace(typed, valid_from=since, valid_to=pa.nulls(len(typed), since.type))


def _end_digests(typed: Typed) -> Ints:
    """Fingerprints of ends: even, 0 for those without a date."""
    days_us = pc.fill_null(typed.valid_from.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return np.where(mask_of(pc.is_valid(typed.valid_from)), (days_us << 2) | 2, 0)


def reason_of(name: str) -> str:
    """The code by which a returned row is told what a reader or a check found."""
    return _REASONS.get(name, name if "-" not in name else "form")


def _layout(deliverable: Deliverable, names: list[str], matching: Matching) -> str:
    """All that the meaning of a row depends on beside its text."""
    matched = {name: (m.column, m.factor) for name, m in matching.matches.items()}
    times = matching.valid_from, matching.valid_to
    return repr((names, matched, times, deliverable.intake.fields, dict(deliverable.items)))
