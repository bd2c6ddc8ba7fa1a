"""What spreadsheets do to codes: exponents, lost digits, lost zeros, decimal tails; found and explained, never repaired
by guessing.

A spreadsheet keeps 15 significant digits (IEEE 754 binary64). An 18-digit number typed as a number loses its last
three digits for good, and a leading zero is never kept.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.column import CodeColumn, lengths, tidy, tidy_column
from gis.codes.finding import ColumnFindings, Finding, ok, reject, warn

SIGNIFICANT_DIGITS = 15

FINDINGS = (
    ok("未见电子表格造成的损坏", "no damage by a spreadsheet"),
    reject(
        "exponent",
        "被电子表格转成了科学计数法(如 3.42E+17),末尾数字已丢失;请把该列设为文本后重新导出",
        "turned into scientific notation by a spreadsheet (like 3.42E+17), the last digits are lost; "
        "set the column to text and export again",
    ),
    reject(
        "precision",
        "电子表格按数值保存超过 15 位的编码,第 16 位起已变成 0,无法恢复;请把该列设为文本后重新导出",
        "a spreadsheet stored a code of more than 15 digits as a number: from the 16th on the digits became 0 and "
        "cannot be restored; set the column to text and export again",
    ),
    warn(
        "decimal_tail",
        "编码带有小数尾巴(如 .0),说明曾按数值保存;去掉尾巴即可,未丢失数字",
        "the code has a decimal tail (like .0), so it was stored as a number; dropping the tail loses nothing",
    ),
    reject(
        "leading_zero",
        "位数不足,可能是电子表格去掉了开头的 0;缺几位无法确定,不作补齐",
        "too few digits: a spreadsheet may have dropped leading zeros; they are not added by guessing",
    ),
)
_OK, _EXPONENT, _PRECISION, _TAIL, _ZERO = range(5)

EXPONENT_FORM = r"^[+-]?[0-9]+(\.[0-9]*)?E[+-]?[0-9]{1,3}$"
TAIL_FORM = r"^[0-9]+\.0*$"
DIGITS_FORM = r"^[0-9]+$"


def explain(code: str, width: int) -> Finding:
    """What a spreadsheet did to one code that should have `width` digits.

    `precision` is said of a number of `width` > 15 digits whose digits from the 16th on are all 0. One sound code in a
    thousand looks like that too: ask only after its own check digit has failed, or look at the column as a whole.
    """
    return FINDINGS[_damage(tidy(code), width)]


def _damage(code: str, width: int) -> int:
    if re.match(EXPONENT_FORM, code):
        return _EXPONENT
    whole, _, _ = code.partition(".")
    tail = bool(re.match(TAIL_FORM, code))
    if not (tail or re.match(DIGITS_FORM, code)):
        return _OK
    if len(whole) == width > SIGNIFICANT_DIGITS and not whole[SIGNIFICANT_DIGITS:].strip("0"):
        return _PRECISION
    if len(whole) < width:
        return _ZERO
    return _TAIL if tail else _OK


def explain_column(column: CodeColumn, width: int) -> ColumnFindings:
    """What a spreadsheet did to each code of a column; the same findings as `explain`, set-based."""
    texts = tidy_column(column)
    tail = matches(texts, TAIL_FORM)
    digits = matches(texts, DIGITS_FORM) | tail
    whole = pc.replace_substring_regex(texts, r"\.0*$", "")
    size = lengths(whole)
    index = np.where(tail, _TAIL, _OK).astype(np.uint8)
    index[digits & (size < width)] = _ZERO
    if width > SIGNIFICANT_DIGITS:
        zeros = matches(whole, f"^[0-9]{{{SIGNIFICANT_DIGITS}}}0{{{width - SIGNIFICANT_DIGITS}}}$")
        index[digits & zeros] = _PRECISION
    index[matches(texts, EXPONENT_FORM)] = _EXPONENT
    return ColumnFindings(index, FINDINGS)


def matches(texts: pa.Array, form: str) -> NDArray[np.bool_]:
    """Which texts match a regular expression (RE2)."""
    return np.asarray(pc.match_substring_regex(texts, form).to_numpy(zero_copy_only=False), dtype=np.bool_)
