"""A file as a department's words: typed, checked, numbered and fingerprinted, batch after batch; every row told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from gis.exchange import columns
from gis.exchange.column_names import normal
from gis.exchange.columns import Matching, Typed
from gis.exchange.converted import mask_of
from gis.exchange.delivery.account import Mode
from gis.exchange.delivery.checks import Checks, returned
from gis.exchange.delivery.pseudonym import digests, person_fids
from gis.exchange.delivery.references import code_fids
from gis.exchange.notes import Notes
from gis.exchange.readers.source import Batch, Findings, Source
from gis.exchange.registers import Deliverable
from gis.exchange.values import convert
from gis.store import copy
from gis.text import Text

Ints = NDArray[np.int64]

_OPERATION = ("操作", "操作类型", "变更类型", "数据操作", "op", "operation")
_TASK = ("退回编号", "task")
_SAYS = ("新增", "增加", "变更", "修改", "更新", "insert", "add", "update", "upsert", "i", "a", "u", "m")
_ENDS = ("删除", "注销", "撤销", "delete", "remove", "d")
#: What the readers of values call it, and what a returned row is told.
_REASONS = {
    "missing-required": "missing", "excel-damaged": "excel_damaged", "unknown-code": "unknown_value",
    "bad-date": "bad_date", "bad-valid-time": "bad_date", "bad-instant": "bad_date",
}  # fmt: skip
_NO_OPERATION = Text("操作应为 新增、变更 或 删除", "the operation is insert, update or delete")


@dataclass(frozen=True, slots=True)
class Words:
    """Some rows as they are said: all parts have the same length.

    `content` holds the claim's columns in order; `texts` the direct identifiers as written, by name, the key first
    (empty for registers without any). `ends` rows say that the entity is no more; their digest is 0.
    """

    rows: Ints
    fids: Ints
    ends: NDArray[np.bool_]
    digests: Ints
    facts: Ints
    valid_from: pa.Array
    valid_to: pa.Array
    content: tuple[pa.Array, ...]
    texts: Mapping[str, pa.Array]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def take(self, keep: NDArray[np.bool_]) -> "Words":
        """The rows for which `keep` is true."""
        if keep.all():
            return self
        mask = pa.array(keep)
        return Words(
            self.rows[keep], self.fids[keep], self.ends[keep], self.digests[keep], self.facts[keep],
            self.valid_from.filter(mask), self.valid_to.filter(mask), tuple(c.filter(mask) for c in self.content),
            {name: column.filter(mask) for name, column in self.texts.items()},
        )  # fmt: skip


class Seen:
    """Which entities a file has told of so far, and in which rows: sorted runs, of which similar ones are joined."""

    def __init__(self) -> None:
        self._runs: list[tuple[Ints, Ints]] = []

    def first(self, fids: Ints, rows: Ints) -> Ints:
        """For each row 0 where it is the first of its entity, else the row that is; the first ones are remembered."""
        own, first, inverse = np.unique(fids, return_index=True, return_inverse=True)
        earlier = np.zeros(len(own), np.int64)
        for numbers, where in self._runs:
            at = np.minimum(np.searchsorted(numbers, own), len(numbers) - 1)
            known = numbers[at] == own
            earlier[known] = where[at[known]]
        fresh = earlier == 0
        original = np.where(fresh, rows[first], earlier)[inverse]
        is_first = np.zeros(len(fids), bool)
        is_first[first[fresh]] = True
        self._remember(own[fresh], rows[first][fresh])
        return np.where(is_first, 0, original)

    def _remember(self, numbers: Ints, rows: Ints) -> None:
        while self._runs and len(self._runs[-1][0]) <= 2 * len(numbers):
            last, where = self._runs.pop()
            both = np.concatenate([last, numbers])
            order = np.argsort(both, kind="stable")
            numbers, rows = both[order], np.concatenate([where, rows])[order]
        if len(numbers):
            self._runs.append((numbers, rows))


@dataclass(slots=True)
class Reading:
    """One reading of a file. Refused rows are in the source's findings; what else is to be known of them is here.

    `silent` holds, by row, the numbers of entities whose rows were refused; `refused_facts` the filled items of refused
    rows; `answered` the tasks that rows say they answer.
    """

    deliverable: Deliverable
    source: Source
    checks: Checks
    overrides: Mapping[str, str]
    mode: Mode = "auto"
    notes: Notes = field(default_factory=Notes)
    silent: dict[int, int] = field(default_factory=dict)
    refused_facts: dict[int, int] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)
    read_rows: int = 0
    _seen: Seen = field(default_factory=Seen)

    def words(self) -> Iterator[Words]:
        """All rows that can be taken. Raises BadInput where the file does not fit the register at all."""
        self.source.findings.keep = 1 << 62
        batches = copy.ahead(self.source.batches())
        first = next(batches, None)
        operation = _named(first.table.column_names, _OPERATION) if first is not None else None
        if self.mode == "auto":
            self.mode = "incremental" if operation else "full"
        if first is None:
            return
        matching = columns.match(
            first.table.column_names, self.deliverable.intake, first.table, overrides=self.overrides
        )
        self.source.findings.decisions += matching.decisions
        task = _named(first.table.column_names, _TASK)
        for batch in chain([first], batches):
            self.read_rows += len(batch)
            yield from self._batch(batch, matching, operation, task)

    def _batch(self, batch: Batch, matching: Matching, operation: str | None, task: str | None) -> Iterator[Words]:
        tasks = _whole_numbers(batch.table.column(task)) if task else None
        before = len(self.source.findings.rejects)
        ends = self._operations(batch, operation)
        parts = [(batch.take(ends == 0), matching, False), (batch.take(ends == 1), _key_only(matching), True)]
        for part, own, is_end in parts:
            if len(part):
                typed = convert(part, own, self.source.findings, self.notes, strict=True)
                if len(typed):
                    yield self._said(typed, ends=is_end)
        refused = np.array([r.row for r in self.source.findings.rejects[before:]], np.int64)
        self._remember_refused(batch.take(np.isin(batch.rows, refused)), matching)
        if tasks is not None:
            self.answered |= {int(r): int(t) for r, t in zip(batch.rows, tasks, strict=True) if t}

    def _remember_refused(self, batch: Batch, matching: Matching) -> None:
        """How much refused rows say, and of whom, where that can be read: they are no word, but no silence either."""
        if not len(batch):
            return
        filled = _filled(batch, matching, self.deliverable)
        self.refused_facts |= dict(zip(batch.rows.tolist(), filled.tolist(), strict=True))
        typed = convert(batch, _key_only(matching), Findings(), Notes(), strict=True)
        fids = self._fids(self.checks.run(typed.table))
        for fault in self.checks.faults:
            if fault.item == self.deliverable.key:
                fids[fault.where] = 0
        known = fids != 0
        self.silent |= dict(zip(typed.batch.rows[known].tolist(), fids[known].tolist(), strict=True))

    def _operations(self, batch: Batch, column: str | None) -> NDArray[np.int8]:
        """What each row wants: 0 to say something, 1 to end the entity, -1 nobody knows."""
        if column is None:
            return np.zeros(len(batch), np.int8)
        texts = pc.utf8_lower(pc.utf8_trim_whitespace(batch.table.column(column).combine_chunks().cast(pa.string())))
        texts = pc.fill_null(texts, "")
        ends = mask_of(pc.is_in(texts, value_set=pa.array(_ENDS)))
        says = mask_of(pc.is_in(texts, value_set=pa.array((*_SAYS, ""))))
        for i in np.flatnonzero(~ends & ~says):
            self.source.findings.reject(batch.rows[i], "form", _NO_OPERATION, texts[int(i)].as_py())
        return np.where(ends, 1, np.where(says, 0, -1)).astype(np.int8)

    def _said(self, typed: Typed, *, ends: bool) -> Words:
        """The rows that pass the checks, numbered, each entity once."""
        table, rows = self.checks.run(typed.table), typed.batch.rows
        faults = [f for f in self.checks.faults if not ends or f.item == self.deliverable.key]
        keep = np.ones(len(rows), bool)
        for fault, where in returned(faults):
            keep[where] = False
            column = typed.table.column(fault.item)
            for i in where.tolist():
                text = fault.text if isinstance(fault.text, Text) else fault.text(i)
                title = self.deliverable.intake.field(fault.item).title
                said = Text(f"{title.zh}:{text.zh}", f"{title.en}: {text.en}")
                self.source.findings.reject(rows[i], fault.reason, said, column[i].as_py(), fault.item)
        for note in self.checks.notes:
            at = np.flatnonzero(note.where & keep)
            values = ["…"] * len(at) if self._is_personal(note.item) else typed.table.column(note.item).take(
                pa.array(at)).to_pylist()  # fmt: skip
            self.notes.add(note.item, note.reason, note.text, rows[at].tolist(), values)
        fids = self._fids(table)
        keep &= self._once(rows, fids, keep)
        return self._word(typed, table, fids, ends=ends).take(keep)

    def _is_personal(self, item: str) -> bool:
        return item in {f.name for f in self.deliverable.identifiers} or self.deliverable.item(item).check == "person"

    def _fids(self, table: pa.Table) -> Ints:
        key = table.column(self.deliverable.key).combine_chunks()
        return person_fids(key, self.checks.secret) if self.deliverable.identifiers else code_fids(key)

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

    def _word(self, typed: Typed, table: pa.Table, fids: Ints, *, ends: bool) -> Words:
        identifiers = self.deliverable.identifiers
        texts = {f.name: table.column(f.name).combine_chunks() for f in identifiers}
        hidden = [digests(fids, texts[f.name], self.checks.secret) for f in identifiers[1:]]
        plain = [table.column(f.name).combine_chunks() for f in self.deliverable.collection.fields]
        content = (*hidden, *plain)
        n = len(fids)
        if ends:
            return Words(
                typed.batch.rows, fids, np.ones(n, bool), np.zeros(n, np.int64), np.ones(n, np.int64),
                typed.valid_from, typed.valid_to, tuple(pa.nulls(n, c.type) for c in content), texts,
            )  # fmt: skip
        facts = np.full(n, 1 if identifiers else 0, np.int64)
        for column in content:
            facts += mask_of(pc.is_valid(column))
        encoded = copy.encode([copy.arrow(c) for c in (typed.valid_from, typed.valid_to, *content)], n)
        found = np.fromiter(map(xxhash.xxh3_64_intdigest, encoded.to_pylist()), np.uint64, n).view(np.int64)
        return Words(
            typed.batch.rows, fids, np.zeros(n, bool), np.where(found == 0, 1, found), facts,
            typed.valid_from, typed.valid_to, content, texts,
        )  # fmt: skip


def reason_of(name: str) -> str:
    """The code by which a returned row is told what a reader or a check found."""
    return _REASONS.get(name, name if "-" not in name else "form")


def _named(names: list[str], known: tuple[str, ...]) -> str | None:
    """The first column that is one of the known names."""
    wanted = {normal(k) for k in known}
    return next((name for name in names if normal(name) in wanted), None)


def _key_only(matching: Matching) -> Matching:
    """The same with nothing required but the key: who ends need say no more."""
    collection = matching.collection
    fields = tuple(replace(f, required=f.name in collection.key) for f in collection.fields)
    kept = {name: match for name, match in matching.matches.items() if name in collection.key}
    return replace(matching, collection=replace(collection, fields=fields), matches=kept)


def _whole_numbers(column: pa.ChunkedArray) -> list[int]:
    texts = [str(v).strip() if v is not None else "" for v in column.to_pylist()]
    return [int(float(t)) if t.replace(".0", "").isdigit() and len(t) < 18 else 0 for t in texts]


def _filled(batch: Batch, matching: Matching, deliverable: Deliverable) -> Ints:
    """How many items each row fills in, as written."""
    items: dict[str, NDArray[np.bool_]] = {}
    words = {i.written.name: name for name, i in deliverable.items.items() if i.written is not None}
    for name, match in matching.matches.items():
        column = batch.table.column(match.column)
        given = mask_of(pc.is_valid(column.combine_chunks()))
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            given = given & mask_of(pc.not_equal(pc.utf8_trim_whitespace(column.combine_chunks()), ""))
        item = words.get(name, name)
        items[item] = items[item] | given if item in items else given
    found: Ints = np.sum([*items.values(), np.zeros(len(batch), bool)], axis=0).astype(np.int64)
    return found
