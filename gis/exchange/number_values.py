"""Number, whole-number and yes/no fields from whatever a file holds."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gis.exchange.column_names import COUNTERS, unit_factor, unit_symbol
from gis.exchange.converted import Converted, by_word, mask_of, without_gaps
from gis.text import Text

BAD_NUMBER = Text("不是数值", "it is not a number")
NOT_WHOLE = Text("不是整数", "it is not a whole number")
BAD_BOOLEAN = Text("不是“是/否”", "it is neither yes nor no")

_NUMBER = (
    r"^(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?) *(?P<unit>[^\d\s.,+-][^\d]*2?)?$"
)
_EXACT_WHOLE = float(1 << 53)
_TRUE = frozenset({"是", "有", "y", "yes", "t", "true", "1", "1.0", "真", "√", "对"})
_FALSE = frozenset({"否", "无", "n", "no", "f", "false", "0", "0.0", "假", "×", "x", "错", "没有"})


def read_numbers(column: pa.Array, unit: str, factor: float = 1.0) -> Converted:
    """A column as float64. `unit` is the field's UCUM symbol, `factor` brings bare numbers into it.

    Units written behind values are converted or, where that is not known, faults. Faults: "bad-number", "error-cell".
    """
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        found = _typed_numbers(column)
    elif pa.types.is_string(column.type):
        return _written_numbers(column, unit, factor)
    else:
        found = Converted(pa.nulls(len(column), pa.float64()))
        found.fault(pc.is_valid(column), "bad-number", BAD_NUMBER)
    return found if factor == 1 else found.with_array(pc.multiply(found.array, factor))


def read_integers(column: pa.Array, unit: str) -> Converted:
    """A column as int64. Faults: "bad-number", "not-whole", "error-cell"."""
    if pa.types.is_integer(column.type):
        return Converted(pc.cast(column, pa.int64()))
    if pa.types.is_string(column.type):
        try:
            return Converted(pc.cast(column, pa.int64()))
        except pa.ArrowInvalid:
            pass
    found = read_numbers(column, unit)
    numbers = found.array
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT_WHOLE))
    found.fault(pc.and_(pc.is_valid(numbers), pc.invert(whole)), "not-whole", NOT_WHOLE)
    kept = pc.if_else(pc.fill_null(whole, False), numbers, pa.scalar(None, pa.float64()))
    return found.with_array(pc.cast(kept, pa.int64()))


def read_booleans(column: pa.Array) -> Converted:
    """A column as bool: 是/否, 有/无, Y/N, true/false, 1/0. Faults: "bad-boolean", "error-cell"."""
    if pa.types.is_boolean(column.type):
        return Converted(column)
    text = pc.cast(column, pa.string())
    words = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    values = by_word(words, lambda word: None if word is None else True if word in _TRUE else _no(word), pa.bool_())
    unread = pc.if_else(pc.is_valid(values), pa.scalar(None, pa.string()), text)
    rest = without_gaps(unread)
    found = rest.with_array(values)
    found.fault(pc.is_valid(rest.array), "bad-boolean", BAD_BOOLEAN)
    return found


def _no(word: str) -> bool | None:
    return False if word in _FALSE else None


def _typed_numbers(column: pa.Array) -> Converted:
    numbers = pc.cast(column, pa.float64(), safe=False)
    if not pa.types.is_floating(column.type):
        return Converted(numbers)
    finite = pc.is_finite(numbers)
    if pc.all(finite).as_py() is not False:
        return Converted(numbers)
    found = Converted(pc.if_else(finite, numbers, pa.scalar(None, pa.float64())))
    found.fault(pc.is_inf(numbers), "bad-number", BAD_NUMBER)
    return found


def _written_numbers(column: pa.Array, unit: str, factor: float) -> Converted:
    try:
        plain = _typed_numbers(pc.cast(column, pa.float64()))
        # arrow reads "nan" and "inf": words, which are looked at below
        if plain.array.null_count == column.null_count:
            return plain if factor == 1 else plain.with_array(pc.multiply(plain.array, factor))
    except pa.ArrowInvalid:
        pass
    found = without_gaps(column)
    text = found.array
    parts = pc.extract_regex(text, _NUMBER)
    number = pc.struct_field(parts, "number")
    digits = pc.match_substring_regex(number, r"\d")
    number = pc.if_else(pc.fill_null(digits, False), number, pa.scalar(None, pa.string()))
    values = pc.cast(pc.replace_substring(number, ",", ""), pa.float64())
    suffix = pc.if_else(pc.is_valid(number), pc.struct_field(parts, "unit"), pa.scalar(None, pa.string()))
    values = pc.multiply(values, by_word(suffix, lambda word: _suffix_factor(word, unit, factor), pa.float64()))
    values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
    _say_forms(found, text, pc.if_else(pc.is_valid(values), suffix, ""), number)
    found.fault(pc.and_(pc.is_valid(text), pc.is_null(values)), "bad-number", BAD_NUMBER)
    return found.with_array(values)


def _suffix_factor(word: str | None, unit: str, factor: float) -> float | None:
    """What a number with this behind it is multiplied with; None when that is not known."""
    if not word:
        return factor
    written = word.strip()
    symbol = unit_symbol(written)
    if symbol is not None and unit:
        return unit_factor(symbol, unit)
    return 1.0 if written in COUNTERS and not unit else None


def _say_forms(found: Converted, text: pa.Array, suffix: pa.Array, number: pa.Array) -> None:
    with_unit = np.flatnonzero(mask_of(pc.not_equal(suffix, "")))
    if len(with_unit):
        example = text[int(with_unit[0])].as_py()
        found.remark("units", f"数值后的单位已去掉或换算(如 {example})", f"units behind values are read ({example})")
    grouped = np.flatnonzero(mask_of(pc.match_substring(number, ",")))
    if len(grouped):
        example = text[int(grouped[0])].as_py()
        found.remark("thousands", f"逗号为千位分隔符(如 {example})", f"commas separate thousands ({example})")
