"""A column of unified social credit codes checked at once: the same rules as `credit_code.check`, set-based."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes import damage
from gis.codes.column import CodeColumn, ascii_rows, byte_matrix, from_byte_matrix, lengths, tidy_column
from gis.codes.credit_code import (
    ALPHABET,
    FINDINGS,
    ORGANISATION_CHECKS,
    ORGANISATION_WEIGHTS,
    REASONS,
    WEIGHTS,
)
from gis.codes.finding import ColumnFindings

_CHUNK_ROWS = 65_536
_FOREIGN = 255
_ALPHABET_BYTES = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_ORGANISATION_CHECK_BYTES = np.frombuffer(ORGANISATION_CHECKS.encode(), dtype=np.uint8)


def _table(characters: str, base36: bool) -> NDArray[np.uint8]:
    values = np.full(256, _FOREIGN, dtype=np.uint8)
    for place, character in enumerate(characters):
        values[ord(character)] = int(character, 36) if base36 else place
    return values


_VALUES = _table(ALPHABET, base36=False)
_BASE36 = _table(ALPHABET, base36=True)


@dataclass(frozen=True, slots=True)
class CreditCodes:
    """A checked column; `text` holds the normalised codes, null where refused."""

    findings: ColumnFindings
    text: pa.Array


def check_column(column: CodeColumn) -> CreditCodes:
    """Check a column of credit codes set-based; see `credit_code.check` for the rules."""
    texts = tidy_column(column)
    size = lengths(texts)
    full = size == 18
    reason = np.full(len(texts), REASONS["length"], dtype=np.uint8)
    reason[size == 0] = REASONS["empty"]
    codes = np.full((len(texts), 18), ord("0"), dtype=np.uint8)
    codes[full] = byte_matrix(texts if full.all() else texts.filter(pa.array(full)), 18)
    for start in range(0, len(texts), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        reason[part] = np.where(full[part], _judge(codes[part]), reason[part])
    if not full.all():
        _note_other_forms(texts, size, reason)
    findings = ColumnFindings(reason, FINDINGS)
    return CreditCodes(findings, from_byte_matrix(codes, findings.taken))


def _judge(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The reason for each code of 18 bytes; a rule written later stands above those before it."""
    values = _VALUES[codes]
    total = values[:, :17].astype(np.float32) @ np.array(WEIGHTS, dtype=np.float32)
    inner = _BASE36[codes[:, 8:16]].astype(np.float32) @ np.array(ORGANISATION_WEIGHTS, dtype=np.float32)
    expected = _ALPHABET_BYTES[-total.astype(np.int64) % 31]
    expected_inner = _ORGANISATION_CHECK_BYTES[inner.astype(np.int64) % 11]
    failed = codes[:, 17] != expected
    failed_inner = codes[:, 16] != expected_inner
    digits = values <= 9
    lost = failed & failed_inner & digits.all(axis=1) & (values[:, 15:] == 0).all(axis=1)
    reason = np.where(failed_inner, REASONS["organisation_check"], REASONS["ok"]).astype(np.uint8)
    reason[failed] = REASONS["check_character"]
    reason[lost] = REASONS["precision"]
    reason[~digits[:, 2:8].all(axis=1)] = REASONS["division"]
    reason[(values == _FOREIGN).any(axis=1)] = REASONS["characters"]
    return reason


def _note_other_forms(texts: pa.Array, size: NDArray[np.int32], reason: NDArray[np.uint8]) -> None:
    """Say what a text that is not 18 characters long looks like."""
    found = damage.explain_column(texts, 18)
    spoiled = np.array([f.reason for f in found.findings])[found.index]
    numeric = pc.match_substring_regex(texts, "^[0-9]{15}$").to_numpy(zero_copy_only=False)
    reason[numeric] = REASONS["registration_number"]
    reason[(size != 18) & (spoiled == "precision")] = REASONS["precision"]
    reason[spoiled == "exponent"] = REASONS["exponent"]
    reason[~ascii_rows(texts)] = REASONS["characters"]
