"""Whom a row is about that was returned for its identifier: it is no word, but the one it means is not missing.

A full delivery ends what it lacks. Where an identifier is mistyped, damaged, missing, or given to two rows, the file
seems to lack the one whom the row means. So an end is held back while a returned row of the same file is evidently
about the same one, which is: as the department said it before,

- the identifier is one slip away: one character wrong, missing, too many or in the wrong place; or
- the name is the same, and so is one more item that tells one from another: the date of birth or of founding, a place
  (dwelling, site), a person (guardian, legal representative).

The delivery is then silent on it: it stands as it stood, and the row's task says that an end is held back. The next
full delivery answers the task, and ends what it lacks unless a row of its own is about it.

Both sides are told in traces: numbers for each way in which they could agree, under the city's key, so that no
identifier is kept and late deliveries can be compared later on. They agree where they have one in common.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from gis.codes.column import tidy_column
from gis.exchange.columns import Matching
from gis.exchange.delivery import identifiers, pseudonym
from gis.exchange.delivery.checks import Checks
from gis.exchange.delivery.claims import STAGE, Place
from gis.exchange.delivery.words import Ints, array_literal
from gis.exchange.notes import Notes
from gis.exchange.readers.source import Batch, Findings
from gis.exchange.registers import Deliverable
from gis.exchange.values import convert
from gis.text import Text

#: Checks of the items that tell one from another where the names are the same.
_TELLING = ("birth_date", "past_date", "reference", "person")
#: Shorter identifiers are neighbours too often.
_SHORTEST = 10
#: The first so many returned rows of a file leave traces: a file with more of them is damaged as a whole.
MOST_ROWS = 20_000
_PART = 20_000
_APART, _KEY = "\x1f", "\x1e"
_NONE: Ints = np.empty(0, np.int64)

HELD_BACK = Text(
    ";该行疑似本部门此前提供、而本次文件中缺失的对象,故未将其注销;请更正后重新报送,下次全量仍缺失时再行注销",
    "; it seems to be about one that the department delivered before and that this file lacks, which is therefore not"
    " ended; deliver it corrected: the next full delivery ends what it lacks",
)


@dataclass(frozen=True, slots=True)
class Traces:
    """Numbers and whose they are: each is a trace of the row or the entity that stands at its place in `owners`."""

    owners: Ints = field(default_factory=lambda: _NONE)
    numbers: Ints = field(default_factory=lambda: _NONE)

    @classmethod
    def of(cls, told: Iterable[tuple[int, str]], secret: bytes) -> "Traces":
        """The traces of those who are told of in these words."""
        held = list(told)
        owners = np.array([owner for owner, _ in held], np.int64)
        texts = pa.array([text for _, text in held], pa.string())
        numbers = pseudonym.digests(np.zeros(len(held), np.int64), texts, secret)
        return cls(owners, np.asarray(numbers).astype(np.int64))

    def __add__(self, other: "Traces") -> "Traces":
        """The traces of both."""
        return Traces(np.concatenate([self.owners, other.owners]), np.concatenate([self.numbers, other.numbers]))

    def sharing(self, numbers: Ints) -> "Traces":
        """Those that are among these numbers."""
        shared = np.isin(self.numbers, numbers)
        return Traces(self.owners[shared], self.numbers[shared])

    def by_owner(self) -> dict[int, str]:
        """The traces of each, ascending, as PostgreSQL reads an array."""
        order = np.lexsort((self.numbers, self.owners))
        owners, starts = np.unique(self.owners[order], return_index=True)
        parts = np.split(self.numbers[order], starts[1:])
        return {owner: array_literal(part) for owner, part in zip(owners.tolist(), parts, strict=False)}


def row_traces(batch: Batch, matching: Matching, checks: Checks, unreadable: NDArray[np.bool_]) -> Traces:
    """The traces of returned rows, by row; the identifier leaves one only where it is `unreadable`."""
    register = checks.deliverable
    names = (register.key, *_named(register))
    wanted = {*names, *(i.written.name for name, i in register.items.items() if i.written and name in names)}
    fields = tuple(replace(f, required=False) for f in matching.collection.fields)
    collection = replace(matching.collection, fields=fields, key=())
    matches = {name: found for name, found in matching.matches.items() if name in wanted}
    asked = replace(matching, collection=collection, matches=matches, valid_from=None, valid_to=None)
    typed = convert(batch, asked, Findings(), Notes())
    table = checks.run(typed.table.select([f.name for f in fields if f.name in wanted]))
    keys = tidy_column(batch.table.column(matching.matches[register.key].column)).to_pylist()
    values = [table.column(name).to_pylist() for name in names[1:]]
    told = (
        (row, word)
        for row, key, blind, *said in zip(batch.rows.tolist(), keys, unreadable.tolist(), *values, strict=True)
        for word in (*(_slips(key) if blind else ()), *_alike(names[1:], said))
    )
    return Traces.of(told, checks.secret)


@dataclass(frozen=True, slots=True)
class Meant:
    """Looks for entities that a delivery's returned rows are about; `numbers` are the traces of those rows.

    `taken_in` is the delivery whose words are being taken in, whose texts are in the staged rows alone as yet.
    """

    register: Deliverable
    secret: bytes
    numbers: Ints
    taken_in: int | None = None

    def among(self, conn: psycopg.Connection[Any], place: Place, fids: Ints) -> Traces:
        """What entities have in common with the rows, as the department spoke of them last before a delivery."""
        found = Traces()
        for start in range(0, len(fids) if len(self.numbers) else 0, _PART):
            rows = conn.execute(self._select(), {**place.args, "fids": fids[start : start + _PART].tolist()})
            names = _named(self.register)
            told = ((row[0], word) for row in rows for word in (*_slips(row[1]), *_alike(names, row[2:])))
            found += Traces.of(told, self.secret).sharing(self.numbers)
        return found

    def _select(self) -> str:
        """Number, identifier, name and what else tells one from another, of the department's words that stand."""
        register, identity = self.register, self.register.identity
        columns, joined = [f'c."{register.key}"', *(f'c."{name}"' for name in _named(register))], ""
        if register.identifiers:
            columns[0] = f'i."{register.key}"'
            joined = f"JOIN {identifiers.table_of(register)} i USING (fid)"
        if register.identifiers and identity is not None:
            text = f'coalesce(i.variants ->> c."{identity}"::text, i."{identity}")'
            if self.taken_in is not None:
                joined += f" LEFT JOIN {STAGE} s ON s.fid = c.fid AND c.delivery = {int(self.taken_in)}"
                text = f'coalesce(s."i_{identity}", {text})'
            columns[1] = text
        return f"""
            SELECT c.fid, {", ".join(columns)} FROM (
                SELECT DISTINCT ON (fid) * FROM {register.claims}
                WHERE department = %(department)s AND fid = ANY(%(fids)s) AND NOT withdrawn
                  AND (edition, delivery) < (%(edition)s, %(delivery)s) ORDER BY fid, edition DESC, delivery DESC
            ) c {joined} WHERE c.said
        """


def _named(register: Deliverable) -> tuple[str, ...]:
    """The name, and the items that tell one from another where names are the same; nothing for what has no name."""
    if register.identity is None:
        return ()
    fields = register.collection.fields
    return register.identity, *(f.name for f in fields if register.item(f.name).check in _TELLING)


def _slips(key: str) -> set[str]:
    """An identifier, and what is left of it without any one of its characters: two that share any are a slip apart."""
    if len(key) < _SHORTEST:
        return set()
    return {f"{_KEY}{key}", *(f"{_KEY}{key[:at]}{key[at + 1 :]}" for at in range(len(key)))}


def _alike(names: Sequence[str], said: Sequence[Any]) -> list[str]:
    """The name with each item that tells one from another, as far as they are given."""
    if not said or said[0] is None:
        return []
    return [f"{item}{_APART}{said[0]}{_APART}{v}" for item, v in zip(names[1:], said[1:], strict=True) if v is not None]
