"""Text fields: trimmed, without NUL, with codes that Excel or a float column has damaged refused or restored."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.exchange.converted import ERROR_CELL, ERROR_CELLS, Converted, mask_of
from gis.text import Text

#: Digits of division codes (GB/T 2260, GB/T 10114: province, city, county, township, village) and of post codes.
DIVISION_DIGITS = (2, 4, 6, 9, 12)
POSTCODE_DIGITS = (6,)

DAMAGED = Text(
    "编码被 Excel 存成数值(如 3.42E+17),超过 15 位的数字已丢失,无法恢复;请从原系统以文本重新导出",
    "a code that Excel turned into a number (such as 3.42E+17): its last digits are lost; export it again as text",
)
NUL = Text("含有空字符(NUL)", "it holds a NUL character")

_WHITE = " \t\r\n\f\v\u00a0\u3000\ufeff\u200b\u2028\u2029"
_NULL_WORDS = ("NULL", "null", "<Null>", "<null>", "<NULL>", "(null)", "\\N", "#NULL")
_DAMAGE = r"^-?\d(\.\d+)?[Ee]\+\d{2,3}$"
_FLOAT_CODE = r"^\d+\.0$"
#: Bytes of which one occurs in every damaged code and every error. Single ones, since only these are found fast.
_MARKS = (b"\0", b"#", b"+")
_EXACT_BELOW = 1e15
_ODD_FIRST = np.isin(np.arange(256), [*range(0x21), 0xC2, 0xE2, 0xE3, 0xEF, *b"<(\\"])


def read_texts(column: pa.Array, digits: tuple[int, ...] = ()) -> Converted:
    """A column of any type as texts. `digits` are the lengths that a code of this field may have, none for other text.

    Faults: "excel-damaged", "nul-character", "error-cell". A clean column of strings is returned as it is.
    """
    found = _as_strings(column)
    if is_clean(found.array) and not digits:
        return found.with_array(_without_empty(found.array))
    # trim white space that utf8_trim_whitespace does not know: byte-order marks and zero-width spaces
    text = pc.utf8_trim(found.array, characters=_WHITE)
    found.fault(pc.match_substring(text, "\0"), "nul-character", NUL)
    found.fault(pc.is_in(text, value_set=pa.array(ERROR_CELLS)), "error-cell", ERROR_CELL)
    found.fault(pc.match_substring_regex(text, _DAMAGE), "excel-damaged", DAMAGED)
    words = pc.is_in(text, value_set=pa.array(_NULL_WORDS))
    if pc.any(words).as_py():
        found.remark("missing", "“NULL”等视为没有值", "'NULL' and the like are read as no value")
    gone = mask_of(pc.or_(words, pc.equal(text, "")))
    for fault in found.faults:
        gone = gone | fault.where
    text = pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), text)
    return _restored(found.with_array(text), digits)


def is_clean(texts: pa.StringArray) -> bool:
    """Whether no value has white space around it, or holds any of what this module looks for; it may be empty.

    Looks at the bytes themselves, so that a million clean values take milliseconds; it may say no in vain.
    """
    if len(texts) == 0 or texts.null_count == len(texts):
        return True
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    filled = np.diff(offsets) > 0
    if data_buffer is None or not filled.any():
        return True
    data = np.frombuffer(data_buffer, dtype=np.uint8)
    starts, ends = offsets[:-1][filled], offsets[1:][filled]
    if _may_begin_odd(data[starts], ends - starts) or _may_end_odd(data, ends):
        return False
    raw = data[offsets[0] : offsets[-1]].tobytes()
    return not any(mark in raw for mark in _MARKS)


def _without_empty(texts: pa.StringArray) -> pa.StringArray:
    """The same with null for an empty text."""
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts


def _may_begin_odd(first: NDArray[np.uint8], lengths: NDArray[np.int32]) -> bool:
    """White space (beyond ASCII: C2 A0, E2 80 xx, E3 80 80, EF BB BF) or one of the words for null."""
    odd = _ODD_FIRST[first] | ((lengths == 4) & ((first | 0x20) == ord("n")))
    return bool(odd.any())


def _may_end_odd(data: NDArray[np.uint8], ends: NDArray[np.int32]) -> bool:
    last, before, third = (data[np.maximum(ends - back, 0)] for back in (1, 2, 3))
    odd = (last <= 0x20) | ((last == ord("0")) & (before == ord(".")))
    odd |= ((before == 0x80) & ((third == 0xE2) | (third == 0xE3))) | ((before == 0xC2) & (last == 0xA0))
    odd |= (third == 0xEF) & (before == 0xBB)
    return bool(odd.any())


def _as_strings(column: pa.Array) -> Converted:
    kind = column.type
    if pa.types.is_string(kind):
        return Converted(column)
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_nested(kind):
        return Converted(pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string()))
    return Converted(pc.cast(column, pa.string()))


def _floats(column: pa.Array) -> Converted:
    """Numbers as texts, whole ones without ".0"; whole ones of more than 15 digits are damaged codes."""
    numbers = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    whole = pc.equal(pc.floor(numbers), numbers)
    damaged = pc.and_(whole, pc.greater_equal(pc.abs(numbers), _EXACT_BELOW))
    short = pc.if_else(pc.and_(whole, pc.invert(damaged)), numbers, pa.scalar(None, column.type))
    text = pc.coalesce(pc.cast(pc.cast(short, pa.int64()), pa.string()), pc.cast(numbers, pa.string()))
    found = Converted(pc.if_else(pc.fill_null(damaged, False), pa.scalar(None, pa.string()), text))
    found.fault(damaged, "excel-damaged", DAMAGED)
    return found


def _restored(found: Converted, digits: tuple[int, ...]) -> Converted:
    """Codes as they were before a number column took their leading zero or gave them ".0", where no doubt is left."""
    text = found.array
    floats = mask_of(pc.match_substring_regex(text, _FLOAT_CODE))
    if floats.any() and not digits:
        found.remark(
            "float",
            "有的值以 .0 结尾,可能曾存为小数;未改动",
            "values end in .0, perhaps once saved as floats; left as they are",
            sure=False,
        )
    if not digits:
        return found
    if floats.any():
        bare = pc.replace_substring_regex(text, r"\.0$", "")
        fits = mask_of(pc.is_in(pc.utf8_length(bare), value_set=pa.array(digits, pa.int32()))) & floats
        text = pc.if_else(pa.array(fits), bare, text)
        if fits.any():
            found.remark(
                "float",
                "编码末尾的 .0 已去掉(位数符合编码规则)",
                "the .0 behind codes was removed: their length is right",
            )
    if len(digits) == 1:
        short = mask_of(pc.match_substring_regex(text, rf"^[1-9]\d{{{digits[0] - 2}}}$"))
        text = pc.if_else(pa.array(short), pc.binary_join_element_wise("0", text, ""), text)
        if short.any():
            found.remark(
                "leading-zero",
                f"编码前面丢失的 0 已补上(应为 {digits[0]} 位)",
                f"a lost leading zero was put back: the code has {digits[0]} digits",
            )
    return found.with_array(text)
