"""Columns of division codes as whole numbers (int64), and their levels and ancestors, in numpy and in SQL."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes import damage
from gis.codes.column import CodeColumn, byte_matrix, digits_to_int, lengths, tidy_column
from gis.codes.division import DIGITS, FINDINGS, LEVEL_ENDS, REASONS, SPANS
from gis.codes.finding import ColumnFindings


@dataclass(frozen=True, slots=True)
class Divisions:
    """A checked column; `code` holds the 12-digit numbers, 0 where refused."""

    findings: ColumnFindings
    code: NDArray[np.int64]


def check_column(column: CodeColumn) -> Divisions:
    """Read a column of division codes of 2, 4, 6, 9 or 12 digits, texts or whole numbers, in any mixture.

    The rules are those of `division.check`.
    """
    texts = tidy_column(column)
    reason = np.full(len(texts), REASONS["ok"], dtype=np.uint8)
    digits = _without_tail(texts, reason)
    size = lengths(digits)
    code = np.zeros(len(texts), dtype=np.int64)
    for length in np.unique(size):
        rows = np.flatnonzero(size == length)
        part = digits if len(rows) == len(digits) else digits.take(pa.array(rows))
        code[rows], reason[rows] = _read(part, int(length), reason[rows])
    code[reason > REASONS["decimal_tail"]] = 0
    return Divisions(ColumnFindings(reason, FINDINGS), code)


def _without_tail(texts: pa.Array, reason: NDArray[np.uint8]) -> pa.Array:
    """The texts without a decimal tail; `reason` then says which had a tail and which are exponents."""
    if damage.matches(texts, r"^[0-9]*$").all():
        return texts
    reason[damage.matches(texts, damage.TAIL_FORM)] = REASONS["decimal_tail"]
    reason[damage.matches(texts, damage.EXPONENT_FORM)] = REASONS["exponent"]
    return pc.replace_substring_regex(texts, r"^([0-9]+)\.0*$", r"\1")


def _read(digits: pa.Array, length: int, reason: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The numbers of texts that are all `length` bytes long; a rule written later stands above those before it."""
    if length == 0:
        return np.zeros(len(digits), dtype=np.int64), np.full(len(digits), REASONS["empty"], dtype=np.uint8)
    if length in LEVEL_ENDS:
        number, clean = digits_to_int(byte_matrix(digits, length))
    else:
        number, clean = np.zeros(len(digits), dtype=np.int64), damage.matches(digits, damage.DIGITS_FORM)
    found = reason.copy()
    found[number < 10 ** min(length - 1, DIGITS)] = REASONS["province"]
    if length not in LEVEL_ENDS:
        found[:] = REASONS["length"]
    found[~clean] = REASONS["characters"]
    found[reason == REASONS["exponent"]] = REASONS["exponent"]
    return number * 10 ** max(DIGITS - length, 0), found


def levels(codes: NDArray[np.int64]) -> NDArray[np.int8]:
    """The level (1 to 5) of each 12-digit number; see `Division.level`."""
    level = np.ones(len(codes), dtype=np.int8)
    for below in range(1, len(SPANS)):
        level[codes % SPANS[below - 1] != 0] = below + 1
    return level


def parents(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each division's parent (see `Division.parent`), 0 for a province."""
    level = levels(codes)
    span = np.array((10**DIGITS, *SPANS), dtype=np.int64)[level - 1]
    return codes - codes % span


def at_level(codes: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    """The numbers of the divisions of `level` that hold these."""
    held: NDArray[np.int64] = codes - codes % SPANS[level - 1]
    return held


def at_level_sql(column: str, level: int) -> str:
    """SQL for `at_level`; `column` is a bigint expression taken from a declaration, never from a user.

    Without a percent sign, which a statement with bound values would take for a placeholder.
    """
    return f"({column} / {SPANS[level - 1]} * {SPANS[level - 1]})"
