"""A column of citizen ids checked at once: the same rules as `citizen_id.check`, on an (n, 18) matrix of bytes."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes import damage
from gis.codes.citizen_id import CHECK_CHARACTERS, EARLIEST_BIRTH_YEAR, FINDINGS, REASONS, WEIGHTS
from gis.codes.column import CodeColumn, ascii_rows, byte_matrix, from_byte_matrix, lengths, tidy_column
from gis.codes.finding import ColumnFindings

_CHECK_BYTES = np.frombuffer(CHECK_CHARACTERS.encode(), dtype=np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_CHUNK_ROWS = 65_536
#: OpenBLAS uses threads beyond 262 144 multiplications: rows × 17 digits × 6 numbers.
_PRODUCT_ROWS = 2_048
_ZERO, _X = 48, 88


@dataclass(frozen=True, slots=True)
class CitizenIds:
    """A checked column. Rows that are refused have no text, division 0, birth NaT and `female` false."""

    findings: ColumnFindings
    text: pa.Array
    """The numbers with 18 characters (null where refused)."""
    division: NDArray[np.int32]
    """The six-digit division of first registration."""
    birth: NDArray[np.datetime64]
    """The date of birth, datetime64[D]."""
    female: NDArray[np.bool_]
    """Whether the sequence number is even."""

    def take(self, keep: NDArray[np.bool_]) -> "CitizenIds":
        """The rows for which `keep` is true."""
        if keep.all():
            return self
        findings = ColumnFindings(self.findings.index[keep], self.findings.findings)
        text = self.text.filter(pa.array(keep))
        return CitizenIds(findings, text, self.division[keep], self.birth[keep], self.female[keep])


def check_column(column: CodeColumn, *, today: dt.date | None = None) -> CitizenIds:
    """Check a column of citizen ids (18 or 15 digits, any mixture) set-based; see `citizen_id.check` for the rules."""
    texts = tidy_column(column)
    codes, reason = _eighteen(texts)
    last = np.datetime64(today or dt.date.today(), "D")
    division = np.zeros(len(texts), dtype=np.int32)
    birth = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[D]")
    female = np.zeros(len(texts), dtype=np.bool_)
    for start in range(0, len(texts), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        division[part], birth[part], female[part] = _judge(codes[part], reason[part], last)
    findings = ColumnFindings(reason, FINDINGS)
    refused = ~findings.taken
    division[refused], birth[refused], female[refused] = 0, np.datetime64("NaT"), False
    return CitizenIds(findings, from_byte_matrix(codes, ~refused), division, birth, female)


def _eighteen(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Each row's 18 bytes (zeros where it has no such form) and the reason found so far."""
    size = lengths(texts)
    codes = np.full((len(texts), 18), _ZERO, dtype=np.uint8)
    reason = np.full(len(texts), REASONS["length"], dtype=np.uint8)
    reason[size == 0] = REASONS["empty"]
    full, old = size == 18, size == 15
    reason[full] = REASONS["ok"]
    reason[old] = REASONS["fifteen_digits"]
    codes[full] = byte_matrix(texts if full.all() else texts.filter(pa.array(full)), 18)
    if old.any():
        short = byte_matrix(texts.filter(pa.array(old)), 15)
        codes[old, :6], codes[old, 6:8], codes[old, 8:17] = short[:, :6], np.frombuffer(b"19", np.uint8), short[:, 6:]
    reason[~ascii_rows(texts)] = REASONS["characters"]
    if not full.all():
        _note_damage(texts, reason)
    return codes, reason


def _note_damage(texts: pa.Array, reason: NDArray[np.uint8]) -> None:
    exponent = pc.match_substring_regex(texts, damage.EXPONENT_FORM).to_numpy(zero_copy_only=False)
    reason[exponent] = REASONS["exponent"]
    lengthy = (reason == REASONS["length"]).nonzero()[0]
    if lengthy.size:
        found = damage.explain_column(texts.take(pa.array(lengthy)), 18)
        lost = found.index == [f.reason for f in found.findings].index("precision")
        reason[lengthy[lost]] = REASONS["precision"]


def _judge(
    codes: NDArray[np.uint8], reason: NDArray[np.uint8], last: np.datetime64
) -> tuple[NDArray[np.int32], NDArray[np.datetime64], NDArray[np.bool_]]:
    """Write the reasons of one chunk (later rules never overwrite earlier ones); old rows get their check digit."""
    digits = codes[:, :17] - np.uint8(_ZERO)
    ends = codes[:, 17]
    checked = reason == REASONS["ok"]
    old = reason == REASONS["fifteen_digits"]
    clean = (digits <= 9).all(axis=1) & (old | (ends - np.uint8(_ZERO) <= 9) | (ends == _X))
    numbers = _products(digits.astype(np.float32))
    total, division, year, month, day, sequence = numbers.astype(np.int32).T
    birth, exists = _dates(year, month, day)
    expected = _CHECK_BYTES[total % 11]
    codes[old, 17] = expected[old]
    in_range = (year >= EARLIEST_BIRTH_YEAR) & (birth <= last)
    fits = old | (ends == expected)
    lost = checked & ~fits & (codes[:, 15:] == _ZERO).all(axis=1)
    _mark(reason, checked & fits & (codes[:, 0] == _ZERO), "unknown_province")
    _mark(reason, checked & ~fits, "check_digit")
    _mark(reason, lost, "precision")
    _mark(reason, (checked | old) & ~in_range, "birth_range")
    _mark(reason, (checked | old) & ~exists, "birth_date")
    _mark(reason, (checked | old) & ~clean, "characters")
    return division, birth, sequence % 2 == 0


def _products(digits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The digits times their place values, in parts too small for threads: those wait busily for one another."""
    parts = [digits[start : start + _PRODUCT_ROWS] @ _PLACES for start in range(0, len(digits), _PRODUCT_ROWS)]
    return np.concatenate(parts) if parts else np.empty((0, _PLACES.shape[1]), np.float32)


def _mark(reason: NDArray[np.uint8], rows: NDArray[np.bool_], name: str) -> None:
    reason[rows] = REASONS[name]


def _place_values() -> NDArray[np.float32]:
    """One matrix product gives the checksum, division, year, month, day and sequence; all are exact in float32."""
    places = np.zeros((17, 6), dtype=np.float32)
    places[:, 0] = WEIGHTS
    for column, (start, stop) in enumerate(((0, 6), (6, 10), (10, 12), (12, 14), (14, 17)), start=1):
        places[start:stop, column] = 10.0 ** np.arange(stop - start - 1, -1, -1)
    return places


_PLACES = _place_values()


def _dates(
    year: NDArray[np.int32], month: NDArray[np.int32], day: NDArray[np.int32]
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Calendar days and which of them exist (Gregorian)."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    known = (month >= 1) & (month <= 12)
    longest = _DAYS[np.where(known, month, 0)] + (leap & (month == 2))
    months = (year.astype(np.int64) - 1970) * 12 + month - 1
    dates = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    return dates, known & (day >= 1) & (day <= longest) & (year >= 1)
