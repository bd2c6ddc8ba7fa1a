"""Rows of a file as a department's words, and which entities a file has told of so far."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Words:
    """Some rows as they are said: all parts have the same length.

    `content` holds the claim's columns in order; `texts` the direct identifiers as written, by name, the key first
    (empty for registers without any). `ends` rows say that the entity is no more; their digest is even.
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


def places(numbers: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each wanted number stands among ascending ones (anywhere, where it does not), and which of them do."""
    if not len(numbers):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    # in order, so that neighbours in the search are neighbours in memory
    order = _order(wanted)
    at = np.empty(len(wanted), np.int64)
    at[order] = np.minimum(np.searchsorted(numbers, wanted[order]), len(numbers) - 1)
    return at, numbers[at] == wanted


def _order(numbers: Ints) -> NDArray[np.int64] | slice:
    """What puts numbers in ascending order; nothing is moved where they are."""
    return slice(None) if bool((numbers[1:] >= numbers[:-1]).all()) else np.argsort(numbers)


def array_literal(numbers: Ints) -> str:
    """Numbers as PostgreSQL reads an array; a driver that makes one of them at a time takes ten times as long."""
    return f"{{{','.join(map(str, numbers.tolist()))}}}"


def among(wanted: Ints, numbers: Ints) -> NDArray[np.bool_]:
    """Which of many wanted numbers are among a few others, in any order."""
    ordered = np.sort(numbers)
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted)


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

    def add(self, fids: Ints, rows: Ints) -> None:
        """Remember rows that are known to be the only ones of their entities so far."""
        order = _order(fids)
        self._remember(fids[order], rows[order])

    def again(self, fids: Ints) -> NDArray[np.bool_]:
        """Which rows are not the only ones of their entity, here or so far."""
        order = _order(fids)
        own = fids[order]
        twice = np.zeros(len(own), bool)
        twice[1:] = own[1:] == own[:-1]
        twice[:-1] |= twice[1:]
        for numbers, _ in self._runs:
            at = np.minimum(np.searchsorted(numbers, own), len(numbers) - 1)
            twice |= numbers[at] == own
        found = np.empty(len(fids), bool)
        found[order] = twice
        return found

    def _remember(self, numbers: Ints, rows: Ints) -> None:
        while self._runs and len(self._runs[-1][0]) <= 2 * len(numbers):
            last, where = self._runs.pop()
            both = np.concatenate([last, numbers])
            order = np.argsort(both, kind="stable")
            numbers, rows = both[order], np.concatenate([where, rows])[order]
        if len(numbers):
            self._runs.append((numbers, rows))
